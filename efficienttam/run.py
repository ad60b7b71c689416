"""A job document into matte files: the one batch path of command line, farm and worker."""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Collection, Sequence

import numpy as np

from .batch.failures import plain_failures
from .batch.footage import Footage
from .batch.matte_shaping import MatteShaping
from .batch.open_job import LoadModel, OpenJob, Stop, load_wanted
from .batch.progress import Progress, SilentProgress, tell_count
from .batch.record_pass import RecordPass
from .batch.view_pass import ViewPass
from .contract.cache_settings import CacheSettings
from .contract.errors import JobError
from .contract.job import Layout, TrackJob
from .mattes.sharing import settled


class Records(enum.Enum):
    """Whether tracking and the mattes are done by one run, or by several, perhaps on several machines."""

    #: Objects are tracked and their mattes made.
    NONE = "none"
    #: Objects are tracked, and what that gives is recorded beside the mattes.
    LEAVE = "leave"
    #: Mattes are made of such records; no network is loaded.
    USE = "use"


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """What a run did: the files written, in order, and how many mattes, or records, were made and kept."""

    written: tuple[str, ...]
    made: int
    kept: int
    seconds: float


def run_job(
    job: TrackJob,
    progress: Progress | None = None,
    *,
    folder: str = "",
    frames: tuple[int, int] | None = None,
    view: str = "",
    objects: Collection[str] = (),
    records: Records = Records.NONE,
    resume: bool = False,
    exact: bool = False,
    stop: Stop | None = None,
    cache: CacheSettings | None = None,
    load: LoadModel = load_wanted,
) -> RunSummary:
    """Tracks every object of a job through every view and writes its mattes.

    Relative paths are taken from ``folder``. ``frames`` (first, last) makes only that part of the
    job's range, ``view`` only that view and ``objects`` only these. ``records`` parts tracking from the
    mattes. ``resume`` keeps files that are good; ``exact`` makes what is left, or a part, to the last bit as
    a whole run does, where that means to track some frames of other objects too. ``stop`` is asked with
    every frame of the plate, and oftener while shaping or a disk is waited for; when it answers True the run
    ends with Cancelled and leaves complete files only: those being written, none that waited to be shaped.
    ``cache`` is where embeddings are kept, by the environment and the platform unless given; it changes no
    matte but for its storage. ``load`` gives the network that the job asks for; a process that runs several
    jobs may keep it.

    Raises JobFaults or JobError before anything is done when the job cannot work; PlateError,
    ColorError, WeightsError, DeviceError, OutputError or Cancelled later; IncompleteError where records are
    to be used and cannot.
    """
    progress = progress or SilentProgress()
    started = time.monotonic()
    with plain_failures():
        refuse_parts(job, view, objects, records)
        footage = Footage(job, folder, cache, frames, view)
        footage.make_folders()
        loading = None if records is Records.USE else load
        opened = OpenJob(footage, progress, stop or (lambda: False), loading, exact)
        passes = _passes(opened, objects, records, resume)
        made, kept = sum(view.to_make for view in passes), sum(view.kept for view in passes)
        progress.begin(made, kept, passes[0].unit)
        written = [path for one in passes for path in one.run()]
    seconds = time.monotonic() - started
    progress.end(f"{tell_count(made, passes[0].unit)} made, {kept} kept, {seconds:.1f} s.")
    return RunSummary(tuple(written), made, kept, seconds)


def _passes(
    opened: OpenJob, objects: Collection[str], records: Records, resume: bool
) -> Sequence[ViewPass | RecordPass]:
    """What is to be done in each view."""
    names = objects or [thing.name for thing in opened.job.objects]
    if records is Records.LEAVE:
        return [RecordPass(opened, view, *frames, resume, names) for view, frames in opened.ranges.items()]
    recorded = records is Records.USE
    return [
        ViewPass(opened, view, *frames, resume, names, recorded) for view, frames in opened.ranges.items()
    ]


def refuse_parts(
    job: TrackJob, view: str, objects: Collection[str], records: Records = Records.LEAVE
) -> None:
    """Raises JobError for a view or an object that the job has not, or objects that cannot do alone."""
    if view and view not in job.views:
        raise JobError(f"The job has no view {view!r}.", f"Its views: {', '.join(job.views) or 'none'}.")
    names = [thing.name for thing in job.objects]
    unknown = [name for name in objects if name not in names]
    if unknown:
        raise JobError(f"The job has no object {unknown[0]!r}.", f"Its objects: {', '.join(names)}.")
    if records is Records.LEAVE or not objects or set(objects) == set(names):
        return
    if job.output.layout is not Layout.FILE_PER_OBJECT:
        raise JobError(
            "All objects of a frame share a file, and some were left out.",
            "Leave records of them, or name them all.",
        )
    if job.tracking.non_overlapping:
        raise JobError(
            "No two objects may overlap, and some were left out.", "Leave records of them, or name them all."
        )


def preview_job(
    job: TrackJob, frame: int, *, folder: str = "", view: str = "", cache: CacheSettings | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One frame of a job: the plate as the network sees it (height, width, 3), and mattes by object.

    A matte is (height, width), float32, 0 to 1. No file is written. An object whose region goes by a first
    pass that was not done yet is shown as the whole frame gives it. Raises as ``run_job`` does.
    """
    with plain_failures():
        views = job.views or ("",)
        view = view or views[0]
        if view not in views:
            raise JobError(f"The job has no view {view!r}.", f"Its views: {', '.join(views)}.")
        opened = OpenJob(Footage(job, folder, cache, (frame, frame), view), SilentProgress(), lambda: False)
        mattes: dict[str, np.ndarray] = {}
        drawn: set[str] = set()
        groups = opened.groups(view, look=False)
        for group in groups:
            tracker, names = opened.tracker(view, group)
            prompts = {id: tracker.prompts(id) for id in names}
            result = tracker.preview(frame)
            shown = MatteShaping(opened.job.mattes, group, prompts, len(groups) > 1).mattes(result)
            mattes.update((names[id], group.matte(matte, frame)) for id, matte in shown.items())
            drawn.update(names[id] for id in result.drawn)
        in_order = {thing.name: mattes[thing.name] for thing in job.objects if thing.name in mattes}
        if job.tracking.non_overlapping and len(groups) > 1:
            in_order = settled(in_order, opened.job.mattes, drawn)
        return opened.plates[view].read(frame), in_order
