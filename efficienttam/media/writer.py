"""Mattes out: EXR files that a compositing package reads as the alpha of a layer.

Channel names are EXR's own: ``rgba.alpha`` is written as ``A``, ``hero`` and ``hero.alpha`` as
``hero.A``, which arrives as ``hero.alpha``. A file is written under a hidden temporary name beside its
place, checked, and renamed: there is either the whole file or none. The same call writes the same
bytes: no date, no host, no program version.
"""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import IncompleteError, OutputError, PlateError
from ..contract.job import Compression, DataWindow, Depth
from .image_file import last_error
from .layers import channel_names
from .matte_check import verify_matte
from .plate_info import PlateInfo, Window
from .reader import read_picture

_RESERVED = frozenset({"datetime", "compression", "channels", "type", "version", "oiio", "openexr"})
_NUMBERS = itertools.count()


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
) -> None:
    """One matte (height, width), 0 outside to 1 inside, y down, as one channel of one EXR.

    See ``write_mattes`` for the rest.
    """
    write_mattes(
        path,
        {layer: matte},
        plate=plate,
        compression=compression,
        depth=depth,
        data_window=data_window,
        metadata=metadata,
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
) -> None:
    """One EXR with one layer per object: ``mattes`` is layer name -> (height, width) of 0 to 1, y down.

    Values outside 0..1 are clipped. ``plate`` gives the display window, pixel aspect, frame rate,
    timecode and text attributes; without it the display window starts at 0, 0. Mattes have the size
    of that window. ``metadata`` is written as text attributes.

    Raises OutputError when the folder is missing, the file cannot be written (disk full, no
    permission), a matte has the wrong size or holds NaN or Inf, or two layers get one channel name.
    """
    path = os.fspath(path)
    names = channel_names(mattes)
    arrays = {names[layer]: _checked(path, layer, matte, plate) for layer, matte in mattes.items()}
    height, width = next(iter(arrays.values())).shape
    display = plate.display_window if plate else Window(0, 0, width, height)
    pixels = np.stack([arrays[name] for name in sorted(arrays)], axis=2)
    stored = _content(pixels) if data_window is DataWindow.CONTENT else Window(0, 0, width, height)
    spec = oiio.ImageSpec(stored.width, stored.height, len(arrays), depth.value)
    spec.channelnames = tuple(sorted(arrays))
    spec.x, spec.y = display.x + stored.x, display.y + stored.y
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display.x, display.y, width, height
    spec.attribute("compression", compression.value)
    _describe(spec, plate, metadata or {})
    rows = slice(stored.y, stored.y + stored.height)
    columns = slice(stored.x, stored.x + stored.width)
    with _replacing(path) as temporary:
        _write(temporary, path, "openexr", spec, np.ascontiguousarray(pixels[rows, columns]))
        try:
            verify_matte(temporary, plate=plate, size=(width, height), layers=list(mattes))
        except IncompleteError as incomplete:
            raise OutputError(f"{path} cannot be written whole.", _remedy(path)) from incomplete


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
    with _replacing(path) as temporary:
        _write(temporary, path, "png", spec, np.ascontiguousarray(pixels))
        try:
            read_picture(temporary)
        except PlateError as damage:
            raise OutputError(f"{path} cannot be written whole.", _remedy(path)) from damage


def _checked(path: str, layer: str, matte: np.ndarray, plate: PlateInfo | None) -> np.ndarray:
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


def _content(pixels: np.ndarray) -> Window:
    used: np.ndarray = pixels.max(axis=2) > 0
    rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
    if not rows.size:
        return Window(0, 0, 1, 1)
    left, top = int(columns[0]), int(rows[0])
    return Window(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def _describe(spec: Any, plate: PlateInfo | None, metadata: Mapping[str, str]) -> None:
    spec.attribute("DateTime", "")
    if plate is not None:
        spec.attribute("PixelAspectRatio", float(plate.pixel_aspect))
        if plate.frame_rate is not None:
            spec.attribute("framesPerSecond", oiio.TypeRational, plate.frame_rate)
        if plate.timecode is not None:
            spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, plate.timecode)
        for name, value in plate.metadata.items():
            spec.attribute(name, value)
    for name, value in sorted(metadata.items()):
        if name.lower().split(":")[0] in _RESERVED:
            raise OutputError(f"The metadata name {name!r} is taken by the format.", "Choose another name.")
        spec.attribute(name, str(value))


@contextmanager
def _replacing(path: str) -> Iterator[str]:
    """A temporary name beside ``path`` that becomes ``path`` at the end, or vanishes on any exception."""
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or "."):
        raise OutputError(
            f"The folder {folder} does not exist, so {name} cannot be written.", "Create it first."
        )
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder; a file name was expected.", "Choose another name.")
    unique = f"{os.getpid()}.{threading.get_ident() & 0xFFFFFF:x}.{next(_NUMBERS)}"
    temporary = os.path.join(folder, f".{name}.{unique}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as failure:
        raise OutputError(
            f"{path} cannot be written: {failure.strerror or failure}.", _remedy(path)
        ) from failure
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _write(temporary: str, path: str, file_format: str, spec: Any, pixels: np.ndarray) -> None:
    last_error()
    target = oiio.ImageOutput.create(file_format)
    if target is None:
        raise OutputError(
            f"{path}: this OpenImageIO writes no {file_format}.", "Install it from the lock file."
        )
    done = target.open(temporary, spec)
    done = done and target.write_image(pixels)
    closed = target.close()
    if not (done and closed):
        raise OutputError(f"{path} cannot be written: {_reason(target)}.", _remedy(path))


def _reason(target: Any) -> str:
    """What a failed writer says, where it says what the system said."""
    told = target.geterror()
    known = (os.strerror(number) for number in errno.errorcode)
    return next((reason for reason in known if reason in told), "the file was not taken whole")


def _remedy(path: str) -> str:
    folder = os.path.dirname(path) or "."
    return f"Check the free space and the permissions of {folder}."
