"""The face of the prompt window: its widgets, and how they show what is known."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Optional, Tuple

from ..contract.frames_to_check import frames_to_check
from . import theme
from .canvas import Canvas, Overlay, Scene
from .control_row import ControlRow, time_left
from .frame_bar import FrameBar
from .qt import QtCore, QtWidgets
from .session import Session
from .shot_edits import ShotEdits, ready_objects, unready_names
from .side_panel import SidePanel


class WindowFace(QtWidgets.QWidget):
    """Shows a session and the artist's edits; changes neither and asks for nothing."""

    def __init__(self, session: Session, edits: ShotEdits, title: str, parent: Any = None) -> None:
        super().__init__(parent)
        self.session = session
        self.edits = edits
        self.canvas, self.frame_bar = Canvas(), FrameBar()
        self.controls, self.side = ControlRow(), SidePanel()
        self.status = QtWidgets.QLabel()
        self.hover_on = self.follow = True
        #: The frame whose picture is seen: while another is on its way, not the current one.
        self.seen_frame: Optional[int] = None
        #: Frames to check, ascending, with their reasons.
        self.marks: Dict[int, Tuple[str, ...]] = {}
        self._judged: Tuple[int, FrozenSet[str]] = (-1, frozenset())
        self._said: Tuple[str, bool] = ("", False)
        self.setObjectName("efficienttam_prompt_window")
        self.setWindowTitle("Prompts: {}".format(title))
        self.setStyleSheet(theme.STYLE)
        self._lay_out()

    def say(self, words: str, trouble: bool) -> None:
        """A sentence for the status line; empty for the one that tells the state."""
        self._said = (words, trouble)
        self._show_status()

    def show_state(self) -> None:
        """Shows all that is known, asking for nothing."""
        edits, tracking = self.edits, self.session.tracking
        sheet, frame = edits.sheet, edits.frame
        ready = ready_objects(sheet)
        names = {thing.name for thing in sheet.objects}
        self._judge(frozenset(names))
        stale = tracking.sent is not None and tracking.sent != ready
        self.frame_bar.set_frame(frame)
        self.frame_bar.set_marks(self._prompted_colors(), self.session.shelf.frames(names), self.marks, stale)
        self.side.objects.show_sheet(sheet, edits.current)
        self.side.prompts.show_sheet(sheet, edits.current, frame)
        self.side.checks.show_marks(self.marks, frame)
        scene = self.canvas.scene
        self.side.show_toggles(overlay=scene.overlay, alpha=scene.alpha, hover=self.hover_on)
        self.controls.show_frame(frame)
        undo, redo = edits.last_change, edits.next_change
        self.controls.show_edits(undo.what if undo else None, redo.what if redo else None)
        self.controls.show_tracking(tracking.running, bool(ready), tracking.progress)
        self.controls.buttons["follow"].setChecked(self.follow)
        self._show_frame()
        self._show_status()

    def _judge(self, names: FrozenSet[str]) -> None:
        """Finds the frames to check anew where scores or objects changed."""
        shelf = self.session.shelf
        if self._judged == (shelf.changes, names):
            return
        self._judged = (shelf.changes, names)
        self.marks = frames_to_check(
            {
                frame: {name: matte.score for name, matte in known.items() if name in names}
                for frame, known in shelf.scores.items()
            }
        )

    def _lay_out(self) -> None:
        self.status.setWordWrap(True)
        self.status.setFixedHeight(32)
        self.status.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        above = QtWidgets.QHBoxLayout()
        above.setSpacing(6)
        above.addWidget(self.canvas, 1)
        above.addWidget(self.side)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(above, 1)
        layout.addWidget(self.frame_bar)
        layout.addWidget(self.controls)
        layout.addWidget(self.status)

    def _show_frame(self) -> None:
        """Shows the current frame; the one before it until its picture is there."""
        frame, scene = self.edits.frame, self.canvas.scene
        picture = self.session.picture(frame)
        if picture is None:
            if scene.picture is None:
                self.canvas.show_scene(Scene(words=self._said[0] or "No picture yet."))
            return
        self.seen_frame = frame
        overlays = []
        for thing in self.edits.sheet.visible:
            image = self.session.shelf.image(frame, thing.name)
            if image is not None:
                overlays.append(Overlay(image, thing.color, thing.id == self.edits.current))
        current, hover = self.edits.object, self.session.hover
        color = current.color if current else "#ffffff"
        self.canvas.show_scene(
            Scene(
                picture=picture,
                overlays=tuple(overlays),
                hover=Overlay(hover[1], color) if hover and hover[0] == frame else None,
                prompt=self.edits.prompt,
                color=color,
                opacity=self.side.opacity.value() / 100,
                overlay=scene.overlay,
                alpha=scene.alpha,
            )
        )

    def _prompted_colors(self) -> Dict[int, str]:
        colors: Dict[int, str] = {}
        for thing in self.edits.sheet.objects:
            for frame in thing.prompted:
                if frame not in colors or thing.id == self.edits.current:
                    colors[frame] = thing.color
        return colors

    def _show_status(self) -> None:
        words, trouble = self._said
        words = words or self._state()
        self.status.setText(words)
        self.status.setToolTip(words)
        self.status.setStyleSheet("color: {};".format(theme.TROUBLE if trouble else theme.TEXT))

    def _state(self) -> str:
        """What is going on, in one sentence."""
        tracking, thing, frame = self.session.tracking, self.edits.object, self.edits.frame
        if tracking.running:
            progress = tracking.progress
            if tracking.words or progress is None:
                return tracking.words or "Tracking..."
            left = "" if progress.seconds_left is None else ", " + time_left(progress.seconds_left)
            return "Tracking: {} of {} mattes{}.".format(progress.done, progress.mattes, left)
        if not self.session.alive:
            return "The engine rests; what you do next starts it."
        if unready_names(self.edits.sheet):
            return "Click on {}: so far it is only said what it is not.".format(
                ", ".join(unready_names(self.edits.sheet))
            )
        changed = tracking.sent != ready_objects(self.edits.sheet)
        if frame in self.marks and not (changed and self.edits.prompt):
            return "Frame {}: check {}.".format(frame, "; ".join(self.marks[frame]))
        if thing is None or not thing.prompts:
            name = "the object" if thing is None else thing.name
            return "Click on {} to include, Shift-click to exclude, or drag a box around it.".format(name)
        if changed:
            return "Frame {}: correct {} with clicks, or press T to track.".format(frame, thing.name)
        return "Frame {}: {} is tracked.".format(frame, thing.name)
