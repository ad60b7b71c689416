"""Nodes of earlier versions: a new node takes the place of each, with all that was said to the old one."""

from __future__ import annotations

from . import display, host, knobs, native_nodes
from .tracker_node import TrackerNode

#: Knobs that tell about the node itself and are not taken along.
_OWN = frozenset((knobs.VERSION, "info", "onCreate", "knobChanged", "updateUI", "help", "label", "name"))


def bring_up_to_date(tracker: TrackerNode) -> TrackerNode:
    """The node that stands for this one from now on: itself, unless it is of an earlier version.

    Raises JobError for one of a later version, which is left as it is.
    """
    tracker.check_version()
    if tracker.whole(knobs.VERSION) == knobs.NODE_VERSION:
        return tracker
    was = tracker.whole(knobs.VERSION)
    with host.undoable("Update EfficientTAM"):
        fresh = TrackerNode(native_nodes.replacement(tracker, _OWN))
        display.refresh(fresh)
    fresh.tell("Brought up from version {} of the node to {}.".format(was, knobs.NODE_VERSION))
    return fresh
