"""The prompt window as a panel of Nuke."""

from __future__ import annotations

from typing import Any, Optional

from . import host
from .tracker_node import TrackerNode

NAME = "EfficientTAM"
ID = "efficienttam.prompts"
_WIDGET = "__import__('efficienttam_nuke.panel', fromlist=['make_widget']).make_widget"

#: The panel that is open, and the node it is to show.
_open: Optional[Any] = None
_wanted = ""


def register() -> None:
    """Makes the panel known to Nuke, so that layouts may hold it; it starts nothing."""
    host.register_panel(_WIDGET, NAME, ID)


def open_for(tracker: TrackerNode) -> None:
    """Shows a node in the panel, which is opened where nobody sees it."""
    global _wanted
    _wanted = tracker.uuid
    if _open is not None and _open.is_seen():
        _open.show_node(_wanted)
        return
    if _open is not None and _open.is_alive():
        # Behind another tab, or in a pane that is closed: Nuke has no word to bring it forward.
        tracker.tell("The prompt window was hidden; here it is again.")
        _open.shut()
    host.show_panel(_WIDGET, NAME, ID)


def make_widget() -> Any:
    """The panel's widget, for Nuke; shows the node that was asked for last."""
    global _open
    from .panel_widget import PanelWidget

    _open = PanelWidget()
    if _wanted:
        _open.show_node(_wanted)
    return _open
