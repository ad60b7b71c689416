"""The buttons' signs, drawn here: fonts and themes of hosts differ."""

from __future__ import annotations

from typing import Any

from . import theme
from .qt import QtCore, QtGui

_SIZE = 16
_BACK = ((10.5, 3), (10.5, 13), (4.5, 8))
_DIAMOND = ((11, 4), (15, 8), (11, 12), (7, 8))
_SHAPES = {
    "back": (_BACK,),
    "first": (((4, 3), (4, 13), (2.5, 13), (2.5, 3)), ((13, 3), (13, 13), (6, 8))),
    "prompt_back": (((5.5, 4), (5.5, 12), (1, 8)), _DIAMOND),
    "check_back": (((5.5, 4), (5.5, 12), (1, 8)), ((7, 4), (15, 4), (11, 12))),
}
#: Signs that are others seen in a mirror.
_MIRRORED = {"on": "back", "last": "first", "prompt_on": "prompt_back", "check_on": "check_back"}


def icon(name: str) -> Any:
    """The QIcon of a command: back, on, first, last, prompt_back, prompt_on, check_back, check_on."""
    image = QtGui.QPixmap(2 * _SIZE, 2 * _SIZE)
    image.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.scale(2, 2)
    if name in _MIRRORED:
        painter.translate(_SIZE, 0)
        painter.scale(-1, 1)
    painter.setPen(QtCore.Qt.PenStyle.NoPen)
    for number, corners in enumerate(_SHAPES[_MIRRORED.get(name, name)]):
        red = number == 1 and "look" in name
        painter.setBrush(QtGui.QColor(theme.CHECK if red else theme.TEXT))
        painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in corners]))
    painter.end()
    return QtGui.QIcon(image)
