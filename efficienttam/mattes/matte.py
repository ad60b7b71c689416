"""A matte from low-res mask logits."""

from __future__ import annotations

import math

import cv2
import numpy as np

#: From this logit outward a matte is exactly 0 or 1. A sigmoid never gets there, and what it leaves
#: in the background (half float holds 0.00005 well) shows up as soon as the matte is graded or cropped.
CLEAN_LOGIT = 7.0


def matte_from_logits(logits: np.ndarray, size: tuple[int, int], *, hard: bool = False) -> np.ndarray:
    """Mask logits (L, L) as a matte (height, width), float32, 0 outside to 1 inside.

    ``size`` is (width, height) in pixels. Logits are resampled bilinearly with pixel centres at .5
    and the border held, then go through ``soft_matte``; ``hard`` cuts them at 0 instead.
    """
    resized = upsample_logits(logits, size)
    return (resized > 0).astype(np.float32) if hard else soft_matte(resized)


def soft_matte(logits: np.ndarray) -> np.ndarray:
    """Logits of any shape as a matte, float32: a sigmoid stretched to reach 0 and 1 at the clean logit.

    Logit 0 stays 0.5.
    """
    left = 1 / (1 + math.exp(CLEAN_LOGIT))
    matte = np.clip(logits, -CLEAN_LOGIT, CLEAN_LOGIT).astype(np.float32)
    np.exp(-matte, out=matte)
    matte += 1
    np.reciprocal(matte, out=matte)
    matte -= left
    matte /= 1 - 2 * left
    return np.clip(matte, 0, 1, out=matte)


def upsample_logits(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mask logits (L, L) as logits (height, width), float32, resampled bilinearly, a new array always."""
    source = np.ascontiguousarray(logits, dtype=np.float32)
    if size == (source.shape[1], source.shape[0]):
        return source.copy()
    return cv2.resize(source, size, interpolation=cv2.INTER_LINEAR)
