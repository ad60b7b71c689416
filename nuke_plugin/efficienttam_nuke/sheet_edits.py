"""What the node's buttons and handles do to a prompt sheet, and the sheet as text for the node's panel.

Coordinates are those of the prompts. Pure functions; standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Optional, Tuple

from efficienttam.contract.errors import JobError
from efficienttam.contract.prompt_sheet import PromptSheet, SheetObject
from efficienttam.contract.prompts import Box, Point, Prompt, RotoFile

from . import knobs

#: A point of a prompt: True for include, and its place in that list.
Slot = Tuple[bool, int]
_LONGEST_NAME = 64


def with_point(sheet: PromptSheet, id: str, frame: int, point: Point, include: bool) -> PromptSheet:
    """With a point more; one that says the opposite at the same place goes."""
    said = sheet.object(id).prompt_on(frame)
    taken = tuple(other for other in (said.include if said else ()) if other != point)
    left_out = tuple(other for other in (said.exclude if said else ()) if other != point)
    if include:
        taken += (point,)
    else:
        left_out += (point,)
    prompt = Prompt(frame, taken, left_out, said.box if said else None, said.mask if said else None)
    return standing_first(sheet.with_prompt(id, prompt), id)


def with_box(sheet: PromptSheet, id: str, frame: int, box: Box) -> PromptSheet:
    """With a box on the frame, in the place of the one there."""
    said = sheet.object(id).prompt_on(frame)
    prompt = Prompt(frame, box=box) if said is None else dataclasses.replace(said, box=box)
    return standing_first(sheet.with_prompt(id, prompt), id)


def with_roto(sheet: PromptSheet, id: str, frame: int, roto: RotoFile) -> PromptSheet:
    """With a roto on the frame, in the place of the one there."""
    said = sheet.object(id).prompt_on(frame)
    prompt = Prompt(frame, mask=roto) if said is None else dataclasses.replace(said, mask=roto)
    return standing_first(sheet.with_prompt(id, prompt), id)


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


def without_prompt(sheet: PromptSheet, id: str, frame: int) -> PromptSheet:
    """Without what was said about an object on a frame."""
    return standing_first(sheet.without_prompt(id, frame), id)


def with_copied_prompt(sheet: PromptSheet, id: str, frame: int, to: int) -> PromptSheet:
    """With what was said on one frame on another too."""
    return standing_first(sheet.with_copied_prompt(id, frame, to), id)


def named(sheet: PromptSheet, name: str) -> PromptSheet:
    """With one object more. Raises JobError for a name that cannot be."""
    _check_name(sheet, "", name)
    return sheet.with_object(name)


def renamed(sheet: PromptSheet, id: str, name: str) -> PromptSheet:
    """With another name for an object. Raises JobError for one that cannot be."""
    _check_name(sheet, id, name)
    return sheet.renamed(id, name)


def check_new_names(before: PromptSheet, now: PromptSheet) -> None:
    """Raises JobError for a name that another hand gave and that cannot be; those of before stand."""
    known = {thing.name for thing in before.objects}
    for thing in now.objects:
        if thing.name not in known:
            _check_name(now, thing.id, thing.name)


def _check_name(sheet: PromptSheet, id: str, name: str) -> None:
    """What a job and Nuke refuse beyond what the sheet does."""
    if name.lower() in knobs.NUKE_LAYERS:
        raise JobError("Nuke has a layer {} of its own.".format(name), "Choose another name.")
    if len(name) > _LONGEST_NAME:
        raise JobError("The name is longer than {} letters.".format(_LONGEST_NAME), "Shorten it.")
    twins = [thing.name for thing in sheet.objects if thing.id != id and thing.name.lower() == name.lower()]
    if twins:
        raise JobError("There is an object {} already.".format(twins[0]), "Choose another name.")


def standing_first(sheet: PromptSheet, id: str) -> PromptSheet:
    """With the first prompt that tells what the object is in front of those that only correct.

    Tracking takes prompts in their order and has to begin with such a one.
    """
    prompts = sheet.object(id).prompts
    first = next((prompt for prompt in prompts if prompt.stands_alone), None)
    if first is None or first is prompts[0]:
        return sheet
    for prompt in prompts:
        sheet = sheet.without_prompt(id, prompt.frame)
    for prompt in (first, *(prompt for prompt in prompts if prompt is not first)):
        sheet = sheet.with_prompt(id, prompt)
    return sheet


def slots(prompt: Optional[Prompt]) -> List[Tuple[Slot, Point]]:
    """The points of a prompt in the order the handles show them: included ones first."""
    if prompt is None:
        return []
    return [((True, place), point) for place, point in enumerate(prompt.include)] + [
        ((False, place), point) for place, point in enumerate(prompt.exclude)
    ]


def told(prompt: Prompt) -> str:
    """``+2 -1 B R``: two points in, one out, a box, a roto."""
    parts = []
    if prompt.include:
        parts.append("+{}".format(len(prompt.include)))
    if prompt.exclude:
        parts.append("-{}".format(len(prompt.exclude)))
    if prompt.box is not None:
        parts.append("B")
    if prompt.mask is not None:
        parts.append("R")
    return " ".join(parts)


def rows(sheet: PromptSheet) -> Dict[str, Tuple[str, int]]:
    """Every prompt as a line of the pulldown, by frame, with the object's id and the frame."""
    listed = [(prompt.frame, thing, prompt) for thing in sheet.objects for prompt in thing.prompts]
    listed.sort(key=lambda row: row[0])
    return {
        "{} {}: {}".format(frame, thing.name, told(prompt)): (thing.id, frame)
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
    return "." if prompt is None else told(prompt)


def _marked(thing: SheetObject) -> str:
    return thing.name + (" (solo)" if thing.solo else "") + (" (mute)" if thing.mute else "")
