"""The matte as plain nodes of Nuke, beside the EfficientTAM node: what Bake leaves behind."""

from __future__ import annotations

from typing import AbstractSet, Any, Dict, List, Sequence, Tuple, cast

import nuke

from . import host, inner_graph, knobs
from .tracker_node import TrackerNode

#: Knobs of the Read that are taken along.
_READ = ("file", "first", "last", "origfirst", "origlast", "before", "after", "on_error", "raw")


def bake(tracker: TrackerNode, names: Sequence[str]) -> List[str]:
    """Makes the nodes, the controls' values as they are on this frame, and tells their names in order.

    Objects come one after the other, so there may be any number.
    """
    with host.undoable("Bake EfficientTAM"), tracker.node.parent():
        made = [_read(tracker)]
        for name in names:
            channel = inner_graph.channel_of(name)
            made.append(_next(made, "ChannelMerge", A=channel, operation="max"))
        threshold, softness = (_value(tracker, knob) for knob in ("threshold", "softness"))
        half = max(softness, 0.001) / 2
        made.append(
            _next(
                made,
                "Grade",
                channels="alpha",
                blackpoint=max(0.0, threshold - half),
                whitepoint=min(1.0, threshold + half),
                black_clamp=True,
                white_clamp=True,
            )
        )
        made.append(_next(made, "FilterErode", channels="alpha", size=-_value(tracker, "grow")))
        made.append(_next(made, "Blur", channels="alpha", size=_value(tracker, "feather")))
        if tracker.flag("invert"):
            made.append(_next(made, "Invert", channels="alpha"))
        channel = str(tracker.inner(knobs.OUTPUT_COPY)["to0"].value())
        copy = _make("Copy", [tracker.node.input(0), made[-1]], {"from0": "rgba.alpha", "to0": channel})
        made.append(copy)
        if tracker.flag("premultiply"):
            made.append(_next(made, "Premult", channels="rgb", alpha=channel))
        if tracker.flag("object_layers"):
            layers = {"from0": "none", "to0": "none", "channels": "all"}
            made.append(_make("Copy", [made[-1], made[0]], layers))
        x, y = tracker.node.xpos() + 160, tracker.node.ypos()
        for number, node in enumerate(made):
            node.setXYpos(x, y + 60 * number)
    return [str(node.name()) for node in made]


def _read(tracker: TrackerNode) -> nuke.Node:
    source = tracker.inner(knobs.READ)
    # The file first: setting it lets Nuke guess the others.
    read = _make("Read", [], {"file": source["file"].value()})
    for name in _READ[1:]:
        read[name].setValue(source[name].value())
    return read


def _next(made: Sequence[nuke.Node], cls: str, **values: Any) -> nuke.Node:
    return _make(cls, [made[-1]], values)


def _make(cls: str, inputs: Sequence[Any], values: Dict[str, Any]) -> nuke.Node:
    node: nuke.Node = getattr(nuke.nodes, cls)()
    for number, source in enumerate(inputs):
        if source is not None:
            node.setInput(number, source)
    for name, value in values.items():
        node[name].setValue(value)
    return node


def _value(tracker: TrackerNode, name: str) -> float:
    return float(tracker.node[name].value())


def replacement(tracker: TrackerNode, left_out: AbstractSet[str]) -> Tuple[nuke.Group, List[str]]:
    """A new EfficientTAM node in the place of this one, which is deleted: same name, wires and knobs.

    Knobs named in ``left_out`` keep what a new node has. Knobs that the artist added come last; told beside
    the node are the names of those that Python cannot make again.
    """
    old = tracker.node
    name = str(old.name())
    with old.parent(), host.keeping_selection():
        fresh = nuke.createNode("EfficientTAM", inpanel=False)
    assert isinstance(fresh, nuke.Group)
    lost = _add_knobs(old, fresh)
    _take_knobs(old, fresh, left_out)
    for number in range(2):
        fresh.setInput(number, old.input(number))
    for below in old.dependent(nuke.INPUTS):
        for number in range(below.inputs()):
            above = below.input(number)
            if above is not None and above.fullName() == old.fullName():
                below.setInput(number, fresh)
    _take_inside(old, fresh)
    fresh.setXYpos(old.xpos(), old.ypos())
    nuke.delete(old)
    fresh.setName(name)
    return fresh, lost


def _add_knobs(old: nuke.Group, fresh: nuke.Group) -> List[str]:
    """Makes the knobs that only the old node has; the names of those that cannot be made."""
    lost = []
    for knob in old.allKnobs():
        name = str(knob.name())
        if not name or fresh.knob(name) is not None:
            continue
        try:
            fresh.addKnob(_knob_like(knob, name))
        except (AttributeError, TypeError, ValueError, RuntimeError):
            lost.append(name)
    return lost


def _knob_like(knob: nuke.Knob, name: str) -> nuke.Knob:
    """A knob of the same kind, its value not yet. Raises where Python has no such kind."""
    cls, label = getattr(nuke, str(knob.Class())), knob.label()
    if isinstance(knob, nuke.Enumeration_Knob):
        made = cls(name, label, knob.values())
    elif isinstance(knob, nuke.Script_Knob):
        made = cls(name, label, knob.command())
    elif isinstance(knob, nuke.Text_Knob):
        made = cls(name, label, knob.value())
    else:
        made = cls(name, label)
    if isinstance(knob, nuke.Link_Knob):
        made.setLink(knob.getLink())
    elif isinstance(knob, (nuke.Double_Knob, nuke.WH_Knob)):
        made.setRange(knob.min(), knob.max())
    made.setTooltip(knob.tooltip())
    for flag in (nuke.STARTLINE, nuke.INVISIBLE, nuke.DISABLED):
        if knob.getFlag(flag):
            made.setFlag(flag)
    return cast(nuke.Knob, made)


def _take_knobs(old: nuke.Group, fresh: nuke.Group, left_out: AbstractSet[str]) -> None:
    passive = (nuke.Script_Knob, nuke.Tab_Knob, nuke.Text_Knob, nuke.Link_Knob)
    with TrackerNode(fresh).writing():
        for name, knob in old.knobs().items():
            taken = fresh.knob(name)
            if taken is None or name in left_out or isinstance(knob, passive):
                continue
            if isinstance(taken, nuke.Enumeration_Knob):
                if knob.value() in taken.values():
                    taken.setValue(knob.value())
            elif isinstance(taken, nuke.String_Knob):
                taken.setValue(knob.getText() if isinstance(knob, nuke.String_Knob) else str(knob.value()))
            elif isinstance(knob, nuke.Array_Knob) and not (knob.isAnimated() or knob.hasExpression()):
                size = int(knob.arraySize())
                taken.setValue(knob.value() if size == 1 else [knob.getValue(n) for n in range(size)])
            else:
                taken.fromScript(knob.toScript())


def _take_inside(old: nuke.Group, fresh: nuke.Group) -> None:
    pairs = [(knobs.READ, name) for name in _READ] + [(knobs.OUTPUT_COPY, "to0")]
    for inside, name in pairs:
        source, target = old.node(inside), fresh.node(inside)
        if source is not None and target is not None:
            target[name].setValue(source[name].value())
