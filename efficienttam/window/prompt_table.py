"""The table of prompts: objects down, prompted frames across."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from ..contract.prompt_sheet import PromptSheet, in_signs
from .notice import Notice
from .qt import QtCore, QtGui, QtWidgets


class PromptTable(QtWidgets.QTableWidget):
    """A cell per object and prompted frame; a click on one tells ``chosen`` with both, to go there."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.chosen = Notice()
        self._sheet = PromptSheet()
        self._shown: Any = None
        self.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.setToolTip("Prompts by object and frame. Click on one to go there.")
        self.horizontalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(84)
        self.cellClicked.connect(self._clicked)
        self.horizontalHeader().sectionClicked.connect(self._frame_clicked)

    def show_sheet(self, sheet: PromptSheet, current: str, frame: int) -> None:
        """Shows the prompts of a sheet, the cell of the current object and frame selected."""
        if (sheet, current, frame) == self._shown:
            return
        self._shown = (sheet, current, frame)
        if sheet != self._sheet or not self.rowCount():
            self._sheet = sheet
            self._fill()
        self.clearSelection()
        place = self._place(current, frame)
        if place is not None:
            self.setCurrentCell(*place)

    def _fill(self) -> None:
        objects, frames = self._sheet.objects, self._sheet.prompted
        self.clear()
        self.setRowCount(len(objects))
        self.setColumnCount(len(frames))
        self.setHorizontalHeaderLabels([str(frame) for frame in frames])
        self.setVerticalHeaderLabels([thing.name for thing in objects])
        for row, thing in enumerate(objects):
            for column, frame in enumerate(frames):
                prompt = thing.prompt_on(frame)
                if prompt is not None:
                    item = QtWidgets.QTableWidgetItem(in_signs(prompt))
                    item.setTextAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
                    item.setForeground(QtGui.QBrush(QtGui.QColor(thing.color)))
                    self.setItem(row, column, item)

    def _place(self, id: str, frame: int) -> Optional[Tuple[int, int]]:
        rows = [thing.id for thing in self._sheet.objects]
        frames = self._sheet.prompted
        if id not in rows or frame not in frames:
            return None
        return rows.index(id), frames.index(frame)

    def _clicked(self, row: int, column: int) -> None:
        self.chosen.emit(self._sheet.objects[row].id, self._sheet.prompted[column])

    def _frame_clicked(self, column: int) -> None:
        prompted = self._sheet.prompted[column]
        there = [thing for thing in self._sheet.objects if thing.prompt_on(prompted) is not None]
        self.chosen.emit(there[0].id, prompted)
