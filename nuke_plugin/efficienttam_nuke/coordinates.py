"""Between Nuke's pixels and the plate's: the only place that knows both.

Nuke: origin bottom left of the format, y up. Prompts: origin top left of the picture that the engine gets,
y down. In both a pixel is one unit wide and high, whatever its aspect, and its centre lies at .5.
Pure functions; standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Tuple

from efficienttam.contract.errors import PromptError

Point = Tuple[float, float]
Box = Tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where the picture that the engine gets lies in Nuke's pixels.

    ``width`` and ``height`` in pixels of the full-size format. ``x`` and ``y``: the picture's lower left
    corner in Nuke's full-size pixels, 0 unless the picture is a part of the format. ``pixel_aspect``: width
    of a pixel by its height; it moves no point, since both sides count pixels. ``proxy_scale``: size of
    Nuke's pixels told here by full size, horizontally and vertically; knobs tell full-size pixels, so it is
    1 for them even in proxy mode.
    """

    width: int
    height: int
    pixel_aspect: float = 1.0
    x: float = 0.0
    y: float = 0.0
    proxy_scale: Tuple[float, float] = (1.0, 1.0)

    def from_nuke(self, point: Point) -> Point:
        """A point of Nuke's as the prompts have it."""
        across, up = self.proxy_scale
        return point[0] / across - self.x, self.height - (point[1] / up - self.y)

    def to_nuke(self, point: Point) -> Point:
        """The other way."""
        across, up = self.proxy_scale
        return (point[0] + self.x) * across, (self.height - point[1] + self.y) * up

    def box_from_nuke(self, box: Box) -> Box:
        """Nuke's (x, y, r, t) as (left, top, right, bottom), cut off at the picture's edge.

        Raises PromptError for one without an area on the picture.
        """
        left, bottom = self.from_nuke((box[0], box[1]))
        right, top = self.from_nuke((box[2], box[3]))
        left, right = sorted((left, right))
        top, bottom = sorted((top, bottom))
        cut = max(left, 0.0), max(top, 0.0), min(right, self.width), min(bottom, self.height)
        if cut[2] <= cut[0] or cut[3] <= cut[1]:
            raise PromptError("The box does not touch the plate.", "Drag it around the object.")
        return cut

    def box_to_nuke(self, box: Box) -> Box:
        """(left, top, right, bottom) as Nuke's (x, y, r, t)."""
        left, bottom = self.to_nuke((box[0], box[3]))
        right, top = self.to_nuke((box[2], box[1]))
        return left, bottom, right, top

    def on_plate(self, point: Point) -> Point:
        """The point as it is. Raises PromptError where it lies off the picture; in the prompts' pixels."""
        if not (0 <= point[0] < self.width and 0 <= point[1] < self.height):
            raise PromptError(
                "The point is not on the plate ({}x{}).".format(self.width, self.height),
                "Drag the handle onto the object.",
            )
        return point
