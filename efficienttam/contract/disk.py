"""What of a job can be told from the disk without opening an image.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from .errors import ExitCode
from .fields import REFUSED, Fault, known
from .job import Plate, TrackJob
from .prompts import RotoFile
from .rules import LET_STAND_IN, objects_of, prompts_of
from .sequence import FURTHEST, MissingFrames, SequencePattern, format_frames, missing_frames, tell_frames


def disk_faults(job: TrackJob, folder: str = "", writes: bool = True) -> list[Fault]:
    """Everything the disk holds against the job, relative paths taken from ``folder``.

    ``writes`` is False for work that only reads the mattes: then their folder may be one that cannot be
    written to. Parts that were refused while reading are passed over.
    """
    return [*_plate_faults(job, folder), *_file_faults(job, folder), *_output_faults(job, folder, writes)]


def place_at(path: str, folder: str) -> str:
    """``path`` with ``~`` expanded, relative to ``folder`` unless absolute.

    ``..`` at its start takes names off ``folder`` as long as these are no links.
    """
    path = os.path.expanduser(path)
    while path[:3] in ("../", ".." + os.sep):
        above, name = os.path.split(folder)
        if name in ("", os.curdir, os.pardir) or os.path.islink(folder):
            break
        folder, path = above, path[3:]
    return os.path.join(folder, path)


def way_here_from(folder: str) -> str:
    """The working folder as ``place_at`` finds it from ``folder``, which may be reached through links and
    need not exist: relative, absolute on another drive, ``.`` where both are one."""
    here = os.path.realpath(os.curdir)
    try:
        return os.path.relpath(here, os.path.realpath(folder or os.curdir))
    except ValueError:
        return here


def _plate_faults(job: TrackJob, folder: str) -> Iterator[Fault]:
    path = known(job.plate, "path")
    if path is None:
        return
    pattern = SequencePattern(place_at(path, folder))
    views = job.views if job.views is not REFUSED and pattern.has_view else ("",)
    if pattern.has_view and views in ((), ("",)):
        return
    for view in views:
        if view is REFUSED:
            continue
        if not pattern.is_sequence or os.path.isfile(pattern.text):
            file = pattern.path(0, view)
            if not os.path.isfile(file) and not os.path.isfile(pattern.text):
                message = f"There is no file {file!r}."
                yield Fault("plate.path", message, "Check the path.", ExitCode.INPUT)
        else:
            yield from _frame_faults(job, job.plate, pattern, view)


def _frame_faults(job: TrackJob, plate: Plate, pattern: SequencePattern, view: str) -> Iterator[Fault]:
    present = pattern.frames_on_disk(view)
    of = f"of view {view} " if view else ""
    if not present:
        message = f"There are no frames {of}named {pattern.text!r}."
        yield Fault(
            "plate.path", message, "Check the folder, the name and the number of digits.", ExitCode.INPUT
        )
        return
    first, last = known(job.range, "first"), known(job.range, "last")
    first = present[0] if first is None else first
    last = present[-1] if last is None else last
    there = "{}: {}.".format(f"On disk {of}".rstrip(), format_frames(present))
    if last < first:
        return
    if first > present[-1] or last < present[0]:
        message = f"The range {first}-{last} lies outside the plate."
        yield Fault("range", message, there, ExitCode.INPUT)
        return
    missing = missing_frames(present, first, last)
    if missing and known(plate, "missing") in (None, MissingFrames.ERROR):
        told = tell_frames(missing, f"{of}is missing.", f"{of}are missing.")
        remedy = f"Bring what is missing, shorten the range, or {LET_STAND_IN}."
        yield Fault("plate.path", told, f"{there} {remedy}", ExitCode.INPUT)
    empty = [f for f in present if first <= f <= last and os.path.getsize(pattern.path(f, view)) == 0]
    if empty:
        told = tell_frames(empty, f"{of}is an empty file.", f"{of}are empty files.")
        yield Fault("plate.path", told, "Render or copy again what is empty.", ExitCode.INPUT)
    if known(job.range, "first") is None or known(job.range, "last") is None:
        for place, prompt in prompts_of(job):
            if not first <= prompt.frame <= last:
                message = f"Frame {prompt.frame} is not in the plate."
                yield Fault(place + ".frame", message, there)


def _file_faults(job: TrackJob, folder: str) -> Iterator[Fault]:
    config = known(job.plate, "ocio_config")
    if config and not config.startswith("ocio://") and not os.path.isfile(place_at(config, folder)):
        message = f"There is no file {place_at(config, folder)!r}."
        yield Fault("plate.ocio_config", message, "Check the path.", ExitCode.INPUT)
    weights = known(job.model, "weights")
    if weights and not os.path.exists(place_at(weights, folder)):
        message = f"There is no file {place_at(weights, folder)!r}."
        yield Fault("model.weights", message, "Check the path.", ExitCode.WEIGHTS)
    for place, prompt in prompts_of(job):
        if not isinstance(prompt.mask, RotoFile):
            continue
        pattern = SequencePattern(place_at(prompt.mask.path, folder))
        views: Any = ("",)
        if pattern.has_view:
            views = [view for view in job.views if view is not REFUSED] if job.views is not REFUSED else []
            if not views:
                message = "%V stands for a view but there are none."
                yield Fault(place + ".mask.path", message, "Name the views.")
        for view in views:
            file = pattern.path(prompt.frame, view)
            if not os.path.isfile(file):
                message = f"There is no roto mask {file!r}."
                yield Fault(place + ".mask.path", message, "Check the path.", ExitCode.INPUT)


def _output_faults(job: TrackJob, folder: str, writes: bool) -> Iterator[Fault]:
    path = known(job.output, "path")
    if path is None:
        return
    pattern = SequencePattern(place_at(path, folder))
    names = [thing.name for _, thing in objects_of(job) if thing.name is not REFUSED] or [""]
    views = [view for view in job.views if view is not REFUSED] if job.views is not REFUSED else []
    if pattern.has_view and not views:
        yield Fault(
            "output.path", "The name has %V but there are no views.", "Name the views, or leave %V out."
        )
        return
    folders = {os.path.dirname(pattern.path(1, view, name)) for view in views or [""] for name in names}
    for target in sorted(folders) if writes else ():
        yield from _folder_faults(target or ".")
    yield from _overwriting_faults(job, folder, pattern, names, views or [""])


def _folder_faults(target: str) -> Iterator[Fault]:
    refused = folder_refusal(target)
    if refused:
        message = f"The mattes cannot go into {target!r}: {refused}."
        remedy = "Choose another folder, or ask for the permission if it is the right one."
        yield Fault("output.path", message, remedy, ExitCode.OUTPUT)


def folder_refusal(target: str) -> str:
    """Why no file can be put into a folder that is there or would be made; empty when nothing speaks
    against it."""
    # An absolute path has no "..": it takes names off links.
    existing = os.path.join(os.getcwd(), target) if os.pardir in target else os.path.abspath(target)
    while not os.path.lexists(existing) and os.path.dirname(existing) != existing:
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        return "{!r} is {}".format(existing, "a file" if os.path.exists(existing) else "a link to nothing")
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing!r} may not be written to"
    return ""


def _overwriting_faults(
    job: TrackJob, folder: str, pattern: SequencePattern, names: list[str], views: list[str]
) -> Iterator[Fault]:
    """Mattes that would land on the plate or on a roto mask, through links too."""
    sources = [
        (prompt.mask.path, prompt.frame, "a roto mask")
        for _, prompt in prompts_of(job)
        if isinstance(prompt.mask, RotoFile)
    ]
    plate = known(job.plate, "path")
    first, last = _span(job, folder)
    if plate is not None:
        # The numbers of a sequence stand in its names: its ends and a prompted frame tell for all.
        frames = {first, last, next((prompt.frame for _, prompt in prompts_of(job)), first)}
        sources.extend((plate, frame, "the plate") for frame in sorted(frames))
    found = set()
    for text, frame, what in sources:
        source = SequencePattern(place_at(text, folder))
        files = {source.path(frame, view) for view in views if view or not source.has_view}
        made = [(view, name) for view in views if view or not pattern.has_view for name in names]
        lands = any(pattern.covers(file, first, last, *pair) for file in files for pair in made)
        if lands and what not in found:
            found.add(what)
            message = f"The mattes would overwrite {what}."
            yield Fault("output.path", message, "Choose another name for the mattes.")


def _span(job: TrackJob, folder: str) -> tuple[int, int]:
    """First and last frame that the job makes, as far as names tell: all that there could be for a movie."""
    first, last = known(job.range, "first"), known(job.range, "last")
    path = known(job.plate, "path")
    pattern = SequencePattern(place_at(path or "", folder))
    if pattern.is_sequence and (first is None or last is None):
        views = job.views if job.views is not REFUSED and pattern.has_view else ("",)
        on_disk = [f for view in views if view or not pattern.has_view for f in pattern.frames_on_disk(view)]
        if on_disk:
            return (min(on_disk) if first is None else first), (max(on_disk) if last is None else last)
    return (-FURTHEST if first is None else first), (FURTHEST if last is None else last)
