"""Mattes to look at: tinted over their plate, and many pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

#: Tint of each object in turn, RGB 0 to 1: told apart by people with the common colour blindnesses.
TINTS = (
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.62, 0.45),
    (0.94, 0.89, 0.26),
    (0.80, 0.47, 0.65),
    (0.84, 0.37, 0.00),
)


def overlay(picture: np.ndarray, mattes: Sequence[np.ndarray], strength: float = 0.5) -> np.ndarray:
    """A picture (height, width, 3) with every matte tinted and outlined, as uint8.

    The picture is uint8 or float 0 to 1, mattes are (height, width) 0 to 1. Tints follow ``TINTS``.
    """
    shown = as_bytes(picture).astype(np.float32) / 255
    for index, matte in enumerate(mattes):
        tint = np.array(TINTS[index % len(TINTS)], np.float32)
        share = strength * matte[:, :, None]
        shown = shown * (1 - share) + tint * share
        inside = (matte >= 0.5).astype(np.uint8)
        edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        shown[edge] = tint
    return as_bytes(shown)


def contact_sheet(pictures: Sequence[np.ndarray], width: int, columns: int = 0, gap: int = 4) -> np.ndarray:
    """Pictures (height, width, 3) of one size on one sheet, uint8, row by row.

    Each is reduced to ``width`` pixels; ``columns`` 0 makes the sheet about square.
    """
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height = max(1, round(width * pictures[0].shape[0] / pictures[0].shape[1]))
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 24, np.uint8)
    for index, picture in enumerate(pictures):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        small = cv2.resize(as_bytes(picture), (width, height), interpolation=cv2.INTER_AREA)
        sheet[top : top + height, left : left + width] = small
    return sheet


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """A picture as uint8; floats are taken as 0 to 1."""
    if picture.dtype == np.uint8:
        return picture
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
