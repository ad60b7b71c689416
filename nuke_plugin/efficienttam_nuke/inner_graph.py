"""What the nodes inside an EfficientTAM node are set to: the Read of the mattes, who is in the matte."""

from __future__ import annotations

from typing import FrozenSet, List, Optional, Sequence, cast

import nuke

from . import host, knobs
from .tracker_node import TrackerNode, is_ours, path_in


def show_mattes(tracker: TrackerNode, path: str, first: int, last: int) -> None:
    """Lets the one Read inside read the mattes of ``path``, black where there are none yet."""
    read = tracker.inner(knobs.READ)
    wanted = {"first": first, "origfirst": first, "last": last, "origlast": last}
    another = path_in(read["file"]) != path
    if another or any(int(read[name].value()) != value for name, value in wanted.items()):
        with host.without_undo():
            if another:
                read["file"].setValue(path)
            # Setting the file lets Nuke guess all of these.
            for name, value in wanted.items():
                read[name].setValue(value)
            for name in ("before", "after", "on_error"):
                read[name].setValue("black")
            read["raw"].setValue(True)
    with host.without_undo():
        tracker.put(knobs.HAS_MATTES, True)
    # Nuke looks at the files again: what came after they were read is not seen otherwise.
    cast(nuke.Script_Knob, read["reload"]).execute()


def forget_mattes(tracker: TrackerNode) -> None:
    """An empty matte from now on; the files stay."""
    tracker.put(knobs.HAS_MATTES, False)
    tracker.put(knobs.TRACKED, "")


def layers(tracker: TrackerNode) -> FrozenSet[str]:
    """Names of the layers that the Read inside finds in the mattes."""
    try:
        channels = tracker.inner(knobs.READ).channels()
    except RuntimeError:
        return frozenset()
    return frozenset(str(channel).partition(".")[0] for channel in channels)


def hands_on_rgb(node: nuke.Node) -> bool:
    """True for a node of ours that puts out the plate's own RGB, whatever its mattes are."""
    if not is_ours(node):
        return False
    tracker = TrackerNode(cast(nuke.Group, node))
    if tracker.whole(knobs.VERSION) != knobs.NODE_VERSION:
        return False
    steered = [tracker.node[name] for name in ("show", "premultiply", "object_layers")]
    if any(knob.isAnimated() or cast(nuke.Array_Knob, knob).hasExpression() for knob in steered):
        return False
    view = tracker.node.node(knobs.VIEW_SWITCH)
    if view is None:
        return False
    if tracker.choice("show") == "Plate":
        return _way_up(view.input(tracker.place("show"))) == [knobs.PLATE_INPUT]
    copy = tracker.node.node(knobs.OUTPUT_COPY)
    into_rgb = copy is None or str(copy["to0"].value()) in ("rgba.red", "rgba.green", "rgba.blue")
    changed = into_rgb or tracker.flag("premultiply") or tracker.flag("object_layers")
    if tracker.choice("show") != "Result" or changed:
        return False
    return _way_up(view.input(0)) == list(knobs.RGB_PATH)


def _way_up(node: Optional[nuke.Node]) -> List[str]:
    """Names from a node upwards by the first inputs: an artist may have put something in between."""
    names: List[str] = []
    while node is not None and len(names) <= len(knobs.RGB_PATH):
        names.append(str(node.name()))
        node = node.input(0)
    return names


def choose_objects(tracker: TrackerNode, names: Sequence[str]) -> Sequence[str]:
    """Lets these objects make up the matte, and nobody else. Those that find no room are returned."""
    room = len(knobs.OBJECT_NODES)
    with tracker.writing():
        for number, slot in enumerate(knobs.OBJECT_NODES):
            node = tracker.inner(slot)
            channel = channel_of(names[number]) if number < len(names) else ""
            if channel and str(node["A"].value()) != channel:
                node["A"].setValue(channel)
            if bool(node["disable"].value()) != (not channel):
                node["disable"].setValue(not channel)
    return names[room:]


def channel_of(name: str) -> str:
    """Nuke's channel of an object's matte, made known to Nuke where it is not."""
    channel = name + ".alpha"
    if channel not in nuke.channels():
        nuke.Layer(name, [channel])
    return channel


def own_channel(name: str) -> str:
    """The channel efficienttam.(object), made known to Nuke where it is not."""
    channel = "efficienttam." + name
    nuke.Layer("efficienttam", [channel])
    return channel
