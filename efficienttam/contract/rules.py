"""Rules of a job document that span fields. No file is looked at.

Parts that were refused while reading are passed over, so every other fault is still found.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import re
from typing import Any, Iterator

from .fields import REFUSED, Fault, known
from .job import FrameRange, Mattes, Refine, TrackedObject, TrackJob
from .output_form import output_faults
from .region import region_faults, shared_region_faults
from .sequence import SequencePattern

#: What a remedy says of a field; who fills it in another way says it in its own words.
LET_STAND_IN = 'set "missing" to "hold" or "black"'
REFINE_EDGES = 'set "refine" to "unmix"'

#: Most pixels that an edge or its band may be wide.
WIDEST = 1000
_OBJECT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
DEVICE = re.compile(r"(auto|cpu|mps|cuda(:\d{1,3})?)\Z")
DEVICE_REMEDY = "Write auto, cpu, mps, cuda or cuda:1."
_VIEW = re.compile(r"[A-Za-z0-9_]+\Z")


def broken_rules(job: TrackJob) -> list[Fault]:
    """Every rule the job breaks, in the order of the document."""
    faults: list[Fault] = []
    faults.extend(_plate_faults(job))
    faults.extend(_object_faults(job))
    faults.extend(output_faults(job))
    faults.extend(_range_faults(job.range))
    faults.extend(_view_faults(job))
    faults.extend(_matte_faults(job.mattes))
    device = known(job.model, "device")
    if device is not None and not DEVICE.match(device):
        faults.append(Fault("model.device", f"{device!r} is not a device.", DEVICE_REMEDY))
    return faults


def objects_of(job: TrackJob) -> Iterator[tuple[str, TrackedObject]]:
    """(place, object) of each readable object."""
    if job.objects is not REFUSED:
        for index, thing in enumerate(job.objects):
            if thing is not REFUSED:
                yield f"objects[{index}]", thing


def prompts_of(job: TrackJob) -> Iterator[tuple[str, Any]]:
    """(place, prompt) of each readable prompt of every object."""
    for place, thing in objects_of(job):
        if thing.prompts is not REFUSED:
            for index, prompt in enumerate(thing.prompts):
                if prompt is not REFUSED:
                    yield f"{place}.prompts[{index}]", prompt


def _pattern(record: Any) -> SequencePattern | None:
    text = known(record, "path")
    return None if text is None else SequencePattern(text)


def _plate_faults(job: TrackJob) -> list[Fault]:
    faults: list[Fault] = []
    pattern = _pattern(job.plate)
    if pattern is not None and pattern.has_object:
        message = "{object} stands in the plate's name."
        faults.append(Fault("plate.path", message, "Leave it out: a plate has no object."))
    if pattern is not None and pattern.has_view and job.views == ():
        faults.append(
            Fault("views", "The plate's name has %V but there are no views.", "Name the views to run.")
        )
    return faults


def _object_faults(job: TrackJob) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for place, thing in objects_of(job):
        if thing.name is not REFUSED:
            faults.extend(_name_faults(place + ".name", thing.name, seen))
        if thing.prompts is not REFUSED:
            faults.extend(_prompt_faults(place, thing))
    regions = [
        (place + ".region", thing)
        for place, thing in objects_of(job)
        if thing.region is not None and thing.region is not REFUSED
    ]
    for place, thing in regions:
        faults.extend(region_faults(place, thing.region, thing.prompts))
    faults.extend(shared_region_faults((place, thing.region) for place, thing in regions))
    for place, prompt in prompts_of(job):
        first, last = known(job.range, "first"), known(job.range, "last")
        early = first is not None and prompt.frame < first
        late = last is not None and prompt.frame > last
        if (early or late) and not (first is not None and last is not None and last < first):
            message = "Frame {} is outside the range {} to {}.".format(
                prompt.frame, "start" if first is None else first, "end" if last is None else last
            )
            faults.append(Fault(place + ".frame", message, "Widen the range or move the prompt."))
    return faults


def _name_faults(place: str, name: str, seen: dict[str, str]) -> Iterator[Fault]:
    if not _OBJECT_NAME.match(name):
        message = f"{name!r} is not a name for an object."
        yield Fault(place, message, "Use up to 64 letters, digits and _, not starting with a digit.")
    elif name.lower() in seen:
        message = f"{name!r} is already the name of {seen[name.lower()]} (case does not count)."
        yield Fault(place, message, "Give each object its own name.")
    else:
        seen[name.lower()] = place.rsplit(".", 1)[0]


def _prompt_faults(place: str, thing: TrackedObject) -> Iterator[Fault]:
    first = thing.prompts[0]
    if first is not REFUSED and not first.stands_alone:
        yield Fault(
            place + ".prompts[0]",
            "The first prompt only tells what the object is not.",
            "Give it an include point, a box or a mask, or put such a prompt before it.",
        )
    frames: dict[int, str] = {}
    for index, prompt in enumerate(thing.prompts):
        if prompt is REFUSED:
            continue
        here = f"{place}.prompts[{index}]"
        if prompt.frame in frames:
            message = f"Frame {prompt.frame} has a prompt already, {frames[prompt.frame]}."
            yield Fault(here + ".frame", message, "Join the two: one prompt per object and frame.")
        frames.setdefault(prompt.frame, here)


def _range_faults(frames: FrameRange) -> Iterator[Fault]:
    first, last = known(frames, "first"), known(frames, "last")
    if first is not None and last is not None and last < first:
        message = f"The range ends at {last}, before its start {first}."
        yield Fault("range.last", message, "Write the lower frame as first.")


def _matte_faults(wish: Mattes) -> Iterator[Fault]:
    for name in ("softness", "refine_band"):
        width = known(wish, name)
        if width is not None and width > WIDEST:
            message = f"{width:g} pixels are wider than any edge."
            yield Fault(f"mattes.{name}", message, f"Write {WIDEST} at most.")
    if known(wish, "refine_band") is not None and known(wish, "refine") is Refine.NONE:
        message = "There is a band but nothing is refined."
        yield Fault("mattes.refine_band", message, f"Leave it out, or {REFINE_EDGES}.")
    if known(wish, "softness") == 0 and known(wish, "steady_frames"):
        message = "A hard edge has no softness to steady."
        yield Fault("mattes.steady_frames", message, "Leave it out, or give the edge a width.")


def _view_faults(job: TrackJob) -> Iterator[Fault]:
    if job.views is REFUSED:
        return
    for index, view in enumerate(job.views):
        place = f"views[{index}]"
        if not _VIEW.match(view):
            yield Fault(place, f"{view!r} is not a view name.", "Use letters, digits and _.")
        elif view in job.views[:index]:
            yield Fault(place, f"The view {view!r} is named twice.", "Name each view once.")
