"""The row of buttons below the frame bar: moving, undo, tracking and how far it is."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ..contract.messages import Progress
from .icons import icon
from .key_table import BY_NAME
from .notice import Notice
from .qt import QtCore, QtGui, QtWidgets

_MOVES = ("first", "prompt_back", "back", "", "on", "prompt_on", "last", "check_back", "check_on")
_WORDS = {"undo": "Undo", "redo": "Redo", "follow": "Follow", "track": "Track", "stop": "Stop"}


class ControlRow(QtWidgets.QWidget):
    """Tells ``wished`` with the name of a command of the key table, ``typed`` with a frame number."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.wished = Notice()
        self.typed = Notice()
        self.buttons: Dict[str, Any] = {}
        self.frame = QtWidgets.QLineEdit()
        self.frame.setFixedWidth(58)
        self.frame.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.frame.setValidator(QtGui.QIntValidator(-(10**7), 10**7, self))
        self.frame.setToolTip("Current frame. Type another and press Enter to go there.")
        self.frame.setFocusPolicy(QtCore.Qt.FocusPolicy.ClickFocus)
        self.frame.returnPressed.connect(lambda: self.typed.emit(int(self.frame.text())))
        self.progress = QtWidgets.QProgressBar()
        self.progress.setToolTip("Mattes made of those to make, and the time left.")
        self.progress.setMinimumWidth(150)
        self.progress.setFixedHeight(20)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for name in _MOVES:
            layout.addWidget(self._button(name) if name else self.frame)
        layout.addSpacing(8)
        for name in ("undo", "redo"):
            layout.addWidget(self._button(name))
        layout.addSpacing(8)
        layout.addWidget(self.progress, 1)
        self._button("follow").setCheckable(True)
        for name in ("follow", "track", "stop"):
            layout.addWidget(self.buttons.get(name) or self._button(name))

    def show_frame(self, frame: int) -> None:
        """Shows the current frame, unless another is being typed."""
        if not self.frame.hasFocus():
            self.frame.setText(str(frame))

    def show_edits(self, undo: Optional[str], redo: Optional[str]) -> None:
        """Tells in the buttons' tooltips what undo and redo would do; None where nothing."""
        for name, what in (("undo", undo), ("redo", redo)):
            self.buttons[name].setEnabled(what is not None)
            more = "" if what is None else "\n{}".format(what)
            self.buttons[name].setToolTip(BY_NAME[name].hint + more)

    def show_tracking(self, running: bool, can_track: bool, progress: Optional[Progress]) -> None:
        """Shows whether tracking runs and how far it is."""
        self.buttons["track"].setEnabled(can_track and not running)
        self.buttons["stop"].setEnabled(running)
        if not running:
            self.progress.setRange(0, 1)
            self.progress.setValue(0)
            self.progress.setFormat("")
        elif progress is None or not progress.mattes:
            self.progress.setRange(0, 0)
        else:
            self.progress.setRange(0, progress.mattes)
            self.progress.setValue(min(progress.done, progress.mattes))
            left = "" if progress.seconds_left is None else ", " + time_left(progress.seconds_left)
            self.progress.setFormat("{} of {}{}".format(progress.done, progress.mattes, left))

    def _button(self, name: str) -> Any:
        button = QtWidgets.QToolButton()
        if name in _WORDS:
            button.setText(_WORDS[name])
        else:
            button.setIcon(icon(name))
            button.setStyleSheet("padding: 2px 3px;")
        button.setToolTip(BY_NAME[name].hint)
        button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda *_: self.wished.emit(name))
        self.buttons[name] = button
        return button


def time_left(seconds: float) -> str:
    """``about 40 s left``, ``about 3 min left``."""
    if seconds < 90:
        return "about {:.0f} s left".format(max(seconds, 1))
    if seconds < 5400:
        return "about {:.0f} min left".format(seconds / 60)
    return "about {:.1f} h left".format(seconds / 3600)
