"""Mattes out: files that a compositing package reads as the alpha of a layer, or as a grey picture.

Channel names are EXR's own: ``rgba.alpha`` is written as ``A``, ``hero`` and ``hero.alpha`` as
``hero.A``, which arrives as ``hero.alpha``. A file is written under a hidden temporary name beside its
place, checked, and renamed: there is either the whole file or none. The same call writes the same
bytes: no date of writing, no host, no program version.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import IncompleteError, OutputError, PlateError
from ..contract.job import Compression, DataWindow, Depth, PlateMetadata
from ..contract.output_form import FileFormat, file_format
from .layers import channel_names
from .matte_check import verify_matte
from .matte_header import describe, describe_picture, place
from .plate_info import PlateInfo, Window
from .reader import read_picture
from .whole_file import remedy_at, replacing, write_image

#: A TIFF always has a date, and one of 20 bytes; without this the library tells the time of writing.
_TIFF_DATE = "1970:01:01 00:00:00"


def write_matte(
    path: str | os.PathLike[str],
    matte: np.ndarray,
    *,
    plate: PlateInfo | None = None,
    layer: str = "rgba.alpha",
    compression: Compression = Compression.ZIPS,
    depth: Depth = Depth.HALF,
    data_window: DataWindow = DataWindow.DISPLAY,
    metadata: Mapping[str, str] | None = None,
    carry: PlateMetadata = PlateMetadata.ESSENTIAL,
) -> None:
    """One matte (height, width), 0 outside to 1 inside, y down, as one channel of one EXR.

    See ``write_mattes`` for the rest. A name that ends in .png or .tif goes to ``write_matte_picture``.
    """
    if file_format(os.fspath(path)) in (FileFormat.PNG, FileFormat.TIFF):
        write_matte_picture(path, matte, plate=plate, depth=depth, metadata=metadata, carry=carry)
        return
    write_mattes(
        path,
        {layer: matte},
        plate=plate,
        compression=compression,
        depth=depth,
        data_window=data_window,
        metadata=metadata,
        carry=carry,
    )


def write_mattes(
    path: str | os.PathLike[str],
    mattes: Mapping[str, np.ndarray],
    *,
    plate: PlateInfo | None = None,
    compression: Compression = Compression.ZIPS,
    depth: Depth = Depth.HALF,
    data_window: DataWindow = DataWindow.DISPLAY,
    metadata: Mapping[str, str] | None = None,
    carry: PlateMetadata = PlateMetadata.ESSENTIAL,
) -> None:
    """One EXR with one layer per object: ``mattes`` is layer name -> (height, width) of 0 to 1, y down.

    Values outside 0..1 are clipped. ``plate`` gives the display window, pixel aspect and as much of its
    header as ``carry`` says; without it the display window starts at 0, 0. Mattes have the size
    of that window. ``metadata`` is written as text attributes.

    Raises OutputError when the folder is missing, the file cannot be written (disk full, no
    permission), a matte has the wrong size or holds NaN or Inf, or two layers get one channel name.
    """
    path = os.fspath(path)
    names = channel_names(mattes)
    arrays = {names[layer]: checked(path, layer, matte, plate) for layer, matte in mattes.items()}
    height, width = next(iter(arrays.values())).shape
    display = plate.display_window if plate else Window(0, 0, width, height)
    channels = [arrays[name] for name in sorted(arrays)]
    stored = content(channels) if data_window is DataWindow.CONTENT else Window(0, 0, width, height)
    number = {Depth.AUTO: "half", Depth.HALF: "half", Depth.FLOAT: "float"}.get(depth)
    if number is None:
        raise OutputError(f"{path}: EXR has no depth {depth.value}.", "Choose half or float.")
    spec = oiio.ImageSpec(stored.width, stored.height, len(arrays), number)
    spec.channelnames = tuple(sorted(arrays))
    place(spec, display, stored)
    packing = Compression.ZIPS if compression is Compression.AUTO else compression
    spec.attribute("compression", packing.value)
    describe(spec, plate, metadata or {}, carry)
    rows = slice(stored.y, stored.y + stored.height)
    columns = slice(stored.x, stored.x + stored.width)
    with replacing(path) as temporary:
        pixels = np.stack([channel[rows, columns] for channel in channels], axis=2)
        write_image(temporary, path, "openexr", spec, pixels)
        try:
            verify_matte(temporary, plate=plate, size=(width, height), layers=list(mattes))
        except IncompleteError as incomplete:
            raise OutputError(f"{path} cannot be written whole.", remedy_at(path)) from incomplete


def write_matte_picture(
    path: str | os.PathLike[str],
    matte: np.ndarray,
    *,
    plate: PlateInfo | None = None,
    four_channels: bool = False,
    compression: Compression = Compression.AUTO,
    depth: Depth = Depth.AUTO,
    metadata: Mapping[str, str] | None = None,
    carry: PlateMetadata = PlateMetadata.ESSENTIAL,
) -> None:
    """One matte (height, width), 0 to 1, y down, as a grey PNG or TIFF of 16 bits; TIFF may be float.

    ``four_channels`` puts it into all of R, G, B and A. The numbers are the matte's own: no transfer
    curve. The picture begins at 0, 0 wherever the plate's display window does. The file says its metadata in
    its description. Raises OutputError as ``write_mattes`` does.
    """
    path = os.fspath(path)
    grey = checked(path, "matte", matte, plate)
    height, width = grey.shape
    tiff = file_format(path) is FileFormat.TIFF
    number = {Depth.FLOAT: "float"}.get(depth, "uint16")
    names = ("R", "G", "B", "A") if four_channels else ("Y",)
    spec = oiio.ImageSpec(width, height, len(names), number)
    spec.channelnames = names
    describe_picture(spec, plate, metadata or {}, carry, _TIFF_DATE if tiff else "")
    if tiff:
        spec.attribute("compression", "none" if compression is Compression.NONE else "zip")
    else:
        # Else the library divides the colours by the alpha.
        spec.attribute("oiio:UnassociatedAlpha", 1)
    with replacing(path) as temporary:
        pixels = np.repeat(grey[:, :, None], len(names), axis=2)
        write_image(temporary, path, "tiff" if tiff else "png", spec, pixels)
        try:
            verify_matte(temporary, size=(width, height), channels=names)
        except IncompleteError as incomplete:
            raise OutputError(f"{path} cannot be written whole.", remedy_at(path)) from incomplete


def write_png(path: str | os.PathLike[str], image: np.ndarray, *, bits: int = 8) -> None:
    """A picture to look at: (height, width) or (height, width, 3 or 4), y down, as 8- or 16-bit PNG.

    uint8 and uint16 are taken over their range, floats as 0..1 (clipped, NaN is 0).

    Raises OutputError as ``write_mattes`` does.
    """
    path = os.fspath(path)
    pixels = image[:, :, None] if image.ndim == 2 else image
    if pixels.dtype.kind == "f":
        pixels = np.clip(np.nan_to_num(pixels, nan=0.0), 0.0, 1.0).astype(np.float32)
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, {8: "uint8", 16: "uint16"}[bits])
    spec.attribute("oiio:UnassociatedAlpha", 1)
    with replacing(path) as temporary:
        write_image(temporary, path, "png", spec, np.ascontiguousarray(pixels))
        try:
            read_picture(temporary)
        except PlateError as damage:
            raise OutputError(f"{path} cannot be written whole.", remedy_at(path)) from damage


def checked(path: str, layer: str, matte: np.ndarray, plate: PlateInfo | None) -> np.ndarray:
    """A matte clipped to 0..1, float32. Raises OutputError for a wrong size, NaN or Inf."""
    if matte.ndim != 2 or (plate is not None and matte.shape[::-1] != plate.size):
        wanted = f"{plate.size[0]} x {plate.size[1]} pixels" if plate else "two axes, height and width"
        raise OutputError(
            f"{path}: the matte {layer!r} has shape {matte.shape}; expected {wanted}.",
            "Make mattes at the size of the plate's display window.",
        )
    if not np.isfinite(matte).all():
        raise OutputError(
            f"{path}: the matte {layer!r} holds NaN or Inf.",
            "Track the frame again; with half precision choose float32.",
        )
    return np.clip(matte, 0.0, 1.0).astype(np.float32)


def content(channels: Sequence[np.ndarray]) -> Window:
    """The smallest window of arrays (height, width) outside which all are 0; one pixel where all are."""
    rows = np.logical_or.reduce([(channel > 0).any(axis=1) for channel in channels]).nonzero()[0]
    columns = np.logical_or.reduce([(channel > 0).any(axis=0) for channel in channels]).nonzero()[0]
    if not rows.size:
        return Window(0, 0, 1, 1)
    left, top = int(columns[0]), int(rows[0])
    return Window(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
