"""What the node's buttons and handles do to a prompt sheet, and the sheet as text for the node's panel.

Coordinates are those of the prompts. Pure functions; standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Optional, Tuple

from efficienttam.contract.errors import JobError
from efficienttam.contract.prompt_sheet import PromptSheet, SheetObject, in_signs
from efficienttam.contract.prompts import Box, Point, Prompt
from efficienttam.contract.region import Follow, Region, RegionBox

from . import knobs

#: A point of a prompt: True for include, and its place in that list.
Slot = Tuple[bool, int]


def with_moved_point(sheet: PromptSheet, id: str, frame: int, slot: Slot, point: Point) -> PromptSheet:
    """With one point of a prompt elsewhere. Raises JobError where it is gone."""
    said = sheet.object(id).prompt_on(frame)
    include, place = slot
    points = list((said.include if include else said.exclude) if said else ())
    if said is None or place >= len(points):
        raise JobError("The point of this handle is gone.", "Add it again.")
    points[place] = point
    moved = (
        dataclasses.replace(said, include=tuple(points))
        if include
        else dataclasses.replace(said, exclude=tuple(points))
    )
    return sheet.with_prompt(id, moved)


def with_region_box(sheet: PromptSheet, id: str, frame: int, box: Box) -> PromptSheet:
    """With a drawn region for an object: ``box`` on a frame, beside those drawn on other frames."""
    region = sheet.object(id).region or Region()
    boxes = [drawn for drawn in region.boxes if drawn.frame != frame] + [RegionBox(frame, box)]
    boxes.sort(key=lambda drawn: drawn.frame)
    return sheet.in_region(id, dataclasses.replace(region, follow=Follow.DRAWN, boxes=tuple(boxes)))


def without_region_box(sheet: PromptSheet, id: str, frame: int) -> PromptSheet:
    """Without the box drawn as region on a frame; with the last one the region goes.

    Raises JobError where none was drawn there.
    """
    thing = sheet.object(id)
    drawn = () if thing.region is None else thing.region.boxes
    left = tuple(one for one in drawn if one.frame != frame)
    if thing.region is None or left == drawn:
        frames = ", ".join(str(one.frame) for one in drawn)
        raise JobError(
            "{} has no region drawn on {}.".format(thing.name, frame),
            "It has on {}.".format(frames) if frames else "Use box as region draws one.",
        )
    return sheet.in_region(id, dataclasses.replace(thing.region, boxes=left) if left else None)


def named(sheet: PromptSheet, name: str) -> PromptSheet:
    """With one object more. Raises JobError for a name that cannot be."""
    _check_name(name)
    return sheet.with_object(name)


def renamed(sheet: PromptSheet, id: str, name: str) -> PromptSheet:
    """With another name for an object. Raises JobError for one that cannot be."""
    _check_name(name)
    return sheet.renamed(id, name)


def check_new_names(before: PromptSheet, now: PromptSheet) -> None:
    """Raises JobError for a name that another hand gave and that cannot be; those of before stand."""
    known = {thing.name for thing in before.objects}
    for thing in now.objects:
        if thing.name not in known:
            _check_name(thing.name)


def _check_name(name: str) -> None:
    """What Nuke refuses beyond what the sheet does."""
    if name.lower() in knobs.NUKE_LAYERS:
        raise JobError("Nuke has a layer {} of its own.".format(name), "Choose another name.")


def slots(prompt: Optional[Prompt]) -> List[Tuple[Slot, Point]]:
    """The points of a prompt in the order the handles show them: included ones first."""
    if prompt is None:
        return []
    return [((True, place), point) for place, point in enumerate(prompt.include)] + [
        ((False, place), point) for place, point in enumerate(prompt.exclude)
    ]


def rows(sheet: PromptSheet) -> Dict[str, Tuple[str, int]]:
    """Every prompt as a line of the pulldown, by frame, with the object's id and the frame."""
    listed = [(prompt.frame, thing, prompt) for thing in sheet.objects for prompt in thing.prompts]
    listed.sort(key=lambda row: row[0])
    return {
        "{} {}: {}".format(frame, thing.name, in_signs(prompt)): (thing.id, frame)
        for frame, thing, prompt in listed
    }


def table(sheet: PromptSheet) -> str:
    """Objects x prompted frames, in columns of equal width."""
    frames = sheet.prompted
    lines = [["object"] + [str(frame) for frame in frames]]
    for thing in sheet.objects:
        lines.append([_marked(thing)] + [_cell(thing, frame) for frame in frames])
    if len(lines) == 1:
        return "no objects yet"
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def _cell(thing: SheetObject, frame: int) -> str:
    prompt = thing.prompt_on(frame)
    return "." if prompt is None else in_signs(prompt)


def _marked(thing: SheetObject) -> str:
    marks = (("solo", thing.solo), ("mute", thing.mute), ("region", thing.region is not None))
    return thing.name + "".join(" ({})".format(word) for word, holds in marks if holds)
