"""Where an object is, as a box per frame: from mask logits, from prompts, or drawn.

Boxes are whole plate pixels, origin top-left, y down; right and bottom lie just beyond the last pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from efficienttam.contract.prompts import Point, Prompt

from .region_path import PixelBox

#: Parts of a mask smaller than this share of its largest part do not count: the tracker's specks.
SMALLEST_PART = 0.1
#: Logits are looked at so many times finer than they are.
FINER = 4
#: So many frames before and after a box say whether it is a slip of the tracker.
SLIP = 2


def box_of_logits(logits: np.ndarray, size: tuple[int, int]) -> PixelBox | None:
    """The box of a mask, logits (L, L) of a picture of ``size`` (width, height); None where it is empty."""
    side = logits.shape[0] * FINER
    fine = cv2.resize(np.ascontiguousarray(logits, np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    _, _, parts, _ = cv2.connectedComponentsWithStats((fine > 0).astype(np.uint8), connectivity=8)
    parts = parts[1:]
    if not len(parts):
        return None
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= SMALLEST_PART * parts[:, cv2.CC_STAT_AREA].max()]
    lower = parts[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
    upper = lower + parts[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    left, top = (lower.min(0) * size / side).tolist()
    right, bottom = (upper.max(0) * size / side).tolist()
    return outward(left, top, right, bottom)


def box_of_mask(mask: np.ndarray) -> PixelBox | None:
    """The box of what is not black in a mask (height, width); None where all is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def extent(prompt: Prompt) -> PixelBox | None:
    """The box that a prompt's box and mask (an array) tell; None where it has neither."""
    found = [] if prompt.box is None else [outward(*prompt.box)]
    if prompt.mask is not None:
        drawn = box_of_mask(np.asarray(prompt.mask))
        found += [] if drawn is None else [drawn]
    return around(found)


def prompted(prompts: Iterable[Prompt], boxes: Mapping[int, PixelBox]) -> dict[int, PixelBox]:
    """``boxes``, and on prompted frames what would be there between them, made to hold all that the prompts
    show of the object."""
    held = dict(boxes)
    for prompt in prompts:
        here = _between(boxes, prompt.frame) if boxes else None
        joined = around(box for box in (here, extent(prompt), _of_points(prompt.include)) if box is not None)
        if joined is not None:
            held[prompt.frame] = joined
    return held


def from_prompts(prompts: Sequence[Prompt]) -> dict[int, PixelBox]:
    """Boxes on the prompted frames: those of boxes and masks; where there are points alone, the box that
    would be there between the others, moved until it holds them.

    Empty where no prompt has a box or a mask.
    """
    known = {prompt.frame: box for prompt in prompts if (box := extent(prompt)) is not None}
    if not known:
        return {}
    boxes = dict(known)
    for prompt in prompts:
        points = _of_points(prompt.include)
        if prompt.frame in known or points is None:
            continue
        here = list(_between(known, prompt.frame))
        for axis in (0, 1):
            shift = max(points[axis + 2] - here[axis + 2], 0) or min(points[axis] - here[axis], 0)
            here[axis] += shift
            here[axis + 2] += shift
        boxes[prompt.frame] = here[0], here[1], here[2], here[3]
    return prompted(prompts, boxes)


def without_slips(boxes: Mapping[int, PixelBox]) -> dict[int, PixelBox]:
    """Boxes of a tracker whose sides are the middle ones of a few frames: one frame on which it grasps half
    of the plate must not make the region of every frame as large."""
    frames = sorted(boxes)
    sides = np.array([boxes[frame] for frame in frames]).reshape(-1, 4)
    steady = {}
    for at, frame in enumerate(frames):
        reach = min(SLIP, at, len(frames) - 1 - at)
        left, top, right, bottom = np.median(sides[at - reach : at + reach + 1], axis=0).tolist()
        steady[frame] = outward(left, top, right, bottom)
    return steady


def around(boxes: Iterable[PixelBox]) -> PixelBox | None:
    """The smallest box around boxes; None for none."""
    every = list(boxes)
    if not every:
        return None
    lefts, tops, rights, bottoms = zip(*every)
    return min(lefts), min(tops), max(rights), max(bottoms)


def outward(left: float, top: float, right: float, bottom: float) -> PixelBox:
    """The whole pixels that a box touches."""
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


def _of_points(points: Sequence[Point]) -> PixelBox | None:
    return around((math.floor(x), math.floor(y), math.floor(x) + 1, math.floor(y) + 1) for x, y in points)


def _between(boxes: Mapping[int, PixelBox], frame: int) -> PixelBox:
    """The box on a frame, between those on others or that of the nearest."""
    frames = sorted(boxes)
    left, top, right, bottom = (
        float(np.interp(frame, frames, [boxes[one][side] for one in frames])) for side in range(4)
    )
    return outward(left, top, right, bottom)
