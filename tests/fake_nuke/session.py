"""One running Nuke: the script, where nodes are made, undo, callbacks, rendering, messages.

Standard library only, Python 3.7 or newer; numpy and OpenImageIO are needed for pixels alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import knobs as k
from . import node_classes, nodes, outline, script
from .expressions import Expression, ExpressionError
from .formats import Format, read_format
from .nodes import Group, Node

_COMPONENTS = {"x": 0, "y": 1, "z": 2, "r": 0, "g": 1, "b": 2, "a": 3, "t": 3, "w": 0, "h": 1}
#: Knobs whose change is no edit.
_QUIET = {"selected", "xpos", "ypos", "panel", "name"}
_DEFAULT_LAYERS = {
    "rgba": outline.RGBA,
    "rgb": outline.RGB,
    "alpha": ("rgba.alpha",),
    "depth": ("depth.Z",),
    "mask": ("mask.a",),
    "forward": ("forward.u", "forward.v"),
}


class Session:
    """``gui`` is False for ``nuke -t``. Everything that tests look at is a plain attribute."""

    def __init__(self, gui: bool = True, plugin_path: Sequence[str] = ()) -> None:
        self.gui, self.plugin_path = gui, [str(path) for path in plugin_path]
        #: What onCreate and the buttons see, as the __main__ of Nuke.
        self.names: dict[str, Any] = {}
        #: Kept for who switches between sessions: modules of Nuke and of a plugin.
        self.modules: dict[str, Any] = {}
        self.formats: list[Format] = [
            Format(2048, 1556, name="2K_Super_35(full-ap)"),
            Format(1920, 1080, name="HD_1080"),
            Format(640, 480, name="PC_Video"),
        ]
        self.thread = threading.get_ident()
        self.callbacks: dict[str, list[tuple[Any, ...]]] = {}
        self.queue: list[tuple[Any, ...]] = []
        self.printed: list[str] = []
        #: What is printed goes to stdout too, as in a terminal.
        self.echo = False
        #: (kind, text) of every message box; answers to ``ask`` in the order asked, True when there are none.
        self.messages: list[tuple[str, str]] = []
        self.answers: list[bool] = []
        #: (node, frame, view) of every frame rendered to a file.
        self.rendered: list[tuple[str, int, str]] = []
        #: ``nuke.execute`` raises as if cancelled once that many frames were rendered by it.
        self.cancel_after: int | None = None
        self.menus: dict[str, Any] = {}
        #: Name of a panel -> the pane it is docked in.
        self.panes: dict[str, Any] = {}
        self.panels: dict[str, Any] = {}
        self.clipboard = ""
        #: A QApplication whose events run while a test waits; None without one.
        self.event_loop: Any = None
        self.executing = False
        #: Every Write fails, as on a full disk.
        self.fail_writes = False
        #: Name of a Roto node -> its alpha as a function of x, y (arrays, from the bottom left) and frame.
        self.shapes: dict[str, Callable[[Any, Any, float], Any]] = {}
        #: Whether buttons of a group run inside the group, which is not documented.
        self.buttons_inside = False
        #: Whether onCreate of a pasted or opened group runs before its inner nodes are there: not documented.
        self.created_early = False
        #: Whether knobChanged runs for what Python sets, and for what undo puts back: not documented.
        self.python_tells = self.undo_tells = True
        #: Entries of a Write's ``colorspace``, as the colour configuration has them; None for Nuke's own.
        self.spaces: list[str] | None = None
        #: Whether a Read whose file Python set takes its format from the file; else it has the script's.
        self.reads_formats = True
        #: Whether ``node.format()`` in proxy mode is that of the proxy, which is not documented.
        self.proxied_formats = True
        self.reset()

    def reset(self) -> None:
        """An empty script."""
        for node in list(getattr(self, "root", Group.__new__(Group)).__dict__.get("children", ())):
            self._bury(node)
        self.current, self.modified = 1.0, False
        self.views: list[str] = ["main"]
        self.view = "main"
        self.layers: dict[str, tuple[str, ...]] = dict(_DEFAULT_LAYERS)
        self.root = nodes.Root(self)
        self.contexts: list[Group] = [self.root]
        self.these: list[tuple[Node, k.Knob | None]] = []
        self.undo_stack: list[tuple[str, list[Callable[[], Any]]]] = []
        self.redo_stack: list[tuple[str, list[Callable[[], Any]]]] = []
        self._open_undo: tuple[str, list[Callable[[], Any]]] | None = None
        self.undo_off = 0
        self._building = 0
        self._telling: set[int] = set()
        #: How many callbacks run, one in another: Nuke renders nothing meanwhile.
        self._calling = 0
        self._time: list[float] = []

    # The main thread, and what only a window has.

    def on_main_thread(self, what: str) -> None:
        if threading.get_ident() != self.thread:
            raise RuntimeError(f"{what} was used off the main thread")

    def need_gui(self, what: str) -> None:
        if not self.gui:
            raise RuntimeError(f"{what} needs a window; this is nuke -t")

    def run_main_thread_calls(self) -> None:
        """Runs what ``executeInMainThread`` was given."""
        while self.queue:
            call, args, kwargs = self.queue.pop(0)
            call(*args, **kwargs)

    # Frames, formats, files.

    def frame(self, frame: float | None = None) -> int:
        self.on_main_thread("frame")
        if frame is not None:
            self.current = float(int(frame))
            self.show_frame()
        return int(self.current)

    def show_frame(self) -> None:
        """What a window does when the frame changes: every node's ``updateUI`` runs."""
        if not self.gui:
            return
        for node in list(outline_all(self.root)):
            text = node._knobs["updateUI"]._state() if "updateUI" in node._knobs else ""
            if text and not node._gone:
                with self._in_callback():
                    self._run_text(text, node, None)

    def evaluated_frame(self) -> float:
        return self._time[-1] if self._time else self.current

    @contextlib.contextmanager
    def at(self, frame: float) -> Iterator[None]:
        """Knobs are evaluated at that frame."""
        self._time.append(float(frame))
        try:
            yield
        finally:
            self._time.pop()

    def proxy_is_on(self) -> bool:
        return bool(self.root._knobs["proxy"]._state()[0])

    def proxy_scale(self) -> float:
        return float(self.root._knobs["proxy_scale"]._state()[0]) if self.proxy_is_on() else 1.0

    @contextlib.contextmanager
    def full_size(self) -> Iterator[None]:
        """As if proxy mode were off."""
        knob = self.root._knobs["proxy"]
        before = knob._state()
        knob._set_state([0.0])
        try:
            yield
        finally:
            knob._set_state(before)

    def full_root_format(self) -> Format:
        return self.root._knobs["format"]._state() or self.formats[0]

    root_format = full_root_format

    def format_of(self, text: str) -> Format:
        named = next((format for format in self.formats if format.name() == text), None)
        return read_format(text) if named is None else named

    def add_format(self, text: str) -> Format:
        format = read_format(text)
        self.formats.append(format)
        return format

    def root_range(self) -> tuple[int, int]:
        return tuple(int(self.root._knobs[n]._state()[0]) for n in ("first_frame", "last_frame"))  # type: ignore

    def range_of(self, node: Node) -> tuple[int, int]:
        return outline.outline(self, node, self.evaluated_frame(), self.view).range

    def is_channels(self, name: str) -> bool:
        known = {channel for channels in self.layers.values() for channel in channels}
        words = name.split()
        return all(word in known or word in self.layers or word in ("all", "none") for word in words)

    def file_name(self, text: str, frame: float | None = None, view: str | None = None) -> str:
        """With frame number and view in place of %04d, #### and %V, %v."""
        number = int(self.evaluated_frame() if frame is None else frame)
        view = self.view if view is None else view
        text = text.replace("%V", view).replace("%v", view[:1])
        text = re.sub(r"%(0?\d*)d", lambda m: ("%" + m.group(1) + "d") % number, text)
        text = re.sub(r"#+", lambda m: "{:0{}d}".format(number, len(m.group())), text)
        folder = self.root._knobs["project_directory"]._state()
        return os.path.join(folder, text) if folder and not os.path.isabs(text) else text

    def file_dependencies(self, node: Node, start: int, end: int) -> list[Any]:
        found = []
        for above in outline.upstream(node):
            proxy = above._cls == "Read" and self.proxy_is_on() and above["proxy"].getText()  # type: ignore[attr-defined]
            if above._cls == "Read" and above["file"].getText():  # type: ignore[attr-defined]
                text = self.tcl_in(proxy or above["file"].getText(), above)  # type: ignore[attr-defined]
                files = [self.file_name(text, frame) for frame in range(int(start), int(end) + 1)]
                found.append([above, list(dict.fromkeys(files))])
        return found

    # Pictures.

    def picture(self, node: Node | None, frame: Any = None, view: Any = None, sized: bool = False) -> Any:
        """What a node puts out; ``sized`` without its pixels. The frame and view shown, unless told."""
        frame = self.evaluated_frame() if frame is None else frame
        view = self.view if view is None else view
        with self.at(frame):
            if sized:
                return outline.outline(self, node, frame, view)
            from .render import render

            return render(self, node, frame, view)

    def fault_of(self, node: Node) -> str:
        try:
            outline.outline(self, node, self.evaluated_frame(), self.view)
        except RuntimeError as error:
            return str(error)
        return ""

    def op_hash(self, node: Node) -> int:
        """Changes with everything above that changes the picture, and with the frame of a Read."""
        told = [str(self.proxy_scale())]
        for above in outline.upstream(node):
            told.append(above._cls)
            for name, knob in above._knobs.items():
                if name not in node_classes.COMMON and not knob.user:
                    told.append(f"{name}={knob._state() if not knob.isAnimated() else knob.value()!r}")
            if above._cls == "Read":
                told.append(f"{self.evaluated_frame()} {above.reloads}")
            if "disable" in above._knobs:
                told.append(str(above["disable"].value()))
            told.append(str([None if i is None else i.fullName() for i in above._inputs]))
        return int.from_bytes(hashlib.sha256("\n".join(told).encode()).digest()[:8], "big")

    def execute(self, node: Any, start: int, end: int, increment: int, views: Sequence[str] | None) -> None:
        self.on_main_thread("execute")
        node = self.need_node(node)
        if self.executing or self._calling:
            raise RuntimeError("I'm already executing something else")
        if node._cls != "Write":
            raise RuntimeError(f"{node.name()} cannot be executed")
        from .render import write

        self.executing, done = True, 0
        try:
            for frame in range(int(start), int(end) + 1, int(increment)):
                for view in views or [self.view]:
                    if view not in self.views:
                        raise RuntimeError(f"there is no view {view}")
                    if self.cancel_after is not None and done >= self.cancel_after:
                        raise RuntimeError("Cancelled")
                    with self.at(frame):
                        write(self, node, frame, view)
                    self.rendered.append((node.fullName(), frame, view))
                    done += 1
        finally:
            self.executing = False

    # Expressions and Tcl in texts.

    def evaluate(self, text: str, node: Node, frame: float) -> float:
        with self.at(frame):
            return Expression(text).evaluate(
                lambda name: self._number(name, node), lambda tcl: self._tcl(tcl, node)
            )

    def _number(self, name: str, node: Node) -> float:
        if name in ("frame", "t"):
            return self.evaluated_frame()
        if name in ("true", "false"):
            return float(name == "true")
        found = self.look(name, node)
        if isinstance(found, (int, float)):
            return float(found)
        knob, channel = found
        knob = k.resolve_link(knob)
        value = knob.getValue(channel) if isinstance(knob, k.Array_Knob) else knob.getValue()
        if isinstance(value, (list, tuple)):
            value = value[0]
        return float(value)

    def look(self, name: str, node: Node) -> Any:
        """Knob and channel of a dotted name seen from a node, or a number. Raises ExpressionError."""
        parts = name.split(".")
        place: Node | None = node
        if len(parts) > 1 and parts[0] not in node._knobs:
            place = self._first(parts.pop(0), node)
            while place is not None and len(parts) > 1 and isinstance(place, Group) and place.node(parts[0]):
                place = place.node(parts.pop(0))
        if place is not None and parts[0] in place._knobs:
            channel = _COMPONENTS.get(parts[1], -2) if len(parts) > 1 else -1
            if channel != -2:
                return place._knobs[parts[0]], channel
        if place is not None and parts[0] in ("width", "height", "pixel_aspect") and len(parts) == 1:
            format = outline.outline(self, place, self.evaluated_frame(), self.view).format
            return {"width": format.width, "height": format.height, "pixel_aspect": format.pixelAspect}[
                parts[0]
            ]()
        raise ExpressionError(f"{node.fullName()}: nothing named {name!r} here")

    def named_in_expressions(self, node: Node) -> list[Node]:
        """Nodes, others than this one, whose knobs its expressions ask."""
        found: list[Node] = []
        knobs = [knob for knob in node._knobs.values() if isinstance(knob, k.Array_Knob)]
        for text in [one for knob in knobs for one in knob._channels if isinstance(one, str)]:
            for name in Expression(text).names:
                try:
                    told = self.look(name, node)
                except RuntimeError:
                    continue  # The frame, or what is not there.
                asked = told[0]._node if isinstance(told, tuple) else None
                if asked is not None and asked is not node and asked not in found:
                    found.append(asked)
        return found

    def _first(self, word: str, node: Node) -> Node | None:
        if word == "this":
            return node
        if word == "parent":
            return node._parent
        if word == "root":
            return self.root
        if re.match(r"input\d*\Z", word):
            return node.input(int(word[5:] or 0))
        group = node._parent
        return None if group is None else group.node(word)

    def find(self, place: str, node: Node) -> Node | None:
        """A node named in a link of ``node``: inside of it where it is a group, else beside it."""
        inside = node.node(place) if isinstance(node, Group) else None
        return inside or (None if node._parent is None else node._parent.node(place))

    def tcl_in(self, text: str, node: Node, quote: str = "{}") -> str:
        """With every bracket replaced, inner ones first, by ``quote`` with what came out in place of ``{}``.

        Raises RuntimeError for what is no known command.
        """
        out, place = "", 0
        while place < len(text):
            sign = text[place]
            if text[place : place + 2] == "\\[":
                out, place = out + "[", place + 2
            elif sign == "[":
                end = _closing(text, place)
                out += quote.replace("{}", self._tcl(text[place + 1 : end], node))
                place = end + 1
            else:
                out, place = out + sign, place + 1
        return out

    def tcl(self, command: str, *words: str) -> str:
        """``nuke.tcl``: names without a node are those of the node whose button or callback runs."""
        self.on_main_thread("tcl")
        node = self.these[-1][0] if self.these else self.contexts[-1]
        if command == "subst" and len(words) == 1:
            return self.tcl_in(words[0], node)
        return self._tcl(" ".join((command, *words)), node)

    def _tcl(self, text: str, node: Node) -> str:
        try:
            if "[" in text and "{" not in text:
                text = self.tcl_in(text, node, "{{}}")
            words = script.split_list(text) if script.have_tcl() else text.split()
        except script.ScriptError as error:
            raise RuntimeError('invalid command name "{}": {}'.format(text[:40], error)) from None
        if words and words[0] in ("value", "knob") and len(words) > 1:
            knob, channel = self.look(words[1], node)
            knob = k.resolve_link(knob)
            value = (
                knob.getValue(channel) if isinstance(knob, k.Array_Knob) and channel >= 0 else knob.value()
            )
            return str(value)
        if words[:1] == ["python"]:
            return str(eval(words[-1], dict(self.names)))
        if words[:2] == ["file", "dirname"]:
            return os.path.dirname(words[2])
        raise RuntimeError('invalid command name "{}"'.format(words[0] if words else ""))

    # Nodes made and found.

    def free_name(self, name: str, group: Group, node: Node | None = None) -> str:
        taken = {child.name() for child in group.children if child is not node}
        if name not in taken:
            return name
        stem = name.rstrip("0123456789")
        number = 1
        while f"{stem}{number}" in taken:
            number += 1
        return f"{stem}{number}"

    def make(self, cls: str, group: Group, name: str = "") -> Node:
        node = nodes.CONSTRUCTORS.get(cls, Node)(self, cls, group)
        node._knobs["name"]._set_state(self.free_name(name or cls + "1", group))
        group.children.append(node)
        if self.spaces is not None and "colorspace" in node._knobs:
            node["colorspace"]._set_state((list(self.spaces), [0.0]))
        self._note(lambda: self._bury(node), lambda: self._raise_again(node, group))
        return node

    def need_node(self, told: Any) -> Node:
        node = self.contexts[-1].node(told) or self.root.node(told) if isinstance(told, str) else told
        if not isinstance(node, Node):
            raise ValueError(f"no node {told!r}")
        node._alive()
        return node

    def delete(self, node: Node) -> None:
        node._alive()
        group = node._parent
        assert group is not None
        users = [(other, list(other._inputs)) for other in group.children if node in other._inputs]
        self._bury(node)
        for other, _ in users:
            other._inputs = [None if above is node else above for above in other._inputs]

        def back() -> None:
            self._raise_again(node, group)
            for other, inputs in users:
                other._inputs = list(inputs)

        self._note(back, lambda: self._bury(node))

    def _bury(self, node: Node) -> None:
        for child in getattr(node, "children", ()):
            child._gone = True
        node._gone = True
        if node._parent is not None and node in node._parent.children:
            node._parent.children.remove(node)

    def _raise_again(self, node: Node, group: Group) -> None:
        for child in getattr(node, "children", ()):
            child._gone = False
        node._gone = False
        group.children.append(node)

    def create(self, cls: str, knobs: str = "", inpanel: bool = True) -> Node:
        """As from the menu: takes the selection as input, and opens a panel."""
        group = self.contexts[-1]
        selected = [node for node in group.children if node.isSelected()]
        for node in group.children:
            node.setSelected(False)
        with self.one_undo("Create " + cls):
            if cls in node_classes.CLASSES:
                node = self.make(cls, group)
                self._set_texts(node, script.split_list(knobs))
                self.tell_created(node)
            else:
                node = self._from_plugin(cls, group)
                self._set_texts(node, script.split_list(knobs))
            for index, above in enumerate(reversed(selected[-max(1, node.minInputs()) :])):
                node.setInput(index, above)
        node.setSelected(True)
        if self.gui and inpanel:
            node.showControlPanel()
        return node

    def _set_texts(self, node: Node, words: Sequence[str]) -> None:
        for name, text in zip(words[::2], words[1::2]):
            node[name].fromScript(text)

    def _from_plugin(self, cls: str, group: Group) -> Node:
        for folder in self.plugin_path:
            path = os.path.join(folder, cls + ".gizmo")
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as file:
                    made = self.build(script.load_script(file.read()), group)
                return made[-1]
        raise RuntimeError(f"{cls}: Unknown command")

    def make_by_name(self, cls: str, told: dict[str, Any]) -> Node:
        """``nuke.nodes.Blur(size=3)``: no panel, no selection, no automatic input."""
        self.on_main_thread("nodes." + cls)
        group = self.contexts[-1]
        inputs = told.pop("inputs", ())
        if cls not in node_classes.CLASSES:
            node = self._from_plugin(cls, group)
        else:
            node = self.make(cls, group)
        for index, above in enumerate(inputs):
            node.setInput(index, above)
        for name, value in told.items():
            if name == "name":
                node.setName(value)
            elif isinstance(value, str) and not isinstance(node[name], k.String_Knob):
                node[name].fromScript(value)
            else:
                node[name].setValue(value)
        self.tell_created(node)
        return node

    # Scripts.

    def build(self, loaded: script.Script, group: Group, inputs: Sequence[Node | None] = ()) -> list[Node]:
        """The nodes of a script in a group; their onCreate runs once all of it is there."""
        for name, channels in loaded.layers.items():
            self.add_layer(name, channels)
        made: dict[int, Node] = {}
        top = []
        for told in loaded.nodes:
            if told.cls == "Root":
                self._set_root(told)
                continue
            top.append(self._build_one(told, group, made))
        for node in () if self.created_early else top:
            self._tell_all_created(node)
        return top

    def _build_one(self, told: script.ScriptNode, group: Group, made: dict[int, Node]) -> Node:
        self._building += 1
        try:
            node = self.make(told.cls, group, told.name)
            for definition in told.user_knobs.values():
                node._own(k.make_user_knob(definition))
            if not self.created_early:
                self._build_children(told, node, made)
            for name, text in told.knobs.items():
                if name == "name":
                    continue
                knob = node._knobs.get(name)
                if knob is None:
                    raise RuntimeError(f'{told.cls}: no such knob "{name}"')
                knob._read(text)
                refresh_written(node, knob)
            node._inputs = [None if above is None else made[id(above)] for above in told.inputs]
            while node._inputs and node._inputs[-1] is None:
                node._inputs.pop()
            made[id(told)] = node
            if self.created_early:
                self._building -= 1
                try:
                    self.tell_created(node)
                finally:
                    self._building += 1
                self._build_children(told, node, made)
        finally:
            self._building -= 1
        return node

    def _build_children(self, told: script.ScriptNode, node: Node, made: dict[int, Node]) -> None:
        for child in told.children:
            assert isinstance(node, Group)
            self._build_one(child, node, made)

    def _set_root(self, told: script.ScriptNode) -> None:
        for name, text in told.knobs.items():
            if name == "views":
                self.views = [words.split()[0] for words in script.split_list(text)]
                self.view = self.views[0]
            elif name == "frame":
                self.current = float(text)
            elif name not in ("name", "inputs"):
                self.root[name]._read(text)

    def _tell_all_created(self, node: Node) -> None:
        for child in getattr(node, "children", ()):
            self._tell_all_created(child)
        self.tell_created(node)

    def add_layer(self, name: str, channels: Sequence[str]) -> None:
        full = [channel if "." in channel else f"{name}.{channel}" for channel in channels]
        self.layers[name] = tuple(dict.fromkeys([*self.layers.get(name, ()), *full]))

    # Callbacks.

    def press(self, knob: k.Script_Knob) -> None:
        """A button. In a window its failure is shown and the artist goes on; here it is raised."""
        node = knob._node
        assert node is not None
        if node._cls == "Read" and knob.name() == "reload":
            if self.executing:
                raise RuntimeError("I'm already executing something else")
            node.seen.clear()
            node.reloads += 1
            return
        text = knob.getText()
        with self.one_undo(knob.name()):
            self._run_text(text, node, knob)

    def knob_was_set(self, knob: k.Knob, before: Any) -> None:
        if self._building:
            return
        after = knob._state()
        node = knob._node
        assert node is not None
        if knob.name() not in _QUIET and not knob.getFlag(k.NO_UNDO):
            self.modified = True
            self._note(lambda: self._put_back(knob, before), lambda: self._put_back(knob, after))
        if node._cls == "Read" and knob.name() in ("file", "first", "last"):
            node.seen.clear()
        refresh_written(node, knob)
        if self.python_tells:
            self._tell_changed(node, knob)

    def _put_back(self, knob: k.Knob, state: Any) -> None:
        knob._set_state(state)
        if knob._node is not None and not knob._node._gone and self.undo_tells:
            self._tell_changed(knob._node, knob)

    def inputs_were_set(self, node: Node, before: list[Node | None]) -> None:
        after = list(node._inputs)
        self._note(lambda: setattr(node, "_inputs", before), lambda: setattr(node, "_inputs", after))
        if not self._building:
            pseudo = k.String_Knob("inputChange")
            pseudo._node = node
            self._tell_changed(node, pseudo)

    def _tell_changed(self, node: Node, knob: k.Knob) -> None:
        """Not again while the node is being told, unless the knob asks for it."""
        if id(node) in self._telling and not knob.getFlag(k.KNOB_CHANGED_RECURSIVE):
            return
        fresh = id(node) not in self._telling
        self._telling.add(id(node))
        try:
            text = node._knobs["knobChanged"]._state() if "knobChanged" in node._knobs else ""
            with self._in_callback():
                if text:
                    self._run_text(text, node, knob)
                self.call("knobChanged", node, knob)
        finally:
            if fresh:
                self._telling.discard(id(node))

    def tell_created(self, node: Node) -> None:
        text = node._knobs["onCreate"]._state() if "onCreate" in node._knobs else ""
        with self._in_callback():
            if text:
                self._run_text(text, node, None)
            self.call("onCreate", node)

    @contextlib.contextmanager
    def _in_callback(self) -> Iterator[None]:
        self._calling += 1
        try:
            yield
        finally:
            self._calling -= 1

    def call(self, kind: str, node: Node | None = None, knob: k.Knob | None = None) -> None:
        """Runs what ``addOnCreate`` and its kin were given."""
        for call, args, kwargs, wanted in list(self.callbacks.get(kind, ())):
            if node is not None and wanted not in ("*", node._cls):
                continue
            with self._this(node or self.root, knob):
                call(*args, **kwargs)

    def _run_text(self, text: str, node: Node, knob: k.Knob | None) -> None:
        inside = knob is not None and self.buttons_inside and isinstance(node, Group)
        context = node if inside else (node._parent or self.root)
        self.contexts.append(context)  # type: ignore[arg-type]
        try:
            with self._this(node, knob):
                exec(compile(text, f"<{node.name()}>", "exec"), dict(self.names))
        finally:
            self.contexts.pop()

    @contextlib.contextmanager
    def _this(self, node: Node, knob: k.Knob | None) -> Iterator[None]:
        self.these.append((node, knob))
        try:
            yield
        finally:
            self.these.pop()

    # Undo.

    def _note(self, undo: Callable[[], Any], redo: Callable[[], Any]) -> None:
        if self._building or self.undo_off:
            return
        step = (undo, redo)
        if self._open_undo is not None:
            self._open_undo[1].append(step)  # type: ignore[arg-type]
        else:
            self.undo_stack.append(("", [step]))  # type: ignore[list-item]
            self.redo_stack.clear()

    @contextlib.contextmanager
    def one_undo(self, name: str = "") -> Iterator[None]:
        self.begin_undo(name)
        try:
            yield
        finally:
            self.end_undo()

    def begin_undo(self, name: str = "") -> None:
        self._depth = getattr(self, "_depth", 0) + 1
        if self._open_undo is None:
            self._open_undo, self._depth = (name, []), 1

    def end_undo(self) -> None:
        self._depth -= 1
        if self._open_undo is not None and self._depth <= 0:
            entry, self._open_undo = self._open_undo, None
            if entry[1]:
                self.undo_stack.append(entry)
                self.redo_stack.clear()

    def undo(self, back: bool = True) -> None:
        source, target = (self.undo_stack, self.redo_stack) if back else (self.redo_stack, self.undo_stack)
        if not source:
            return
        entry = source.pop()
        self.undo_off += 1
        try:
            for step in reversed(entry[1]) if back else entry[1]:
                step[0 if back else 1]()  # type: ignore[index]
        finally:
            self.undo_off -= 1
        target.append(entry)


def _closing(text: str, place: int) -> int:
    """Where the bracket at ``place`` closes. Raises RuntimeError."""
    depth = 0
    for end in range(place, len(text)):
        depth += {"[": 1, "]": -1}.get(text[end], 0)
        if depth == 0:
            return end
    raise RuntimeError("missing close-bracket")


def refresh_written(node: Node, knob: k.Knob) -> None:
    """A Write has other knobs for each kind of file."""
    if node._cls != "Write" or knob.name() not in ("file", "file_type"):
        return
    kind = str(node._knobs["file_type"].value()).strip()
    if not kind:
        kind = os.path.splitext(node._knobs["file"]._state())[1].lstrip(".")
    for name in {name for knobs in node_classes.WRITTEN.values() for name in knobs}:
        if name not in node_classes.WRITTEN.get(kind, {}):
            node._knobs.pop(name, None)
    for name, (cls, default) in node_classes.WRITTEN.get(kind, {}).items():
        if name not in node._knobs:
            node._own(nodes._class_knob("Write", name, cls, default))


def outline_all(group: Group) -> Iterator[Node]:
    """Every node in a group and in the groups in it."""
    for node in list(group.children):
        yield node
        if isinstance(node, Group):
            yield from outline_all(node)
