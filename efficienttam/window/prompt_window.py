"""The prompt window: one widget that puts all together. A host docks it or shows it by itself."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Tuple

from ..client import WorkerClient
from ..contract.errors import EfficientTAMError
from ..contract.frames_to_check import run_starts
from ..contract.prompt_sheet import SheetObject
from .canvas import Scene
from .key_table import BY_KEY, DIGITS
from .object_list import ask_color, ask_removal
from .qt import QtCore, QtGui, QtWidgets
from .session import HOVER, Session
from .shot import Shot
from .shot_edits import ShotEdits, beside, ready_objects
from .window_face import WindowFace

#: Milliseconds that a frame is looked at before the worker readies it for clicks.
REST_MS = 150
#: Milliseconds that the mouse rests before it is asked what a click would select.
HOVER_MS = 40
_MODIFIERS = (
    (QtCore.Qt.KeyboardModifier.ControlModifier, "Ctrl+"),
    (QtCore.Qt.KeyboardModifier.AltModifier, "Alt+"),
    (QtCore.Qt.KeyboardModifier.ShiftModifier, "Shift+"),
)


class PromptWindow(WindowFace):
    """Shows a shot, takes prompts, previews and tracks them. ``client`` is the host's and stays open.

    The host calls ``shut`` when the window goes for good.
    """

    def __init__(self, shot: Shot, client: WorkerClient, parent: Any = None) -> None:
        edits = ShotEdits(shot.sheet, shot.frame, lambda: shot.taken_names)
        super().__init__(Session(client, shot), edits, shot.title, parent)
        self.shot = shot
        self._place: Optional[Tuple[float, float]] = None
        self._readied: Any = None
        self._rest = _single_shot(self, REST_MS, self._rested)
        self._still = _single_shot(self, HOVER_MS, self._ask_hover)
        self._commands = self._by_name()
        self._connect()
        self.refresh()

    def sizeHint(self) -> Any:
        return QtCore.QSize(1100, 720)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(720, 480)

    def shut(self) -> None:
        """Stops listening and closes the plate.

        Tracking that runs goes on, and the shot is told of it, as long as the host polls its client.
        """
        for timer in (self._rest, self._still):
            timer.stop()
        self.shot.sheet_changed = self.shot.frame_changed = self.shot.plate_changed = lambda: None
        self.session.close()

    def showEvent(self, event: Any) -> None:
        # A panel that a layout restores hidden starts no engine.
        self.session.ready()
        self.canvas.setFocus()

    def event(self, event: Any) -> bool:
        # A host's own shortcuts for these keys would win or clash: here the keys are the window's.
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and not self._typing():
            if self._command_of(event) is not None:
                event.accept()
                return True
        return bool(super().event(event))

    def keyPressEvent(self, event: Any) -> None:
        command = None if self._typing() else self._command_of(event)
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    def do(self, name: str) -> None:
        """Does what a key of the key table does."""
        self._commands[name]()

    def go_to(self, frame: int, tell: bool = True) -> None:
        """Shows another frame, the nearest of the plate; without ``tell`` the host keeps its own."""
        plate = self.session.plate
        if plate is not None:
            frame = min(max(frame, plate.first), plate.last)
        if frame != self.edits.frame:
            self.edits.frame = frame
            self.say("", False)
            if tell:
                self._try(lambda: self.shot.set_frame(frame))
        self._drop_hover()
        self.session.ready()
        self.refresh()

    def refresh(self) -> None:
        """Shows what is known now and asks for what is missing."""
        frame, sheet = self.edits.frame, self.edits.sheet
        if self.session.alive:
            self.session.side = self.canvas.side
            self.session.ask_picture(frame)
            names = [thing.name for thing in sheet.objects]
            wanting = self.session.shelf.wanting(frame, names)
            if wanting:
                self._try(lambda: self.session.ask_mattes(frame, wanting, self.shot.job(sheet).output))
            self._rest.start()
        self.show_state()

    def _rested(self) -> None:
        if self.session.alive and self.seen_frame == self.edits.frame:
            self.session.ask_preview(self.edits.frame, self.edits.sheet)
            self.session.ask_readiness(self.edits.frame, ())

    def _make_ready(self) -> None:
        """The mouse came to the plate: a click may follow, and should not wait for tracking up to here."""
        frame, current = self.edits.frame, self.edits.object
        wanted = (frame, current, self.edits.sheet)
        if current is None or self._readied == wanted or not self.session.alive:
            return
        self._readied = wanted
        named = tuple(thing for thing in ready_objects(self.edits.sheet) if thing.name == current.name)
        if current.prompt_on(frame) is None and named:
            self.session.ask_readiness(frame, named)

    def _connect(self) -> None:
        session, canvas, objects = self.session, self.canvas, self.side.objects
        canvas.clicked.connect(self._clicked)
        canvas.boxed.connect(lambda *sides: self._edit(lambda: self.edits.drag(sides[:2], sides[2:])))
        canvas.erased.connect(lambda *place: self._edit(lambda: self.edits.erase(*place)))
        canvas.hovered.connect(self._hovered)
        canvas.woken.connect(session.ready)
        canvas.left.connect(self._drop_hover)
        canvas.view_changed.connect(self._view_changed)
        self.frame_bar.scrubbed.connect(self.go_to)
        self.controls.typed.connect(self._typed)
        self.controls.wished.connect(self.do)
        self.side.wished.connect(self.do)
        self.side.opacity_changed.connect(self._opacity)
        self.side.prompts.chosen.connect(self._chosen_prompt)
        self.side.checks.chosen.connect(self._typed)
        objects.chosen.connect(self._choose)
        objects.renamed.connect(lambda id, name: self._edit(lambda: self.edits.rename_object(id, name)))
        objects.recolored.connect(self._recolor)
        objects.soloed.connect(lambda id: self._toggle(id, "solo"))
        objects.muted.connect(lambda id: self._toggle(id, "mute"))
        objects.removed.connect(self._remove)
        session.opened.connect(self._opened)
        session.seen.connect(self._seen)
        session.reviewed.connect(self.refresh)
        session.hovered.connect(self.show_state)
        session.told.connect(self.say)
        session.changed.connect(self.show_state)
        session.replaced.connect(self._replaced)
        session.tracking.changed.connect(self.show_state)
        session.tracking.frame_done.connect(self._frame_done)
        session.tracking.ended.connect(self._track_ended)
        self.shot.sheet_changed = self._host_changed_sheet
        self.shot.frame_changed = self._host_moved
        self.shot.plate_changed = self._host_changed_plate

    def _by_name(self) -> Dict[str, Callable[[], Any]]:
        def step(count: int) -> Callable[[], None]:
            return lambda: self.go_to(self.edits.frame + count)

        return {
            "undo": lambda: self._edit(self.edits.undo, "Undo"),
            "redo": lambda: self._edit(self.edits.redo, "Redo"),
            "back": step(-1),
            "on": step(1),
            "back_ten": step(-10),
            "on_ten": step(10),
            "first": lambda: self.go_to(self.frame_bar.first),
            "last": lambda: self.go_to(self.frame_bar.last),
            "prompt_back": lambda: self._go_beside(self.edits.sheet.prompted, -1),
            "prompt_on": lambda: self._go_beside(self.edits.sheet.prompted, 1),
            "check_back": lambda: self._go_beside(run_starts(tuple(self.marks)), -1),
            "check_on": lambda: self._go_beside(run_starts(tuple(self.marks)), 1),
            "track": lambda: self._track(None),
            "track_on": lambda: self._track(self.edits.frame),
            "stop": self.session.tracking.stop,
            "add": lambda: self._edit(self.edits.add_object),
            "rename": lambda: self.side.objects.rename(self.edits.current),
            "remove": lambda: self._with_object(lambda thing: self._remove(thing.id)),
            "solo": lambda: self._with_object(lambda thing: self._toggle(thing.id, "solo")),
            "mute": lambda: self._with_object(lambda thing: self._toggle(thing.id, "mute")),
            "delete": self._delete_prompt,
            "copy": self._copy_prompt,
            "overlay": lambda: self._look(overlay=not self.canvas.scene.overlay),
            "alpha": lambda: self._look(alpha=not self.canvas.scene.alpha),
            "hover": self._toggle_hover,
            "follow": self._toggle_follow,
            "fit": self.canvas.fit,
        }

    def _command_of(self, event: Any) -> Optional[Callable[[], Any]]:
        keys = "".join(word for modifier, word in _MODIFIERS if event.modifiers() & modifier)
        keys += QtGui.QKeySequence(int(event.key())).toString(QtGui.QKeySequence.SequenceFormat.PortableText)
        if keys in DIGITS and 0 < int(keys) <= len(self.edits.sheet.objects):
            return lambda: self._choose(self.edits.sheet.objects[int(keys) - 1].id)
        return self._commands.get(BY_KEY.get(keys, ""))

    def _typing(self) -> bool:
        return isinstance(QtWidgets.QApplication.focusWidget(), QtWidgets.QLineEdit)

    def _try(self, action: Callable[[], Any]) -> Any:
        """Does something of the host's or of the sheet's; tells what it refuses."""
        try:
            return action()
        except EfficientTAMError as error:
            self.session.trouble(error)
            return None

    def _edit(self, action: Callable[[], bool], what: str = "") -> None:
        """Changes the sheet, keeps it with the host and shows what comes of it."""
        standing = self.edits.standing
        before, frame = standing.sheet, standing.frame
        if not self._try(action):
            self.show_state()
            return
        self.say("", False)
        after, last = self.edits.sheet, self.edits.last_change
        refused: Optional[EfficientTAMError] = None
        try:
            self.shot.set_sheet(after, what or (last.what if last else ""))
        except EfficientTAMError as error:
            refused = error
        if refused is not None and self._try(lambda: self.shot.sheet) != after:
            self.edits.go_back(standing)
            self._show_the_hosts_sheet()
            self.show_state()
            self.session.trouble(refused)
            return
        self.session.prompts_changed(before, after)
        if what and {thing.name for thing in before.tracked()} != {thing.name for thing in after.tracked()}:
            # Undo may bring an object back whose mattes are on disk.
            self._ask_review()
        if self.edits.frame != frame:
            self._try(lambda: self.shot.set_frame(self.edits.frame))
        elif self.seen_frame == frame:
            self.session.ask_preview(frame, after)
        self.session.forget_hover()
        self.refresh()
        if refused is not None:
            # Last, so that nothing is told over it.
            self.session.trouble(refused)

    def _clicked(self, x: float, y: float, include: bool) -> None:
        view = self.canvas.view
        if self.seen_frame != self.edits.frame:
            self.say("Frame {} is on its way.".format(self.edits.frame), False)
        elif view is None or not view.holds(x, y):
            self.say("That is off the plate.", False)
        else:
            self._edit(lambda: self.edits.click(round(x, 2), round(y, 2), include))

    def _hovered(self, x: float, y: float) -> None:
        view = self.canvas.view
        inside = view is not None and view.holds(x, y)
        self._place = (round(x, 2), round(y, 2)) if inside else None
        if not inside:
            self._drop_hover()
        elif not self._still.isActive():
            self._still.start()

    def _ask_hover(self) -> None:
        if self._place is not None and self.seen_frame == self.edits.frame:
            self._make_ready()
            if not self.hover_on:
                return
            thing = self.edits.hovered(self._place[0], self._place[1], HOVER)
            self.session.ask_hover(self.edits.frame, thing)

    def _drop_hover(self) -> None:
        self._place = None
        self._still.stop()
        self.session.forget_hover()

    def _choose(self, id: str) -> None:
        self._try(lambda: self.edits.choose(id))
        self.canvas.setFocus()
        self.say("", False)
        self.show_state()

    def _chosen_prompt(self, id: str, frame: int) -> None:
        self.edits.choose(id)
        self.go_to(frame)
        self.canvas.setFocus()

    def _typed(self, frame: int) -> None:
        self.canvas.setFocus()
        self.go_to(frame)

    def _go_beside(self, frames: Tuple[int, ...], step: int) -> None:
        frame = beside(frames, self.edits.frame, step)
        if frame is not None:
            self.go_to(frame)

    def _with_object(self, action: Callable[[SheetObject], None]) -> None:
        if self.edits.object is not None:
            action(self.edits.object)

    def _toggle(self, id: str, what: str) -> None:
        thing = self.edits.sheet.object(id)
        on = not getattr(thing, what)
        sheet = self.edits.sheet
        shown = sheet.shown(id, solo=on) if what == "solo" else sheet.shown(id, mute=on)
        words = "{} {}".format(what.capitalize() if on else "Un" + what, thing.name)
        self._edit(lambda: self.edits.change(shown, words))

    def _recolor(self, id: str) -> None:
        color = ask_color(self, self.edits.sheet.object(id).color)
        if color:
            sheet = self.edits.sheet.shown(id, color=color)
            self._edit(lambda: self.edits.change(sheet, "Colour {}".format(sheet.object(id).name)))

    def _remove(self, id: str) -> None:
        thing = self.edits.sheet.object(id)
        question = "Remove {} with its prompts on {} frame{}?".format(
            thing.name, len(thing.prompts), "" if len(thing.prompts) == 1 else "s"
        )
        if not thing.prompts or ask_removal(self, question):
            self._edit(lambda: self.edits.remove_object(id))

    def _delete_prompt(self) -> None:
        thing = self.edits.object
        if thing is None or thing.prompt_on(self.edits.frame) is None:
            self.say("There is no prompt of the current object on this frame.", False)
        else:
            self._edit(lambda: self.edits.delete_prompt(thing.id, self.edits.frame))

    def _copy_prompt(self) -> None:
        thing = self.edits.object
        prompted = () if thing is None else thing.prompted
        source = beside(prompted, self.edits.frame, -1)
        source = beside(prompted, self.edits.frame, 1) if source is None else source
        if thing is None or source is None:
            self.say("The current object has no prompt on another frame to copy.", False)
            return
        id, frame = thing.id, source
        self._edit(lambda: self.edits.copy_prompt(id, frame))

    def _look(self, overlay: Optional[bool] = None, alpha: Optional[bool] = None) -> None:
        scene = self.canvas.scene
        scene.overlay = scene.overlay if overlay is None else overlay
        scene.alpha = scene.alpha if alpha is None else alpha
        self.show_state()

    def _opacity(self, opacity: float) -> None:
        self.canvas.scene.opacity = opacity
        self.canvas.update()

    def _toggle_hover(self) -> None:
        self.hover_on = not self.hover_on
        self._drop_hover()
        self.show_state()

    def _toggle_follow(self) -> None:
        self.follow = not self.follow
        self.show_state()

    def _track(self, first: Optional[int]) -> None:
        if not self._show_the_hosts_sheet():
            # Nobody knows what the host would take the mattes for.
            return
        if self.session.tracking.start(self.edits.sheet, first):
            self._rest.stop()
            self._drop_hover()
            self.say("", False)
        self.show_state()

    def _frame_done(self, frame: int) -> None:
        if self.follow and frame != self.edits.frame:
            self.go_to(frame)
        elif frame == self.edits.frame:
            self.refresh()

    def _track_ended(self, told: str, trouble: bool) -> None:
        self._ask_review()
        self.refresh()
        count = len(self.marks)
        if count and not trouble:
            told += " {} to check: press L.".format("1 frame" if count == 1 else "{} frames".format(count))
        self.say(told, trouble)

    def _ask_review(self) -> None:
        names = [thing.name for thing in ready_objects(self.edits.sheet)]
        if names and self.session.alive:
            self._try(lambda: self.session.ask_review(names, self.shot.job(self.edits.sheet).output))

    def _opened(self) -> None:
        plate = self.session.plate
        if plate is None:
            return
        view, size = self.canvas.view, (plate.width, plate.height, plate.pixel_aspect)
        if view is None or (view.width, view.height, view.pixel_aspect) != size:
            self.canvas.set_plate(*size)
        self.frame_bar.set_range(plate.first, plate.last)
        self.say("", False)
        self._host_moved()
        self._ask_review()

    def _seen(self, frame: int) -> None:
        if frame == self.edits.frame:
            if not self._rest.isActive() and self.seen_frame != frame:
                self._rest.start()
            self.show_state()

    def _replaced(self, frames: Tuple[int, ...]) -> None:
        self.refresh()
        told = ", ".join(str(frame) for frame in frames)
        self.say("Replaced on disk: frame {}. Track again where mattes are of before.".format(told), False)

    def _view_changed(self) -> None:
        if self.session.side != self.canvas.side:
            self._rest.start()
            self.session.side = self.canvas.side
            if self.session.alive:
                self.session.ask_picture(self.edits.frame)

    def _host_moved(self) -> None:
        frame = self._try(lambda: self.shot.frame)
        if frame is not None:
            # It may lie outside the plate: the window shows the nearest and leaves the host alone.
            self.go_to(frame, tell=False)

    def _host_changed_plate(self) -> None:
        # No click may fall on a picture of the plate before.
        self.seen_frame = None
        self.canvas.view = None
        self.canvas.show_scene(Scene(words="Opening the plate..."))
        self.session.reopen()

    def _host_changed_sheet(self) -> None:
        self._show_the_hosts_sheet()

    def _show_the_hosts_sheet(self) -> bool:
        """False where the host cannot tell what it holds."""
        before, after = self.edits.sheet, self._try(lambda: self.shot.sheet)
        if after is None:
            return False
        if self.edits.change(after, "Change from outside this window"):
            self.session.prompts_changed(before, after)
            self.refresh()
        return True


def _single_shot(parent: Any, milliseconds: int, then: Callable[[], None]) -> Any:
    timer = QtCore.QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer
