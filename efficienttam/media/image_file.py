"""One image file, opened through OpenImageIO: parts, headers, pixels of the display window.

A file is read whole and right, or refused with one sentence (PlateError): missing, damaged,
truncated, deep, or too large. The refusal of size comes before any memory is taken:

* more than ``MOST_PIXELS`` pixels in the display or the data window, or a side over ``LONGEST_SIDE``;
* a data window of over 64 MiB that is more than ``MOST_COMPRESSED`` times the size of the file.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import PlateError
from .channels import Part, Picture, views_of
from .description import DESCRIPTION, described
from .header import orientation, plate_info, windows
from .plate_info import PlateInfo, Window

MOST_PIXELS = 1 << 27
LONGEST_SIDE = 65536
MOST_COMPRESSED = 500_000
_MOST_PARTS = 4096
_READ_TOGETHER = 8
_SMALL_BYTES = 64 << 20
#: A multiple of what every compression packs together.
_ROWS_AT_ONCE = 256

#: How each EXIF orientation is undone on an array (height, width, ...).
_UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@contextmanager
def open_image(path: str) -> Iterator[ImageFile]:
    if not os.path.isfile(path):
        kind = "is a folder" if os.path.isdir(path) else "does not exist"
        raise PlateError(f"The file {path} {kind}; an image was expected.", "Check the path.")
    oiio.geterror()
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    source = oiio.ImageInput.open(path, config)
    if source is None:
        raise _unreadable(path, last_error())
    try:
        yield ImageFile(path, source)
    finally:
        source.close()


def last_error() -> str:
    """OpenImageIO's pending message in one line; damaged files can put any bytes into it."""
    try:
        message = oiio.geterror()
    except UnicodeDecodeError as damaged:
        message = damaged.object.decode("utf-8", "replace")
    return one_line(message)


def one_line(message: str) -> str:
    """The first line of a library's message, without control characters, at most 200 characters."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return "".join(c for c in line if c.isprintable())[:200].rstrip(". ")


def _deep(path: str) -> PlateError:
    return PlateError(
        f"{path} is a deep image; a flat picture was expected.",
        "Flatten it in your compositor or renderer and give the flat file.",
    )


def _unreadable(path: str, reason: str) -> PlateError:
    if "ubsampled" in reason:
        return PlateError(
            f"{path} stores subsampled luminance and chroma (Y, RY, BY), which are not read.",
            "Write it as RGB from your compositor and give that file.",
        )
    if "could not find a format reader" in reason:
        return PlateError(f"{path} is no image of a known format.", "Name an image file, an EXR say.")
    reason = reason.replace(f"EXR Error ({path}): ", "")
    return PlateError(
        f"{path} cannot be read as an image: {reason or 'no reason given'}.",
        "The file is damaged, incomplete or of an unknown kind; render or copy it again.",
    )


@dataclasses.dataclass
class ImageFile:
    """An open image; ``path`` is for messages, ``source`` an OpenImageIO ImageInput."""

    path: str
    source: Any
    parts: Sequence[Part] = ()

    def __post_init__(self) -> None:
        parts: list[Part] = []
        deep: list[bool] = []
        while len(parts) < _MOST_PARTS and self.source.seek_subimage(len(parts), 0):
            spec = self.source.spec()
            views = spec.getattribute("multiView") or ()
            parts.append(
                Part(
                    index=len(parts),
                    name=str(spec.getattribute("oiio:subimagename") or ""),
                    view=str(spec.getattribute("view") or ""),
                    views=(views,) if isinstance(views, str) else tuple(views),
                    channels=tuple(spec.channelnames),
                )
            )
            deep.append(bool(spec.deep))
            if self.source.format_name() != "openexr":
                break
        _complaint(self.source)
        if all(deep):
            raise _deep(self.path)
        self.parts = parts

    def info(self, part: int) -> PlateInfo:
        """The header of one part."""
        spec = self._spec(part)
        names = self.parts[part].channels
        return plate_info(self.path, self.source.format_name(), spec, names, views_of(self.parts))

    def text(self, name: str) -> str:
        """A text attribute of the first part, empty where there is none.

        Formats without attributes of their own hold them in their description, see ``description``.
        """
        spec = self._spec(0)
        value = spec.getattribute(name)
        if value is None and self.source.format_name() != "openexr":
            value = described(str(spec.getattribute(DESCRIPTION) or "")).get(name)
        return value if isinstance(value, str) else ""

    def pixels(self, picture: Picture, window: Window | None = None) -> np.ndarray:
        """(height, width, channels) of the display window, upright, in the file's type.

        ``window`` is a part of it, counted from its top-left pixel: of scanline files no other rows are
        read.
        """
        spec = self._spec(picture.part)
        turn = _UPRIGHT.get(orientation(spec))
        display, data = windows(spec)
        wanted = display
        if window is not None and turn is None:
            wanted = Window(display.x + window.x, display.y + window.y, window.width, window.height)
        seen = data.intersection(wanted)
        planes = self._planes(picture, spec, seen)
        canvas = np.zeros((wanted.height, wanted.width, len(picture.channels)), _common_type(planes))
        top, left = seen.y - wanted.y, seen.x - wanted.x
        inside = canvas[top : top + seen.height, left : left + seen.width]
        column = seen.x - data.x
        for place, plane in enumerate(planes):
            if plane is not None and inside.size:
                inside[..., place] = plane[:, column : column + seen.width]
        if turn is None:
            return canvas
        upright = turn(canvas)
        if window is not None:
            upright = upright[window.y : window.y + window.height, window.x : window.x + window.width]
        return np.ascontiguousarray(upright)

    def read_through(self) -> None:
        """Decodes every pixel of the first part and keeps none. Raises PlateError for damage anywhere."""
        spec = self._spec(0)
        kind = self._kind(spec, 0) if not spec.channelformats else "float"
        _, data = windows(spec)
        by_lines = self.source.format_name() == "openexr" and not spec.tile_width
        rows = _ROWS_AT_ONCE if by_lines else max(1, data.height)
        for top in range(0, data.height, rows):
            band = Window(data.x, data.y + top, data.width, min(rows, data.height - top))
            self._block(0, spec, band, 0, spec.nchannels, kind)

    def _planes(self, picture: Picture, spec: Any, seen: Window) -> list[np.ndarray | None]:
        """Full-width rows (height, data width) of each channel; one read where type and place allow."""
        numbers = [index for index in picture.channels if index is not None]
        kinds = {index: self._kind(spec, index) for index in numbers}
        begin, end = min(numbers), max(numbers) + 1
        if len(set(kinds.values())) == 1 and end - begin <= _READ_TOGETHER:
            block = self._block(picture.part, spec, seen, begin, end, kinds[begin])
            return [None if i is None else block[:, :, i - begin] for i in picture.channels]
        single = {i: self._block(picture.part, spec, seen, i, i + 1, kinds[i])[:, :, 0] for i in kinds}
        return [None if i is None else single[i] for i in picture.channels]

    def _kind(self, spec: Any, channel: int) -> str:
        """The type to read a channel in: its own where a picture may have it, else float."""
        kind = str(spec.channelformats[channel] if spec.channelformats else spec.format)
        known = ("uint8", "uint16", "half") + (("uint",) if self.source.format_name() == "openexr" else ())
        return kind if kind in known else "float"

    def _block(self, part: int, spec: Any, seen: Window, begin: int, end: int, kind: str) -> np.ndarray:
        """Full-width rows of ``seen`` (height, data width, end - begin)."""
        top = spec.y
        if spec.tile_width or self.source.format_name() != "openexr" or not seen.height:
            block = self.source.read_image(part, 0, begin, end, kind)
        else:
            top = seen.y
            block = self.source.read_scanlines(part, 0, seen.y, seen.y + seen.height, 0, begin, end, kind)
        complaint = _complaint(self.source)
        if block is None or complaint:
            raise _unreadable(self.path, complaint or "its pixels are missing")
        block = np.asarray(block).reshape(-1, spec.width, end - begin)
        return block[seen.y - top : seen.y - top + seen.height]

    def _spec(self, part: int) -> Any:
        if not self.source.seek_subimage(part, 0):
            raise _unreadable(self.path, _complaint(self.source))
        spec = self.source.spec()
        if spec.deep:
            raise _deep(self.path)
        self._refuse_too_large(spec)
        return spec

    def _refuse_too_large(self, spec: Any) -> None:
        for name, window in zip(("display", "data"), windows(spec)):
            if max(window.width, window.height) > LONGEST_SIDE or window.width * window.height > MOST_PIXELS:
                raise PlateError(
                    f"{self.path} declares a {name} window of {window.width} x {window.height} pixels; "
                    f"at most {MOST_PIXELS >> 20} million pixels and {LONGEST_SIDE} on a side are read.",
                    "Give a smaller plate, or render the file again if its header is damaged.",
                )
        declared, stored = int(spec.image_bytes(True)), os.path.getsize(self.path)
        if declared > _SMALL_BYTES and declared > MOST_COMPRESSED * stored:
            raise PlateError(
                f"{self.path} declares {declared >> 20} MiB of pixels in a file of only {stored} bytes.",
                "The header is damaged; render or copy the file again.",
            )


def _common_type(planes: Sequence[np.ndarray | None]) -> np.dtype[Any]:
    types = {plane.dtype for plane in planes if plane is not None}
    kept = types.pop() if len(types) == 1 else np.dtype(np.float32)
    return kept if kept in (np.uint8, np.uint16, np.float16) else np.dtype(np.float32)


def _complaint(source: Any) -> str:
    try:
        return one_line(source.geterror())
    except UnicodeDecodeError as damaged:
        return one_line(damaged.object.decode("utf-8", "replace"))
