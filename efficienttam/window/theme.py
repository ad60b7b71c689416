"""Colours of the window: neutral greys, so that nothing beside the plate has a hue of its own."""

from __future__ import annotations

SURROUND = "#2a2a2a"
PANEL = "#383838"
FIELD = "#2e2e2e"
LINE = "#4a4a4a"
TEXT = "#d6d6d6"
DIM = "#9a9a9a"
#: Colours that mean something: kept apart from the objects' by shape and place, too.
TRACKED = "#7d7d7d"
STALE = "#565656"
CHECK = "#e0604f"
PLAYHEAD = "#f2f2f2"
TROUBLE = "#f0a090"

STYLE = """
QWidget {{ background: {panel}; color: {text}; font-size: 12px; }}
QToolTip {{ background: {field}; color: {text}; border: 1px solid {line}; }}
QPushButton, QToolButton {{ background: #484848; border: 1px solid #5a5a5a; border-radius: 3px;
    padding: 3px 9px; }}
QPushButton:hover, QToolButton:hover {{ background: #545454; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked, QPushButton:checked {{ background: #6a6a6a; }}
QPushButton:disabled, QToolButton:disabled {{ color: #757575; background: #3e3e3e; }}
QLineEdit {{ background: {field}; border: 1px solid {line}; border-radius: 2px; padding: 1px 3px; }}
QScrollArea, QTableWidget, QListWidget {{ background: {field}; border: 1px solid {line}; }}
QTableWidget {{ gridline-color: {line}; selection-background-color: #5c5c5c; }}
QListWidget {{ selection-background-color: #5c5c5c; selection-color: {text}; }}
QHeaderView::section {{ background: #404040; border: 0; border-right: 1px solid {line};
    border-bottom: 1px solid {line}; padding: 2px 5px; }}
QTableCornerButton::section {{ background: #404040; border: 0; }}
QProgressBar {{ background: {field}; border: 1px solid {line}; border-radius: 2px; text-align: center; }}
QProgressBar::chunk {{ background: #787878; }}
QSlider::groove:horizontal {{ height: 4px; background: {field}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: #a8a8a8; width: 10px; margin: -5px 0; border-radius: 5px; }}
QScrollBar {{ background: {field}; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: #606060; border-radius: 4px; min-height: 20px; min-width: 20px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
""".format(panel=PANEL, text=TEXT, field=FIELD, line=LINE)
