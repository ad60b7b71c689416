"""A plate seen through a region: what the tracker gets is a crop that moves, and it need not know.

Prompts are moved into the region with ``into_region``, mattes back onto the plate with ``onto_plate``.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from efficienttam.contract.prompts import Prompt

from .frame_source import FrameSource
from .region_path import RegionPath


class Fill(enum.Enum):
    """What stands beyond the plate's edge."""

    #: The pixel at the edge.
    HOLD = cv2.BORDER_REPLICATE
    #: The plate mirrored at its edge.
    REFLECT = cv2.BORDER_REFLECT


@runtime_checkable
class WindowedSource(Protocol):
    """A source that can read a part of a frame for less than all of it."""

    def read_window(self, frame: int, left: int, top: int, width: int, height: int) -> np.ndarray:
        """What ``read(frame)[top : top + height, left : left + width]`` is; inside the plate, not empty."""


class RegionPlate:
    """The frames of a plate cropped along a path; what of a crop lies beyond the plate is filled."""

    def __init__(self, plate: FrameSource, path: RegionPath, fill: Fill = Fill.HOLD) -> None:
        self._plate, self.path, self._fill = plate, path, fill

    @property
    def size(self) -> tuple[int, int]:
        return self.path.size

    @property
    def frames(self) -> Sequence[int]:
        return self._plate.frames

    def read(self, frame: int) -> np.ndarray:
        left, top, right, bottom = overlap(self.path, frame, self._plate.size)
        if isinstance(self._plate, WindowedSource):
            seen = self._plate.read_window(frame, left, top, right - left, bottom - top)
        else:
            seen = self._plate.read(frame)[top:bottom, left:right]
        return _surrounded(seen, self.path, frame, self._plate.size, self._fill)

    def identity(self, frame: int) -> str:
        x, y = self.path.corner(frame)
        width, height = self.path.size
        left, top, right, bottom = overlap(self.path, frame, self._plate.size)
        whole = (left, top, right, bottom) == (x, y, x + width, y + height)
        fill = "" if whole else f" {self._fill.name}"
        return f"{self._plate.identity(frame)} {width}x{height}+{x}+{y}{fill}"


def overlap(path: RegionPath, frame: int, plate: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in plate pixels, of what a region and the plate (width, height) share."""
    (x, y), (width, height) = path.corner(frame), path.size
    return max(x, 0), max(y, 0), min(x + width, plate[0]), min(y + height, plate[1])


def into_region(prompt: Prompt, path: RegionPath, plate: tuple[int, int], fill: Fill = Fill.HOLD) -> Prompt:
    """A prompt in plate pixels, its mask an array if any, in the pixels of the region on its frame.

    ``plate`` is (width, height). Boxes and masks that end at the plate's edge go on beyond it, as the
    picture there does: they would cut the object that stands there in two. Exclude points beyond the region
    say nothing about it and are left out; where a prompt says nothing else they are moved to its edge.
    Include points must lie in the region.
    """
    (x, y), (width, height) = path.corner(prompt.frame), path.size
    moved = [(px - x, py - y) for px, py in prompt.exclude]
    exclude = [(px, py) for px, py in moved if 0 <= px < width and 0 <= py < height]
    if not exclude and not prompt.stands_alone:
        exclude = [(min(max(px, 0.5), width - 0.5), min(max(py, 0.5), height - 0.5)) for px, py in moved]
    mask, box = prompt.mask, prompt.box
    if mask is not None:
        left, top, right, bottom = overlap(path, prompt.frame, plate)
        mask = _surrounded(np.asarray(mask)[top:bottom, left:right], path, prompt.frame, plate, fill)
    if box is not None:
        across, down = _beyond(box[0], box[2], plate[0], fill), _beyond(box[1], box[3], plate[1], fill)
        box = (
            *(max(across[0] - x, 0), max(down[0] - y, 0)),
            *(min(across[1] - x, width), min(down[1] - y, height)),
        )
    include = tuple((px - x, py - y) for px, py in prompt.include)
    return dataclasses.replace(
        prompt, include=include, exclude=tuple(dict.fromkeys(exclude)), box=box, mask=mask
    )


def _beyond(low: float, high: float, side: int, fill: Fill) -> tuple[float, float]:
    """Two opposite sides of a box, on a plate of that width or height, where those at its edge go on."""
    reach = high - low if fill is Fill.REFLECT else math.inf
    return (low if low > 1 else -reach), (high if high < side - 1 else side + reach)


def _surrounded(
    seen: np.ndarray, path: RegionPath, frame: int, plate: tuple[int, int], fill: Fill
) -> np.ndarray:
    """The region on a frame of which ``seen`` is what lies on the plate (width, height)."""
    (x, y), (width, height) = path.corner(frame), path.size
    left, top, right, bottom = overlap(path, frame, plate)
    beyond = (top - y, y + height - bottom, left - x, x + width - right)
    inside = np.ascontiguousarray(seen)
    return np.asarray(cv2.copyMakeBorder(inside, *beyond, fill.value)) if any(beyond) else inside


def onto_plate(matte: np.ndarray, path: RegionPath, frame: int, plate: tuple[int, int]) -> np.ndarray:
    """A matte (height, width) of the region on a frame as one of the plate (width, height), 0 around it."""
    (x, y) = path.corner(frame)
    left, top, right, bottom = overlap(path, frame, plate)
    whole = np.zeros((plate[1], plate[0]), matte.dtype)
    whole[top:bottom, left:right] = matte[top - y : bottom - y, left - x : right - x]
    return whole
