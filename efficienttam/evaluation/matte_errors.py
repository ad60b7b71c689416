"""How far a soft matte is from the true one: the matting literature's measures, and plate pixels."""

from __future__ import annotations

import dataclasses
import functools
import math

import cv2
import numpy as np

from .contours import contour, distances, length

Array = np.ndarray

#: Spread of the derivative of a Gaussian that gradients are taken with, in pixels (Rhemann et al. 2009).
GRADIENT_SIGMA = 1.4


@dataclasses.dataclass(frozen=True)
class MatteErrors:
    """Errors of one matte against the true one; all but ``width_ratio`` are 0 where both are the same.

    ``sad``: sum of absolute differences, in thousands of pixels. ``mse``: mean of their squares over the
    plate, in thousandths. ``gradient``: sum of squared differences of gradient magnitudes, in thousands.
    ``boundary``: mean distance of the 0.5 contours in pixels, the mean of both ways; NaN where only one
    matte has a contour. ``width_ratio``: how wide the edge is against the true one, 1 is right; NaN where
    either has no contour. ``flicker``: how far the edge moved since the frame before beyond what the true one
    did, in pixels; NaN without a frame before.
    """

    sad: float
    mse: float
    gradient: float
    boundary: float
    width_ratio: float
    flicker: float = math.nan


def matte_errors(matte: Array, truth: Array, before: tuple[Array, Array] | None = None) -> MatteErrors:
    """Errors of a matte (height, width) of 0 to 1; ``before`` is (matte, truth) of the frame before."""
    difference = np.subtract(matte, truth, dtype=np.float32)
    true_width = edge_width(truth)
    return MatteErrors(
        sad=float(np.abs(difference).sum(dtype=np.float64)) / 1000,
        mse=float(np.square(difference).mean(dtype=np.float64)) * 1000,
        gradient=gradient_error(matte, truth),
        boundary=boundary_distance(matte, truth),
        width_ratio=edge_width(matte) / true_width if true_width > 0 else math.nan,
        flicker=math.nan if before is None else flicker(matte, truth, *before),
    )


def gradient_error(matte: Array, truth: Array) -> float:
    """Sum of squared differences of gradient magnitudes, in thousands (Rhemann et al. 2009)."""
    return float(np.square(_steepness(matte) - _steepness(truth)).sum(dtype=np.float64)) / 1000


def boundary_distance(matte: Array, truth: Array) -> float:
    """Mean distance between the 0.5 contours in pixels, the mean of both ways; 0 where neither matte has a
    contour, NaN where one has."""
    (mine, my_cells), (theirs, their_cells) = contour(matte), contour(truth)
    if not len(mine) or not len(theirs):
        return math.nan if len(mine) or len(theirs) else 0.0
    size = (matte.shape[0], matte.shape[1])
    there, back = distances(mine, theirs, their_cells, size), distances(theirs, mine, my_cells, size)
    return float((np.average(there[0], weights=there[1]) + np.average(back[0], weights=back[1])) / 2)


def edge_width(matte: Array) -> float:
    """Width in pixels of the straight ramp that holds as much grey along the 0.5 contour; NaN without one.

    A ramp of width w holds w / 6 of matte x (1 - matte) per pixel of contour.
    """
    long = length(contour(matte)[0])
    grey = float((matte * (1 - matte)).sum(dtype=np.float64))
    return 6 * grey / long if long else math.nan


def flicker(matte: Array, truth: Array, matte_before: Array, truth_before: Array) -> float:
    """Temporal edge difference: how far the edge moved beyond the true edge's own motion, in pixels.

    The sum of absolute differences of both changes since the frame before, over the length of the true
    contour; NaN where there is none.
    """
    long = length(contour(truth)[0])
    change = (matte - matte_before) - (truth - truth_before)
    return float(np.abs(change).sum(dtype=np.float64)) / long if long else math.nan


def _steepness(matte: Array) -> Array:
    """Gradient magnitude (height, width) with derivatives of a Gaussian."""
    derivative, smooth = _kernels()
    picture = np.asarray(matte, np.float32)
    across = cv2.sepFilter2D(picture, -1, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(picture, -1, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


@functools.cache
def _kernels() -> tuple[Array, Array]:
    """A Gaussian's derivative and the Gaussian, whose product has the norm 1."""
    sigma = GRADIENT_SIGMA
    reach = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * 0.01)))
    at = np.arange(-reach, reach + 1)
    smooth = np.exp(-(at**2) / (2 * sigma**2))
    derivative = at * smooth
    return derivative / np.linalg.norm(derivative), smooth / np.linalg.norm(smooth)
