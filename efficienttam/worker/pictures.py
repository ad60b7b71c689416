"""Pictures for a host to show: mattes as PNG, frames as PPM."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from ..contract.whole_file import write_whole


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """An image (height, width[, 3]) whose longest side is ``side`` at most; 0 leaves it."""
    height, width = pixels.shape[:2]
    if not side or max(height, width) <= side:
        return pixels
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def matte_png(matte: np.ndarray, side: int) -> str:
    """A matte (height, width) 0 to 1 as an 8-bit grey PNG in base64."""
    levels = np.rint(255 * np.clip(shrink(matte, side), 0, 1)).astype(np.uint8)
    good, packed = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not good:
        raise ValueError(f"No PNG can be made of an image of {levels.shape}.")
    return base64.b64encode(packed.tobytes()).decode("ascii")


def write_ppm(path: str, frame: np.ndarray, side: int) -> None:
    """Writes RGB (height, width, 3), uint8 or float 0 to 1, as an 8-bit PPM, whole or not at all. Raises
    OutputError."""
    small = shrink(frame, side)
    if small.dtype != np.uint8:
        small = np.rint(255 * np.clip(small.astype(np.float32), 0, 1)).astype(np.uint8)
    height, width = small.shape[:2]
    write_whole(path, f"P6\n{width} {height}\n255\n".encode() + small.tobytes(), "picture")
