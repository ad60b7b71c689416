"""One view of a job: what is to be made of it, and making it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Container, Generator, Mapping, Sequence
from contextlib import closing

from ..contract.errors import Cancelled
from ..tracking import ObjectId
from ..tracking.track_result import TrackResult
from .detours import detours
from .finishing import Finishing, Written
from .group_run import GroupRun, recorded_run, refuse_unfit, tracked_run
from .matte_files import MatteFiles
from .matte_frames import tracked_frames, wanted_frames
from .matte_score import score_of
from .matte_shaping import MatteShaping
from .object_groups import ObjectGroup, of_objects
from .open_job import OpenJob
from .reconciliation import FrameMattes, Reconciliation
from .steady_window import SteadyWindow
from .track_records import TrackRecords


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
    """The mattes of some objects in one view from ``first`` to ``last``, both included; used once.

    ``to_make`` and ``kept`` count mattes, one per object and frame. With ``resume`` files that are
    good are kept. ``recorded``: the objects are not tracked, what tracking gave was recorded.
    Raises IncompleteError where a record is not there or does not fit.
    """

    unit = "matte"

    def __init__(
        self,
        opened: OpenJob,
        view: str,
        first: int,
        last: int,
        resume: bool,
        objects: Collection[str],
        recorded: bool = False,
    ) -> None:
        self._opened = opened
        self._view = view
        self._range = (first, last)
        job = opened.job
        wanted = {name: frames for name, frames in wanted_frames(job, first, last).items() if name in objects}
        self._groups = of_objects(opened.groups(view), objects)
        self._files = MatteFiles(job.output, view, opened.plates[view], wanted, opened.stamp)
        self._frames: Mapping[str, Sequence[int]] = wanted
        if resume:
            self._frames = self._files.remaining(together=job.tracking.non_overlapping)
        self.to_make = sum(map(len, self._frames.values()))
        self.kept = sum(map(len, wanted.values())) - self.to_make
        plate = opened.plates[view].frames
        self._tracked = {
            name: tracked_frames(job, name, frames, plate) for name, frames in self._frames.items()
        }
        self._records = TrackRecords(job.output, view, opened.stamp) if recorded else None
        if self._records is not None:
            refuse_unfit(opened, view, self._groups, self._tracked, self._records)

    def run(self) -> list[str]:
        """Makes the mattes; the paths written, in order. Raises Cancelled, PlateError, OutputError."""
        if not self.to_make:
            return []
        if self._records is None:
            for text in detours(self._opened.job, self._frames):
                self._opened.progress.status(text)
        results = self._results()
        finishing = self._finishing()
        written: list[str] = []
        try:
            for shape in results:
                for done in finishing.take(shape):
                    written += self._tell(done)
                self._opened.end_if_stopped()
            for done in finishing.finish():
                written += self._tell(done)
        except Cancelled:
            # Files that are being written will be there: they are told, and only then the end. What is not
            # shaped or steadied yet would keep who stopped it waiting, and is made again on resuming.
            for done in finishing.finish_begun():
                self._tell(done)
            raise
        finally:
            results.close()
            finishing.close()
            self._files.close()
        return written

    def _finishing(self) -> Finishing:
        """What becomes of the mattes of the tracked frames of each object."""
        job, plate = self._opened.job, self._opened.plates[self._view]
        reach, apart = job.mattes.steady_frames, job.tracking.non_overlapping
        drawn = {
            thing.name: {prompt.frame for prompt in thing.prompts if prompt.only_mask}
            for thing in job.objects
        }
        window = SteadyWindow(reach, self._tracked, plate, drawn, apart) if reach else None
        reconciliation = None
        if apart and len(self._groups) > 1:
            folder = os.path.dirname(self._files.path(self._range[0], job.objects[0].name))
            reconciliation = Reconciliation(self._tracked, folder, job.mattes, drawn)
        return Finishing(self._files, self._frames, window, reconciliation, self._opened.end_if_stopped)

    def _results(self) -> Generator[Callable[[], FrameMattes], None, None]:
        """What makes the mattes of each frame at plate size, of one group of objects after the other."""
        for group in self._groups:
            if not any(self._tracked[name] for name in group.names):
                continue
            run = self._run_of(group)
            prompted = {id: run.prompts[id].keys() for id in run.names}
            shaping = MatteShaping(self._opened.job.mattes, group, run.prompts, len(self._groups) > 1)
            with closing(run.results) as results:
                for result in results:
                    yield functools.partial(_shape, shaping, group, run.names, prompted, result)

    def _run_of(self, group: ObjectGroup) -> GroupRun:
        made: set[int] = set().union(*self._frames.values())
        if self._records is None:
            return tracked_run(self._opened, self._view, group, self._tracked, made)
        return recorded_run(self._opened, self._view, group, self._tracked, made, self._records)

    def _tell(self, done: Written) -> list[str]:
        """Tells of complete files; returns their paths."""
        progress = self._opened.progress
        for path in done.paths:
            progress.wrote(done.frame, self._view, path)
        progress.advance(done.frame, self._view, done.mattes)
        return done.paths
