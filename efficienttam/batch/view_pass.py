"""One view of a job: what is to be made of it, and making it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from contextlib import closing

from ..contract.errors import Cancelled
from ..contract.job import TrackedObject
from ..contract.sequence import format_frames
from ..tracking import ObjectId
from ..tracking.spans import share
from ..tracking.track_result import TrackResult
from .finishing import Finishing, Written
from .matte_files import MatteFiles, frame_runs
from .matte_score import score_of
from .matte_shaping import MatteShaping
from .object_groups import ObjectGroup
from .open_job import OpenJob
from .reconciliation import FrameMattes, Reconciliation
from .steady_window import SteadyWindow


def _shape(
    shaping: MatteShaping,
    group: ObjectGroup,
    names: Mapping[ObjectId, str],
    prompted: Mapping[ObjectId, Container[int]],
    result: TrackResult,
) -> FrameMattes:
    scores = {names[id]: score_of(result, id, result.frame in prompted[id]) for id in result.logits}
    shaped = shaping.mattes(result)
    mattes = {names[id]: group.matte(matte, result.frame) for id, matte in shaped.items()}
    return FrameMattes(result.frame, mattes, scores)


class ViewPass:
    """The mattes of one view from ``first`` to ``last``, both included; used once.

    ``to_make`` and ``kept`` count mattes, one per object and frame. With ``resume`` files that are
    good are kept.
    """

    def __init__(self, opened: OpenJob, view: str, first: int, last: int, resume: bool) -> None:
        self._opened = opened
        self._view = view
        self._range = (first, last)
        job = opened.job
        wanted = {thing.name: self._frames_of(thing) for thing in job.objects}
        self._groups = opened.groups(view)
        self._files = MatteFiles(job.output, view, opened.plates[view], wanted, opened.stamp)
        self._frames: Mapping[str, Sequence[int]] = wanted
        if resume:
            self._frames = self._files.remaining(together=job.tracking.non_overlapping)
        self.to_make = sum(map(len, self._frames.values()))
        self.kept = sum(map(len, wanted.values())) - self.to_make

    def run(self) -> list[str]:
        """Makes the mattes; the paths written, in order. Raises Cancelled, PlateError, OutputError."""
        if not self.to_make:
            return []
        for text in self._detours():
            self._opened.progress.status(text)
        tracked = {name: self._steadying(name) for name in self._frames}
        results = self._results(tracked)
        finishing = self._finishing(tracked)
        written: list[str] = []
        try:
            for shape in results:
                for done in finishing.take(shape):
                    written += self._tell(done)
                self._opened.end_if_stopped()
            for done in finishing.finish():
                written += self._tell(done)
        except Cancelled:
            # What is under way will be there: it is told, and only then the end.
            for done in finishing.finish():
                self._tell(done)
            raise
        finally:
            results.close()
            finishing.close()
            self._files.close()
        return written

    def _finishing(self, tracked: Mapping[str, Sequence[int]]) -> Finishing:
        """What becomes of the mattes of these frames of each object."""
        job = self._opened.job
        reach, apart = job.mattes.steady_frames, job.tracking.non_overlapping
        drawn = {
            thing.name: {prompt.frame for prompt in thing.prompts if prompt.only_mask}
            for thing in job.objects
        }
        window = SteadyWindow(reach, tracked, self._opened.plates[self._view], drawn) if reach else None
        reconciliation = None
        if apart and len(self._groups) > 1:
            folder = os.path.dirname(self._files.path(self._range[0], job.objects[0].name))
            reconciliation = Reconciliation(tracked, folder, job.mattes)
        return Finishing(self._files, self._frames, window, apart, reconciliation)

    def _results(
        self, tracked: Mapping[str, Sequence[int]]
    ) -> Generator[Callable[[], FrameMattes], None, None]:
        """What makes the mattes of each frame at plate size, of one group of objects after the other."""
        job = self._opened.job
        made: set[int] = set().union(*self._frames.values())
        for group in self._groups:
            every = set().union(*(tracked[name] for name in group.names))
            if not every:
                continue
            every |= set(self._range)
            tracker, names = self._opened.tracker(self._view, group, made)
            only = {id: frame_runs(tracked[name]) for id, name in names.items()}
            prompted = {id: tracker.prompts(id) for id in names}
            shaping = MatteShaping(job.mattes, tracker.plate, prompted)
            with closing(tracker.track(min(every), max(every), job.tracking.direction, only)) as results:
                for result in results:
                    yield functools.partial(_shape, shaping, group, names, prompted, result)

    def _steadying(self, name: str) -> list[int]:
        """The frames that an object is tracked on: those to make and those that steady them, which may lie
        outside the part of the range that is made."""
        reach = self._opened.job.mattes.steady_frames
        frames = set(self._frames[name])
        if not reach or not frames:
            return sorted(frames)
        plate, direction = self._opened.plates[self._view].frames, self._opened.job.tracking.direction
        prompted = next(
            [prompt.frame for prompt in thing.prompts]
            for thing in self._opened.job.objects
            if thing.name == name
        )
        beside = {one for frame in frames for one in range(frame - reach, frame + reach + 1)}
        return [
            one for one in sorted(beside) if plate[0] <= one <= plate[-1] and direction.reaches(one, prompted)
        ]

    def _tell(self, done: Written) -> list[str]:
        """Tells of complete files; returns their paths."""
        progress = self._opened.progress
        for path in done.paths:
            progress.wrote(done.frame, self._view, path)
        progress.advance(done.frame, self._view, done.mattes)
        return done.paths

    def _detours(self) -> Iterator[str]:
        """What to say of frames that give no matte and are tracked to reach others."""
        wish = self._opened.job.tracking
        corrected: set[int] = set()
        up: set[int] = set()
        down: set[int] = set()
        for thing in self._opened.job.objects:
            prompted = sorted(prompt.frame for prompt in thing.prompts)
            tops: dict[int, int] = {}
            lows: dict[int, int] = {}
            corrected.update(prompt.frame for prompt in thing.prompts[1:] if prompt.only_points)
            for frame in self._frames[thing.name]:
                part = share(frame, prompted, wish.between, wish.direction)
                if part is None or frame in prompted:
                    continue
                if part.forward:
                    key = max(key for key in prompted if key < frame)
                    tops[key] = max(frame, tops.get(key, frame))
                if part.backward:
                    key = min(key for key in prompted if key > frame)
                    lows[key] = min(frame, lows.get(key, frame))
            up.update(*(range(key + 1, top) for key, top in tops.items()))
            down.update(*(range(low + 1, key) for key, low in lows.items()))
        if corrected:
            yield f"Tracking first to the frames that later prompts correct: {format_frames(corrected)}."
        made: set[int] = set().union(*self._frames.values())
        ways = [(run.start - 1, run.stop) for run in frame_runs(up - made)]
        ways += [(run.stop, run.start - 1) for run in frame_runs(down - made)]
        for start, goal in ways:
            yield f"Tracking from frame {start} to reach frame {goal}; mattes in between stay as they are."

    def _frames_of(self, thing: TrackedObject) -> list[int]:
        prompted = [prompt.frame for prompt in thing.prompts]
        direction = self._opened.job.tracking.direction
        first, last = self._range
        return [frame for frame in range(first, last + 1) if direction.reaches(frame, prompted)]
