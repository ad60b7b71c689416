"""What a plate says about itself besides its pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


@dataclasses.dataclass(frozen=True)
class Window:
    """A rectangle of pixels: ``x``, ``y`` of its top-left pixel (y down), ``width``, ``height``."""

    x: int
    y: int
    width: int
    height: int

    def intersection(self, other: Window) -> Window:
        """The common part; width or height is 0 where there is none."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Window(left, top, max(0, right - left), max(0, bottom - top))


class Attribute(NamedTuple):
    """An entry of a header: ``kind`` is its type as OpenImageIO spells it (``string``, ``matrix``)."""

    name: str
    kind: str
    value: Any


@dataclasses.dataclass(frozen=True)
class PlateInfo:
    """Header of one frame.

    Windows are in the file's own coordinates, after its orientation was applied. ``pixel_aspect`` is
    width over height of one pixel; pictures are never resampled for it. ``frame_rate`` is a fraction
    (24000, 1001); ``timecode`` is the two SMPTE 12M words. Both are None where the file has none.
    ``chromaticities`` is red x, red y, green, blue, white where the file has them.
    ``transfer`` is what a DPX or Cineon header says of its encoding.
    ``metadata`` holds the other text attributes that every matte of this plate carries on,
    ``attributes`` all further ones that are true of a matte too: camera, lens, take.
    """

    path: str
    file_format: str
    pixel_type: str
    display_window: Window
    data_window: Window
    channels: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    pixel_aspect: float = 1.0
    frame_rate: tuple[int, int] | None = None
    timecode: tuple[int, int] | None = None
    chromaticities: tuple[float, ...] | None = None
    transfer: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    attributes: tuple[Attribute, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the display window in pixels."""
        return self.display_window.width, self.display_window.height

    @property
    def timecode_text(self) -> str:
        """``01:00:00:12``, with ``;`` before the frames of a drop-frame timecode; empty without one."""
        if self.timecode is None:
            return ""
        word = self.timecode[0]
        frames, seconds, minutes, hours = (
            (word >> shift & 0xF) + 10 * (word >> shift + 4 & mask)
            for shift, mask in ((0, 3), (8, 7), (16, 7), (24, 3))
        )
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if word & 0x40 else ':'}{frames:02d}"
