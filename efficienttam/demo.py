"""The demo: a generated plate, one click on one frame, EXR mattes, and a score against known truth."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence

import cv2
import numpy as np

from .batch.open_job import Stop
from .batch.progress import Progress
from .contract.cache_settings import CacheSettings
from .contract.document import read_job, write_job
from .contract.errors import JobError, OutputError
from .contract.job import FrameRange, Model, Output, Plate, TrackedObject, TrackJob
from .contract.prompts import Prompt
from .contract.sequence import SequencePattern
from .evaluation.metrics import boundary_accuracy, region_similarity
from .evaluation.scoring import PromptKind, prompt_from_truth
from .mattes.overlay import contact_sheet, overlay
from .media import FrameSequence, read_roto, write_mattes, write_png
from .media.animation import animation_suffix, write_animation
from .run import run_job
from .training.clips import Clip, demo_clip

FIRST_FRAME = 1001
JOB = "hero.job.json"
#: The colour space the plate is written in.
COLOR_SPACE = "Linear Rec.709 (sRGB)"
_SHEET_PICTURES = 12


@dataclasses.dataclass(frozen=True)
class DemoOutcome:
    """Files of the demo; region similarity J and boundary accuracy F of every frame."""

    job: str
    mattes: str
    contact_sheet: str
    animation: str
    regions: tuple[float, ...]
    boundaries: tuple[float, ...]

    @property
    def j(self) -> float:
        """Mean J of the frames after the clicked one (of that one when it is alone)."""
        return float(np.mean(self.regions[1:] or self.regions))

    @property
    def f(self) -> float:
        """Mean F of the same frames."""
        return float(np.mean(self.boundaries[1:] or self.boundaries))


def run_demo(
    folder: str,
    model: Model,
    progress: Progress,
    *,
    count: int = 48,
    resume: bool = False,
    stop: Stop | None = None,
    cache: CacheSettings | None = None,
) -> DemoOutcome:
    """Makes a plate of ``count`` frames in ``folder``, tracks one click through it and scores it. ``resume``
    keeps what is there of a demo of as many frames.

    Raises as ``run_job`` does.
    """
    clip = demo_clip(count)
    try:
        for name in ("plate", "truth", "matte"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Choose another one with --out."
        ) from error
    progress.status(f"Making a plate of {count} frames in {folder}.")
    seen = [clip.render(time)[1] for time in (0, count // 2, count - 1)]
    hero = _largest(seen)
    (click,) = prompt_from_truth(PromptKind.CLICK, FIRST_FRAME, seen[0][hero]).include
    job = TrackJob(
        plate=Plate(path="plate/plate.%04d.exr", color_space=COLOR_SPACE),
        objects=(TrackedObject("hero", (Prompt(FIRST_FRAME, include=(click,)),)),),
        output=Output(path="matte/hero.%04d.exr"),
        range=FrameRange(FIRST_FRAME, FIRST_FRAME + count - 1),
        model=model,
    )
    path = os.path.join(folder, JOB)
    _make_plate(clip, hero, folder, count, keep=resume and _is_of(path, job))
    write_job(job, path)
    run_job(job, progress, folder=folder, resume=resume, stop=stop, cache=cache)
    return _show(job, path, folder, click)


def _largest(seen: Sequence[np.ndarray]) -> int:
    """Which thing is the one that is largest where it is smallest, of mattes (things, height, width)."""
    return int(np.argmax(np.min([mattes.sum(axis=(1, 2)) for mattes in seen], axis=0)))


def _is_of(path: str, job: TrackJob) -> bool:
    """True when the document there is of the same clip and click, whatever the model. Frames of another clip
    lie beside another document, or one that is half made beside none."""
    try:
        return dataclasses.replace(read_job(path), model=job.model) == job
    except JobError:
        return False


def _make_plate(clip: Clip, hero: int, folder: str, count: int, keep: bool) -> None:
    """Writes plate and truth of one thing; with ``keep`` what is not there."""
    if not keep:
        with contextlib.suppress(OSError):
            os.remove(os.path.join(folder, JOB))
    for time in range(count):
        frame = FIRST_FRAME + time
        plate, truth = (
            os.path.join(folder, name.format(frame)) for name in ("plate/plate.{}.exr", "truth/hero.{}.exr")
        )
        if keep and os.path.exists(plate) and os.path.exists(truth):
            continue
        picture, now = clip.render(time)
        linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
        write_mattes(plate, dict(zip(("red", "green", "blue"), np.moveaxis(linear.astype(np.float32), 2, 0))))
        write_mattes(truth, {"rgba.alpha": now[hero]})


def _show(job: TrackJob, path: str, folder: str, click: tuple[float, float]) -> DemoOutcome:
    # Frames of an older, longer demo may lie beside this one's.
    frames = job.range
    plate = FrameSequence(
        os.path.join(folder, job.plate.path), frames.first, frames.last, color_space=COLOR_SPACE
    )
    mattes = SequencePattern(os.path.join(folder, job.output.path))
    truths = SequencePattern(os.path.join(folder, "truth/hero.%04d.exr"))
    pictures, regions, boundaries = [], [], []
    for frame in plate.frames:
        matte = read_roto(mattes.path(frame))
        mask, truth = matte >= 0.5, read_roto(truths.path(frame)) >= 0.5
        regions.append(region_similarity(mask, truth))
        boundaries.append(boundary_accuracy(mask, truth))
        picture = overlay(plate.read(frame), [matte])
        if frame == FIRST_FRAME:
            cv2.circle(picture, (round(click[0]), round(click[1])), 5, (255, 255, 255), -1)
        pictures.append(picture)
    sheet = os.path.join(folder, "contact_sheet.png")
    write_png(sheet, contact_sheet(_spread(pictures), 320, columns=4))
    animation = os.path.join(folder, "overlay" + animation_suffix())
    write_animation(animation, pictures)
    return DemoOutcome(path, mattes.text, sheet, animation, tuple(regions), tuple(boundaries))


def _spread(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    places = np.linspace(0, len(pictures) - 1, min(_SHEET_PICTURES, len(pictures)))
    return [pictures[round(place)] for place in places]
