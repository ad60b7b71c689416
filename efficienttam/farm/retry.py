"""The part of a shot's plan that makes the mattes that are missing or bad, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .plan import common, needs_all_objects, passed_frames
from .shot_job import ShotJob
from .task import Shot, Step, Task
from .verify import MatteTrouble


def retried(job: ShotJob, shot: Shot, lacking: Iterable[MatteTrouble]) -> Shot:
    """The shot with the tasks alone that make these mattes, each from the first to the last frame that it
    has to make; with a first pass where the plan has one, and the verification.

    Embeddings are not made ahead for a few frames: a task makes those that it finds gone.
    """
    missing = {(one.view, one.object, one.frame) for one in lacking}
    views = {view for view, _, _ in missing}
    tasks = [task for task in shot.of(Step.REGIONS) if task.view in views]
    for task in shot.tasks:
        if task.step in (Step.TRACK, Step.MATTES):
            tasks += _for_them(job, task, missing)
    return dataclasses.replace(shot, tasks=(*tasks, *shot.of(Step.VERIFY)))


def _for_them(job: ShotJob, task: Task, missing: set[tuple[str, str, int]]) -> list[Task]:
    """The task for the mattes that it makes of those missing; empty where it makes none."""
    # What steadies a matte lies beside it, and what shares its file is made with it.
    reach = job.job.mattes.steady_frames if task.records else 0
    every = not task.objects or needs_all_objects(job.job)
    runs = [
        common(task.frames, (frame - reach, frame + reach))
        for view, name, frame in missing
        if view == task.view and (every or name in task.objects)
    ]
    runs = [run for run in runs if run[0] <= run[1]]
    if not runs:
        return []
    frames = min(first for first, _ in runs), max(last for _, last in runs)
    passed = passed_frames(job.job, task, frames, job.ranges[task.view])
    return [dataclasses.replace(task, frames=frames, passed=passed)]
