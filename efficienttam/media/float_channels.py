"""EXR files whose channels are numbers, not colours: kept as exact float32, made a band of rows at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import IncompleteError, OutputError, PlateError
from ..contract.job import Compression, PlateMetadata
from .channels import Picture
from .image_file import open_image
from .matte_check import verify_matte
from .matte_header import describe, place
from .plate_info import PlateInfo, Window
from .whole_file import remedy_at, replacing, write_bands

#: Rows made at once: what bounds memory, and whole blocks of every compression.
_BAND = 128


def write_float_channels(
    path: str | os.PathLike[str],
    channels: Sequence[str],
    make: Callable[[slice, slice], np.ndarray],
    size: tuple[int, int],
    *,
    stored: Window | None = None,
    plate: PlateInfo | None = None,
    compression: Compression = Compression.ZIPS,
    metadata: Mapping[str, str] | None = None,
    carry: PlateMetadata = PlateMetadata.ESSENTIAL,
) -> None:
    """One EXR of float32 channels. ``make(rows, columns)`` gives a part of the display window, y down, as
    (rows, columns, channels).

    ``size`` is (width, height) of the display window, ``stored`` the part of it to store, counted from its
    top left. The rest is as for ``write_mattes``. Raises OutputError.
    """
    path = os.fspath(path)
    whole = Window(0, 0, *size)
    stored = stored or whole
    spec = oiio.ImageSpec(stored.width, stored.height, len(channels), "float")
    spec.channelnames = tuple(channels)
    place(spec, plate.display_window if plate else whole, stored)
    spec.attribute("compression", compression.value)
    describe(spec, plate, metadata or {}, carry)
    columns = slice(stored.x, stored.x + stored.width)

    def bands() -> Iterator[np.ndarray]:
        bottom = stored.y + stored.height
        for top in range(stored.y, bottom, _BAND):
            yield make(slice(top, min(top + _BAND, bottom)), columns)

    with replacing(path) as temporary:
        write_bands(temporary, path, "openexr", spec, bands())
        try:
            verify_matte(temporary, plate=plate, size=size, channels=channels, metadata=metadata)
        except IncompleteError as incomplete:
            raise OutputError(f"{path} cannot be written whole.", remedy_at(path)) from incomplete


def read_float_channels(path: str, choose: Callable[[Sequence[str]], Sequence[str]]) -> np.ndarray:
    """Channels of the display window as (height, width, channels) float32, y down.

    ``choose`` gives those to read, in order, of those that the file has. Raises PlateError when the file
    cannot be read or none is chosen.
    """
    with open_image(path) as file:
        there = file.info(0).channels
        wanted = choose(there)
        if not wanted:
            raise PlateError(f"{path} has not the channels that were looked for.", "Name another file.")
        pixels = file.pixels(Picture(0, tuple(there.index(name) for name in wanted)))
    return pixels.astype(np.float32, copy=False)
