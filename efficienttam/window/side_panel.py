"""What stands beside the frame: objects, prompts, and how mattes are shown."""

from __future__ import annotations

from typing import Any, Dict, Sequence

from .check_list import CheckList
from .key_table import BY_NAME
from .notice import Notice
from .object_list import ObjectList
from .prompt_table import PromptTable
from .qt import QtCore, QtWidgets

_WIDTH = 236
_LABELS = {
    "add": "Add",
    "delete": "Delete",
    "copy": "Copy here",
    "overlay": "Overlay",
    "alpha": "Matte",
    "hover": "Hover",
}


class SidePanel(QtWidgets.QWidget):
    """Tells ``wished`` with the name of a command of the key table."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.wished = Notice()
        self.opacity_changed = Notice()
        self.setFixedWidth(_WIDTH)
        self.objects = ObjectList()
        self.prompts = PromptTable()
        self.checks = CheckList()
        self.buttons: Dict[str, Any] = {}
        self.opacity = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(45)
        self.opacity.setToolTip("How strong the mattes are tinted over the plate; their outlines stay.")
        self.opacity.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._head("Objects", ("add",)))
        layout.addWidget(self.objects, 3)
        layout.addLayout(self._head("Prompts", ("delete", "copy")))
        layout.addWidget(self.prompts, 2)
        layout.addLayout(self._head("To check", ()))
        layout.addWidget(self.checks, 2)
        layout.addLayout(self._head("Show", ("overlay", "alpha", "hover"), toggles=True))
        layout.addWidget(self.opacity)

    def show_toggles(self, **on: bool) -> None:
        """Shows which of overlay, alpha and hover are on."""
        for name, value in on.items():
            self.buttons[name].setChecked(value)

    def _head(self, title: str, names: Sequence[str], toggles: bool = False) -> Any:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(3)
        label = QtWidgets.QLabel(title)
        font = label.font()
        font.setBold(True)
        label.setFont(font)
        row.addWidget(label, 1)
        for name in names:
            button = QtWidgets.QToolButton()
            button.setText(_LABELS[name])
            button.setToolTip(BY_NAME[name].hint)
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
            button.setCheckable(toggles)
            button.setStyleSheet("padding: 2px 6px;")
            button.clicked.connect(lambda *_, wish=name: self.wished.emit(wish))
            self.buttons[name] = button
            row.addWidget(button)
        return row
