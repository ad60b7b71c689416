"""A matte from low-res mask logits."""

from __future__ import annotations

import cv2
import numpy as np


def matte_from_logits(logits: np.ndarray, size: tuple[int, int], *, hard: bool = False) -> np.ndarray:
    """Mask logits (L, L) as a matte (height, width), float32, 0 outside to 1 inside.

    ``size`` is (width, height) in pixels. Logits are resampled bilinearly with pixel centres at .5
    and the border held, then put through a sigmoid; ``hard`` cuts them at 0 instead.
    """
    resized = upsample_logits(logits, size)
    if hard:
        return (resized > 0).astype(np.float32)
    with np.errstate(over="ignore"):
        np.exp(-resized, out=resized)
    resized += 1
    return np.reciprocal(resized, out=resized)


def upsample_logits(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mask logits (L, L) as logits (height, width), float32, resampled bilinearly, a new array always."""
    source = np.ascontiguousarray(logits, dtype=np.float32)
    if size == (source.shape[1], source.shape[0]):
        return source.copy()
    return cv2.resize(source, size, interpolation=cv2.INTER_LINEAR)
