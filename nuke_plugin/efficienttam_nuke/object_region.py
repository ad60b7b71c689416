"""The region of the current object: what its knobs and buttons say goes into the sheet, and back."""

from __future__ import annotations

import dataclasses
from typing import Optional, Tuple

from efficienttam.contract.errors import EfficientTAMError, JobError
from efficienttam.contract.prompt_sheet import SheetObject
from efficienttam.contract.region import Follow, Region, RegionBox, region_faults

from . import display, host, job_document, knobs, plate, sheet_edits
from .coordinates import Box
from .tracker_node import TrackerNode

#: As many frames as a region's place may be averaged over.
MOST_SMOOTHING = 10**4


def take_knobs(tracker: TrackerNode) -> None:
    """The region as the knobs say now. Raises JobError, with the knobs back at what the sheet says."""
    thing = tracker.current
    try:
        if thing is None:
            raise JobError("There is no object yet.", "Press Add.")
        region = _told(tracker, thing)
    except EfficientTAMError:
        display.show_region(tracker, thing)
        raise
    if region == thing.region:
        display.show_region(tracker, thing)
        return
    sheet = tracker.sheet.in_region(thing.id, region)
    display.commit(tracker, sheet, "Region of {}".format(thing.name), thing.name)
    _tell(tracker, sheet.object(thing.id))


def draw(tracker: TrackerNode, id: str) -> None:
    """The box handle is the region of an object on this frame, from now on."""
    frame = host.frame()
    sheet = sheet_edits.with_region_box(tracker.sheet, id, frame, _box(tracker))
    display.commit(tracker, sheet, "Draw region on {}".format(frame), sheet.object(id).name)
    _tell(tracker, sheet.object(id))


def erase(tracker: TrackerNode, id: str) -> None:
    """The box that was drawn as region on this frame is taken back."""
    sheet = sheet_edits.without_region_box(tracker.sheet, id, host.frame())
    display.commit(tracker, sheet, "Drop region on {}".format(host.frame()))
    _tell(tracker, sheet.object(id))


def _told(tracker: TrackerNode, thing: SheetObject) -> Optional[Region]:
    """Raises JobError for numbers that cannot be, PromptError or PlateError for a box that lies nowhere."""
    padding, smoothing = tracker.number(knobs.REGION_PADDING), tracker.whole(knobs.REGION_SMOOTHING)
    before = thing.region or Region()
    follow = display.FOLLOWS.get(tracker.choice(knobs.REGION))
    if follow is None:
        if thing.region is None and (padding, smoothing) != (before.padding, before.smoothing):
            raise JobError(
                "{} is tracked in the whole frame.".format(thing.name),
                "Choose a region for it first, in track inside a region.",
            )
        return None
    if padding < 0 or not 0 <= smoothing <= MOST_SMOOTHING:
        raise JobError(
            "A region with room of {:g}, smoothed over {} frames, cannot be.".format(padding, smoothing),
            "Use 0 or more, and {} frames at most.".format(MOST_SMOOTHING),
        )
    boxes: Tuple[RegionBox, ...] = ()
    if follow is Follow.DRAWN:
        boxes = before.boxes or (RegionBox(host.frame(), _box(tracker)),)
    return dataclasses.replace(before, follow=follow, padding=padding, smoothing=smoothing, boxes=boxes)


def _box(tracker: TrackerNode) -> Box:
    """The box handle as the prompts have it."""
    x, y, r, t = tracker.numbers(knobs.BOX)
    return plate.placement(tracker).box_from_nuke((x, y, r, t))


def _tell(tracker: TrackerNode, thing: SheetObject) -> None:
    """What the region is now, and what it still lacks."""
    region = thing.region
    if region is None:
        where = "in the whole frame"
    elif region.follow is Follow.DRAWN:
        frames = ", ".join(str(drawn.frame) for drawn in region.boxes)
        where = "in the box drawn on {}".format(frames)
    elif region.follow is Follow.PROMPTS:
        where = "in a region by its prompts"
    else:
        where = "in a region that follows it, after a first pass over the range"
    told = "{} is tracked {}.".format(thing.name, where)
    lacks = [] if region is None else list(region_faults("", region, thing.prompts))
    if lacks:
        told += " {} {}".format(lacks[0].message, job_document.remedy_here(lacks[0].remedy))
    elif tracker.flag(knobs.HAS_MATTES):
        told += " Press Re-track changed."
    tracker.tell(told)
