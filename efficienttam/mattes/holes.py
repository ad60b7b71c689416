"""Small holes in a mask."""

from __future__ import annotations

import cv2
import numpy as np

#: Logit of a filled cell: just inside.
FILLED = np.float32(0.1)


def fill_holes(logits: np.ndarray, max_area: int) -> np.ndarray:
    """Mask logits (L, L) in which background regions of at most ``max_area`` cells are filled.

    Background is where a logit is 0 or less; cells that touch at a corner are connected. Regions at
    the border count like any other. Returns the input itself when there is nothing to fill.
    Upstream: ``fill_holes_in_mask_scores``.
    """
    if max_area <= 0:
        return logits
    background = (logits <= 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(background, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= max_area
    small[0] = False
    if not small.any():
        return logits
    return np.where(small[labels], FILLED, logits).astype(np.float32, copy=False)
