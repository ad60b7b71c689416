"""The files a job reads and writes, and whether another file would land on one of them.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
from typing import Iterator

from .disk import place_at
from .fields import REFUSED, known
from .job import TrackJob
from .prompts import RotoFile
from .rules import objects_of, prompts_of
from .sequence import FURTHEST, SequencePattern


def claimed(job: TrackJob, folder: str, target: str) -> str:
    """What of a job the file ``target`` is or would be, through links too: ``a frame of the plate``,
    ``a roto mask``; empty for none. The job's relative paths are taken from ``folder``.

    Frames count whether they are in the range, and on disk, or not. Parts that were refused while
    reading are passed over.
    """
    views = [view for view in job.views if view is not REFUSED] if job.views is not REFUSED else []
    names = [thing.name for _, thing in objects_of(job) if thing.name is not REFUSED]
    for what, path in _named(job):
        pattern = SequencePattern(place_at(path, folder))
        for view in (views or [""]) if pattern.has_view else [""]:
            for name in names if pattern.has_object else [""]:
                if (view or not pattern.has_view) and _covers(pattern, view, name, target):
                    return what
    return ""


def _named(job: TrackJob) -> Iterator[tuple[str, str]]:
    """Every file or pattern the job names, with what to call it."""
    plate = known(job.plate, "path")
    if plate:
        yield "a frame of the plate" if SequencePattern(plate).is_sequence else "the plate", plate
    for _, prompt in prompts_of(job):
        if isinstance(prompt.mask, RotoFile):
            yield "a roto mask", prompt.mask.path
    for what, path in (
        ("the colour configuration", known(job.plate, "ocio_config")),
        ("the weights", known(job.model, "weights")),
        ("a matte of this job", known(job.output, "path")),
    ):
        if path:
            yield what, path


def _covers(pattern: SequencePattern, view: str, name: str, target: str) -> bool:
    """True when ``target`` has, or is a link to, a name of the pattern, or is the same file as one."""
    if pattern.covers(target, -FURTHEST, FURTHEST, view, name):
        return True
    real = os.path.realpath(target)
    if not os.path.exists(real):
        return False
    files = [pattern.path(frame, view, name) for frame in pattern.frames_on_disk(view)]
    return any(os.path.exists(file) and os.path.samefile(file, real) for file in [pattern.text, *files])
