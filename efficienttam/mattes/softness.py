"""How soft the edge of a drawn matte is along it, and the same softness on another edge."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from .edges import ramp, signed_distance

#: Pixels to a cell in which softness is kept.
CELL = 8
#: Spread in cells over which it is gathered.
_SPREAD = 2.0


class EdgeSoftness:
    """The widths of a matte's edge by place, from a roto (height, width) of 0 to 1."""

    def __init__(self, roto: np.ndarray) -> None:
        grey = 6 * roto * (1 - roto)
        slope = np.hypot(_difference(roto, 0), _difference(roto, 1))
        small = (max(1, roto.shape[1] // CELL), max(1, roto.shape[0] // CELL))
        # The sum of slopes is the length of the edge, whatever its profile.
        sums = [
            cv2.GaussianBlur(cv2.resize(plane, small, interpolation=cv2.INTER_AREA), (0, 0), _SPREAD)
            for plane in (grey, slope)
        ]
        there = sums[1] > 1e-4
        everywhere = float(grey.sum()) / max(float(slope.sum()), 1e-6)
        self._widths = np.where(there, sums[0] / np.maximum(sums[1], 1e-4), everywhere).astype(np.float32)
        self._centre = _centre(roto)
        self.widest = float(self._widths.max())

    def on(self, matte: np.ndarray) -> np.ndarray:
        """A matte (height, width) with its 0.5 contour and this softness, moved along with the object."""
        distance = signed_distance(matte - np.float32(0.5), self.widest / 2 + 1)
        (x, y), (mine_x, mine_y) = _centre(matte), self._centre
        shift = np.array([[1, 0, (x - mine_x) / CELL], [0, 1, (y - mine_y) / CELL]])
        small = self._widths.shape[::-1]
        moved = cv2.warpAffine(self._widths, shift, small, borderMode=cv2.BORDER_REPLICATE)
        widths = cv2.resize(moved, matte.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return ramp(distance, widths)


def with_softness(matte: np.ndarray, rotos: Mapping[EdgeSoftness, float]) -> np.ndarray:
    """A matte (height, width) with its 0.5 contour whose edge takes its shares, which sum to 1 at most, of
    the softnesses of rotos. It is returned itself where there is none of either."""
    if not rotos or not 0 < float(matte.max()):
        return matte
    kept = 1 - sum(rotos.values())
    mixed = kept * matte + sum(share * edge.on(matte) for edge, share in rotos.items())
    return np.clip(mixed, 0, 1).astype(np.float32)


def _difference(matte: np.ndarray, axis: int) -> np.ndarray:
    """Half the difference of the neighbours along an axis; at the border that to the one neighbour."""
    return np.gradient(matte, axis=axis) if matte.shape[axis] > 1 else np.zeros_like(matte)


def _centre(matte: np.ndarray) -> tuple[float, float]:
    """Centre (x, y) of what is inside; of the frame where nothing is."""
    inside = matte >= 0.5
    count = np.count_nonzero(inside)
    if not count:
        return matte.shape[1] / 2, matte.shape[0] / 2
    xs, ys = np.arange(matte.shape[1]), np.arange(matte.shape[0])
    return float(inside.sum(axis=0) @ xs / count), float(inside.sum(axis=1) @ ys / count)
