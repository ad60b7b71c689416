"""Nodes of earlier versions: a new node takes the place of each, with all that was said to the old one."""

from __future__ import annotations

from . import display, host, knobs, native_nodes
from .tracker_node import TrackerNode

#: Knobs that tell about the node itself and are not taken along. Its label has been the same in all versions,
#: so that another one is the artist's.
_OWN = frozenset((knobs.VERSION, "info", "onCreate", "knobChanged", "updateUI", "help", "name"))


def bring_up_to_date(tracker: TrackerNode) -> TrackerNode:
    """The node that stands for this one from now on: itself, unless it is of an earlier version.

    Raises JobError for one of a later version, which is left as it is.
    """
    tracker.check_version()
    if tracker.whole(knobs.VERSION) == knobs.NODE_VERSION:
        return tracker
    was = tracker.whole(knobs.VERSION)
    with host.undoable("Update EfficientTAM"):
        node, lost = native_nodes.replacement(tracker, _OWN)
        fresh = TrackerNode(node)
        display.refresh(fresh)
    told = "Brought up from version {} of the node to {}.".format(was, knobs.NODE_VERSION)
    if lost:
        told += " Knobs that could not be made again: {}.".format(", ".join(lost))
    fresh.tell(told)
    return fresh
