"""A key of all that lies above a node: equal keys, equal pictures.

Made of the knobs of every node upstream, not of Nuke's opHashes(): those answer for the frame that the
script stands on, and to ask them for a whole shot the timeline would have to be moved along it.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Optional, cast

import nuke

from . import knobs

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

    What lies above the Groups that ``source`` is in counts too; of what else is in them, nothing.
    """
    seen = _collected(source)
    told = [recipe]
    root = nuke.root()
    for name in _ROOT:
        knob = root.knob(name)
        told.append("{} {}".format(name, "" if knob is None else knob.toScript()))
    for name in sorted(seen):
        told.append(_told(seen[name]))
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()


def files_of(source: nuke.Node, frame: int) -> List[str]:
    """Files that a frame of ``source`` is made of, through retimes too; empty where Nuke does not tell."""
    try:
        told = source.fileDependencies(frame, frame)
    except (RuntimeError, AttributeError):
        return []
    return [str(file) for entry in told for file in cast(List[str], entry[1])]


def _collected(source: nuke.Node) -> Dict[str, nuke.Node]:
    """``source`` and what is above it, by name; without recursion: comps are deeper than Python's stack."""
    seen: Dict[str, nuke.Node] = {}
    waiting = [source]
    while waiting:
        node = waiting.pop()
        name = str(node.fullName())
        if name in seen or node.Class() == "Viewer":
            continue
        seen[name] = node
        waiting.extend(node.dependencies(nuke.INPUTS | nuke.EXPRESSIONS))
        waiting.extend(other for other in _above(node) if other is not None)
        if isinstance(node, nuke.Group) and not _is_around(node, source):
            waiting.extend(node.nodes())
    return seen


def _is_around(group: nuke.Group, node: nuke.Node) -> bool:
    """True for a Group that a node lies in, and for the project."""
    return group.Class() == "Root" or str(node.fullName()).startswith(str(group.fullName()) + ".")


def _above(node: nuke.Node) -> List[Optional[nuke.Node]]:
    """What a node's inputs are wired to; for an Input also what its Group's input is wired to."""
    above = [node.input(number) for number in range(node.inputs())]
    group = node.parent() if node.Class() == "Input" else None
    if group is not None and group.Class() != "Root":
        above.append(group.input(int(node["number"].value())))
    return above


def _told(node: nuke.Node) -> str:
    ours = node.knob(knobs.UUID) is not None
    idle = _IDLE | _IDLE_OF_ROOT if node.Class() == "Root" else _IDLE
    above = [other.fullName() if other else "" for other in _above(node)]
    words: List[Any] = [node.fullName(), node.Class(), above]
    for name, knob in sorted(node.knobs().items()):
        if name in idle or (ours and name in knobs.TELLING):
            continue
        words.append((name, knob.toScript()))
    return repr(words)
