"""Proof that a job has all of its mattes: complete, in the right window, of this very job, not suspicious.

A matte is judged by what judges it on resuming (``batch.matte_files``), and by the one rule that tells which
mattes to look at (``contract.frames_to_check``). No network is loaded.
"""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..batch.disk_scores import read_scores
from ..batch.failures import plain_failures
from ..batch.footage import Footage
from ..batch.matte_files import MatteFiles
from ..batch.matte_frames import wanted_frames
from ..batch.open_job import OpenJob
from ..batch.progress import Progress, tell_count
from ..batch.track_records import remove_records
from ..contract.cache_settings import CacheSettings
from ..contract.document import resolve
from ..contract.errors import ExitCode, IncompleteError
from ..contract.frames_to_check import checks
from ..contract.job import TrackJob
from ..contract.matte_score import MatteScore
from ..contract.sequence import format_frames
from .plan import common

#: What to do about mattes that lack.
RETRY = "Make them with `efficienttam farm retry`."

Stop = Callable[[], bool]


class Trouble(enum.Enum):
    """What may be wrong with a matte."""

    MISSING = "missing"
    #: Cut short, of another window, or not of this job, plate or version.
    BAD = "bad"
    #: Whole and right, and an artist should look at it.
    SUSPICIOUS = "suspicious"


@dataclasses.dataclass(frozen=True)
class MatteTrouble:
    """One matte that something is wrong with; ``told`` says what."""

    trouble: Trouble
    view: str
    object: str
    frame: int
    path: str
    told: str


@dataclasses.dataclass(frozen=True)
class Verified:
    """``mattes`` were looked at; ``troubles`` by view, object and frame."""

    mattes: int
    troubles: tuple[MatteTrouble, ...]

    def of(self, *kinds: Trouble) -> list[MatteTrouble]:
        """The troubles of some kinds."""
        return [one for one in self.troubles if one.trouble in kinds]

    @property
    def incomplete(self) -> list[MatteTrouble]:
        """Mattes that must be made."""
        return self.of(Trouble.MISSING, Trouble.BAD)

    def exit_code(self, allow_suspicious: bool) -> ExitCode:
        """INCOMPLETE, TO_CHECK or OK."""
        if self.incomplete:
            return ExitCode.INCOMPLETE
        return ExitCode.OK if allow_suspicious or not self.troubles else ExitCode.TO_CHECK


def verify_job(
    job: TrackJob,
    progress: Progress,
    *,
    folder: str = "",
    frames: tuple[int, int] | None = None,
    stop: Stop = lambda: False,
    cache: CacheSettings | None = None,
) -> Verified:
    """Reads every matte of a job to its end; ``frames`` is the part that must be there, None for all.

    Nothing is written: the folder of the mattes may be one that can only be read.

    Raises JobFaults, PlateError, WeightsError or Cancelled; IncompleteError where it cannot even be told
    what the mattes should be.
    """
    with plain_failures():
        opened = OpenJob(Footage(job, folder, cache, writes=False), progress, stop, load=None)
        wanted = {
            view: wanted_frames(opened.job, *common(ends, frames)) for view, ends in opened.ranges.items()
        }
        mattes = sum(len(own) for each in wanted.values() for own in each.values())
        progress.begin(mattes, 0)
        found = [trouble for view in wanted for trouble in _of_view(opened, view, wanted[view])]
    return Verified(mattes, tuple(found))


def verify_task(
    job: TrackJob,
    progress: Progress,
    *,
    folder: str,
    frames: tuple[int, int],
    stop: Stop,
    cache: CacheSettings,
    suspicious_fails: bool,
) -> None:
    """The last task of a shot: tells what is wrong with its mattes, and removes its records when none lacks.

    Raises as ``verify_job`` does, and IncompleteError where a matte is missing or bad; with
    ``suspicious_fails`` also where one is suspicious, with the exit code TO_CHECK.
    """
    verified = verify_job(job, progress, folder=folder, frames=frames, stop=stop, cache=cache)
    for line in lines(verified.troubles):
        progress.status(line)
    code = verified.exit_code(allow_suspicious=not suspicious_fails)
    if code is not ExitCode.OK:
        remedy = "Look at them, or let them pass." if code is ExitCode.TO_CHECK else RETRY
        error = IncompleteError(f"{summary([verified])}", remedy)
        error.exit_code = code
        raise error
    placed = resolve(job, folder)
    ranges = dict.fromkeys(placed.views or ("",), frames)
    removed = remove_records(placed.output, [thing.name for thing in placed.objects], ranges)
    told = summary([verified])
    if removed.records:
        told += f" {tell_count(removed.records, 'record')} of tracking removed."
    if removed.unfinished:
        told += f" {tell_count(removed.unfinished, 'unfinished file')} removed."
    progress.end(told)


def lines(troubles: Iterable[MatteTrouble]) -> list[str]:
    """Troubles for people, frames in runs: ``bad hero 1004-1006: has another efficienttam/recipe.``"""
    runs: dict[tuple[str, ...], list[int]] = {}
    for one in troubles:
        told = "" if one.trouble is Trouble.MISSING else one.told.replace(one.path, "").strip()
        runs.setdefault((one.trouble.value, one.view, one.object, told), []).append(one.frame)
    return [
        " ".join(part for part in key[:3] if part)
        + f" {format_frames(held)}"
        + (f": {key[3]}" if key[3] else "")
        for key, held in runs.items()
    ]


def summary(each: Iterable[Verified]) -> str:
    """How much of some shots is well, in one sentence."""
    each = list(each)
    counts = {kind: sum(len(one.of(kind)) for one in each) for kind in Trouble}
    told = ", ".join(f"{counts[kind] or 'none'} {kind.value}" for kind in Trouble)
    return f"{tell_count(sum(one.mattes for one in each))}: {told}."


def _of_view(opened: OpenJob, view: str, wanted: Mapping[str, Sequence[int]]) -> Iterator[MatteTrouble]:
    """Troubles by object and frame."""
    opened.groups(view)
    files = MatteFiles(opened.job.output, view, opened.plates[view], wanted, opened.stamp)
    # Of a file with several objects, what it is like is found out once.
    known: dict[str, str] = {}
    for name, own in wanted.items():
        scores: dict[int, MatteScore] = {}
        troubles: dict[int, tuple[Trouble, str]] = {}
        for frame in own:
            opened.end_if_stopped()
            path = files.path(frame, name)
            if path not in known:
                known[path] = files.fault(frame, name)
            if known[path]:
                troubles[frame] = Trouble.BAD if os.path.exists(path) else Trouble.MISSING, known[path]
            else:
                scores[frame] = read_scores(path, [name])[name] or MatteScore()
            opened.progress.advance(frame, view, 1)
        troubles.update((frame, (Trouble.SUSPICIOUS, check.words)) for frame, check in checks(scores).items())
        for frame, (trouble, told) in sorted(troubles.items()):
            yield MatteTrouble(trouble, view, name, frame, files.path(frame, name), told)
