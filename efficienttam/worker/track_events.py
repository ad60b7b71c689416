"""What a job tells while it runs, as events for the host."""

from __future__ import annotations

import time

from ..batch.progress import Clock, SilentProgress
from ..contract.job import TrackJob
from ..contract.messages import FrameDone, ObjectMatte, Progress, Status
from .channel import Channel
from .disk_mattes import disk_mattes, scored_mattes

#: Mattes are sent along at most so often: a host shows no more, and reading them back takes time.
PICTURE_SECONDS = 0.2


class TrackEvents(SilentProgress):
    """Tells one job's progress under one request's number. ``side`` is the size of mattes sent along, 0 for
    none; relative paths of the job are resolved."""

    def __init__(self, channel: Channel, number: int, job: TrackJob, side: int) -> None:
        self._channel, self._number, self._job, self._side = channel, number, job, side
        self._clock = Clock(0)
        self._kept = 0
        self._written: list[str] = []
        self._shown = -PICTURE_SECONDS

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._clock, self._kept = Clock(mattes), kept
        self._say(None)

    def status(self, text: str) -> None:
        self._channel.say(Status(self._number, " ".join(text.split())))

    def visit(self, frame: int, view: str, passed: bool) -> None:
        self._clock.visit(passed)
        if passed:
            self._say(frame)

    def wrote(self, frame: int, view: str, path: str) -> None:
        self._written.append(path)

    def advance(self, frame: int, view: str, mattes: int) -> None:
        self._clock.advance(mattes)
        written, self._written = self._written, []
        if written:
            self._channel.say(FrameDone(self._number, frame, view, tuple(written), self._mattes(frame, view)))
        self._say(None)

    def _mattes(self, frame: int, view: str) -> tuple[ObjectMatte, ...]:
        names = [thing.name for thing in self._job.objects]
        now = time.monotonic()
        if not self._side or now - self._shown < PICTURE_SECONDS:
            return scored_mattes(self._job.output, names, frame, view)
        self._shown = now
        return disk_mattes(self._job.output, names, frame, view, self._side)

    def _say(self, passing: int | None) -> None:
        clock = self._clock
        self._channel.say(
            Progress(self._number, clock.done, clock.mattes, self._kept, clock.seconds_left, passing)
        )
