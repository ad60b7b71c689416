"""Tracks the whole frame, once and without mattes, to find where objects are: their regions go by it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from ..contract.job import TrackedObject, Tracking
from ..contract.prompts import Prompt
from ..contract.sequence import SequencePattern
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, FrameSource, TrackerOptions, VideoTracker
from ..tracking.region_boxes import box_of_logits
from ..tracking.region_path import PixelBox
from .matte_files import frame_runs
from .matte_stamp import MatteStamp
from .object_groups import ObjectGroup, border_path
from .region_record import RegionRecord

#: Seconds between two words about how far it is.
TELL_SECONDS = 5.0


class FirstPass:
    """The first pass of one view: all frames of the job's range that the direction reaches.

    ``stamp`` tells what a box depends on; ``output`` is the pattern of the mattes, in whose folder the boxes
    are kept.
    """

    def __init__(
        self,
        things: Sequence[TrackedObject],
        plate: FrameSource,
        view: str,
        tracking: Tracking,
        stamp: MatteStamp,
        output: str,
    ) -> None:
        self._plate, self._view, self._tracking = plate, view, tracking
        self._stamp = stamp.of_first_pass()
        self._records: dict[str, RegionRecord] = {}
        self._boxes: dict[str, dict[int, PixelBox | None]] = {}
        self._missing: dict[str, list[int]] = {}
        frames = range(plate.frames[0], plate.frames[-1] + 1)
        for thing in things:
            folder = os.path.dirname(SequencePattern(output).path(frames[0], view, thing.name))
            name = f".{thing.name}.{view}.region.json" if view else f".{thing.name}.region.json"
            record = self._records[thing.name] = RegionRecord(os.path.join(folder, name))
            known = self._boxes[thing.name] = record.boxes(self._sum_of(thing.name), frames)
            prompted = [prompt.frame for prompt in thing.prompts]
            self._missing[thing.name] = [
                frame
                for frame in frames
                if frame not in known and tracking.direction.reaches(frame, prompted)
            ]

    @property
    def missing(self) -> int:
        """Frames that are still to be looked at, of all objects together."""
        return len(set().union(*self._missing.values())) if self._missing else 0

    def boxes(self, name: str) -> dict[int, PixelBox] | None:
        """Where an object was found, by frame; None while frames are missing."""
        if self._missing[name]:
            return None
        return {frame: box for frame, box in self._boxes[name].items() if box is not None}

    def run(
        self,
        model: EfficientTAM,
        embeddings: EmbeddingCache,
        options: TrackerOptions,
        prompts: Mapping[str, Sequence[Prompt]],
        visit: Callable[[int], None],
        tell: Callable[[str], None],
        exact: bool = False,
    ) -> None:
        """Looks at the missing frames and writes down what it found, also where ``visit`` ends it.

        ``prompts`` by object, masks as arrays. ``tell`` hears now and then how far it is. ``exact`` looks as
        it does where every frame is missing.
        """
        found: dict[str, dict[int, PixelBox | None]] = {name: {} for name in self._missing}
        told = time.monotonic()
        try:
            for frame, name, box in self._found(model, embeddings, options, prompts, visit, exact):
                found[name][frame] = box
                if time.monotonic() - told >= TELL_SECONDS:
                    told = time.monotonic()
                    seen = len(set().union(*found.values()))
                    tell(f"Looked at {seen} frames, {max(self.missing - seen, 0)} to go.")
        finally:
            for name, boxes in found.items():
                if boxes:
                    record, sum_of = self._records[name], self._sum_of(name)
                    record.add(boxes, sum_of)
                    # Another process may have been first: its boxes count.
                    frames = range(min(boxes), max(boxes) + 1)
                    self._boxes[name].update({**boxes, **record.boxes(sum_of, frames)})
                    self._missing[name] = [frame for frame in self._missing[name] if frame not in boxes]

    def _found(
        self,
        model: EfficientTAM,
        embeddings: EmbeddingCache,
        options: TrackerOptions,
        prompts: Mapping[str, Sequence[Prompt]],
        visit: Callable[[int], None],
        exact: bool,
    ) -> Iterator[tuple[int, str, PixelBox | None]]:
        path = border_path(self._plate, self._tracking.border)
        group = ObjectGroup(tuple(self._missing), self._plate, path)
        plate = group.plate
        alone = replace(options, non_overlapping=False)
        tracker = VideoTracker(model, plate, alone, embeddings, visit=visit)
        names = {}
        for name, missing in self._missing.items():
            if missing or exact:
                id = tracker.add_object(name)
                names[id] = name
                for prompt in prompts[name]:
                    tracker.add_prompt(id, group.prompt(prompt))
        only = {id: frame_runs(self._missing[name]) for id, name in names.items()}
        with closing(tracker.track(direction=self._tracking.direction, only=only, exact=exact)) as results:
            for result in results:
                x, y = group.corner(result.frame)
                for id, logits in result.logits.items():
                    box = box_of_logits(logits, plate.size)
                    moved = box and (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
                    yield result.frame, names[id], moved

    def _sum_of(self, name: str) -> Callable[[int], str]:
        def sum_of(frame: int) -> str:
            parts = self._stamp.expected(frame, (name,), self._view)
            return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

        return sum_of
