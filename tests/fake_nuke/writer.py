"""A script as text, from nodes. Standard library with tkinter, Python 3.7 or newer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import knobs as k
from . import script
from .nodes import Group, Node

if TYPE_CHECKING:
    from .session import Session

#: Knobs of a window, not of a script.
_NOT_WRITTEN = {"panel", "indicators"}


def write_script(session: Session, chosen: Sequence[Node] = (), whole: bool = True) -> str:
    """The whole script, or the chosen nodes as the clipboard holds them."""
    lines = ["#! nuke", "version 13.2 v1"]
    if whole:
        lines += _root(session)
    for name, channels in session.layers.items():
        if name not in ("rgba", "rgb", "alpha"):
            lines.append("add_layer {{{} {}}}".format(name, " ".join(channels)))
    _nodes(chosen or session.root.children, lines, "", {})
    return "\n".join(lines) + "\n"


def _root(session: Session) -> list[str]:
    lines = ["Root {", " inputs 0"]
    for name, knob in session.root._knobs.items():
        if name not in _NOT_WRITTEN and knob._differs():
            lines.append(f" {name} {knob.toScript()}")
    views = "\n".join(f"{{{view} #ffffff}}" for view in session.views)
    return [*lines, f" frame {session.current:g}", f" views {{{views}}}", "}"]


def _in_order(nodes: Iterable[Node]) -> list[Node]:
    """Inputs before what uses them."""
    ordered: list[Node] = []
    waiting = list(nodes)

    def take(node: Node) -> None:
        if node in ordered or node not in waiting:
            return
        for above in node._inputs:
            if above is not None:
                take(above)
        ordered.append(node)

    for node in waiting:
        take(node)
    return ordered


def _nodes(nodes: Iterable[Node], lines: list[str], indent: str, names: dict[int, str]) -> None:
    """``names`` are those that ``set`` gave so far: of the whole script, since Tcl's variables are."""
    for node in _in_order(nodes):
        for above in reversed(node._inputs):
            lines.append("push {}".format("0" if id(above) not in names else "$" + names[id(above)]))
        _node(node, lines, indent, names)
        names[id(node)] = f"N{0xA3F400 + 0x400 * len(names):x}"
        lines.append(f"set {names[id(node)]} [stack 0]")


def _node(node: Node, lines: list[str], indent: str, names: dict[int, str]) -> None:
    lines.append(f"{indent}{node._cls} {{")
    lines.append(f"{indent} inputs {len(node._inputs)}")
    for name, knob in node._knobs.items():
        if name in _NOT_WRITTEN or knob.getFlag(k.DO_NOT_WRITE):
            continue
        if knob.user:
            lines.append(f"{indent} addUserKnob {script.quote(k.definition(knob))}")
        if isinstance(knob, (k.Link_Knob, k.Tab_Knob)) or (knob.user and isinstance(knob, k.Script_Knob)):
            continue
        if knob._differs() or knob.hasExpression() or knob.isAnimated() or knob.getFlag(k.ALWAYS_SAVE):
            lines.append(f"{indent} {name} {knob.toScript()}")
    lines.append(indent + "}")
    if isinstance(node, Group):
        _nodes(node.children, lines, indent + " ", names)
        lines.append("end_group")
