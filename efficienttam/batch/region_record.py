"""Where a first pass found an object, kept beside its mattes.

One small file per object and view, ``.hero.region.json``: per frame a sum over all that the pass depends on
there, and the box. It saves the pass when a job is resumed, corrected or cut into parts on a farm; without
it the pass is made again.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping

from ..tracking.region_path import PixelBox

_VERSION = 1
#: No plate has more pixels on a side.
_LARGEST = 10**6
_log = logging.getLogger(__name__)


class RegionRecord:
    """The boxes of one object; ``path`` is the file. None is the box of a frame without the object."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._boxes: dict[int, tuple[str, PixelBox | None]] = _read(path)

    def boxes(self, sum_of: Callable[[int], str], frames: range) -> dict[int, PixelBox | None]:
        """Those of the frames whose sum is still ``sum_of(frame)``."""
        held = ((frame, self._boxes.get(frame, ("", None))) for frame in frames)
        return {frame: box for frame, (known, box) in held if known == sum_of(frame)}

    def add(self, boxes: Mapping[int, PixelBox | None], sum_of: Callable[[int], str]) -> None:
        """Writes boxes into the file. One that another process wrote meanwhile for the same sum stays, so
        that all parts of a shot go by the same boxes. A folder that cannot be written is told in the log
        and costs another pass next time."""
        self._boxes.update(_read(self.path))
        for frame, box in boxes.items():
            known = sum_of(frame)
            if self._boxes.get(frame, ("", None))[0] != known:
                self._boxes[frame] = known, box
        partial = f"{self.path}.{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            with open(partial, "w", encoding="utf-8", newline="\n") as file:
                file.write(_text(self._boxes))
            os.replace(partial, self.path)
        except OSError as error:
            _log.warning("%s cannot be written: %s.", self.path, error.strerror)


def _text(boxes: Mapping[int, tuple[str, PixelBox | None]]) -> str:
    lines = (f"    {json.dumps(str(frame))}: {json.dumps(boxes[frame])}" for frame in sorted(boxes))
    return f'{{\n  "version": {_VERSION},\n  "boxes": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


def _read(path: str) -> dict[int, tuple[str, PixelBox | None]]:
    """What a file holds; nothing where there is none or it is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["version"] != _VERSION:
            _log.warning("%s is of another version and is made again.", path)
            return {}
        return {int(frame): (str(known), _box(box)) for frame, (known, box) in document["boxes"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        _log.warning("%s is damaged and is made again.", path)
        return {}


def _box(sides: object) -> PixelBox | None:
    if sides is None:
        return None
    if not isinstance(sides, list) or [type(side) for side in sides] != [int] * 4:
        raise ValueError("no box")
    left, top, right, bottom = sides
    if not (0 <= left < right <= _LARGEST and 0 <= top < bottom <= _LARGEST):
        raise ValueError("no box of a plate")
    return left, top, right, bottom
