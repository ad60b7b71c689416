"""What an object got in an evaluation, frame by frame, and which frames count."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficienttam.evaluation.metrics import Course, boundary_accuracy, course, region_similarity

Array = np.ndarray


class ScoredFrames(enum.Enum):
    """Which annotated frames count towards the mean of an object."""

    #: Neither the frame on which the object was first prompted nor the last one of the plate: DAVIS
    #: semi-supervised, SA-V and MOSE.
    DAVIS = "davis"
    #: Every frame after the first prompted one: YouTube-VOS and LVOS.
    AFTER = "after"
    #: Every frame from the first prompted one on.
    ALL = "all"

    def choose(self, frames: Sequence[int], first: int) -> list[int]:
        """Those of the annotated ``frames``, ascending, that count for an object prompted on ``first``."""
        if self is ScoredFrames.ALL:
            return [frame for frame in frames if frame >= first]
        later = [frame for frame in frames if frame > first]
        return [frame for frame in later if frame != frames[-1]] if self is ScoredFrames.DAVIS else later


def rate(mask: Array, truth: Array, void: Array | None = None) -> tuple[float, float]:
    """J and F of a mask (height, width) bool; pixels of ``void`` are taken out of mask and truth, as
    ``db_eval_iou`` and ``db_eval_boundary`` of the public DAVIS 2017 evaluation do."""
    if void is not None:
        mask, truth = mask & ~void, truth & ~void
    return region_similarity(mask, truth), boundary_accuracy(mask, truth)


@dataclass(frozen=True)
class Marks:
    """J and F of one object of one piece of footage under one protocol.

    ``setting`` is what the artist said (``mask``, ``3 clicks``), ``budget`` on how many frames at most.
    ``frames`` are all annotated ones from the first prompted on, ``j`` and ``f`` theirs; ``counted`` those of
    them that count. ``prompted`` are the frames that were annotated, in their order, with ``clicks`` clicks.
    """

    footage: str
    object: str
    protocol: str
    setting: str
    frames: tuple[int, ...]
    j: tuple[float, ...]
    f: tuple[float, ...]
    counted: tuple[int, ...]
    prompted: tuple[int, ...]
    clicks: int = 0
    budget: int = 1

    @property
    def first_j(self) -> float:
        """J on the first prompted frame; NaN where it was not scored."""
        return self.j[0] if self.frames and self.frames[0] == self.prompted[0] else math.nan

    @property
    def region(self) -> Course:
        """J over the frames that count. Raises ValueError where there are none."""
        return course(self._counted(self.j))

    @property
    def boundary(self) -> Course:
        """F over the frames that count. Raises ValueError where there are none."""
        return course(self._counted(self.f))

    @property
    def j_and_f(self) -> float:
        """Mean of mean J and mean F. Raises ValueError where no frame counts."""
        return (self.region.mean + self.boundary.mean) / 2

    def _counted(self, values: Sequence[float]) -> list[float]:
        counted = set(self.counted)
        return [value for frame, value in zip(self.frames, values, strict=True) if frame in counted]


def worst_frame(scores: Mapping[int, tuple[float, float]], prompted: Sequence[int]) -> int | None:
    """The frame with the lowest J, the earliest of several, among those not prompted yet; None where each
    of them is perfect or there is none."""
    left = {frame: j for frame, (j, _) in sorted(scores.items()) if frame not in prompted and j < 1}
    return min(left, key=left.__getitem__) if left else None
