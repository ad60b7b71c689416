"""Where a region of interest lies on every frame: pure arithmetic on boxes.

A region is a crop of constant size that follows an object. Its path depends on the object's boxes on the
whole shot and on nothing else, least of all on which part of the shot is being made: every part, on every
machine, crops alike. Sides are whole plate pixels, origin top-left, y down; right and bottom lie just
beyond the last pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: (left, top, right, bottom) in whole plate pixels.
PixelBox = tuple[int, int, int, int]

#: The sides of a region are multiples of this, so that an object that is found a little larger than before
#: does not give every frame another crop.
STEP = 16
#: How much longer than the other a side may be. The network squeezes any crop into a square.
LONGEST_ASPECT = 2.0


@dataclass(frozen=True)
class PathShape:
    """How a region goes with its object.

    ``padding``: around the object's largest box, on every side, as a share of that box's longer side.
    ``smoothing``: positions are averaged over so many frames before and after, 0 for none.
    ``overhang``: how far a region may reach beyond the plate, as a share of its own side.
    ``least_side``: no side is shorter, in pixels, but where the plate is.
    """

    padding: float
    smoothing: int
    overhang: float
    least_side: int


@dataclass(frozen=True)
class RegionPath:
    """A crop of ``size`` (width, height) whose top-left pixel lies at ``corners[n]`` on frame ``first + n``.

    Corners may be negative: a region may reach beyond the plate.
    """

    first: int
    size: tuple[int, int]
    corners: tuple[tuple[int, int], ...]

    def corner(self, frame: int) -> tuple[int, int]:
        """(left, top) on a frame; on frames before and after the path that of its nearest frame."""
        return self.corners[min(max(frame - self.first, 0), len(self.corners) - 1)]


def still_path(frames: Sequence[int], size: tuple[int, int], corner: tuple[int, int]) -> RegionPath:
    """The path of a region that stays where it is."""
    return RegionPath(frames[0], size, (corner,) * len(frames))


def region_path(
    courses: Sequence[Mapping[int, PixelBox]],
    frames: Sequence[int],
    plate: tuple[int, int],
    shape: PathShape,
) -> RegionPath:
    """The path over ``frames`` (ascending, no gaps) of a region around objects: it holds ``course[frame]`` of
    each wherever there is one.

    ``plate`` is (width, height). Between frames with boxes an object's sides are interpolated, before the
    first and after the last they are held. What of a box lies beyond the plate does not count. Without any
    box the region is the plate.
    """
    every = [_filled(course, frames, plate) for course in courses if course]
    if not every:
        return still_path(frames, plate, (0, 0))
    sides = np.concatenate(
        [
            np.min([course[:, :2] for course in every], axis=0),
            np.max([course[:, 2:] for course in every], axis=0),
        ],
        axis=1,
    )
    size = _size(sides, plate, shape)
    across, down = (
        _positions(sides[:, axis], sides[:, axis + 2], size[axis], plate[axis], shape) for axis in (0, 1)
    )
    corners = tuple(zip(across.astype(int).tolist(), down.astype(int).tolist(), strict=True))
    return RegionPath(frames[0], size, corners)


def _filled(boxes: Mapping[int, PixelBox], frames: Sequence[int], plate: tuple[int, int]) -> np.ndarray:
    """Sides (frames, 4) on every frame, inside the plate, of one box or more."""
    known = sorted(boxes)
    given = np.array([boxes[frame] for frame in known], float)
    for axis in (0, 1):
        # A box beyond the plate is taken for the edge that it lies at.
        given[:, axis] = np.clip(given[:, axis], 0, plate[axis] - 1)
        given[:, axis + 2] = np.clip(given[:, axis + 2], given[:, axis] + 1, plate[axis])
    return np.stack([np.interp(frames, known, given[:, side]) for side in range(4)], 1)


def _size(sides: np.ndarray, plate: tuple[int, int], shape: PathShape) -> tuple[int, int]:
    """Width and height of the region, at most those of the plate."""
    largest = np.ceil(sides[:, 2:] - sides[:, :2]).max(0)
    wide, high = largest + 2 * shape.padding * largest.max()
    wide, high = max(wide, high / LONGEST_ASPECT), max(high, wide / LONGEST_ASPECT)
    width, height = (
        min(of, STEP * math.ceil(max(side, least, shape.least_side) / STEP))
        for side, least, of in zip((wide, high), largest + 1, plate, strict=True)
    )
    return width, height


def _positions(left: np.ndarray, right: np.ndarray, side: int, plate: int, shape: PathShape) -> np.ndarray:
    """Whole positions (frames) of a region's lower side on one axis."""
    left, right = np.floor(left), np.ceil(right)
    smooth = _smoothed((left + right) / 2, shape.smoothing) - side / 2
    slack = side - (right - left)
    low, high = right - side + np.floor(slack / 4), left - np.floor(slack / 4)
    # As long as the plate it is the plate: nothing of it must be lost on the other side.
    beyond = math.floor(shape.overhang * side) if side < plate else 0
    placed = np.clip(np.floor(smooth + 0.5), low, high)
    return np.clip(placed, -beyond, plate - side + beyond)


def _smoothed(values: np.ndarray, reach: int) -> np.ndarray:
    """A Hann-weighted mean over ``reach`` frames on either side. What moves evenly is left alone, also at
    the ends, where the course is mirrored through its last point."""
    if reach <= 0:
        return values
    weights = np.hanning(2 * reach + 3)[1:-1]
    count = len(values)
    at = np.arange(-reach, count + reach)
    inside = np.clip(at, 0, count - 1)
    mirrored = np.clip(2 * inside - at, 0, count - 1)
    extended = 2 * values[inside] - values[mirrored]
    extended[reach : reach + count] = values
    return np.convolve(extended, weights / weights.sum(), mode="valid")
