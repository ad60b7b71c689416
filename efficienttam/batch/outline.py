"""What a job would write, without the network."""

from __future__ import annotations

import dataclasses

from ..contract.job import Layout
from ..contract.sequence import SequencePattern
from .footage import Footage


@dataclasses.dataclass(frozen=True)
class Outline:
    """First and last frame, how many mattes, and the files that hold them, view by view."""

    frames: tuple[int, int]
    mattes: int
    files: tuple[str, ...]


def outline(footage: Footage) -> Outline:
    """The outline of the job of that footage."""
    job = footage.job
    pattern = SequencePattern(job.output.path)
    shared = job.output.layout is not Layout.FILE_PER_OBJECT
    mattes, files, span = 0, [], (0, 0)
    for view, span in footage.ranges.items():
        for frame in range(span[0], span[1] + 1):
            names = [
                thing.name
                for thing in job.objects
                if job.tracking.direction.reaches(frame, [prompt.frame for prompt in thing.prompts])
            ]
            mattes += len(names)
            for name in names[:1] if shared else names:
                files.append(pattern.path(frame, view, name))
    return Outline(span, mattes, tuple(files))
