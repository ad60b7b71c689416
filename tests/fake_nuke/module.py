"""The modules ``nuke`` and ``nukescripts``: exactly the names below, nothing else.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

from . import knobs as k
from . import nodes, script, writer
from .formats import Format
from .session import Session, outline_all

_CALLBACKS = (
    *("OnUserCreate", "OnCreate", "OnScriptLoad", "OnScriptSave", "OnScriptClose", "OnDestroy"),
    *("KnobChanged", "UpdateUI", "Autolabel", "BeforeRender", "AfterRender", "BeforeFrameRender"),
    *("AfterFrameRender",),
)


def install(gui: bool = True, plugin_path: Sequence[str] = ()) -> Session:
    """A new session behind ``import nuke``, in place of the one before."""
    session = Session(gui, plugin_path)
    nuke = types.ModuleType("nuke")
    for fill in (_constants, _knobs, _nodes, _scripts, _callbacks, _execution, _window, _undo):
        fill(nuke, session)
    session.names = {"nuke": nuke, "__name__": "__main__"}
    sys.modules["nuke"] = nuke
    nukescripts = types.ModuleType("nukescripts")
    panels = types.ModuleType("nukescripts.panels")
    panels.registerWidgetAsPanel = _panel_maker(session)  # type: ignore[attr-defined]
    nukescripts.panels = panels  # type: ignore[attr-defined]
    nukescripts.registerWidgetAsPanel = panels.registerWidgetAsPanel  # type: ignore[attr-defined]
    sys.modules["nukescripts"], sys.modules["nukescripts.panels"] = nukescripts, panels
    return session


def uninstall() -> None:
    """Takes the modules away again."""
    for name in ("nuke", "nukescripts", "nukescripts.panels"):
        sys.modules.pop(name, None)


def _constants(nuke: Any, session: Session) -> None:
    nuke.GUI = session.gui
    nuke.INTERACTIVE = session.gui
    nuke.NUKE_VERSION_MAJOR, nuke.NUKE_VERSION_MINOR, nuke.NUKE_VERSION_RELEASE = 13, 2, 8
    nuke.NUKE_VERSION_STRING = "13.2v8"
    nuke.THREADS, nuke.EXE_PATH = 2, "/usr/local/Nuke13.2v8/Nuke13.2"
    nuke.env = {
        "gui": session.gui,
        "interactive": session.gui,
        "NukeVersionMajor": 13,
        "NukeVersionString": "13.2v8",
        "ExecutablePath": nuke.EXE_PATH,
        "WIN32": sys.platform == "win32",
        "MACOS": sys.platform == "darwin",
        "LINUX": sys.platform.startswith("linux"),
        "nc": False,
        "indie": False,
        "studio": False,
        "nukex": False,
    }
    for name in ("INVISIBLE", "STARTLINE", "DISABLED", "NO_ANIMATION", "DO_NOT_WRITE", "ALWAYS_SAVE"):
        setattr(nuke, name, k.FLAGS[name])
    for name in ("NO_UNDO", "ENDLINE", "READ_ONLY"):
        setattr(nuke, name, k.FLAGS[name])
    nuke.KNOB_CHANGED_RECURSIVE = k.KNOB_CHANGED_RECURSIVE
    nuke.INPUTS, nuke.HIDDEN_INPUTS, nuke.EXPRESSIONS = nodes.INPUTS, nodes.HIDDEN_INPUTS, nodes.EXPRESSIONS
    nuke.TABBEGINGROUP, nuke.TABENDGROUP, nuke.TABBEGINCLOSEDGROUP = 1, -1, 2
    nuke.WRITE_ALL, nuke.TO_SCRIPT = 16, 2


def _knobs(nuke: Any, session: Session) -> None:
    for name, kind in k.KINDS.items():
        setattr(nuke, name, kind)


def _nodes(nuke: Any, session: Session) -> None:
    class Nodes:
        def __getattr__(self, cls: str) -> Callable[..., nodes.Node]:
            return lambda **told: session.make_by_name(cls, told)

    nuke.nodes = Nodes()
    nuke.Node, nuke.Group, nuke.Root, nuke.Format = nodes.Node, nodes.Group, nodes.Root, Format
    nuke.Viewer, nuke.FrameRange = nodes.Viewer, nodes.FrameRange

    def named(name: str) -> nodes.Node | None:
        session.on_main_thread("toNode")
        if name == "root":
            return session.root
        name = name[5:] if name.startswith("root.") else name
        return session.contexts[-1].node(name) or session.root.node(name)

    def every(filter: str | None = None, group: Any = None, recurseGroups: bool = False) -> list[nodes.Node]:
        session.on_main_thread("allNodes")
        if filter is not None and not isinstance(filter, str):
            filter, group = None, filter
        group = session.contexts[-1] if group is None else group
        found = outline_all(group) if recurseGroups else list(group.children)
        return [node for node in found if filter is None or node._cls == filter]

    def this_node() -> nodes.Node:
        if not session.these:
            return session.contexts[-1]
        return session.these[-1][0]

    def this_knob() -> k.Knob | None:
        return session.these[-1][1] if session.these else None

    def selected(filter: str | None = None) -> list[nodes.Node]:
        found = [node for node in reversed(session.contexts[-1].children) if node.isSelected()]
        return [node for node in found if filter is None or node._cls == filter]

    def one_selected() -> nodes.Node:
        found = selected()
        if not found:
            raise ValueError("no node selected")
        return found[0]

    nuke.toNode, nuke.allNodes, nuke.thisNode, nuke.thisKnob = named, every, this_node, this_knob
    nuke.selectedNodes, nuke.selectedNode = selected, one_selected
    nuke.root = lambda: session.root
    nuke.thisRoot = nuke.root
    nuke.thisClass = lambda: this_node()._cls
    nuke.thisGroup = lambda: session.contexts[-1]
    nuke.thisParent = lambda: this_node()._parent
    nuke.exists = lambda name: named(name.split(".")[0]) is not None
    nuke.createNode = session.create
    nuke.delete = session.delete


def _scripts(nuke: Any, session: Session) -> None:
    class Layer:
        def __init__(self, name: str, channels: Sequence[str] = ()) -> None:
            for channel in channels:
                if not channel.startswith(name + "."):
                    raise ValueError(f"{channel} is no channel of {name}")
            self._name = name
            session.add_layer(name, channels)

        def name(self) -> str:
            return self._name

        def channels(self) -> list[str]:
            return list(session.layers[self._name])

    def save(filename: str | None = None, *rest: Any) -> bool:
        name = filename or session.root._knobs["name"]._state()
        if not name:
            raise RuntimeError("the script has no name")
        session.root._knobs["name"]._set_state(name)
        session.call("onScriptSave", session.root)
        with open(name, "w", encoding="utf-8") as file:
            file.write(writer.write_script(session))
        session.modified = False
        return True

    def clear(*rest: Any) -> None:
        session.call("onScriptClose", session.root)
        session.reset()

    def load(filename: str) -> None:
        with open(filename, encoding="utf-8") as file:
            loaded = script.load_script(file.read())
        clear()
        session.root._knobs["name"]._set_state(filename)
        session.build(loaded, session.root)
        session.call("onScriptLoad", session.root)

    def copy(path: str) -> None:
        chosen = [node for node in session.contexts[-1].children if node.isSelected()]
        text = writer.write_script(session, chosen, whole=False)
        if path == "%clipboard%":
            session.clipboard = text
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def paste(path: str) -> nodes.Node | None:
        text = session.clipboard
        if path != "%clipboard%":
            with open(path, encoding="utf-8") as file:
                text = file.read()
        for node in session.contexts[-1].children:
            node.setSelected(False)
        made = session.build(script.load_script(text), session.contexts[-1])
        for node in made:
            node.setSelected(True)
        return made[-1] if made else None

    nuke.Layer = Layer
    nuke.layers = lambda node=None: sorted(session.layers)
    nuke.channels = lambda node=None: sorted({c for channels in session.layers.values() for c in channels})
    nuke.formats = lambda: list(session.formats)
    nuke.addFormat = session.add_format
    nuke.views = lambda: list(session.views)
    nuke.addView = lambda name: session.views.append(name)
    nuke.thisView = lambda: session.view
    nuke.scriptSave, nuke.scriptOpen, nuke.scriptClear, nuke.scriptReadFile = save, load, clear, paste
    nuke.scriptSaveAs = save
    nuke.scriptName = lambda: session.root._knobs["name"]._state()
    nuke.modified = lambda state=None: session.modified
    nuke.nodeCopy, nuke.nodePaste = copy, paste
    nuke.pluginAddPath = _path_adder(session, 0)
    nuke.pluginAppendPath = _path_adder(session, None)
    nuke.pluginPath = lambda: list(session.plugin_path)


def _path_adder(session: Session, place: int | None) -> Callable[..., None]:
    """Relative paths are those of the calling file, and Nuke puts the folder on sys.path too."""

    def add(args: Any, addToSysPath: bool = True) -> None:
        for path in [args] if isinstance(args, str) else args:
            caller = sys._getframe(1).f_globals.get("__file__", "")
            full = os.path.abspath(os.path.join(os.path.dirname(caller), path))
            session.plugin_path.insert(len(session.plugin_path) if place is None else place, full)
            if addToSysPath and full not in sys.path:
                sys.path.insert(0, full)

    return add


def _callbacks(nuke: Any, session: Session) -> None:
    for name in _CALLBACKS:
        kind = name[0].lower() + name[1:]

        def add(
            call: Any, args: Any = (), kwargs: Any = None, nodeClass: str = "*", kind: str = kind, **rest: Any
        ) -> None:
            session.callbacks.setdefault(kind, []).append((call, args, kwargs or {}, nodeClass))

        def remove(
            call: Any, args: Any = (), kwargs: Any = None, nodeClass: str = "*", kind: str = kind, **rest: Any
        ) -> None:
            entry = (call, args, kwargs or {}, nodeClass)
            if entry in session.callbacks.get(kind, ()):
                session.callbacks[kind].remove(entry)

        setattr(nuke, "add" + name, add)
        setattr(nuke, "remove" + name, remove)


def _execution(nuke: Any, session: Session) -> None:
    def execute(
        nameOrNode: Any,
        start: int = 1,
        end: int = 1,
        incr: int = 1,
        views: Any = None,
        continueOnError: bool = False,
    ) -> None:
        session.execute(nameOrNode, start, end, incr, views)

    def soon(call: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> None:
        arguments = args if isinstance(args, tuple) else (args,)
        session.queue.append((call, arguments, kwargs or {}))

    def value(name: str, default: str | None = None) -> str:
        knob, _ = session.look(name, session.root)
        return str(knob.value())

    nuke.execute, nuke.executeInMainThread, nuke.frame = execute, soon, session.frame
    nuke.executing = lambda f=None: session.executing
    nuke.expression = lambda text: session.evaluate(text, session.root, session.evaluated_frame())
    nuke.value, nuke.tcl = value, session.tcl
    nuke.clearRAMCache = lambda: None


def _window(nuke: Any, session: Session) -> None:
    def message(prompt: str) -> None:
        session.need_gui("nuke.message")
        session.messages.append(("message", prompt))

    def ask(prompt: str) -> bool:
        session.need_gui("nuke.ask")
        session.messages.append(("ask", prompt))
        return session.answers.pop(0) if session.answers else True

    def tprint(*words: Any, sep: str = " ", end: str = "\n", file: Any = None) -> None:
        session.printed.append(sep.join(str(word) for word in words))
        if session.echo:
            print(session.printed[-1], flush=True)

    def told(kind: str) -> Callable[[str], None]:
        return lambda text: session.printed.append(f"{kind}: {text}")

    def active() -> nodes.ViewerWindow | None:
        found = next((node for node in session.root.children if node._cls == "Viewer"), None)
        return nodes.ViewerWindow(session, found) if found is not None and session.gui else None

    def menu(name: str) -> MenuItem:
        session.need_gui("nuke.menu")
        if name not in ("Nuke", "Nodes", "Viewer", "Pane", "Node Graph", "Properties", "Animation", "Axis"):
            raise ValueError(f"there is no menu {name}")
        return session.menus.setdefault(name, MenuItem(name))  # type: ignore[no-any-return]

    def pane_for(panelName: str) -> Any:
        session.need_gui("nuke.getPaneFor")
        return session.panes.get(panelName)

    nuke.getPaneFor = pane_for
    nuke.message, nuke.ask, nuke.tprint, nuke.activeViewer = message, ask, tprint, active
    nuke.menu = nuke.toolbar = menu
    nuke.show = lambda node, forceFloat=False: node.showControlPanel()
    for kind in ("warning", "error", "debug", "critical"):
        setattr(nuke, kind, told(kind))


class MenuItem:
    """A menu, or a command in one."""

    def __init__(self, name: str, command: Any = None, icon: str = "", shortcut: str = "") -> None:
        self._name, self.command, self.icon_name, self.shortcut = name, command, icon, shortcut
        self._items: dict[str, MenuItem] = {}

    def name(self) -> str:
        return self._name

    def items(self) -> list[MenuItem]:
        return list(self._items.values())

    def addMenu(self, name: str, icon: str = "", *rest: Any, **more: Any) -> MenuItem:
        return self._items.setdefault(name, MenuItem(name, icon=icon))

    def addCommand(
        self, name: str, command: Any = None, shortcut: str = "", icon: str = "", *rest: Any, **more: Any
    ) -> MenuItem:
        self._items[name] = MenuItem(name, command, icon, shortcut)
        return self._items[name]

    def addSeparator(self, *rest: Any) -> None:
        self._items[f"-{len(self._items)}"] = MenuItem("")

    def findItem(self, name: str) -> MenuItem | None:
        return self._items.get(name)

    def invoke(self) -> Any:
        if callable(self.command):
            return self.command()
        return exec(self.command, {"nuke": sys.modules["nuke"]})


def _panel_maker(session: Session) -> Callable[..., Any]:
    def register(widget: str, name: str, id: str, create: bool = False) -> Any:
        session.need_gui("registerWidgetAsPanel")
        session.panels[id] = (widget, name)
        return Panel(widget, name, id) if create else None

    return register


class Panel:
    """What ``registerWidgetAsPanel`` gives back when it is to be shown."""

    def __init__(self, widget: str, name: str, id: str) -> None:
        self.widget, self.name, self.id = widget, name, id
        self.pane: Any = None
        self.shown = False

    def show(self) -> None:
        self.shown = True

    def addToPane(self, pane: Any = None) -> Panel:
        self.pane = pane
        return self


def _undo(nuke: Any, session: Session) -> None:
    class Undo:
        def __init__(self, name: str = "") -> None:
            self._name = name

        def __enter__(self) -> Undo:
            session.begin_undo(self._name)
            return self

        def __exit__(self, *error: Any) -> None:
            session.end_undo()

        @staticmethod
        def begin(name: str = "") -> None:
            session.begin_undo(name)

        @staticmethod
        def name(name: str) -> None:
            pass

        @staticmethod
        def end() -> None:
            session.end_undo()

        @staticmethod
        def cancel() -> None:
            session.end_undo()
            session.undo()

        @staticmethod
        def disable() -> None:
            session.undo_off += 1

        @staticmethod
        def enable() -> None:
            session.undo_off = max(0, session.undo_off - 1)

        @staticmethod
        def disabled() -> bool:
            return session.undo_off > 0

        @staticmethod
        def undo() -> None:
            session.undo()

        @staticmethod
        def redo() -> None:
            session.undo(back=False)

        @staticmethod
        def undoSize() -> int:
            return len(session.undo_stack)

    nuke.Undo = Undo
    nuke.undo = lambda: session.undo()
    nuke.redo = lambda: session.undo(back=False)
