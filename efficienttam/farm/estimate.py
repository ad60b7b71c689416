"""What a plan will take: tasks, frames, hours, bytes. By the site's rates; nothing is measured here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ..contract.site_settings import FarmSettings
from ..model.config import MODELS
from .plan import embeds_ahead, following, tracked_together
from .shot_job import ShotJob
from .task import Shot, Step, Task

#: Bytes that the file of an embedding, and of a record, has beside its numbers.
EMBEDDING_HEAD = 400
RECORD_HEAD = 896


@dataclasses.dataclass(frozen=True)
class Estimate:
    """``tasks`` by step; ``frames`` of plates, ``mattes`` and ``passed`` frames (tracked without a matte).

    ``hours`` are those of one machine that does all of it, ``least_hours`` those of the longest chain of
    tasks, which no number of machines shortens. ``cache_bytes`` fill the embedding cache, ``record_bytes``
    lie beside the mattes until the shot is verified.
    """

    tasks: dict[str, int]
    frames: int
    mattes: int
    passed: int
    hours: float
    least_hours: float
    cache_bytes: int
    record_bytes: int


def estimate(shots: Iterable[tuple[ShotJob, Shot]], settings: FarmSettings) -> Estimate:
    """Of all shots together; they do not wait for each other."""
    each = [_of_shot(job, shot, settings) for job, shot in shots]
    return Estimate(
        {step.value: sum(one.tasks.get(step.value, 0) for one in each) for step in Step},
        sum(one.frames for one in each),
        sum(one.mattes for one in each),
        sum(one.passed for one in each),
        sum(one.hours for one in each),
        max((one.least_hours for one in each), default=0.0),
        sum(one.cache_bytes for one in each),
        sum(one.record_bytes for one in each),
    )


def task_seconds(job: ShotJob, task: Task, settings: FarmSettings) -> float:
    """How long a machine takes for a task, by the site's rates."""
    pictures = pictures_of(job)
    if task.step is Step.EMBED:
        return task.count * pictures / settings.embeddings_per_second
    if task.step is Step.MATTES:
        return task.count * len(job.job.objects) / settings.mattes_per_second
    if task.step is Step.VERIFY:
        return 0.0
    things = len(task.objects) or len(job.job.objects)
    tracked = (task.count * things + task.passed) / settings.frames_per_second
    if task.step is Step.TRACK and embeds_ahead(settings):
        return tracked
    return tracked + (task.count + task.passed) / settings.embeddings_per_second


def pictures_of(job: ShotJob) -> int:
    """How many embeddings each frame has: of the whole of it, and of each region."""
    groups = tracked_together(job.job)
    whole = any(group[0].region is None for group in groups)
    return len(groups) + (bool(following(job.job)) and not whole)


def embedding_bytes(job: ShotJob) -> int:
    """Size of one embedding's file, in 16 bits."""
    config = MODELS[job.job.model.name]
    return 2 * config.hidden * config.grid**2 + EMBEDDING_HEAD


def record_bytes(job: ShotJob) -> int:
    """Size of what tracking leaves of one object on one frame."""
    return 4 * MODELS[job.job.model.name].mask_side ** 2 + RECORD_HEAD


def _of_shot(job: ShotJob, shot: Shot, settings: FarmSettings) -> Estimate:
    seconds = {step: [task_seconds(job, task, settings) for task in shot.of(step)] for step in shot.steps()}
    track = shot.of(Step.TRACK)
    frames = sum(last - first + 1 for first, last in job.made().values())
    mattes = sum(task.count * (len(task.objects) or len(job.job.objects)) for task in track)
    embedded = sum(task.count for task in shot.of(Step.EMBED)) * pictures_of(job)
    recorded = sum(task.count * (len(task.objects) or len(job.job.objects)) for task in track if task.records)
    return Estimate(
        {step.value: len(shot.of(step)) for step in shot.steps()},
        frames,
        mattes,
        sum(task.passed for task in shot.tasks),
        sum(map(sum, seconds.values())) / 3600,
        sum(map(max, seconds.values())) / 3600,
        embedded * embedding_bytes(job),
        recorded * record_bytes(job),
    )
