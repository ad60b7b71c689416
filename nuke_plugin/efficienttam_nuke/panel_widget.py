"""A frame for prompt windows: it shows that of one node, or says how to come by one."""

from __future__ import annotations

import functools
from typing import Any, Optional

from efficienttam.contract.errors import EfficientTAMError
from efficienttam.window.prompt_window import PromptWindow
from efficienttam.window.qt import QtCore, QtWidgets
from efficienttam.window.session import Session

from . import jobs
from .node_shot import NodeShot


class PanelWidget(QtWidgets.QWidget):
    """What Nuke puts into a pane."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._layout = QtWidgets.QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._hint = QtWidgets.QLabel("Press Open prompt window on an EfficientTAM node.")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._layout.addWidget(self._hint)
        self._window: Optional[Any] = None
        self._shot: Optional[NodeShot] = None

    def show_node(self, uuid: str) -> None:
        """Shows another node; an error stands in the place of its window."""
        if self._shot is not None and self._shot.uuid == uuid:
            return
        self.shut()
        try:
            shot = NodeShot(uuid)
            window = PromptWindow(shot, jobs.session().client(), self)
        except EfficientTAMError as error:
            self._hint.setText(str(error))
            return
        # Nuke need not close a panel before it deletes it.
        window.destroyed.connect(functools.partial(_deleted, window.session, shot))
        self._shot, self._window = shot, window
        self._hint.hide()
        self._layout.addWidget(window)

    def shut(self) -> None:
        """Closes the window of the node at hand; a tracking that it began goes on."""
        if self._window is not None:
            self._window.shut()
            self._layout.removeWidget(self._window)
            self._window.deleteLater()
            self._window = None
        if self._shot is not None:
            self._shot.leave()
            self._shot = None
        self._hint.show()

    def is_alive(self) -> bool:
        """False once Nuke has deleted the widget behind this object, or put it away."""
        try:
            return bool(self.isVisible() or self.parent() is not None)
        except RuntimeError:
            return False

    def is_seen(self) -> bool:
        """False while it is hidden too, behind another tab say."""
        try:
            return bool(self.isVisible())
        except RuntimeError:
            return False

    def closeEvent(self, event: Any) -> None:
        self.shut()
        super().closeEvent(event)


def _deleted(session: Session, shot: NodeShot, *_: Any) -> None:
    """After a window has gone in whatever way: nobody speaks to its widgets any more."""
    session.close()
    shot.leave(tell=False)
