"""A key of all that lies above a node: equal keys, equal pictures.

Made of the knobs of every node upstream, not of Nuke's opHashes(): those answer for the frame that the
script stands on, and to ask them for a whole shot the timeline would have to be moved along it. Nodes are
told by their place in the graph, so that other names change nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple, cast

import nuke

from . import inner_graph, knobs

#: Knobs of every node that change no pixel: where it lies, how it is drawn, what is said about it.
_IDLE = frozenset(
    ("xpos", "ypos", "selected", "label", "name", "tile_color", "gl_color", "note_font", "note_font_size")
    + ("note_font_color", "postage_stamp", "postage_stamp_frame", "bookmark", "hide_input", "icon", "help")
    + ("indicators", "dope_sheet", "autolabel", "panel", "onCreate", "onDestroy", "knobChanged", "updateUI")
    + ("cached", "rootNodeUpdated", "localizationPolicy", "lock_connections")
)
#: Knobs of the project that change none either: the plate is rendered full size, frame by frame.
_IDLE_OF_ROOT = frozenset(("frame", "proxy"))
#: What of the project settings decides how anything looks.
_ROOT = ("colorManagement", "OCIO_config", "customOCIOConfigPath", "workingSpaceLUT", "format")


def of_graph(source: nuke.Node, recipe: str) -> str:
    """sha256 over the nodes above ``source``, it included, the colour settings and ``recipe``.

    What lies above the Groups that ``source`` is in counts too; of what else is in them, nothing. Equal keys
    mean equal RGB.
    """
    seen, asked = _collected(_origin(source))
    numbers = {name: number for number, name in enumerate(seen)}
    told = [recipe]
    root = nuke.root()
    for name in _ROOT:
        knob = root.knob(name)
        told.append("{} {}".format(name, "" if knob is None else knob.toScript()))
    for name, node in seen.items():
        told.append(_told(node, numbers, name in asked))
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()


def files_of(source: nuke.Node, frame: int) -> List[str]:
    """Files that a frame of ``source`` is made of, through retimes too; empty where Nuke does not tell."""
    try:
        told = _origin(source).fileDependencies(frame, frame)
    except (RuntimeError, AttributeError):
        return []
    return [str(file) for entry in told for file in cast(List[str], entry[1])]


def _origin(source: nuke.Node) -> nuke.Node:
    """Where the RGB of ``source`` comes from: above Dots and nodes of ours that hand it on untouched."""
    while source.Class() == "Dot" or inner_graph.hands_on_rgb(source):
        above = source.input(0)
        if above is None:
            break
        source = above
    return source


def _collected(source: nuke.Node) -> Tuple[Dict[str, nuke.Node], Set[str]]:
    """``source`` and what is above it, by name, in an order that goes by wires; without recursion: comps are
    deeper than Python's stack. Beside it the names of those that expressions elsewhere ask."""
    seen: Dict[str, nuke.Node] = {}
    asked: Set[str] = set()
    waiting = [source]
    while waiting:
        node = waiting.pop()
        name = str(node.fullName())
        if name in seen or node.Class() == "Viewer":
            continue
        seen[name] = node
        named = _by_name(node.dependencies(nuke.EXPRESSIONS))
        # An expression inside a Group that asks its own controls asks nothing from elsewhere.
        asked.update(other for other in named if not name.startswith(other + "."))
        further = [other for other in _above(node) if other is not None]
        further += named.values()
        if isinstance(node, nuke.Group) and not _is_around(node, source):
            inside = _by_name(node.nodes()).values()
            # From the way out on; what is not wired comes last.
            further += sorted(inside, key=lambda child: child.Class() != "Output")
        waiting.extend(reversed(further))
    return seen, asked


def _by_name(nodes: Any) -> Dict[str, nuke.Node]:
    named = {str(node.fullName()): node for node in nodes}
    return {name: named[name] for name in sorted(named)}


def _is_around(group: nuke.Group, node: nuke.Node) -> bool:
    """True for a Group that a node lies in, and for the project."""
    return group.Class() == "Root" or str(node.fullName()).startswith(str(group.fullName()) + ".")


def _above(node: nuke.Node) -> List[Optional[nuke.Node]]:
    """What a node's inputs are wired to, past Dots; for an Input also what its Group's input is wired to."""
    above = [node.input(number) for number in range(node.inputs())]
    group = node.parent() if node.Class() == "Input" else None
    if group is not None and group.Class() != "Root":
        above.append(group.input(int(node["number"].value())))
    return [_past_dots(other) for other in above]


def _past_dots(node: Optional[nuke.Node]) -> Optional[nuke.Node]:
    while node is not None and node.Class() == "Dot":
        node = node.input(0)
    return node


def _told(node: nuke.Node, numbers: Mapping[str, int], asked: bool) -> str:
    """A node's knobs, and by their numbers what it is wired to and what is in it."""
    idle = _IDLE | _IDLE_OF_ROOT if node.Class() == "Root" else _IDLE
    if node.knob(knobs.UUID) is not None and not asked:
        idle = idle | frozenset(knobs.SILENT)
    above = [numbers.get(str(other.fullName())) if other else None for other in _above(node)]
    inside = node.nodes() if isinstance(node, nuke.Group) else []
    ways_out = [numbers.get(str(child.fullName())) for child in inside if child.Class() == "Output"]
    words: List[Any] = [node.Class(), above, ways_out]
    for name, knob in sorted(node.knobs().items()):
        if name not in idle:
            words.append((name, knob.toScript()))
    return repr(words)
