"""Where a matte lies and how large it is, and how firm the mask under it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Logits by which the network is asked to be surer, and allowed to be less sure.
_OFFSET = 1.0


@dataclass(frozen=True)
class Extent:
    """Shares of the plate, 0 to 1, places from the top left: ``area`` covered, ``center`` (x, y) of the
    matte's weight, ``box`` (left, top, right, bottom) of where it is 0.5 or more; None where it is not."""

    area: float
    center: tuple[float, float] | None
    box: tuple[float, float, float, float] | None


def extent(matte: np.ndarray) -> Extent:
    """The extent of a matte (height, width), 0 to 1."""
    height, width = matte.shape
    columns, rows = matte.sum(0, dtype=np.float64), matte.sum(1, dtype=np.float64)
    total = float(rows.sum())
    center = None
    if total > 0:
        center = (
            float(columns @ (np.arange(width) + 0.5)) / total / width,
            float(rows @ (np.arange(height) + 0.5)) / total / height,
        )
    inside = matte >= 0.5
    across, down = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    box = None
    if across.size:
        box = (
            float(across[0]) / width,
            float(down[0]) / height,
            float(across[-1] + 1) / width,
            float(down[-1] + 1) / height,
        )
    return Extent(total / (width * height), center, box)


def stability(logits: np.ndarray) -> float:
    """How much of a mask of logits (L, L) stays when it is cut higher: cells above 1 by cells above -1;
    1 where there are none. Masks that the network doubts have wide, flat edges."""
    loose = np.count_nonzero(logits > -_OFFSET)
    return float(np.count_nonzero(logits > _OFFSET) / loose) if loose else 1.0


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """IoU of two masks (height, width), bool; 1 where both are empty."""
    either = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / either) if either else 1.0
