"""Pictures, headers and rotos out of image files.

Numbers are those of the file: no transform, no premultiplication, no gain. Unsigned 32-bit EXR
channels come as their value in float32, not divided. NaN and Inf pass; ``color`` defines them.
What is refused is said in ``image_file``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .channels import find_channel, find_picture
from .image_file import open_image
from .plate_info import PlateInfo, Window


def read_info(
    path: str, *, layer: str = "", part: str | int | None = None, view: str = "", one_view: bool = False
) -> PlateInfo:
    """The header of the part that ``read_picture`` would read. No pixel is touched.

    Raises PlateError as ``read_picture`` does, except for damage further down the file.
    """
    with open_image(path) as file:
        return file.info(find_picture(path, file.parts, layer, part, view, one_view).part)


def read_picture(
    path: str,
    *,
    layer: str = "",
    part: str | int | None = None,
    view: str = "",
    one_view: bool = False,
    window: Window | None = None,
) -> tuple[np.ndarray, PlateInfo]:
    """The display window as (height, width, 3) RGB, y down, and the header.

    ``one_view``: the file is of that view where it tells of none, else such a file is refused. ``window`` is
    a part of the display window, counted from its top-left pixel. The type is the file's own: uint8, uint16,
    float16, else float32. Pixels of the display window that the data window does not cover are 0, data
    outside the display window is cropped, the file's orientation is applied. Grey is repeated on the three
    channels, a missing colour is 0.

    Raises PlateError when the file is missing, damaged, deep or too large, or when there is no such
    layer, part or view.
    """
    with open_image(path) as file:
        picture = find_picture(path, file.parts, layer, part, view, one_view)
        pixels = file.pixels(picture, window)
        if pixels.shape[2] == 1:
            pixels = np.repeat(pixels, 3, axis=2)
        return pixels, file.info(picture.part)


def read_roto_info(path: str, channel: str = "", view: str = "") -> PlateInfo:
    """The header of the part that ``read_roto`` would read. No pixel is touched. Raises PlateError."""
    with open_image(path) as file:
        return file.info(find_channel(path, file.parts, channel, view).part)


def read_roto(path: str, channel: str = "", view: str = "") -> np.ndarray:
    """One channel of the display window as (height, width) float32, 0 outside to 1 inside, y down.

    Without a name: the alpha where there is one, else the first channel. Integers are divided by
    their largest value; floats are clipped to 0..1, NaN is 0.

    Raises PlateError when the file cannot be read or has no such channel.
    """
    with open_image(path) as file:
        return _coverage(file.pixels(find_channel(path, file.parts, channel, view))[:, :, 0])


def check_whole(path: str) -> None:
    """Reads a file to its end. Raises PlateError where it is damaged or cut short."""
    with open_image(path) as file:
        file.read_through()


def read_texts(path: str, names: Sequence[str]) -> dict[str, str]:
    """Text attributes of a file's header, empty where there is none. No pixel is touched.

    Raises PlateError when the file is missing or damaged.
    """
    with open_image(path) as file:
        return {name: file.text(name) for name in names}


def _coverage(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "u":
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return np.clip(np.nan_to_num(pixels.astype(np.float32), nan=0.0), 0.0, 1.0)
