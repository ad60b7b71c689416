"""One farm task: the part of a job that one call of ``efficienttam farm task`` does.

Every step keeps what is there and good, so that a task may be done again, elsewhere, or twice at once.
"""

from __future__ import annotations

from ..batch.failures import plain_failures
from ..batch.footage import Footage
from ..batch.open_job import OpenJob, Stop
from ..batch.progress import Progress
from ..contract.cache_settings import CacheSettings
from ..contract.errors import OutputError
from ..contract.job import TrackJob
from ..contract.site_settings import site_settings
from ..embed import embed_job
from ..run import Records, refuse_parts, run_job
from .task import Step, Task
from .verify import verify_task


def run_task(
    task: Task, job: TrackJob, progress: Progress, *, folder: str, stop: Stop, cache: CacheSettings
) -> None:
    """Does a task of a job, whose relative paths are taken from ``folder``. Raises as ``run_job`` does.

    The frames of a REGIONS task do not count: where an object is depends on all of them. A VERIFY task goes
    by the site's settings on whether suspicious mattes are a failure.
    """
    refuse_parts(job, task.view, task.objects)
    if task.step is Step.REGIONS:
        _find_regions(task, job, progress, folder, stop, cache)
    elif task.step is Step.EMBED:
        embed_job(
            job,
            progress,
            folder=folder,
            frames=task.frames,
            view=task.view,
            exact=True,
            stop=stop,
            cache=cache,
        )
    elif task.step is Step.TRACK or task.step is Step.MATTES:
        records = Records.USE if task.step is Step.MATTES else Records.NONE
        run_job(
            job,
            progress,
            folder=folder,
            frames=task.frames,
            view=task.view,
            objects=task.objects,
            records=Records.LEAVE if task.records else records,
            resume=True,
            exact=True,
            stop=stop,
            cache=cache,
        )
    else:
        verify_task(
            job,
            progress,
            folder=folder,
            frames=task.frames,
            stop=stop,
            cache=cache,
            suspicious_fails=site_settings().farm.suspicious_fails,
        )


def _find_regions(
    task: Task, job: TrackJob, progress: Progress, folder: str, stop: Stop, cache: CacheSettings
) -> None:
    """Finds where the regions of objects lie, and sees to it that other tasks can read it."""
    with plain_failures():
        footage = Footage(job, folder, cache, None, task.view)
        footage.make_folders()
        known = OpenJob(footage, progress, stop, load=None)
        views = [view for view in known.plates if known.first_pass(view).missing]
        progress.begin(len(views), len(known.plates) - len(views), "view")
        if views:
            opened = OpenJob(footage, progress, stop, exact=True)
        for view in views:
            opened.groups(view)
            if known.first_pass(view).missing:
                raise OutputError(
                    "Where the regions lie was found and cannot be kept beside the mattes.",
                    "Check the free space and the permissions of their folder.",
                )
            progress.advance(footage.ranges[view][1], view, 1)
    progress.end("The regions are known.")
