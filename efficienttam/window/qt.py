"""Qt as one of two bindings has it: the one file that tells PySide6 from PySide2.

Raises ImportError on import where there is neither.
"""

from __future__ import annotations

from typing import Any

try:
    from PySide6 import QtCore, QtGui, QtWidgets
except ImportError:
    from PySide2 import QtCore, QtGui, QtWidgets  # type: ignore[no-redef]

__all__ = ["QtCore", "QtGui", "QtWidgets", "position", "run"]


def position(event: Any) -> tuple[float, float]:
    """Where a mouse or wheel event is, in pixels of its widget, from the top left."""
    point = event.position() if hasattr(event, "position") else event.localPos()
    return float(point.x()), float(point.y())


def run(thing: Any) -> int:
    """Runs an application or a dialog until it ends."""
    return int(thing.exec() if hasattr(thing, "exec") else thing.exec_())
