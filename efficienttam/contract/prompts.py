"""What the artist says about one object on one frame.

Coordinates are plate pixels of the display window: origin top-left, x right, y down, pixel
centres at .5. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Tuple

from .errors import PromptError
from .fields import REFUSED, Fault, Many, Maybe, Number, Record, Text, Whole, field

Point = Tuple[float, float]
Box = Tuple[float, float, float, float]

#: A frame's own number, as on disk.
FRAME = Whole("a frame number", least=-(10**7), most=10**7)
_POINTS = Many(Many(Number(), "two numbers [x, y]", length=2), "a list of points [x, y]")


class BoxSides(Many):
    """[left, top, right, bottom] with an area."""

    def __init__(self) -> None:
        super().__init__(Number(), "four numbers [left, top, right, bottom]", length=4)

    def read(self, value: Any, place: str, faults: Any) -> Any:
        sides = super().read(value, place, faults)
        if sides is not REFUSED and (sides[2] <= sides[0] or sides[3] <= sides[1]):
            remedy = "Write [left, top, right, bottom] with right > left and bottom > top (y runs down)."
            faults.append(Fault(place, f"The box {list(value)} has no area.", remedy))
            return REFUSED
        return sides


BOX = BoxSides()


@dataclasses.dataclass(frozen=True)
class RotoFile:
    """A mask on disk: one channel of one image, 0 outside to 1 inside, softness kept.

    ``path`` may be a sequence pattern, resolved at the prompt's frame. ``channel`` is empty for the
    default: alpha where there is one, else the first channel.
    """

    path: str = field(
        Text("a file name", empty=False), "Image, or a sequence resolved at the prompt's frame."
    )
    channel: str = field(
        Text("a channel name"), "Channel to take; empty for alpha, else the first.", "", hide_default=True
    )


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Points, a box, a mask, or several of them, for one object on one frame.

    ``include`` and ``exclude`` are points (x, y); ``box`` is (left, top, right, bottom). ``mask`` is
    a ``RotoFile`` in a job document and an array (height, width) of 0 to 1 inside the engine. A mask
    together with points or a box is the starting shape that the points correct.

    Raises PromptError when the prompt is empty or a number is not finite.
    """

    frame: int = field(FRAME, "Frame the prompt is on.")
    include: tuple[Point, ...] = field(_POINTS, "Points on the object.", (), hide_default=True)
    exclude: tuple[Point, ...] = field(_POINTS, "Points off the object.", (), hide_default=True)
    box: Box | None = field(Maybe(BOX), "Box around the object.", None, hide_default=True)
    mask: Any = field(
        Maybe(Record(RotoFile)), "Roto mask on disk, 0 outside to 1 inside.", None, hide_default=True
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "include", _points(self.frame, "include", self.include))
        object.__setattr__(self, "exclude", _points(self.frame, "exclude", self.exclude))
        if self.box is not None:
            object.__setattr__(self, "box", _box(self.frame, self.box))
        both = sorted(set(self.include) & set(self.exclude))
        if both:
            raise PromptError(
                f"Frame {self.frame}: the point {both[0][0]:g},{both[0][1]:g} is included and excluded.",
                "Keep it in one of the two.",
            )
        if not (self.include or self.exclude or self.box is not None or self.mask is not None):
            raise PromptError(
                f"The prompt on frame {self.frame} is empty.",
                "Give at least one point, a box or a mask.",
            )

    @property
    def stands_alone(self) -> bool:
        """True when the prompt tells what the object is, not only what it is not."""
        return bool(self.include) or self.box is not None or self.mask is not None

    @property
    def only_mask(self) -> bool:
        """True when the prompt is a mask and nothing else: its matte is that mask."""
        return self.mask is not None and not (self.include or self.exclude or self.box)

    @property
    def only_points(self) -> bool:
        """True when there is neither a box nor a mask."""
        return self.box is None and self.mask is None


def is_outside(box: Box, size: tuple[int, int]) -> bool:
    """True where nothing of a box lies on a plate of this (width, height)."""
    left, top, right, bottom = box
    return right <= 0 or bottom <= 0 or left >= size[0] or top >= size[1]


def _points(frame: int, name: str, points: Any) -> tuple[Point, ...]:
    result = []
    for point in points:
        try:
            numbers = tuple(float(value) for value in point)
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != 2 or not all(math.isfinite(value) for value in numbers):
            raise PromptError(
                f"Frame {frame}: {name} point {point!r} is not two finite numbers.",
                "Give a list of points, each x,y in plate pixels from the top-left corner.",
            )
        result.append(numbers)
    return tuple(result)


def _box(frame: int, box: Any) -> Box:
    try:
        numbers = tuple(float(value) for value in box)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != 4 or not all(math.isfinite(value) for value in numbers):
        raise PromptError(
            f"Frame {frame}: box {box!r} is not four finite numbers.",
            "Write a box as left,top,right,bottom in plate pixels from the top-left corner.",
        )
    left, top, right, bottom = numbers
    if right <= left or bottom <= top:
        raise PromptError(
            f"Frame {frame}: box {box!r} has no area.",
            "Give left,top,right,bottom with right > left and bottom > top (y runs down).",
        )
    return numbers
