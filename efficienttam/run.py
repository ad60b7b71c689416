"""A job document into matte files: the one batch path of command line, farm and worker."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from .batch.failures import plain_failures
from .batch.footage import Footage
from .batch.matte_shaping import MatteShaping
from .batch.open_job import LoadModel, OpenJob, Stop, load_wanted
from .batch.progress import Progress, SilentProgress, tell_count
from .batch.view_pass import ViewPass
from .contract.cache_settings import CacheSettings
from .contract.errors import JobError
from .contract.job import TrackJob
from .mattes.sharing import kept_apart


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """What a run did: the files written, in order, and how many mattes were made and kept."""

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
    resume: bool = False,
    stop: Stop | None = None,
    cache: CacheSettings | None = None,
    load: LoadModel = load_wanted,
) -> RunSummary:
    """Tracks every object of a job through every view and writes its mattes.

    Relative paths are taken from ``folder``. ``frames`` (first, last) makes only that part of the
    job's range. ``resume`` keeps files that are good. ``stop`` is asked once per frame of the plate;
    when it answers True the run ends with Cancelled and leaves complete files only. ``cache`` is where
    embeddings are kept, by the environment and the platform unless given; it changes no matte but for
    its storage. ``load`` gives the network that the job asks for; a process that
    runs several jobs may keep it.

    Raises JobFaults or JobError before anything is done when the job cannot work; PlateError,
    ColorError, WeightsError, DeviceError, OutputError or Cancelled later.
    """
    progress = progress or SilentProgress()
    started = time.monotonic()
    with plain_failures():
        footage = Footage(job, folder, cache, frames)
        footage.make_folders()
        opened = OpenJob(footage, progress, stop or (lambda: False), load)
        passes = [ViewPass(opened, view, *frames, resume) for view, frames in footage.ranges.items()]
        made, kept = sum(view.to_make for view in passes), sum(view.kept for view in passes)
        progress.begin(made, kept)
        written = [path for view in passes for path in view.run()]
    seconds = time.monotonic() - started
    progress.end(f"{tell_count(made)} made, {kept} kept, {seconds:.1f} s.")
    return RunSummary(tuple(written), made, kept, seconds)


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
        for group in opened.groups(view, look=False):
            tracker, names = opened.tracker(view, group)
            prompts = {id: tracker.prompts(id) for id in names}
            shown = MatteShaping(opened.job.mattes, tracker.plate, prompts).mattes(tracker.preview(frame))
            mattes.update((names[id], group.matte(matte, frame)) for id, matte in shown.items())
        in_order = {thing.name: mattes[thing.name] for thing in job.objects if thing.name in mattes}
        if job.tracking.non_overlapping and len(opened.groups(view)) > 1:
            in_order = kept_apart(in_order, opened.job.mattes)
        return opened.plates[view].read(frame), in_order
