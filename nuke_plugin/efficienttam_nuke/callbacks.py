"""What Nuke calls by itself: a node was made, a knob changed, another frame is shown, a script was loaded.

Only nodes of ours are touched, by the name of the knob; nothing here renders, asks or waits.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict

from . import (
    actions,
    display,
    host,
    jobs,
    knobs,
    listeners,
    newcomers,
    object_region,
    shot_job,
    tracker_node,
    upgrade,
)
from .tracker_node import TrackerNode

_listening = False


def created(node: Any) -> None:
    """From the node's onCreate: also after pasting, duplicating and opening a script."""
    if not tracker_node.is_ours(node):
        return
    tracker = TrackerNode(node)
    uuid = tracker.uuid
    twins = [other for other in tracker_node.all_ours() if other.uuid == uuid and other.name != tracker.name]
    _listen_to_the_script()
    if not uuid or twins:
        tracker.issue_uuid()
        newcomers.belongs(tracker.uuid)
        tracker.tell("" if uuid else "Put the point on the object and press Include here.", "")
    else:
        newcomers.came(uuid)
        _or_told(tracker, lambda: _told_ended(tracker))
    if _is_whole(tracker):
        _or_told(tracker, lambda: _shown_anew(tracker))


def knob_changed(node: Any, knob: Any) -> None:
    """From the node's knobChanged. What we set ourselves is passed over."""
    if not tracker_node.is_ours(node):
        return
    tracker = TrackerNode(node)
    name = str(knob.name())
    if tracker.written or (name not in _CONCERNED and name not in knobs.HANDLES):
        return
    if not _is_whole(tracker):
        return
    if not _is_of_this_version(tracker):
        _or_told(tracker, lambda: actions.ready(tracker))
    elif name in knobs.HANDLES:
        _or_told(tracker, lambda: actions.move_point(tracker, name))
    else:
        _or_told(tracker, lambda: _CONCERNED[name](tracker))


def frame_shown(node: Any) -> None:
    """From the node's updateUI: often, so that it does something only on another frame."""
    if not tracker_node.is_ours(node):
        return
    tracker = TrackerNode(node)
    if tracker.written or not _is_whole(tracker) or not _is_of_this_version(tracker):
        return

    def follow() -> None:
        if display.points_are_shown(tracker):
            return
        if display.sheet_is_another(tracker):
            # By an undo: Nuke need not call knobChanged for it.
            with host.without_undo():
                _sheet_changed(tracker)
            return
        with host.without_undo():
            display.show_points(tracker, tracker.current)
        listeners.announce(tracker.uuid, listeners.Change.FRAME)

    _or_told(tracker, follow)


def script_loaded() -> None:
    """After a script was opened: nodes of earlier versions are brought up to date."""
    for tracker in tracker_node.all_ours():
        _or_told(tracker, functools.partial(_opened, tracker))


def script_saved() -> None:
    """Before a script is written: what was pasted into it is the script's from now on."""
    for tracker in tracker_node.all_ours():
        _or_told(tracker, functools.partial(newcomers.settle, tracker))


def _listen_to_the_script() -> None:
    """From the first node on: a Nuke without nodes of ours has nothing to look after."""
    global _listening
    if _listening:
        return
    _listening = True
    host.when_script_closes(newcomers.script_closed)
    host.when_script_is_saved(script_saved)
    if not host.has_window():
        host.when_script_opens(newcomers.script_opened_in_terminal)


def _opened(tracker: TrackerNode) -> None:
    newcomers.settle(upgrade.bring_up_to_date(tracker), opened=True)


def _told_ended(tracker: TrackerNode) -> None:
    """A script that was saved while a job ran would tell of it for ever."""
    goes_on = tracker.text(knobs.STATE).startswith(jobs.GOING_ON)
    is_later = tracker.whole(knobs.VERSION) > knobs.NODE_VERSION
    if goes_on and not is_later and not jobs.session().is_busy(tracker.uuid):
        told = "Tracking ended with the script. Finished frames are kept; Track goes on from there."
        tracker.tell(told, jobs.STOPPED)


def _shown_anew(tracker: TrackerNode) -> None:
    tracker.check_version()
    # What is above may not be there yet while a script is opened: the handles come with the first frame.
    display.refresh(tracker, points=False)


def _sheet_changed(tracker: TrackerNode) -> None:
    """By other hands than ours: an undo, a script."""
    display.refresh(tracker)
    shot_job.refresh_label(tracker)
    listeners.announce(tracker.uuid, listeners.Change.SHEET)


def _plate_changed(tracker: TrackerNode) -> None:
    display.show_points(tracker, tracker.current)
    listeners.announce(tracker.uuid, listeners.Change.PLATE)


def _told_plate(tracker: TrackerNode) -> None:
    shot_job.refresh_label(tracker)
    listeners.announce(tracker.uuid, listeners.Change.PLATE)


_CONCERNED: Dict[str, Callable[[TrackerNode], None]] = {
    knobs.SHEET: _sheet_changed,
    knobs.CURRENT: display.show_current,
    knobs.SOLO: actions.show_object_as_told,
    knobs.MUTE: actions.show_object_as_told,
    knobs.OBJECT_COLOR: actions.show_object_as_told,
    knobs.REGION: object_region.take_knobs,
    knobs.REGION_PADDING: object_region.take_knobs,
    knobs.REGION_SMOOTHING: object_region.take_knobs,
    "inputChange": _plate_changed,
    "model": _told_plate,
    "weights": _told_plate,
    "device": _told_plate,
    "precision": _told_plate,
    "feed": _told_plate,
    "feed_as": _told_plate,
    "feed_colorspace": _told_plate,
    knobs.FEED_FOLDER: _told_plate,
    "views": _told_plate,
    "frame_range": _told_plate,
    "first": _told_plate,
    "last": _told_plate,
    "handles": _told_plate,
    knobs.MATTES: _told_plate,
    "between": _told_plate,
    "non_overlapping": _told_plate,
    "fill_hole_area": _told_plate,
    "border": _told_plate,
}
_CONCERNED.update((name, _told_plate) for name in knobs.PREVIEWED_FORM)
_CONCERNED.update((name, shot_job.refresh_label) for name in knobs.TRACKED_FORM)


def _is_whole(tracker: TrackerNode) -> bool:
    """False while Nuke is still making the node."""
    return tracker.node.node(knobs.READ) is not None and tracker.node.knob(knobs.HAS_MATTES) is not None


def _is_of_this_version(tracker: TrackerNode) -> bool:
    """False for a node of another version, whose knobs may be others."""
    return tracker.whole(knobs.VERSION) == knobs.NODE_VERSION


def _or_told(tracker: TrackerNode, work: Callable[[], object]) -> None:
    tracker_node.or_told(tracker.uuid, work)
