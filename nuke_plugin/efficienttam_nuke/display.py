"""What the node's panel shows of the prompts: pulldowns, table, handles, who is in the matte.

All of it follows from the sheet and is made anew from it. Knobs that take the artist's word too are set
without a trace in Nuke's undo: put back by it one by one they would be taken for that word. Nothing here
renders.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

from efficienttam.contract.errors import EfficientTAMError
from efficienttam.contract.prompt_sheet import PromptSheet, SheetObject, sheet_to_json
from efficienttam.contract.region import Follow, Region

from . import host, inner_graph, knobs, listeners, object_colors, plate, sheet_edits, shot_job
from .tracker_node import TrackerNode

#: Entry of the pulldown for an object without a region, the first.
WHOLE_FRAME = "whole frame"
#: The others.
FOLLOWS: Dict[str, Follow] = {
    "follow the object": Follow.TRACK,
    "by its prompts": Follow.PROMPTS,
    "drawn box": Follow.DRAWN,
}

#: By uuid: frame, object and sheet that the handles were set for last.
_shown: Dict[str, Tuple[int, str, str]] = {}


def commit(tracker: TrackerNode, sheet: PromptSheet, what: str, current: str = "") -> None:
    """Keeps other prompts and shows them, as one step of Nuke's undo; tells open windows.

    ``current`` names the object that is to be the current one.
    """
    with host.undoable(what):
        tracker.put(knobs.SHEET, sheet_to_json(sheet))
        refresh(tracker, current)
    shot_job.refresh_label(tracker)
    listeners.announce(tracker.uuid, listeners.Change.SHEET)


def refresh(tracker: TrackerNode, current: str = "", points: bool = True) -> None:
    """Shows the sheet as it is. One that cannot be read is told in the status line and left alone.

    Without ``points`` the handles stay as they are, and the plate above is not looked at.
    """
    try:
        sheet = tracker.sheet
    except EfficientTAMError as error:
        tracker.tell_error(error)
        return
    names = [thing.name for thing in sheet.objects]
    tracker.offer(knobs.CURRENT, names, current or tracker.choice(knobs.CURRENT))
    tracker.offer(knobs.PROMPT, list(sheet_edits.rows(sheet)), tracker.choice(knobs.PROMPT))
    tracker.put(knobs.TABLE, sheet_edits.table(sheet))
    left_out = inner_graph.choose_objects(tracker, [thing.name for thing in sheet.visible])
    if left_out:
        tracker.tell(
            "The matte holds {} objects at most; left out: {}. Their layers are in the files.".format(
                len(knobs.OBJECT_NODES), ", ".join(left_out)
            )
        )
    if points:
        show_current(tracker)


def show_current(tracker: TrackerNode) -> None:
    """Colour, switches, region and points of the current object."""
    thing = tracker.current
    if thing is not None:
        with host.without_undo():
            tracker.put(knobs.OBJECT_COLOR, object_colors.color_numbers(thing.color))
            tracker.put(knobs.SOLO, thing.solo)
            tracker.put(knobs.MUTE, thing.mute)
    show_region(tracker, thing)
    show_points(tracker, thing)


def show_region(tracker: TrackerNode, thing: Optional[SheetObject]) -> None:
    """Where an object is tracked; what a new region begins with where it has none."""
    region = None if thing is None else thing.region
    told = [word for word, follow in FOLLOWS.items() if region is not None and region.follow is follow]
    with host.without_undo():
        tracker.offer(knobs.REGION, [WHOLE_FRAME, *FOLLOWS], told[0] if told else WHOLE_FRAME)
        tracker.put(knobs.REGION_PADDING, (region or Region()).padding)
        tracker.put(knobs.REGION_SMOOTHING, (region or Region()).smoothing)


def show_points(tracker: TrackerNode, thing: Optional[SheetObject]) -> None:
    """Lets the handles stand for the points of the current object on the current frame."""
    if not host.has_window():
        # Nobody drags handles there, and a farm's render is not to be kept waiting for the plate's size.
        return
    frame = host.frame()
    prompt = None if thing is None else thing.prompt_on(frame)
    try:
        where = plate.placement(tracker) if prompt is not None else None
    except EfficientTAMError:
        # Without a plate nobody knows where its pixels are.
        where = None
    points = sheet_edits.slots(prompt) if where is not None else []
    points = points[: len(knobs.HANDLES)]
    state: Dict[str, Any] = {
        "object": "" if thing is None else thing.id,
        "frame": frame,
        "points": [list(slot) for slot, _ in points],
    }
    with host.without_undo():
        for number, handle in enumerate(knobs.HANDLES):
            at = (knobs.PARKED, knobs.PARKED)
            label = "-"
            if where is not None and number < len(points):
                (include, place), point = points[number]
                at = where.to_nuke(point)
                label = "{} {}".format("include" if include else "exclude", place + 1)
            tracker.put_handle(handle, at, label)
        tracker.put(knobs.HANDLES_STATE, json.dumps(state))
    _shown[tracker.uuid] = (frame, str(state["object"]), tracker.text(knobs.SHEET))


def points_are_shown(tracker: TrackerNode) -> bool:
    """True when the handles were set for the current frame, object and prompts already."""
    thing = tracker.current
    id = "" if thing is None else thing.id
    return _shown.get(tracker.uuid) == (host.frame(), id, tracker.text(knobs.SHEET))


def sheet_is_another(tracker: TrackerNode) -> bool:
    """True when the prompts changed after they were shown last."""
    shown = _shown.get(tracker.uuid)
    return shown is not None and shown[2] != tracker.text(knobs.SHEET)


def handle_stands_for(tracker: TrackerNode, handle: str) -> Optional[Tuple[str, int, sheet_edits.Slot]]:
    """Object id, frame and place of the point that a handle stands for; None where it stands for none."""
    try:
        state = json.loads(tracker.text(knobs.HANDLES_STATE) or "{}")
        points: List[Any] = state.get("points", [])
        include, place = points[knobs.HANDLES.index(handle)]
        return str(state["object"]), int(state["frame"]), (bool(include), int(place))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
