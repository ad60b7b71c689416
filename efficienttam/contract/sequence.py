"""Frame patterns, what lies on disk for them, and ranges of frames.

A pattern names one file per frame and view:

* ``%04d`` ``%d``: frame number, zero-padded to the given width;
* ``####`` ``#``: the same, the width is the number of signs;
* ``$F4`` ``$F``: the same;
* ``%V`` ``%v``: name of the view (``left``), its first letter (``l``);
* ``{object}``: name of the object, in names of mattes.

One spelling counts per path, in the order above, so that a ``#`` in a folder name next to ``%04d``
stays a ``#``. A frame token may stand more than once and in folders too. Negative frames are written
as C does: ``%04d`` of -1 is ``-001``. Without a frame token the path is one still image.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import re
from typing import Iterable, Sequence

from .errors import JobError, PlateError

_FRAME_SPELLINGS = (
    re.compile(r"%(?:0(?P<width>\d+))?d"),
    re.compile(r"\$F(?P<width>\d*)(?![A-Za-z_])"),
    re.compile(r"(?P<hashes>#+)"),
)
_OBJECT = "{object}"
_VIEW = re.compile(r"%[Vv]")
_STILL_NUMBER = re.compile(r"[._](-?\d+)\.[^.]+$")
_RANGE = re.compile(r"^(-?\d+)(?:-(-?\d+)(?:x(\d+))?)?$")
_MOST_FRAMES = 1000000
_NUMBER = re.compile(r"\d{1,9}")
#: Beyond every frame number.
FURTHEST = 10**9


class MissingFrames(enum.Enum):
    """What stands in for a frame of the range that is not on disk."""

    #: Nothing: refuse before any work starts.
    ERROR = "error"
    #: The nearest earlier frame; the nearest later one where there is none.
    HOLD = "hold"
    #: Black.
    BLACK = "black"


@dataclasses.dataclass(frozen=True)
class SequencePattern:
    """A path with frame and view tokens. ``/`` and the system's own separator both work."""

    text: str

    @property
    def is_sequence(self) -> bool:
        """True when the path holds a frame token."""
        return self._spelling() is not None

    @property
    def has_view(self) -> bool:
        """True when the path holds ``%V`` or ``%v``."""
        return _VIEW.search(self.text) is not None

    @property
    def has_object(self) -> bool:
        """True when the path holds ``{object}``."""
        return _OBJECT in self.text

    @property
    def folder(self) -> str:
        """The folder that the files of every frame and object lie in or below."""
        spelling = self._spelling()
        text = spelling.sub(_OBJECT, self.text) if spelling else self.text
        return os.path.dirname(text.split(_OBJECT)[0])

    @property
    def title(self) -> str:
        """The name of the files without ending and tokens: ``hero`` of ``mattes/hero.%04d.exr``.

        Empty where nothing else stands in it.
        """
        spelling = self._spelling()
        name = os.path.splitext(os.path.basename(self.text))[0]
        pieces = (spelling.sub(_OBJECT, name) if spelling else name).split(_OBJECT)
        return ".".join(filter(None, (piece.strip("._- ") for piece in pieces)))

    def path(self, frame: int, view: str = "", name: str = "") -> str:
        """The file of one frame, of the view and the object of that name.

        Raises PlateError when the pattern asks for a view and none is given.
        """
        return _fill_frame(self.with_view(view), self._spelling(), frame).replace(_OBJECT, name)

    def frames_on_disk(self, view: str = "") -> list[int]:
        """Frame numbers that have a file now, ascending. Empty when there is none, or no token.

        Only files named exactly as ``path`` would name them count: ``%04d`` does not find ``7.exr``.
        """
        spelling = self._spelling()
        if spelling is None:
            return []
        text = self.with_view(view).replace(os.sep, "/")
        found = set()
        for match in _candidates(text, spelling):
            if os.path.isfile(_fill_frame(text, spelling, match)):
                found.add(match)
        return sorted(found)

    def covers(self, target: str, first: int, last: int, view: str = "", name: str = "") -> bool:
        """True when the file ``target`` has, or is a link to, the name of a frame from first to last."""
        real = os.path.realpath(target)
        numbers = {int(digits) for path in (target, real) for digits in _NUMBER.findall(path)} or {first}
        return any(
            os.path.realpath(self.path(frame, view, name)) == real
            for number in numbers
            for frame in {number, -number}
            if first <= frame <= last
        )

    def still_frame(self) -> int:
        """Frame number of a still: ``plate.1001.exr`` and ``plate_1001.exr`` are 1001, others are 1."""
        match = _STILL_NUMBER.search(self.text)
        return int(match.group(1)) if match else 1

    def with_view(self, view: str) -> str:
        """The path of one view, its other tokens as they are.

        Raises PlateError when the pattern asks for a view and none is given.
        """
        if not self.has_view:
            return self.text
        if not view:
            raise PlateError(
                f"The path {self.text} asks for a view (%V) and none was given.",
                "Name the view, for instance left.",
            )
        return _VIEW.sub(lambda match: view if match.group() == "%V" else view[0], self.text)

    def _spelling(self) -> re.Pattern[str] | None:
        for spelling in _FRAME_SPELLINGS:
            if spelling.search(self.text):
                return spelling
        return None


def missing_frames(present: Iterable[int], first: int, last: int) -> list[int]:
    """Frames of first..last (both included) that are not in ``present``, ascending."""
    there = set(present)
    return [frame for frame in range(first, last + 1) if frame not in there]


def stand_in(frame: int, present: Sequence[int]) -> int:
    """Frame that HOLD shows for ``frame``: itself, else the nearest earlier, else the nearest later.

    ``present`` is ascending and not empty.
    """
    held = present[0]
    for candidate in present:
        if candidate > frame:
            break
        held = candidate
    return held


def parse_frames(text: str) -> list[int]:
    """Frame numbers of ``1001-1048``, ``-5--1``, ``1001,1010-1020x2``; ascending, each once.

    Raises JobError when the text is something else, runs backwards, or names over a million frames.
    """
    frames: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = _RANGE.match(part)
        if match is None:
            raise JobError(
                f"{text!r} is not a frame range.",
                "Write 1001-1048, or 1001,1010-1020x2 for single frames and steps.",
            )
        first = int(match.group(1))
        last = int(match.group(2)) if match.group(2) is not None else first
        step = int(match.group(3)) if match.group(3) is not None else 1
        if last < first or step < 1 or (last - first) // step >= _MOST_FRAMES:
            raise JobError(
                f"The frame range {part!r} runs backwards, stands still or is longer than a million frames.",
                "Write the first frame, a dash, the last frame, as in 1001-1048.",
            )
        frames.update(range(first, last + 1, step))
    return sorted(frames)


def format_frames(frames: Iterable[int]) -> str:
    """``1004,1006-1009`` for [1004, 1006, 1007, 1008, 1009]; ``parse_frames`` reads it back."""
    runs: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def tell_frames(frames: Iterable[int], one: str, several: str) -> str:
    """``Frame 1003 is missing`` or ``Frames 1003, 1005-1007 are missing``, given how both end."""
    frames = set(frames)
    listed = format_frames(frames).replace(",", ", ")
    return f"Frame {listed} {one}" if len(frames) == 1 else f"Frames {listed} {several}"


def _width(token: re.Match[str]) -> int:
    groups = token.groupdict()
    if groups.get("hashes"):
        return len(groups["hashes"])
    return int(groups.get("width") or 1)


def _fill_frame(text: str, spelling: re.Pattern[str] | None, frame: int) -> str:
    if spelling is None:
        return text
    return spelling.sub(lambda token: str(frame).zfill(_width(token)), text)


def _candidates(text: str, spelling: re.Pattern[str]) -> list[int]:
    """Numbers that stand in the place of the first token of the path, whatever comes after it."""
    names = text.split("/")
    place = next(index for index, name in enumerate(names) if spelling.search(name))
    folder = "/".join(names[:place]) or ("/" if place and text.startswith("/") else ".")
    wanted = _name_expression(names[place], spelling)
    try:
        entries = os.listdir(folder)
    except OSError:
        return []
    matches = (wanted.match(entry) for entry in entries)
    return [int(match.group(1)) for match in matches if match]


def _name_expression(name: str, spelling: re.Pattern[str]) -> re.Pattern[str]:
    pieces = []
    end = 0
    for number, token in enumerate(spelling.finditer(name)):
        pieces.append(re.escape(name[end : token.start()]))
        pieces.append(r"(-?[0-9]+)" if number == 0 else r"-?[0-9]+")
        end = token.end()
    pieces.append(re.escape(name[end:]))
    return re.compile("^" + "".join(pieces) + "$")
