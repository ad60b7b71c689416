"""Nodes of the fake: knobs by real class, inputs, groups. Unknown knobs and deleted nodes raise.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import knobs as k
from . import node_classes, script
from .formats import Format

if TYPE_CHECKING:
    from .session import Session

INPUTS, HIDDEN_INPUTS, EXPRESSIONS = 1, 2, 4


class FrameRange:
    """First and last frame, both included."""

    def __init__(self, first: int, last: int, increment: int = 1) -> None:
        self._first, self._last, self._increment = int(first), int(last), int(increment)

    def first(self) -> int:
        return self._first

    def last(self) -> int:
        return self._last

    def increment(self) -> int:
        return self._increment

    def frames(self) -> int:
        return (self._last - self._first) // self._increment + 1

    def minFrame(self) -> int:
        return self._first

    def maxFrame(self) -> int:
        return self._last

    def __iter__(self) -> Any:
        return iter(range(self._first, self._last + 1, self._increment))


class Info:
    """A bounding box."""

    def __init__(self, x: int, y: int, r: int, t: int) -> None:
        self._box = (x, y, r, t)

    def x(self) -> int:
        return self._box[0]

    def y(self) -> int:
        return self._box[1]

    def w(self) -> int:
        return self._box[2] - self._box[0]

    def h(self) -> int:
        return self._box[3] - self._box[1]


class Node:
    """One node. Made by the session, never directly."""

    def __init__(self, session: Session, cls: str, parent: Group | None) -> None:
        self.session, self._cls, self._parent = session, cls, parent
        self._gone = False
        self._inputs: list[Node | None] = []
        self._knobs: dict[str, k.Knob] = {}
        #: Files as they were when this Read was last told to look: frame and view -> modification time.
        self.seen: dict[Any, Any] = {}
        self.reloads = 0
        try:
            told = node_classes.knobs_of(cls)
        except KeyError:
            raise RuntimeError(f"{cls}: Unknown command") from None
        for name, (kind, default) in told.items():
            self._own(_class_knob(cls, name, kind, default))

    def _own(self, knob: k.Knob) -> None:
        knob._node = self
        self._knobs[knob.name()] = knob

    def _alive(self) -> None:
        if self._gone:
            raise ValueError("A PythonObject is not attached to a node")

    def Class(self) -> str:
        self._alive()
        return self._cls

    def name(self) -> str:
        self._alive()
        return self._knobs["name"]._value  # type: ignore[attr-defined, no-any-return]

    def fullName(self) -> str:
        names = [self.name()]
        group = self._parent
        while group is not None and group._parent is not None:
            names.insert(0, group.name())
            group = group._parent
        return ".".join(names)

    def setName(self, name: str, uncollide: bool = True, updateExpressions: bool = False) -> None:
        self._alive()
        if not re.match(r"[A-Za-z_]\w*\Z", name):
            raise ValueError(f"{name!r} is no name of a node")
        if self._parent is not None:
            name = self.session.free_name(name, self._parent, self)
        self._knobs["name"].setValue(name)

    def parent(self) -> Group | None:
        self._alive()
        return self._parent

    def knob(self, p: Any, follow_link: bool = False) -> k.Knob | None:
        self._alive()
        self.session.on_main_thread(f"knob {p}")
        knob = list(self._knobs.values())[p] if isinstance(p, int) else self._knobs.get(p)
        return knob.getLinkedKnob() if follow_link and isinstance(knob, k.Link_Knob) else knob

    def knobs(self) -> dict[str, k.Knob]:
        self._alive()
        self.session.on_main_thread("knobs")
        return dict(self._knobs)

    def allKnobs(self) -> list[k.Knob]:
        return list(self.knobs().values())

    def numKnobs(self) -> int:
        return len(self._knobs)

    getNumKnobs = numKnobs

    def __getitem__(self, name: str) -> k.Knob:
        knob = self.knob(name)
        if knob is None:
            raise NameError(f"knob {name} does not exist")
        return knob

    def addKnob(self, knob: k.Knob) -> None:
        self._alive()
        if not isinstance(knob, k.Knob):
            raise TypeError("addKnob wants a knob")
        self._own(knob)

    def removeKnob(self, knob: k.Knob) -> None:
        if self._knobs.get(knob.name()) is not knob or not knob.user:
            raise ValueError(f"{knob.name()} is no user knob of {self.name()}")
        del self._knobs[knob.name()]

    def inputs(self) -> int:
        self._alive()
        return len(self._inputs)

    def input(self, index: int) -> Node | None:
        self._alive()
        return self._inputs[index] if 0 <= index < len(self._inputs) else None

    def setInput(self, i: int, node: Node | None) -> bool:
        self._alive()
        if i >= self.maxInputs() or node is self:
            return False
        if node is not None:
            node._alive()
            if node._parent is not self._parent:
                return False
        while len(self._inputs) <= i:
            self._inputs.append(None)
        before = list(self._inputs)
        self._inputs[i] = node
        while self._inputs and self._inputs[-1] is None:
            self._inputs.pop()
        self.session.inputs_were_set(self, before)
        return True

    connectInput = setInput

    def canSetInput(self, i: int, node: Node) -> bool:
        return i < self.maxInputs()

    def minInputs(self) -> int:
        return node_classes.CLASSES[self._cls].inputs[0]

    def maxInputs(self) -> int:
        if isinstance(self, Group) and self._parent is not None:
            return sum(1 for child in self.children if child._cls == "Input")
        return node_classes.CLASSES[self._cls].inputs[1]

    minimumInputs, maximumInputs = minInputs, maxInputs

    def dependencies(self, what: int = INPUTS | HIDDEN_INPUTS | EXPRESSIONS) -> list[Node]:
        self._alive()
        found = [node for node in self._inputs if node is not None] if what & INPUTS else []
        if what & EXPRESSIONS:
            found += [node for node in self.session.named_in_expressions(self) if node not in found]
        return found

    def dependent(self, what: int = INPUTS, forceEvaluate: bool = True) -> list[Node]:
        self._alive()
        around = self._parent.children if self._parent else []
        return [node for node in around if self in node._inputs]

    def isSelected(self) -> bool:
        return bool(self["selected"].value())

    def setSelected(self, selected: bool) -> None:
        self._alive()
        self._knobs["selected"]._set_state([float(bool(selected))])

    def selectOnly(self) -> None:
        for node in self.session.root.children:
            node.setSelected(node is self)

    def xpos(self) -> int:
        return int(self["xpos"].value())

    def ypos(self) -> int:
        return int(self["ypos"].value())

    def setXpos(self, x: int) -> None:
        self._knobs["xpos"]._set_state([float(x)])

    def setYpos(self, y: int) -> None:
        self._knobs["ypos"]._set_state([float(y)])

    def setXYpos(self, x: int, y: int) -> None:
        self._alive()
        self.setXpos(x)
        self.setYpos(y)

    def screenWidth(self) -> int:
        return 80

    def screenHeight(self) -> int:
        return 18

    def autoplace(self) -> None:
        self._alive()

    def redraw(self) -> None:
        self._alive()

    def showControlPanel(self, forceFloat: bool = False) -> None:
        self.session.need_gui("showControlPanel")
        self._knobs["panel"]._set_state([1.0])

    def hideControlPanel(self) -> None:
        self._knobs["panel"]._set_state([0.0])

    def shown(self) -> bool:
        return bool(self._knobs["panel"]._state()[0])

    def help(self) -> str:
        return str(self._knobs["help"]._state())

    def rootNode(self) -> Group:
        return self.session.root

    def proxy(self) -> bool:
        return self.session.proxy_is_on()

    def format(self) -> Format:
        self._alive()
        if not self.session.proxied_formats:
            with self.session.full_size():
                return self.session.picture(self, sized=True).format
        return self.session.picture(self, sized=True).format

    def width(self) -> int:
        return self.format().width()

    def height(self) -> int:
        return self.format().height()

    def pixelAspect(self) -> float:
        return self.format().pixelAspect()

    def bbox(self) -> Info:
        return Info(*self.session.picture(self, sized=True).box)

    def channels(self) -> list[str]:
        return sorted(self.session.picture(self, sized=True).channels)

    def sample(self, channel: str, x: float, y: float, dx: float = 1, dy: float = 1, **rest: Any) -> float:
        return float(self.session.picture(self).sample(channel, x, y))

    def metadata(self, key: str | None = None, time: float | None = None, view: str | None = None) -> Any:
        every = self.session.picture(self, time, view, sized=True).metadata
        return dict(every) if key is None else every.get(key)

    def frameRange(self) -> FrameRange:
        self._alive()
        return FrameRange(*self.session.range_of(self))

    def firstFrame(self) -> int:
        return self.frameRange().first()

    def lastFrame(self) -> int:
        return self.frameRange().last()

    def fileDependencies(self, start: int, end: int) -> list[Any]:
        self._alive()
        return self.session.file_dependencies(self, start, end)

    def opHashes(self) -> list[int]:
        self._alive()
        return [self.session.op_hash(self)]

    def hasError(self) -> bool:
        return bool(self.session.fault_of(self))

    error = treeHasError = hasError

    def forceValidate(self) -> None:
        self._alive()

    def writeKnobs(self, flags: int = 0) -> str:
        changed = [knob for knob in self._knobs.values() if knob._differs() or flags & 16]
        return "\n".join(f"{knob.name()} {knob.toScript()}" for knob in changed)

    def readKnobs(self, s: str) -> None:
        words = script.split_list(s)
        for name, text in zip(words[::2], words[1::2]):
            knob = self._knobs.get(name)
            if knob is not None:
                knob.fromScript(text)

    def setTab(self, tabIndex: int) -> None:
        self._alive()

    def __repr__(self) -> str:
        return "<{}>".format("deleted node" if self._gone else f"{self._cls} {self.fullName()}")


class Group(Node):
    """A node with nodes inside; ``with group:`` makes it the place where nodes are made and found."""

    def __init__(self, session: Session, cls: str, parent: Group | None) -> None:
        self.children: list[Node] = []
        Node.__init__(self, session, cls, parent)

    def nodes(self) -> list[Node]:
        self._alive()
        return list(self.children)

    def numNodes(self) -> int:
        return len(self.children)

    def node(self, s: str) -> Node | None:
        self._alive()
        found: Node | None = self
        for name in s.split("."):
            if not isinstance(found, Group):
                return None
            found = next((child for child in found.children if child.name() == name), None)
        return found

    def selectedNodes(self) -> list[Node]:
        return [node for node in self.children if node.isSelected()]

    def output(self) -> Node | None:
        return next((child for child in self.children if child._cls == "Output"), None)

    def begin(self) -> Group:
        self._alive()
        self.session.contexts.append(self)
        return self

    def end(self) -> None:
        if len(self.session.contexts) > 1:
            self.session.contexts.pop()

    def __enter__(self) -> Group:
        return self.begin()

    def __exit__(self, *error: Any) -> None:
        self.end()


class Root(Group):
    """The script itself."""

    def __init__(self, session: Session) -> None:
        Group.__init__(self, session, "Root", None)
        self._knobs["name"]._set_state("")

    def fullName(self) -> str:
        return "root"

    def fps(self) -> int:
        return int(self["fps"].value())

    def realFps(self) -> float:
        return float(self["fps"].value())

    def modified(self) -> bool:
        return self.session.modified

    def setModified(self, modified: bool) -> None:
        self.session.modified = modified

    def setFrame(self, frame: int) -> None:
        self.session.frame(frame)

    def frameRange(self) -> FrameRange:
        return FrameRange(self["first_frame"].value(), self["last_frame"].value())

    def format(self) -> Format:
        if not self.session.proxied_formats:
            return self.session.full_root_format()
        return self.session.full_root_format().scaled(*2 * [self.session.proxy_scale()])


class Viewer(Node):
    """A Viewer node; ``nuke.activeViewer()`` gives the window of one."""


class ViewerWindow:
    def __init__(self, session: Session, node: Node) -> None:
        self._session, self._node = session, node

    def node(self) -> Node:
        return self._node

    def view(self) -> str:
        return self._session.view

    def setView(self, view: str) -> None:
        self._session.view = view

    def activeInput(self) -> int | None:
        return 0 if self._node.input(0) is not None else None


def _class_knob(cls: str, name: str, kind: str, default: Any) -> k.Knob:
    knob = k.KINDS[kind](name)
    if isinstance(knob, k.Enumeration_Knob):
        knob._values = list(default)
        start = node_classes.STARTS.get((cls, name))
        knob._channels = [0.0 if start is None else knob._index(start)]
    elif isinstance(knob, k.Array_Knob):
        knob._fill(default)
    elif default is not None:
        knob._value = default  # type: ignore[attr-defined]
    knob.default = knob._state()
    knob.user = False
    return knob


CONSTRUCTORS = {"Group": Group, "Viewer": Viewer}
