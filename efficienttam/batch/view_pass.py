"""One view of a job: what is to be made of it, and making it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from ..contract.errors import Cancelled
from ..contract.job import TrackedObject
from ..contract.sequence import format_frames
from ..tracking.spans import share
from .matte_files import MatteFiles, frame_runs
from .matte_score import MatteScore
from .object_groups import ObjectGroup
from .open_job import OpenJob
from .reconciliation import FrameMattes, Reconciliation
from .write_behind import WriteBehind


@dataclass(frozen=True)
class _Written:
    """Files that the mattes of a frame completed, and how many mattes there were."""

    frame: int
    paths: list[str]
    mattes: int


def _write(frame: int, mattes: int, files: Sequence[Callable[[], str]]) -> _Written:
    return _Written(frame, [write() for write in files], mattes)


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
        progress = self._opened.progress
        for text in self._detours():
            progress.status(text)
        results = self._results()
        behind: WriteBehind[_Written] = WriteBehind()
        written: list[str] = []
        try:
            for result in results:
                files = self._files.completed(result.frame, result.mattes, result.scores)
                for done in behind.submit(functools.partial(_write, result.frame, len(result.mattes), files)):
                    written += self._tell(done)
                self._opened.end_if_stopped()
            for done in behind.finish():
                written += self._tell(done)
        except Cancelled:
            # What is under way will be there: it is told, and only then the end.
            for done in behind.finish():
                self._tell(done)
            raise
        finally:
            results.close()
            behind.close()
            self._files.close()
        return written

    def _results(self) -> Generator[FrameMattes, None, None]:
        """The mattes of all groups, group after group; those that must not overlap with others of another
        group come when all of their frame are there."""
        apart = len(self._groups) > 1 and self._opened.job.tracking.non_overlapping
        first_path = self._files.path(self._range[0], self._opened.job.objects[0].name)
        with closing(Reconciliation(self._frames, os.path.dirname(first_path))) as reconciliation:
            for group in self._groups:
                with closing(self._results_of(group)) as results:
                    for result in results:
                        complete = reconciliation.add(result) if apart else result
                        if complete is not None:
                            yield complete

    def _results_of(self, group: ObjectGroup) -> Generator[FrameMattes, None, None]:
        """The mattes of one group, at plate size."""
        made = set().union(*(self._frames[name] for name in group.names))
        if not made:
            return
        tracker, names = self._opened.tracker(self._view, group, made)
        only = {id: frame_runs(self._frames[name]) for id, name in names.items()}
        direction = self._opened.job.tracking.direction
        with closing(tracker.track(*self._range, direction, only)) as results:
            for result in results:
                yield FrameMattes(
                    result.frame,
                    {names[id]: group.matte(matte, result.frame) for id, matte in result.mattes.items()},
                    {
                        names[id]: MatteScore(result.object_score[id], result.predicted_iou[id])
                        for id in result.mattes
                    },
                )

    def _tell(self, done: _Written) -> list[str]:
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
