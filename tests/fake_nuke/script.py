"""Scripts and gizmos are Tcl: reads them with Tcl itself, in an interpreter that can do nothing else.

Standard library with tkinter (no display is opened), Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

try:
    import tkinter
except ImportError:
    tkinter = None  # type: ignore[assignment]

#: Classes whose children follow until ``end_group``.
GROUPS = ("Group", "Gizmo", "LiveGroup")
#: Classes that are never taken as the input of what follows.
LOOSE = ("Root", "Viewer", "BackdropNode", "StickyNote")
#: Type numbers of user knobs in a script, and what they make.
USER_KNOB_TYPES = {
    1: "EvalString_Knob",
    2: "File_Knob",
    3: "Int_Knob",
    4: "Enumeration_Knob",
    6: "Boolean_Knob",
    7: "Double_Knob",
    12: "XY_Knob",
    13: "XYZ_Knob",
    14: "WH_Knob",
    15: "BBox_Knob",
    17: "Format_Knob",
    18: "Color_Knob",
    19: "AColor_Knob",
    20: "Tab_Knob",
    22: "PyScript_Knob",
    26: "Text_Knob",
    30: "UV_Knob",
    32: "Script_Knob",
    40: "ChannelMask_Knob",
    41: "Link_Knob",
    43: "Multiline_Eval_String_Knob",
    52: "PyCustom_Knob",
}
_FLAGS = {
    "INVISIBLE",
    "STARTLINE",
    "DISABLED",
    "HIDDEN",
    "NO_ANIMATION",
    "DO_NOT_WRITE",
    "ALWAYS_SAVE",
    "NO_UNDO",
    "ENDLINE",
    "READ_ONLY",
}
#: Option letter -> how many words follow it.
_OPTIONS = {"l": 1, "t": 1, "M": 1, "T": 1, "n": 1, "R": 2}


class ScriptError(ValueError):
    """A text that is no script, or one that does what no script needs."""


@dataclasses.dataclass
class UserKnob:
    """One ``addUserKnob``; ``values`` are the words of ``M``, ``target`` is the text of ``T``."""

    type_id: int
    name: str
    label: str | None = None
    tooltip: str = ""
    values: tuple[str, ...] = ()
    target: str = ""
    range: tuple[str, ...] = ()
    group: int = 0
    flags: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Name of the knob's Python class."""
        return USER_KNOB_TYPES[self.type_id]


@dataclasses.dataclass
class ScriptNode:
    """A node as written: knob texts in order, user knobs, inputs (None for open ones), children."""

    cls: str
    knobs: dict[str, str] = dataclasses.field(default_factory=dict)
    user_knobs: dict[str, UserKnob] = dataclasses.field(default_factory=dict)
    inputs: list[ScriptNode | None] = dataclasses.field(default_factory=list)
    children: list[ScriptNode] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        return self.knobs.get("name", "")

    def child(self, name: str) -> ScriptNode | None:
        """The child of that name, None where there is none."""
        return next((node for node in self.children if node.name == name), None)


@dataclasses.dataclass
class Script:
    """Top-level nodes in the order written, and the layers that the script adds."""

    nodes: list[ScriptNode] = dataclasses.field(default_factory=list)
    layers: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def root(self) -> ScriptNode | None:
        return next((node for node in self.nodes if node.cls == "Root"), None)


def have_tcl() -> bool:
    """False where this Python was built without tkinter."""
    return tkinter is not None


_here = threading.local()


def _tcl() -> Any:
    """An interpreter of this thread: making one takes longer than all that is asked of it."""
    if not hasattr(_here, "tcl"):
        _here.tcl = tkinter.Tcl().tk
    return _here.tcl


def split_list(text: str) -> list[str]:
    """The words of a Tcl list. Raises ScriptError."""
    try:
        return [str(word) for word in _tcl().splitlist(text)]
    except tkinter.TclError as error:
        raise ScriptError(f"{text[:60]!r} is no list: {error}.") from None


def quote(word: str) -> str:
    """A word as one word of a Tcl list, whatever it holds."""
    if re.match(r"[\w.,:/+%*=@<>-]+\Z", word):
        return word
    depth = least = 0
    for letter in word:
        depth += (letter == "{") - (letter == "}")
        least = min(least, depth)
    if "\\" not in word and depth == least == 0:
        return "{" + word + "}"
    lines = word.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return re.sub(r'([{}\[\]$"; ])', r"\\\1", lines)


def parse_user_knob(text: str) -> UserKnob:
    """What stands behind ``addUserKnob``. Raises ScriptError."""
    words = split_list(text)
    if len(words) < 2 or not words[0].isdigit():
        raise ScriptError(f"addUserKnob {text[:60]!r}: type number and name wanted.")
    type_id = int(words[0])
    if type_id not in USER_KNOB_TYPES:
        raise ScriptError(f"addUserKnob {words[1]}: no such type: {type_id}.")
    knob = UserKnob(type_id, words[1])
    flags: list[str] = []
    position = 2
    while position < len(words):
        word = words[position]
        position += 1
        if word[:1] in "+-" and word[1:] in _FLAGS:
            flags.append(word)
            continue
        count = _OPTIONS.get(word)
        if count is None or position + count > len(words):
            raise ScriptError(f"addUserKnob {words[1]}: {word!r} was not expected.")
        _take_option(knob, word, words[position : position + count])
        position += count
    knob.flags = tuple(flags)
    return knob


def _take_option(knob: UserKnob, letter: str, words: Sequence[str]) -> None:
    if letter == "l":
        knob.label = words[0]
    elif letter == "t":
        knob.tooltip = words[0]
    elif letter == "M":
        knob.values = tuple(split_list(words[0]))
    elif letter == "T":
        knob.target = words[0]
    elif letter == "R":
        knob.range = tuple(words)
    else:
        try:
            knob.group = int(words[0])
        except ValueError:
            raise ScriptError(f"addUserKnob {knob.name}: {letter} {words[0]!r}") from None


class _Loader:
    """Collects nodes while Tcl runs through the text; each group has a stack of its own."""

    def __init__(self) -> None:
        self.script = Script()
        self.faults: list[str] = []
        self._scopes: list[tuple[ScriptNode, list[ScriptNode | None]]] = [(ScriptNode(""), [])]
        self._handles: dict[str, ScriptNode | None] = {"0": None}

    def node(self, cls: str, body: str = "", *rest: str) -> str:
        if rest:
            raise ScriptError("{}: {!r} was not expected.".format(cls, " ".join(rest)[:60]))
        if not cls.isidentifier():
            raise ScriptError(f"{cls[:60]!r} names no node.")
        words = split_list(body)
        if len(words) % 2:
            raise ScriptError(f"{cls}: knob {words[-1][:60]!r} has no value.")
        node = ScriptNode(cls)
        for name, value in zip(words[::2], words[1::2]):
            if name == "addUserKnob":
                knob = parse_user_knob(value)
                if knob.name in node.user_knobs and knob.name:
                    raise ScriptError(f"{cls}: two user knobs {knob.name}.")
                node.user_knobs[knob.name or f"({len(node.user_knobs)})"] = knob
            else:
                node.knobs[name] = value
        self._connect(node)
        return ""

    def _connect(self, node: ScriptNode) -> None:
        parent, stack = self._scopes[-1]
        least = "0" if node.cls in LOOSE or node.cls == "Gizmo" else "1"
        wanted = node.knobs.pop("inputs", least)
        try:
            count = sum(int(part) for part in wanted.split("+"))
        except ValueError:
            raise ScriptError(f"{node.cls}: inputs {wanted!r}.") from None
        for _ in range(count):
            node.inputs.append(stack.pop() if stack else None)
        parent.children.append(node)
        if node.cls in GROUPS:
            self._scopes.append((node, []))
        elif node.cls not in LOOSE:
            stack.append(node)

    def end_group(self) -> str:
        if len(self._scopes) < 2:
            raise ScriptError("end_group without a group.")
        group, _ = self._scopes.pop()
        self._scopes[-1][1].append(group)
        return ""

    def stack(self, depth: str) -> str:
        _, stack = self._scopes[-1]
        place = int(depth)
        if place >= len(stack):
            return "0"
        node = stack[-1 - place]
        handle = f"N{id(node):x}"
        self._handles[handle] = node
        return handle

    def push(self, handle: str) -> str:
        if handle not in self._handles and handle != "cut_paste_input":
            raise ScriptError(f"push {handle[:60]!r}: no such node.")
        self._scopes[-1][1].append(self._handles.get(handle))
        return ""

    def add_layer(self, text: str) -> str:
        name, *channels = split_list(text)
        self.script.layers[name] = tuple(channels)
        return ""

    def finish(self) -> Script:
        if len(self._scopes) != 1:
            raise ScriptError(f"{self._scopes[-1][0].cls}: end_group is missing.")
        self.script.nodes = self._scopes[0][0].children
        return self.script


def load_script(text: str) -> Script:
    """The script of a text. Nothing of Tcl can be called from it but ``set``.

    Raises ScriptError for what is malformed, and RuntimeError in a Python without tkinter.
    """
    if tkinter is None:
        raise RuntimeError("This Python was built without tkinter, which holds Tcl.")
    tcl = tkinter.Tcl()
    call = tcl.tk.call
    call("interp", "create", "-safe", "script")
    for command in tcl.tk.splitlist(call("script", "eval", "info commands")):
        if str(command) != "set":
            call("interp", "hide", "script", command)
    loader = _Loader()
    for name, function in (
        ("unknown", loader.node),
        ("end_group", loader.end_group),
        ("stack", loader.stack),
        ("push", loader.push),
        ("add_layer", loader.add_layer),
        ("version", lambda *words: ""),
        ("define_window_layout_xml", lambda *words: ""),
    ):
        tcl.createcommand("python_" + name, _kept(function, loader.faults))
        call("interp", "alias", "script", name, "", "python_" + name)
    call("script", "eval", "set cut_paste_input 0")
    try:
        call("script", "eval", text)
    except tkinter.TclError as error:
        raise ScriptError(loader.faults[-1] if loader.faults else str(error)) from None
    return loader.finish()


def _kept(function: Callable[..., str], faults: list[str]) -> Callable[..., str]:
    """Tcl shows no more than that a command failed: keeps what it said."""

    def run(*words: Any) -> str:
        try:
            return function(*(str(word) for word in words))
        except Exception as error:
            faults.append(str(error))
            raise

    return run
