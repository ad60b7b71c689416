"""A batch as a folder: a frozen job document per shot, and the plan as data. Schedulers add their files."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

from ..contract.document import read_text, to_json
from ..contract.errors import JobError
from ..contract.fields import Record
from ..contract.site_settings import FarmSettings
from .bundle_file import write_whole
from .estimate import estimate
from .shot_job import ShotJob
from .task import FarmPlan, Shot, Task

PLAN = "plan.json"


def make_plan(name: str, shots: Sequence[ShotJob], settings: FarmSettings, folder: str) -> FarmPlan:
    """The plan of a batch whose bundle will be in ``folder``."""
    folder = os.path.abspath(folder)
    made = [shot.shot(document_path(folder, shot.name), settings) for shot in shots]
    return FarmPlan(name, tuple(made), settings)


def document_path(folder: str, name: str) -> str:
    """Where a shot's frozen job is."""
    return os.path.join(folder, name, f"{name}.job.json")


def write_documents(plan: FarmPlan, shots: Sequence[ShotJob], folder: str) -> list[str]:
    """Writes the frozen jobs and plan.json; returns their paths.

    The very same plan may be written again, for another scheduler too. Raises JobError, before anything is
    written, where another plan or another job lies in its place, which tasks may be at; OutputError.
    """
    texts = {shot.document: to_json(job.job) for job, shot in zip(shots, plan.shots)}
    whole = os.path.join(folder, PLAN)
    texts[whole] = json.dumps(as_data(plan, shots), indent=2) + "\n"
    for path, text in texts.items():
        if os.path.exists(path) and read_text(path) != text:
            what = "the plan of another bundle" if path == whole else "another job"
            raise JobError(
                f"{path!r} is {what}, and tasks may be at work on it.",
                "Name a new folder with -o: a bundle is not written over another one.",
            )
    return [write_whole(path, text) for path, text in texts.items()]


def as_data(plan: FarmPlan, shots: Sequence[ShotJob]) -> dict[str, Any]:
    """The plan as what JSON holds."""
    return {
        "version": 1,
        "name": plan.name,
        "estimate": dataclasses.asdict(estimate(zip(shots, plan.shots), plan.settings)),
        "settings": Record(FarmSettings).write(plan.settings),
        "shots": [_shot_data(job, shot) for job, shot in zip(shots, plan.shots)],
    }


def _shot_data(job: ShotJob, shot: Shot) -> dict[str, Any]:
    return {
        "name": shot.name,
        "source": job.source,
        "document": shot.document,
        "job_hash": shot.job_hash,
        "priority": shot.priority,
        "ranges": {view: list(frames) for view, frames in job.made().items()},
        "outputs": list(shot.outputs),
        "notes": list(job.notes),
        "tasks": [_task_data(shot, task) for task in shot.tasks],
    }


def _task_data(shot: Shot, task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "step": task.step.value,
        "frames": list(task.frames),
        "view": task.view,
        "objects": list(task.objects),
        "records": task.records,
        "passed": task.passed,
        "after": [step.value for step in shot.needed(task.step)],
    }
