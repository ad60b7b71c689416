"""Holes and specks of a matte by their area in plate pixels."""

from __future__ import annotations

import cv2
import numpy as np

#: Rows and columns of a matte.
Window = tuple[slice, slice]


def without_small_parts_of(
    matte: np.ndarray,
    window: Window | None,
    holes: int = 0,
    specks: int = 0,
    keep_largest: bool = False,
) -> np.ndarray:
    """The same of a matte of which only ``window`` lies on the plate, None for all of it: areas are counted
    there, and its sides are the border of the frame. What lies around goes on as the window's edge does
    where something goes; the input itself where nothing does."""
    if window is None:
        return without_small_parts(matte, holes, specks, keep_largest)
    seen = matte[window]
    kept = without_small_parts(seen, holes, specks, keep_largest)
    if kept is seen:
        return matte
    (top, bottom, _), (left, right, _) = (
        part.indices(side) for part, side in zip(window, matte.shape, strict=True)
    )
    around = (top, matte.shape[0] - bottom, left, matte.shape[1] - right)
    return np.asarray(cv2.copyMakeBorder(np.ascontiguousarray(kept), *around, cv2.BORDER_REPLICATE))


def without_small_parts(
    matte: np.ndarray, holes: int = 0, specks: int = 0, keep_largest: bool = False
) -> np.ndarray:
    """A matte (height, width) without holes and specks of at most so many pixels; the softness around what
    goes, goes with it.

    Inside is where the matte is 0.5 or more. A hole is enclosed: what is outside and touches the border of
    the frame is none. Pixels that touch at a corner are connected. ``keep_largest`` leaves only the
    largest part. Specks are taken away first. Returns the input itself where nothing goes.
    """
    if specks > 0 or keep_largest:
        matte = _without(matte, specks, keep_largest)
    if holes > 0:
        filled = _without(1 - matte, holes, False, beside_border=True)
        matte = 1 - filled
    return matte


def _without(matte: np.ndarray, area: int, keep_largest: bool, beside_border: bool = False) -> np.ndarray:
    """The matte without parts of at most ``area`` pixels; ``beside_border`` keeps those at the border."""
    inside = (matte >= 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count == 1:
        return matte
    areas = stats[:, cv2.CC_STAT_AREA]
    gone = areas <= area
    if keep_largest:
        gone |= np.arange(count) != 1 + int(areas[1:].argmax())
    if beside_border:
        border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        gone[border] = False
    gone[0] = False
    if not gone.any():
        return matte
    # Grey beside a part that goes belongs to it: where its nearest inside pixel is one of that part.
    _, nearest = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(nearest.max()) + 1, labels.dtype)
    held = inside > 0
    owner[nearest[held]] = labels[held]
    return np.where(gone[owner[nearest]], np.float32(0), matte)
