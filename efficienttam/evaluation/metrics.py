"""Region similarity J and boundary accuracy F of hard masks, by the rules of the DAVIS benchmark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

Array = np.ndarray

#: How far a boundary pixel may be off, as a share of the picture's diagonal.
BOUNDARY_TOLERANCE = 0.008
#: A frame counts towards recall above this.
RECALL_THRESHOLD = 0.5


@dataclass(frozen=True)
class Course:
    """J or F of one object over the frames that count, as DAVIS sums it up (Perazzi et al. 2016, section 5).

    ``recall`` is the share of frames above ``RECALL_THRESHOLD``; ``decay`` the mean of the first quarter less
    that of the last one, neighbouring quarters sharing a frame as in the benchmark's ``db_statistics``.
    """

    mean: float
    recall: float
    decay: float


def region_similarity(mask: Array, truth: Array) -> float:
    """J: intersection over union of two masks (H, W) bool, 1 where both are empty."""
    either = np.count_nonzero(mask | truth)
    return float(np.count_nonzero(mask & truth) / either) if either else 1.0


def boundary_accuracy(mask: Array, truth: Array, tolerance: float = BOUNDARY_TOLERANCE) -> float:
    """F: harmonic mean of boundary precision and recall of two masks (H, W) bool.

    A boundary pixel counts as found when one of the other boundary lies within ceil(tolerance x
    diagonal) pixels. Where both boundaries are empty F is 1, where one is, 0.
    """
    mine, theirs = boundary(mask), boundary(truth)
    if not mine.any() and not theirs.any():
        return 1.0
    if not mine.any() or not theirs.any():
        return 0.0
    disk = _disk(math.ceil(tolerance * math.hypot(*mask.shape)))
    near_theirs = cv2.dilate(theirs.astype(np.uint8), disk) > 0
    near_mine = cv2.dilate(mine.astype(np.uint8), disk) > 0
    precision = np.count_nonzero(mine & near_theirs) / np.count_nonzero(mine)
    recall = np.count_nonzero(theirs & near_mine) / np.count_nonzero(theirs)
    total = precision + recall
    return float(2 * precision * recall / total) if total else 0.0


def course(values: Sequence[float]) -> Course:
    """The course of one value per frame. Raises ValueError without any."""
    if not len(values):
        raise ValueError("A course needs at least one frame.")
    array = np.asarray(values, np.float64)
    ends = np.rint(np.linspace(1, len(array), 5) + 1e-10).astype(int) - 1
    first, last = array[ends[0] : ends[1] + 1], array[ends[3] : ends[4] + 1]
    return Course(
        float(array.mean()), float((array > RECALL_THRESHOLD).mean()), float(first.mean() - last.mean())
    )


def boundary(mask: Array) -> Array:
    """Boundary pixels (H, W) bool: those that differ from their right, lower or lower-right neighbour."""
    padded = np.pad(mask.astype(bool), ((0, 1), (0, 1)), mode="edge")
    here = padded[:-1, :-1]
    edge = (here ^ padded[:-1, 1:]) | (here ^ padded[1:, :-1]) | (here ^ padded[1:, 1:])
    edge[-1, :] = here[-1, :] ^ padded[-2, 1:]
    edge[:, -1] = here[:, -1] ^ padded[1:, -2]
    edge[-1, -1] = False
    return edge


def _disk(radius: int) -> Array:
    ys, xs = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (xs**2 + ys**2 <= radius**2).astype(np.uint8)
