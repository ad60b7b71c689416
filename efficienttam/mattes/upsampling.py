"""Low-res mask logits at plate size, smooth enough for an edge to be measured on."""

from __future__ import annotations

import functools

import numpy as np


def smooth_upsample(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mask logits (L, M) as logits (height, width), float32, on a cubic B-spline through them.

    ``size`` is (width, height); pixel centres lie at .5 and the border is held. The contour at 0 has no
    corners where cells meet, as it has on bilinear ones.
    """
    width, height = size
    rows, columns = logits.shape
    source = np.asarray(logits, np.float32)
    return _weights(rows, height) @ source @ _weights(columns, width).T


@functools.lru_cache(maxsize=16)
def _weights(cells: int, pixels: int) -> np.ndarray:
    """What each cell gives to each pixel, (pixels, cells) float32; rows sum to 1."""
    at = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    first = np.floor(at).astype(int)
    share = at - first
    weights = np.zeros((pixels, cells), np.float64)
    for step in range(-1, 3):
        away = np.abs(share - step)
        near = 2 / 3 - away**2 + away**3 / 2
        far = np.clip(2 - away, 0, None) ** 3 / 6
        np.add.at(
            weights,
            (np.arange(pixels), np.clip(first + step, 0, cells - 1)),
            np.where(away < 1, near, far),
        )
    return weights.astype(np.float32)
