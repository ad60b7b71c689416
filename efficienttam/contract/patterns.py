"""Names of image sequences: ``hero.%04d.exr``, ``hero.####.exr``, ``hero.$F4.exr``, ``%V`` and ``{object}``.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
import re
from typing import Iterable

from .errors import JobError

#: In order of precedence: where one kind is found, the others are plain text.
_FRAME_TOKENS = (
    re.compile(r"%(?:0(?P<digits>\d+))?d"),
    re.compile(r"\$F(?P<digits>\d+|(?![A-Za-z0-9_]))"),
    re.compile(r"(?P<digits>#+)"),
)
_VIEW_TOKEN = re.compile(r"%[Vv]")
_OBJECT_TOKEN = "{object}"


class FramePattern:
    """A file name with places for a frame number, a view and an object.

    Frame tokens: ``%04d``, ``%d``, ``$F4``, ``$F`` and ``####``; at most one, in the file's name or a
    folder's.
    ``%V`` is the view's name, ``%v`` its first letter. ``{object}`` is the object's name.

    Raises JobError when there is more than one frame token.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        found = [list(kind.finditer(text)) for kind in _FRAME_TOKENS]
        tokens = next((kind for kind in found if kind), [])
        if len(tokens) > 1:
            raise JobError(
                f"{text!r} has {len(tokens)} frame tokens, expected one.",
                "Keep one of {}.".format(", ".join(token.group() for token in tokens)),
            )
        self._token = tokens[0] if tokens else None

    @property
    def has_frame(self) -> bool:
        """False for a still or a movie."""
        return self._token is not None

    @property
    def has_view(self) -> bool:
        """True when each view has its own file."""
        return bool(_VIEW_TOKEN.search(self.text))

    @property
    def has_object(self) -> bool:
        """True when each object has its own file."""
        return _OBJECT_TOKEN in self.text

    @property
    def padding(self) -> int:
        """Least number of digits, 1 when the number is not padded or there is none."""
        if self._token is None:
            return 1
        digits = self._token.group("digits") or "1"
        return len(digits) if digits.startswith("#") else max(1, int(digits))

    def path(self, frame: int, view: str = "", name: str = "") -> str:
        """The file of one frame, view and object."""
        text = self.text
        if self._token is not None:
            number = "{}{:0{}d}".format("-" if frame < 0 else "", abs(frame), self.padding)
            text = text[: self._token.start()] + number + text[self._token.end() :]
        return _fill(text, view, name)

    def frames_on_disk(self, view: str = "") -> list[int]:
        """The frame numbers that exist, ascending; empty when the pattern has no frame token."""
        if self._token is None:
            return []
        before = _fill(self.text[: self._token.start()], view, "")
        after = _fill(self.text[self._token.end() :], view, "")
        folder, prefix = os.path.split(before)
        suffix, _, rest = after.partition(os.sep)
        if "/" in suffix:
            suffix, _, rest = suffix.partition("/")
        number = re.compile(re.escape(prefix) + r"(-?\d+)" + re.escape(suffix) + r"\Z")
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            return []
        frames = set()
        for entry in entries:
            match = number.match(entry)
            if match is None:
                continue
            frame = int(match.group(1))
            whole = os.path.join(folder, entry, rest) if rest else os.path.join(folder, entry)
            if os.path.normpath(whole) == os.path.normpath(self.path(frame, view)) and os.path.isfile(whole):
                frames.add(frame)
        return sorted(frames)


def _fill(text: str, view: str, name: str) -> str:
    text = text.replace("%V", view).replace("%v", view[:1])
    return text.replace(_OBJECT_TOKEN, name)


def frame_ranges(frames: Iterable[int]) -> str:
    """Frame numbers as people write them: ``1001-1004, 1009``."""
    ranges: list[list[int]] = []
    for frame in sorted(set(frames)):
        if ranges and frame == ranges[-1][1] + 1:
            ranges[-1][1] = frame
        else:
            ranges.append([frame, frame])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def parse_frame_range(text: str) -> tuple[int, int]:
    """``1001-1048`` or ``1001`` as first and last frame; negative numbers are allowed.

    Raises JobError when the text is neither, or when last is below first.
    """
    match = re.match(r"\s*(-?\d+)\s*(?:-\s*(-?\d+))?\s*\Z", text)
    if match is None:
        raise JobError(
            f"{text!r} is not a frame range.",
            "Write FIRST-LAST, for example 1001-1048, or one frame.",
        )
    first = int(match.group(1))
    last = int(match.group(2)) if match.group(2) is not None else first
    if last < first:
        raise JobError(
            f"The frame range {text!r} ends before it starts.",
            f"Write the lower frame first: {last}-{first}.",
        )
    return first, last
