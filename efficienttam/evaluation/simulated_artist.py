"""The artist of an evaluation: knows the truth, and clicks where the mask shown is most wrong."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from efficienttam.contract.prompts import Prompt
from efficienttam.tracking.object_track import ObjectId
from efficienttam.tracking.video_tracker import VideoTracker

Array = np.ndarray


class Click(NamedTuple):
    """A point in plate pixels; ``include`` tells whether it lies on the object."""

    x: float
    y: float
    include: bool


def next_click(shown: Array, truth: Array) -> Click | None:
    """The click that corrects a mask (height, width) bool most; None where it equals the truth.

    The middle of the largest error region: the pixel that lies deepest inside what is missing, which is
    included, or inside what is too much, which is excluded; missing goes first where both are as deep. Depth
    is the exact distance to the nearest pixel outside; beyond the border of the frame everything is outside.
    With nothing shown it is the middle of the object. As in the evaluation of SAM (Kirillov et al. 2023,
    section 7.1) and SAM 2 (Ravi et al. 2024, appendix F; upstream ``sample_one_point_from_error_center``).
    """
    missing, extra = _depth(truth & ~shown), _depth(shown & ~truth)
    include = bool(missing.max() >= extra.max())
    depth = missing if include else extra
    if depth.max() <= 0:
        return None
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(float(column) + 0.5, float(row) + 0.5, include)


def _depth(region: Array) -> Array:
    """Distance of each pixel of a region to the nearest one outside, 0 outside."""
    if not region.any():
        return np.zeros(region.shape, np.float32)
    padded = np.pad(region, 1).astype(np.uint8)
    return cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]


class SimulatedArtist:
    """Prompts objects of one tracker; ``clicks`` counts what was clicked, by object.

    With ``as_job`` the tracker hears the prompts as those of a job document, where points that contradict a
    mask altogether find the object afresh; else one by one, as published, each correcting what is there.
    """

    def __init__(self, tracker: VideoTracker, as_job: bool = False) -> None:
        self.tracker = tracker
        self.as_job = as_job
        self.clicks: dict[ObjectId, int] = {}

    def correct(
        self,
        id: ObjectId,
        frame: int,
        truth: Array,
        clicks: int,
        shown: Array | None = None,
        void: Array | None = None,
    ) -> Array:
        """Up to so many clicks on an object on a frame, each on what the last one left; the mask after them.

        ``truth`` and ``shown`` (height, width) bool; without ``shown`` the frame shows no mask yet. Pixels of
        ``void`` are no error. Clicking ends early where the mask equals the truth.
        """
        mask = np.zeros_like(truth) if shown is None else shown
        points: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for _ in range(clicks):
            click = next_click(mask if void is None else mask & ~void, truth)
            if click is None:
                break
            points[click.include].append((click.x, click.y))
            self.clicks[id] = self.clicks.get(id, 0) + 1
            said = Prompt(frame, include=tuple(points[True]), exclude=tuple(points[False]))
            mask = self._shown(id, said)
        return mask

    def _shown(self, id: ObjectId, said: Prompt) -> Array:
        """The mask (height, width) bool that a prompt gives on its frame."""
        if not self.as_job:
            return self.tracker.prompt(id, said).mattes[id] >= 0.5
        self.tracker.add_prompt(id, said)
        track = self.tracker.track_of(id)
        with self.tracker.model.inference():
            self.tracker.settle(track)
        return self.tracker.result(said.frame, [track]).mattes[id] >= 0.5
