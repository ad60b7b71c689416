"""The list of frames to check, with their reasons."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..contract.frames_to_check import run_starts
from .notice import Notice
from .qt import QtCore, QtWidgets

#: Lines at most: thousands of them would be slow to make, and nobody reads on.
LINES = 200


class CheckList(QtWidgets.QListWidget):
    """A line for every run of frames to check; a click tells ``chosen`` with its first frame."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.chosen = Notice()
        self._shown: Any = None
        self._runs: List[Tuple[int, int]] = []
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(QtCore.Qt.TextElideMode.ElideRight)
        self.setToolTip("Frames to check and why. Click on one to go there.")
        self.setMinimumHeight(60)
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(QtCore.Qt.ItemDataRole.UserRole)))

    def show_marks(self, marks: Mapping[int, Sequence[str]], frame: int) -> None:
        """Shows frames with their reasons; the run that holds ``frame`` is selected."""
        known = {other: tuple(reasons) for other, reasons in marks.items()}
        if self._shown != known:
            self._shown = known
            self._fill(known)
        self.clearSelection()
        for row in range(self.count()):
            first, last = self._runs[row]
            if first <= frame <= last:
                self.setCurrentRow(row)

    def _fill(self, marks: Dict[int, Tuple[str, ...]]) -> None:
        self.clear()
        starts = run_starts(tuple(marks))
        self._runs = []
        for first in starts[:LINES]:
            last = first
            while last + 1 in marks:
                last += 1
            told = list(dict.fromkeys(text for frame in range(first, last + 1) for text in marks[frame]))
            where = str(first) if first == last else "{}-{}".format(first, last)
            item = QtWidgets.QListWidgetItem("{}  {}".format(where, told[0]))
            item.setToolTip("\n".join([where, *told[:12]]))
            item.setData(QtCore.Qt.ItemDataRole.UserRole, first)
            self.addItem(item)
            self._runs.append((first, last))
