"""What the artist says about one object on one frame.

Coordinates are plate pixels of the display window: origin top-left, x right, y down, pixel
centres at .5. Standard library only, Python 3.7 or newer.
"""

import dataclasses
import math
from typing import Any, Optional, Tuple

from .errors import PromptError

Point = Tuple[float, float]
Box = Tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class RotoFile:
    """A mask on disk: one channel of one image, 0 outside to 1 inside, softness kept.

    ``path`` may be a sequence pattern, resolved at the prompt's frame. ``channel`` is empty for the
    default: alpha where there is one, else the first channel.
    """

    path: str
    channel: str = ""


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Points, a box, a mask, or several of them, for one object on one frame.

    ``include`` and ``exclude`` are points (x, y); ``box`` is (left, top, right, bottom). ``mask`` is
    a ``RotoFile`` in a job document and an array (height, width) of 0 to 1 inside the engine. A mask
    together with points or a box is the starting shape that the points correct.

    Raises PromptError when the prompt is empty or a number is not finite.
    """

    frame: int
    include: Tuple[Point, ...] = ()
    exclude: Tuple[Point, ...] = ()
    box: Optional[Box] = None
    mask: Any = None

    def __post_init__(self):
        # type: () -> None
        object.__setattr__(self, "include", _points(self.frame, "include", self.include))
        object.__setattr__(self, "exclude", _points(self.frame, "exclude", self.exclude))
        if self.box is not None:
            object.__setattr__(self, "box", _box(self.frame, self.box))
        if not (self.include or self.exclude or self.box is not None or self.mask is not None):
            raise PromptError(
                "The prompt on frame {} is empty.".format(self.frame),
                "Give at least one point, a box or a mask.",
            )

    @property
    def stands_alone(self):
        # type: () -> bool
        """True when the prompt tells what the object is, not only what it is not."""
        return bool(self.include) or self.box is not None or self.mask is not None


def _points(frame, name, points):
    # type: (int, str, Any) -> Tuple[Point, ...]
    result = []
    for point in points:
        numbers = tuple(float(value) for value in point)
        if len(numbers) != 2 or not all(math.isfinite(value) for value in numbers):
            raise PromptError(
                "Frame {}: {} point {!r} is not two finite numbers.".format(frame, name, point),
                "Write a point as x,y in plate pixels from the top-left corner.",
            )
        result.append(numbers)
    return tuple(result)  # type: ignore[arg-type]


def _box(frame, box):
    # type: (int, Any) -> Box
    numbers = tuple(float(value) for value in box)
    if len(numbers) != 4 or not all(math.isfinite(value) for value in numbers):
        raise PromptError(
            "Frame {}: box {!r} is not four finite numbers.".format(frame, box),
            "Write a box as left,top,right,bottom in plate pixels from the top-left corner.",
        )
    left, top, right, bottom = numbers
    if right <= left or bottom <= top:
        raise PromptError(
            "Frame {}: box {!r} has no area.".format(frame, box),
            "Give left,top,right,bottom with right > left and bottom > top (y runs down).",
        )
    return numbers  # type: ignore[return-value]
