"""Fills a range from prompts: one forward and one backward sweep over the plate.

Every object runs forward from its prompted frames and backward to them as ``spans.share`` says; at
each frame of a sweep all objects that need it share the frame's embedding. With
``Recall.NEIGHBOURS`` a run starts with nothing but its prompted frames in memory, so a span depends on
the prompted frames at its two ends alone: a correction elsewhere does not change it. (The output of a
prompted frame whose later words are points depends in turn on the span it corrects.)
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from efficienttam.contract.errors import PromptError
from efficienttam.contract.passes import Direction, Recall
from efficienttam.mattes.extent import agreement

from .logit_spool import LogitSpool
from .memory_bank import FrameMemory
from .network_pass import PREVIOUS_LOGIT_LIMIT
from .object_track import ObjectId, ObjectTrack
from .spans import Share, runs_to, share
from .track_result import TrackResult

if TYPE_CHECKING:
    from .video_tracker import VideoTracker


@dataclass
class Runs:
    """Where one object is tracked: from a prompted frame up (or down) to a last frame, included."""

    wanted: dict[int, Share] = field(default_factory=dict)
    forward: dict[int, int] = field(default_factory=dict)
    backward: dict[int, int] = field(default_factory=dict)

    def visits(self, frame: int, reverse: bool) -> bool:
        """True when a run tracks this frame in this sweep."""
        if reverse:
            return any(stop <= frame < key for key, stop in self.backward.items())
        return any(key < frame <= stop for key, stop in self.forward.items())

    def reach(self, frames: Sequence[int], whole: Runs, reverse: bool) -> bool:
        """Takes in those frames, ascending, that the runs of ``whole`` visit; True where that is any more."""
        mine, theirs = (self.backward, whole.backward) if reverse else (self.forward, whole.forward)
        grown = False
        for key, stop in theirs.items():
            known = mine.get(key, key)
            more = range(stop, known) if reverse else range(known + 1, stop + 1)
            among = [frame for frame in frames if frame in more]
            if among:
                mine[key] = among[0] if reverse else among[-1]
                grown = True
        return grown

    def starts(self, frame: int, reverse: bool) -> bool:
        """True when a run of this sweep starts from this (prompted) frame."""
        return frame in (self.backward if reverse else self.forward)


class RangeTracker:
    """One filling of a range; used once."""

    def __init__(
        self,
        tracker: VideoTracker,
        first: int | None,
        last: int | None,
        direction: Direction,
        only: Mapping[ObjectId, Sequence[range]] | None,
        exact: bool = False,
    ) -> None:
        frames = tracker.plate.frames
        self.tracker = tracker
        self.first = frames[0] if first is None else first
        self.last = frames[-1] if last is None else last
        if not frames[0] <= self.first <= self.last <= frames[-1]:
            raise PromptError(
                f"The range {self.first}-{self.last} is not inside the plate, {frames[0]}-{frames[-1]}.",
                "Give a range of frames that the plate has.",
            )
        self.direction = direction
        self.tracks = [tracker.track_of(id) for id in tracker.objects]
        tracker.check_prompted(self.tracks)
        ranges = [range(self.first, self.last + 1)]
        self.runs = {}
        for track in self.tracks:
            told = ranges if only is None else only.get(track.id, ())
            among = set(ranges[0]).intersection(itertools.chain.from_iterable(told))
            self.runs[track.id] = self._plan(track, among)
        if exact and any(runs.wanted for runs in self.runs.values()):
            self._take_along()
        self.spool = LogitSpool(tracker.model.config.mask_side)

    def run(self) -> Generator[TrackResult, None, None]:
        """Results in the order of the sweeps: ascending, then descending."""
        try:
            with self.tracker.model.inference():
                for track in self.tracks:
                    self.tracker.settle(track)
                    track.memory.tracked.clear()
            yield from self._sweep(reverse=False)
            yield from self._sweep(reverse=True)
        finally:
            self.tracker.frame_encoder.rest()
            self.spool.close()

    def _take_along(self) -> None:
        """Lengthens runs until every frame is tracked with all the objects that a run over the whole plate
        tracks there: the last bits depend on who goes through the network together."""
        whole = {track.id: self._plan(track, set(self.tracker.plate.frames)) for track in self.tracks}
        if self.tracker.options.recall is Recall.ALL:
            for id, runs in self.runs.items():
                runs.forward, runs.backward = whole[id].forward, whole[id].backward
            return
        for reverse in (False, True):
            grown = True
            while grown:
                visited = [
                    frame
                    for frame in self.tracker.plate.frames
                    if any(runs.visits(frame, reverse) for runs in self.runs.values())
                ]
                grown = any(runs.reach(visited, whole[id], reverse) for id, runs in self.runs.items())

    def _plan(self, track: ObjectTrack, wanted: Set[int]) -> Runs:
        prompted, between = sorted(track.prompts), self.tracker.options.between
        # Where everything is recalled a frame depends on all that was tracked before it, in both sweeps.
        every = bool(wanted) and self.tracker.options.recall is Recall.ALL
        among = self.tracker.plate.frames if every else sorted(wanted)
        parts = {frame: share(frame, prompted, between, self.direction) for frame in sorted(wanted)}
        reached = {frame: part for frame, part in parts.items() if part is not None}
        return Runs(reached, *runs_to(among, prompted, between, self.direction))

    def _sweep(self, reverse: bool) -> Iterator[TrackResult]:
        prompted = {frame for track in self.tracks for frame in track.prompts}
        low, high = min([self.first, *prompted]), max([self.last, *prompted])
        if self.tracker.options.recall is Recall.ALL:
            low, high = self.tracker.plate.frames[0], self.tracker.plate.frames[-1]
        order = range(high, low - 1, -1) if reverse else range(low, high + 1)
        visited = [frame for frame in order if self._visited(frame, reverse)]
        self.tracker.frame_encoder.expect(visited)
        for frame in order:
            outputs: dict[ObjectId, FrameMemory] = {}
            with self.tracker.model.inference():
                self._track(frame, reverse)
                for track in self.tracks:
                    output = self._output(track, frame, reverse)
                    if output is not None:
                        outputs[track.id] = output
                ready = self._ready(frame, outputs)
                result = self.tracker.composed(frame, ready) if ready else None
            if result is not None:
                yield result

    def _visited(self, frame: int, reverse: bool) -> list[ObjectTrack]:
        """The objects that have a run through a frame."""
        return [track for track in self.tracks if self.runs[track.id].visits(frame, reverse)]

    def _track(self, frame: int, reverse: bool) -> None:
        recall = self.tracker.options.recall
        for track in self.tracks:
            if self.runs[track.id].starts(frame, reverse) and recall is Recall.NEIGHBOURS:
                track.memory.tracked.clear()
        visited = self._visited(frame, reverse)
        self.tracker.object_pass.track(visited, frame, reverse, recall)
        for track in visited:
            track.memory.prune(frame)

    def _output(self, track: ObjectTrack, frame: int, reverse: bool) -> FrameMemory | None:
        """The object's output when this sweep has the last word on the frame."""
        part = self.runs[track.id].wanted.get(frame)
        if part is None or not (part.backward if reverse else part.forward):
            return None
        output = track.memory.get(frame)
        if output is None or not (part.forward and part.backward):
            return output
        if not reverse:
            self.spool.put(frame, track.id, output)
            return None
        return _mix(self.spool.take(frame, track.id), output, part.weight)

    def _ready(self, frame: int, outputs: dict[ObjectId, FrameMemory]) -> dict[ObjectId, FrameMemory]:
        """Outputs to hand out now. Objects that must not overlap wait for each other."""
        if not self.tracker.options.non_overlapping:
            return outputs
        expected = [id for id, runs in self.runs.items() if frame in runs.wanted]
        waiting = [id for id in expected if id not in outputs and (frame, id) not in self.spool]
        if waiting or not outputs:
            for id, output in outputs.items():
                self.spool.put(frame, id, output)
            return {}
        return {id: outputs[id] if id in outputs else self.spool.take(frame, id) for id in expected}


def _mix(forward: FrameMemory, backward: FrameMemory, weight: float) -> FrameMemory:
    """Forward and backward outputs of a frame mixed by ``weight`` of the forward one."""

    def between(a: float, b: float) -> float:
        return weight * a + (1 - weight) * b

    limit = PREVIOUS_LOGIT_LIMIT
    there = forward.logits.to(backward.logits.device).clamp(-limit, limit)
    logits = weight * there + (1 - weight) * backward.logits.clamp(-limit, limit)
    best = between(float(forward.predicted_iou.max()), float(backward.predicted_iou.max()))
    return replace(
        backward,
        logits=logits,
        object_score=between(forward.object_score, backward.object_score),
        predicted_iou=backward.predicted_iou.new_tensor([best]),
        agreement=agreement((there > 0).cpu().numpy(), (backward.logits > 0).cpu().numpy()),
    )
