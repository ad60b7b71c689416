"""Where the plate lies in the window: the one place that turns plate pixels into widget pixels and back.

Plate pixels: display window, origin top left, x right, y down. Widget pixels: Qt's logical ones of the
canvas, origin top left, x right, y down. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Tuple

#: Widget pixels per line of the plate: least and most.
LEAST_SCALE, MOST_SCALE = 1 / 64, 64.0
#: Widget pixels that are left around a plate that is fitted.
MARGIN = 8


@dataclasses.dataclass(frozen=True)
class PlateView:
    """A plate of ``width`` x ``height`` pixels, each ``pixel_aspect`` times as wide as high.

    Its top left corner lies at (``left``, ``top``) of the widget; a line of it is ``scale`` widget pixels
    high. Methods that change it return another.
    """

    width: int
    height: int
    pixel_aspect: float = 1.0
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def to_widget(self, x: float, y: float) -> Tuple[float, float]:
        """Widget pixels of a place on the plate."""
        return self.left + x * self.scale * self.pixel_aspect, self.top + y * self.scale

    def to_plate(self, x: float, y: float) -> Tuple[float, float]:
        """Plate pixels of a place in the widget; they may lie off the plate."""
        return (x - self.left) / (self.scale * self.pixel_aspect), (y - self.top) / self.scale

    def holds(self, x: float, y: float) -> bool:
        """True where plate pixels lie on the plate."""
        return 0 <= x < self.width and 0 <= y < self.height

    def clamped(self, x: float, y: float) -> Tuple[float, float]:
        """The place on the plate or its border that is nearest."""
        return min(max(x, 0.0), float(self.width)), min(max(y, 0.0), float(self.height))

    @property
    def shown(self) -> Tuple[float, float]:
        """Widget pixels that the plate takes: width, height."""
        return self.width * self.scale * self.pixel_aspect, self.height * self.scale

    def fitted(self, width: float, height: float) -> PlateView:
        """The whole plate in the middle of a widget of that size."""
        across = (width - 2 * MARGIN) / (self.width * self.pixel_aspect)
        down = (height - 2 * MARGIN) / self.height
        scale = min(max(min(across, down), LEAST_SCALE), MOST_SCALE)
        left = (width - self.width * scale * self.pixel_aspect) / 2
        return dataclasses.replace(self, scale=scale, left=left, top=(height - self.height * scale) / 2)

    def zoomed(self, factor: float, x: float, y: float) -> PlateView:
        """Larger by a factor; what is under (``x``, ``y``) of the widget stays there."""
        scale = min(max(self.scale * factor, LEAST_SCALE), MOST_SCALE)
        factor = scale / self.scale
        return dataclasses.replace(
            self, scale=scale, left=x - (x - self.left) * factor, top=y - (y - self.top) * factor
        )

    def panned(self, right: float, down: float) -> PlateView:
        """Moved by so many widget pixels."""
        return dataclasses.replace(self, left=self.left + right, top=self.top + down)

    def side(self, device_ratio: float, step: int = 256) -> int:
        """Longest side, in pixels, of a picture that is sharp enough in this view.

        A multiple of ``step``, so that a small zoom asks for no other picture; 0 for the plate's own size.
        ``device_ratio`` is the screen's pixels per widget pixel.
        """
        longest = max(self.width, self.height)
        wanted = -(-int(longest * self.scale * max(self.pixel_aspect, 1.0) * device_ratio) // step) * step
        return 0 if wanted >= longest else max(wanted, step)
