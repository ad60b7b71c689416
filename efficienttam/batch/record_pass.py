"""One view of a job tracked for others to make the mattes of."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from ..contract.errors import Cancelled
from ..tracking.result_file import ObjectResult
from .detours import detours
from .group_run import part_of, tracked_run
from .matte_files import MatteFiles
from .matte_frames import tracked_frames, wanted_frames
from .object_groups import ObjectGroup, of_objects
from .open_job import OpenJob
from .track_records import TrackRecords
from .write_behind import WriteBehind


@dataclass(frozen=True)
class _Recorded:
    frame: int
    path: str


class RecordPass:
    """The records of some objects in one view from ``first`` to ``last``, both included; used once.

    ``to_make`` and ``kept`` count records, one per object and frame. With ``resume`` good ones are kept, and
    none is made that only serves mattes that are there already.
    """

    unit = "record"

    def __init__(
        self, opened: OpenJob, view: str, first: int, last: int, resume: bool, objects: Collection[str]
    ) -> None:
        self._opened = opened
        self._view = view
        self._groups = of_objects(opened.groups(view), objects)
        self._records = TrackRecords(opened.job.output, view, opened.stamp)
        self._writing: WriteBehind[_Recorded] = WriteBehind()
        every = self._needed(first, last, False)
        needed = self._needed(first, last, True) if resume else every
        self._frames: Mapping[str, Sequence[int]] = {
            name: [frame for frame in needed[name] if not (resume and self._is_good(frame, name))]
            for name in every
            if name in objects
        }
        self.to_make = sum(map(len, self._frames.values()))
        self.kept = sum(len(every[name]) for name in self._frames) - self.to_make

    def run(self) -> list[str]:
        """Tracks and records; the paths written, in order. Raises Cancelled, PlateError, OutputError."""
        if not self.to_make:
            return []
        for text in detours(self._opened.job, self._frames):
            self._opened.progress.status(text)
        written: list[str] = []
        try:
            for group in self._groups:
                if any(self._frames[name] for name in group.names):
                    written += self._track(group)
            written += map(self._tell, self._writing.finish())
        except Cancelled:
            # What is under way will be there: it is told, and only then the end.
            for done in self._writing.finish():
                self._tell(done)
            raise
        finally:
            self._writing.close()
        return written

    def _track(self, group: ObjectGroup) -> list[str]:
        made: set[int] = set().union(*self._frames.values())
        run = tracked_run(self._opened, self._view, group, self._frames, made)
        written: list[str] = []
        with closing(run.results) as results:
            for result in results:
                for id in result.logits:
                    name = run.names[id]
                    part = part_of(result, id, self._records.made_of(result.frame, name))
                    work = functools.partial(self._record, result.frame, name, part)
                    written += map(self._tell, self._writing.submit(work))
                self._opened.end_if_stopped()
        return written

    def _record(self, frame: int, name: str, part: ObjectResult) -> _Recorded:
        return _Recorded(frame, self._records.write(frame, name, part))

    def _tell(self, done: _Recorded) -> str:
        self._opened.progress.wrote(done.frame, self._view, done.path)
        self._opened.progress.advance(done.frame, self._view, 1)
        return done.path

    def _needed(self, first: int, last: int, resume: bool) -> dict[str, list[int]]:
        """The frames of this part that mattes are made of, by object: of all, or of those that lack."""
        opened, plate = self._opened, self._opened.plates[self._view]
        job, reach = opened.job, opened.job.mattes.steady_frames
        wanted = wanted_frames(job, max(plate.frames[0], first - reach), min(plate.frames[-1], last + reach))
        if resume:
            files = MatteFiles(job.output, self._view, plate, wanted, opened.stamp)
            wanted = files.remaining(together=job.tracking.non_overlapping)
        return {
            name: [
                frame for frame in tracked_frames(job, name, frames, plate.frames) if first <= frame <= last
            ]
            for name, frames in wanted.items()
        }

    def _is_good(self, frame: int, name: str) -> bool:
        return not self._records.fault(frame, name)
