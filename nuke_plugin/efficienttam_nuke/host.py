"""Nuke itself, as far as it is no node: its window, its clock, its undo, its script and its frame.

All of it on the main thread.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Iterator, List, Optional, Tuple

import nuke

from efficienttam.contract.errors import EfficientTAMError
from efficienttam.contract.sequence import parse_frames


def has_window() -> bool:
    """False in a terminal and on a farm: no dialogs, no timers, everything waits."""
    return bool(nuke.GUI)


def frame() -> int:
    """The script's current frame, a frame of the plate's own numbering."""
    return int(nuke.frame())


def go_to(number: int) -> None:
    """Moves the script to a frame."""
    nuke.frame(number)


def views() -> Tuple[str, ...]:
    """The script's views in their order; one, usually ``main``, unless it is stereo."""
    return tuple(nuke.views())


def script_name() -> str:
    """The script's file with its whole path; empty while it was never saved."""
    name = str(nuke.root()["name"].value() or "")
    return "" if name in ("", "Root") else os.path.abspath(name).replace("\\", "/")


def script_range() -> Tuple[int, int]:
    """First and last frame of the project settings."""
    root = nuke.root()
    return int(root["first_frame"].value()), int(root["last_frame"].value())


def viewer_range() -> Tuple[int, int]:
    """In and out point of the active Viewer; the script's range where none are set."""
    window = nuke.activeViewer() if has_window() else None
    if window is None:
        return script_range()
    lock, knob = (window.node().knob(name) for name in ("frame_range_lock", "frame_range"))
    if lock is not None and not bool(lock.value()):
        # A range of earlier on may stand there still.
        return script_range()
    try:
        frames = parse_frames(str(knob.value()))
    except (EfficientTAMError, AttributeError):
        return script_range()
    return frames[0], frames[-1]


def when_script_opens(call: Callable[[], None]) -> None:
    """Has ``call`` called once a script was opened, in a terminal too."""
    nuke.addOnScriptLoad(call)


def when_script_is_saved(call: Callable[[], None]) -> None:
    """Has ``call`` called before the script is written."""
    nuke.addOnScriptSave(call)


def when_script_closes(call: Callable[[], None]) -> None:
    """Has ``call`` called before the script's nodes go."""
    nuke.addOnScriptClose(call)


def say(text: str) -> None:
    """A line in the Script Editor, or on the terminal where there is no window."""
    if has_window():
        # Nuke shows in the Script Editor what Python prints; its own tprint goes to the terminal.
        print(text, flush=True)
    else:
        nuke.tprint(text)


def ask(question: str) -> bool:
    """Yes or no before something is destroyed. Without a window nobody is asked, and it is yes."""
    return bool(nuke.ask(question)) if has_window() else True


@contextlib.contextmanager
def undoable(what: str) -> Iterator[None]:
    """All changes inside are one step of Nuke's undo, called ``what``."""
    undo = nuke.Undo()
    undo.begin(what)
    try:
        yield
    finally:
        undo.end()


@contextlib.contextmanager
def without_undo() -> Iterator[None]:
    """Changes inside leave no trace in Nuke's undo: what a status line says is nothing to undo."""
    undo = nuke.Undo()
    undo.disable()
    try:
        yield
    finally:
        undo.enable()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """The frame, the selection and the proxy switch are afterwards as they were; proxy is off inside.

    To switch proxy off and on again is nothing to undo.
    """
    now = nuke.frame()
    with keeping_selection(), full_size():
        try:
            yield
        finally:
            if nuke.frame() != now:
                nuke.frame(now)


@contextlib.contextmanager
def full_size() -> Iterator[None]:
    """Proxy is off inside. Never in a callback, which this would call in its turn."""
    proxy = bool(nuke.root()["proxy"].value())
    try:
        if proxy:
            _set_proxy(False)
        yield
    finally:
        if proxy:
            _set_proxy(True)


def _set_proxy(on: bool) -> None:
    with without_undo():
        nuke.root()["proxy"].setValue(on)


@contextlib.contextmanager
def keeping_selection() -> Iterator[None]:
    """Nothing is selected inside; afterwards what was before."""
    selected = list(nuke.selectedNodes())
    _select([])
    try:
        yield
    finally:
        _select(selected)


def _select(nodes: List[nuke.Node]) -> None:
    for node in nuke.selectedNodes():
        node.setSelected(False)
    for node in nodes:
        node.setSelected(True)


def folder_of_nuke() -> str:
    """Where Nuke is installed: what it put into PATH for itself is not for the engine."""
    return os.path.dirname(str(nuke.env["ExecutablePath"]))


class Timer:
    """Calls something every so often on the main thread; only where there is a window and Qt."""

    def __init__(self, milliseconds: int, call: Callable[[], None]) -> None:
        self._timer: Optional[Any] = None
        if not has_window():
            return
        try:
            from efficienttam.window.qt import QtCore
        except ImportError:
            say("EfficientTAM: there is no Qt; progress is not followed.")
            return
        self._timer = QtCore.QTimer()
        self._timer.setInterval(milliseconds)
        self._timer.timeout.connect(call)

    def start(self) -> None:
        """From now on, until ``stop``."""
        if self._timer is not None and not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """No more."""
        if self._timer is not None:
            try:
                self._timer.stop()
            except RuntimeError:
                # Nuke is ending, and Qt went first.
                self._timer = None


def groups() -> List[nuke.Group]:
    """Every Group of the script, those inside of others too."""
    found = nuke.allNodes("Group", group=nuke.root(), recurseGroups=True)
    return [node for node in found if isinstance(node, nuke.Group)]


def register_panel(expression: str, name: str, id: str) -> None:
    """Makes a panel known to Nuke's menus and layouts; ``expression`` gives what makes its widget."""
    import nukescripts

    nukescripts.panels.registerWidgetAsPanel(expression, name, id)


def show_panel(expression: str, name: str, id: str) -> None:
    """Opens the panel in the pane of the Viewer, or by itself where there is none."""
    import nukescripts

    panel = nukescripts.panels.registerWidgetAsPanel(expression, name, id, True)
    pane = nuke.getPaneFor("Viewer.1")
    if pane is not None:
        panel.addToPane(pane)
    else:
        panel.show()
