"""What a job would write, without the network."""

from __future__ import annotations

import dataclasses
import os

from ..contract.document import resolve
from ..contract.job import Layout, TrackJob
from ..contract.sequence import SequencePattern
from ..media import FrameSequence


@dataclasses.dataclass(frozen=True)
class Outline:
    """First and last frame, how many mattes, and the files that hold them, view by view."""

    frames: tuple[int, int]
    mattes: int
    files: tuple[str, ...]


def outline(job: TrackJob, folder: str = "") -> Outline:
    """The outline of a job without faults; relative paths are taken from ``folder``. Raises PlateError."""
    job = resolve(job, folder)
    pattern = SequencePattern(job.output.path)
    layered = job.output.layout is Layout.LAYER_PER_OBJECT
    mattes, files, frames = 0, [], range(0)
    for view in job.views or ("",):
        frames = _plate_frames(job, view)
        for frame in frames:
            names = [
                thing.name
                for thing in job.objects
                if job.tracking.direction.reaches(frame, [prompt.frame for prompt in thing.prompts])
            ]
            mattes += len(names)
            for name in names[:1] if layered else names:
                files.append(os.path.normpath(pattern.path(frame, view, name)))
    return Outline((frames[0], frames[-1]), mattes, tuple(files))


def _plate_frames(job: TrackJob, view: str) -> range:
    """The frames of a view; the plate's first header is read."""
    frames = FrameSequence(
        job.plate.path,
        job.range.first,
        job.range.last,
        view=view,
        color_space="raw",
        missing=job.plate.missing,
        layer=job.plate.layer,
        part=job.plate.part or None,
        movie_start=job.plate.movie_start,
    ).frames
    return range(frames[0], frames[-1] + 1)
