"""The Qt that tests of widgets are driven with; without one their file is skipped with a sentence."""

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

try:
    from efficienttam.window.qt import QtCore, QtGui, QtWidgets, sound
except ImportError:
    pytest.skip("Neither PySide6 nor PySide2 is installed.", allow_module_level=True)
try:
    from PySide6.QtTest import QTest
except ImportError:
    from PySide2.QtTest import QTest

if not sound():
    pytest.skip("This PySide6 aborts Pythons before 3.12: use one before 6.12.", allow_module_level=True)

__all__ = ["QTest", "QtCore", "QtGui", "QtWidgets", "application"]


@pytest.fixture(scope="session")
def application():
    yield QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
