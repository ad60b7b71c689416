"""``farm task``: one piece of farm work, as a scheduler calls it."""

from __future__ import annotations

import argparse
import os

from ..contract.document import resolve
from ..contract.errors import ExitCode, JobError
from ..contract.job import TrackJob
from ..contract.site_settings import site_settings
from ..farm.path_map import mapped, read_mappings, this_platform
from ..farm.task import Step, Task
from .cache import settings_from
from .jobs import document, frame_pair, overrides, stopping, telling, with_overrides
from .words import in_words


def task(args: argparse.Namespace) -> int:
    """Does one task of a job document; what is there and good is kept."""
    with telling(args) as progress, in_words(overrides(args), {}):
        job = with_overrides(_here(document(args.job), args.path_map), args)
        wish = _task(args)
        cache = settings_from(args)
        folder = os.path.dirname(args.job)
        from ..batch.introduction import introduction
        from ..farm.run_task import run_task

        progress.introduce(introduction(resolve(job, folder), wish.step not in (Step.MATTES, Step.VERIFY)))
        with stopping() as stop:
            run_task(wish, job, progress, folder=folder, stop=stop, cache=cache)
    return ExitCode.OK


def _here(job: TrackJob, path_map: str) -> TrackJob:
    """The job with its paths as this machine has them."""
    session = read_mappings(path_map) if path_map else []
    return mapped(job, site_settings().path_map, session, this_platform())


def _task(args: argparse.Namespace) -> Task:
    objects = tuple(name for name in args.objects.split(",") if name)
    step = Step(args.step)
    if args.records and step is not Step.TRACK:
        raise JobError(f"--records says nothing to --step {step.value}.", "Leave it out.")
    return Task(step, frame_pair(args.frames), args.view, objects, args.records)
