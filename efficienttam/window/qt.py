"""Qt as one of two bindings has it: the one file that tells PySide6 from PySide2.

Raises ImportError on import where there is neither.
"""

from __future__ import annotations

import sys
from typing import Any

try:
    from PySide6 import QtCore, QtGui, QtWidgets
except ImportError:
    from PySide2 import QtCore, QtGui, QtWidgets  # type: ignore[no-redef]

__all__ = ["QtCore", "QtGui", "QtWidgets", "position", "run", "sound"]


def position(event: Any) -> tuple[float, float]:
    """Where a mouse or wheel event is, in pixels of its widget, from the top left."""
    point = event.position() if hasattr(event, "position") else event.localPos()
    return float(point.x()), float(point.y())


def run(thing: Any) -> int:
    """Runs an application or a dialog until it ends."""
    return int(thing.exec() if hasattr(thing, "exec") else thing.exec_())


def sound() -> bool:
    """False where the binding would end the process after a while.

    PySide6 6.12 on a Python before 3.12 gives back a None that it does not own with every call that
    returns nothing; when none is left Python aborts.
    """
    calls = 64
    rectangle = QtCore.QRect()
    before = sys.getrefcount(None)
    for _ in range(calls):
        rectangle.setWidth(1)
    return before - sys.getrefcount(None) < calls // 2
