"""The list of objects: which is current, how each is shown."""

from __future__ import annotations

from typing import Any, Dict

from ..contract.prompt_sheet import PromptSheet, SheetObject
from ..contract.region import Follow
from . import theme
from .notice import Notice
from .qt import QtCore, QtGui, QtWidgets

#: What the mark of an object with a region tells.
_FOLLOWS = {
    Follow.TRACK: "Tracked inside a region that follows the object.",
    Follow.PROMPTS: "Tracked inside a region that goes by the object's prompts.",
    Follow.DRAWN: "Tracked inside a region that was drawn.",
}
_NO_FOCUS = QtCore.Qt.FocusPolicy.NoFocus


class ObjectList(QtWidgets.QScrollArea):
    """A row per object: colour, name, prompts, solo, mute, remove. Tells wishes by the object's id."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.chosen = Notice()
        self.renamed = Notice()
        self.recolored = Notice()
        self.soloed = Notice()
        self.muted = Notice()
        self.removed = Notice()
        self.setWidgetResizable(True)
        self.setFocusPolicy(_NO_FOCUS)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(64)
        self._shown: Any = None
        self._rows: Dict[str, Any] = {}
        self._fill(PromptSheet())

    def show_sheet(self, sheet: PromptSheet, current: str) -> None:
        """Shows the objects of a sheet. Rows stay where the objects do: the second press of a double click,
        and a name that is being typed, find the row of the first."""
        shown = (sheet, current)
        if shown == self._shown:
            return
        self._shown = shown
        if [thing.id for thing in sheet.objects] != list(self._rows):
            self._fill(sheet)
        for number, thing in enumerate(sheet.objects, 1):
            self._rows[thing.id].show_object(thing, number, thing.id == current)

    def rename(self, id: str) -> None:
        """Lets the artist type another name for an object."""
        row = self._rows.get(id)
        if row is not None:
            row.edit()

    def row(self, id: str) -> Any:
        """The row of an object; None where there is none."""
        return self._rows.get(id)

    def _fill(self, sheet: PromptSheet) -> None:
        for row in self._rows.values():
            # A name that was being typed in a row that goes is nobody's.
            row.field.blockSignals(True)
        inside = QtWidgets.QWidget()
        inside.setStyleSheet("background: {};".format(theme.FIELD))
        layout = QtWidgets.QVBoxLayout(inside)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(1)
        self._rows = {}
        for thing in sheet.objects:
            self._rows[thing.id] = _ObjectRow(self, thing)
            layout.addWidget(self._rows[thing.id])
        if not sheet.objects:
            hint = QtWidgets.QLabel("Click on the plate:\nthe first object comes by itself.")
            hint.setStyleSheet("color: {};".format(theme.DIM))
            hint.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(hint)
        layout.addStretch(1)
        before = self.takeWidget()
        if before is not None:
            # Later: it may be one of its buttons that was pressed.
            before.hide()
            before.deleteLater()
        self.setWidget(inside)


class _ObjectRow(QtWidgets.QFrame):
    """One object; a press on it makes it current, a double click renames it."""

    def __init__(self, listing: ObjectList, thing: SheetObject) -> None:
        super().__init__()
        self._listing, self._thing = listing, thing
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(4, 2, 2, 2)
        layout.setSpacing(4)
        self.color = self._button("", "Choose another colour.", listing.recolored)
        self.color.setFixedSize(14, 14)
        layout.addWidget(self.color)
        self.name = QtWidgets.QLabel()
        self.field = QtWidgets.QLineEdit()
        self.field.setVisible(False)
        self.field.editingFinished.connect(self._named)
        layout.addWidget(self.name, 1)
        layout.addWidget(self.field, 1)
        self.region = QtWidgets.QLabel("▣")
        self.region.setStyleSheet("color: {};".format(theme.DIM))
        layout.addWidget(self.region)
        self.count = QtWidgets.QLabel()
        self.count.setStyleSheet("color: {};".format(theme.DIM))
        self.count.setToolTip("Prompted frames.")
        layout.addWidget(self.count)
        self.solo = self._button(
            "S", "Solo: show only this one and others that are solo (S).", listing.soloed
        )
        self.mute = self._button("M", "Mute: do not show this one (M).", listing.muted)
        self.remove = self._button("×", "Remove the object (Shift+Del).", listing.removed)
        for button in (self.solo, self.mute):
            button.setCheckable(True)
        for button in (self.solo, self.mute, self.remove):
            layout.addWidget(button)

    def show_object(self, thing: SheetObject, number: int, current: bool) -> None:
        """Shows the object as it is now, the ``number``-th of the list."""
        self._thing = thing
        shade = "#555555" if current else theme.FIELD
        self.setStyleSheet("_ObjectRow, QLabel {{ background: {}; }}".format(shade))
        key = " (key {})".format(number) if number < 10 else ""
        self.setToolTip("{}{}: click to choose it, double-click to rename it.".format(thing.name, key))
        self.color.setStyleSheet(
            "background: {}; border: 1px solid #1c1c1c; border-radius: 2px;".format(thing.color)
        )
        self.name.setText(thing.name)
        font = self.name.font()
        font.setBold(current)
        self.name.setFont(font)
        self.region.setVisible(thing.region is not None)
        if thing.region is not None:
            self.region.setToolTip(_FOLLOWS[thing.region.follow])
        self.count.setText(str(len(thing.prompts)) if thing.prompts else "")
        self.solo.setChecked(thing.solo)
        self.mute.setChecked(thing.mute)

    def edit(self) -> None:
        """Shows the field to type a name in."""
        self.name.setVisible(False)
        self.field.setText(self._thing.name)
        self.field.setVisible(True)
        self.field.setFocus()
        self.field.selectAll()

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._listing.chosen.emit(self._thing.id)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        self._listing.rename(self._thing.id)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == QtCore.Qt.Key.Key_Escape and self.field.isVisible():
            self.field.setText(self._thing.name)
            self._named()
        else:
            super().keyPressEvent(event)

    def _named(self) -> None:
        if self.field.isVisible():
            text = self.field.text().strip()
            self.field.setVisible(False)
            self.name.setVisible(True)
            self._listing.chosen.emit(self._thing.id)
            # Last: choosing an object would take back what the status line tells of a name that is refused.
            if text != self._thing.name:
                self._listing.renamed.emit(self._thing.id, text)

    def _button(self, text: str, hint: str, wish: Any) -> Any:
        button = _small(text, hint)
        id = self._thing.id
        button.clicked.connect(lambda *_: wish.emit(id))
        return button


def _small(text: str, hint: str) -> Any:
    button = QtWidgets.QToolButton()
    button.setText(text)
    button.setToolTip(hint)
    button.setFocusPolicy(_NO_FOCUS)
    button.setFixedSize(20, 18)
    button.setStyleSheet("padding: 0;")
    return button


def ask_color(parent: Any, color: str) -> str:
    """The colour that the artist chooses, as #rrggbb; empty where he chooses none."""
    chosen = QtWidgets.QColorDialog.getColor(QtGui.QColor(color), parent, "Colour of the object")
    return str(chosen.name()) if chosen.isValid() else ""


def ask_removal(parent: Any, question: str) -> bool:
    """True when the artist says yes: asked only before words of his are thrown away."""
    buttons = QtWidgets.QMessageBox.StandardButton
    answer = QtWidgets.QMessageBox.question(
        parent, "Remove an object", question, buttons.Yes | buttons.No, buttons.No
    )
    return bool(answer == buttons.Yes)
