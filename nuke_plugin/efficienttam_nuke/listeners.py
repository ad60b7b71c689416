"""Who wants to know when something about a node changed: open prompt windows."""

from __future__ import annotations

import enum
from typing import Callable, Dict, List


class Change(enum.Enum):
    """What changed."""

    SHEET = "sheet"
    FRAME = "frame"
    PLATE = "plate"


Listener = Callable[[Change], None]
_listeners: Dict[str, List[Listener]] = {}


def listen(uuid: str, listener: Listener) -> None:
    """From now on ``listener`` hears of the node of that uuid."""
    _listeners.setdefault(uuid, []).append(listener)


def leave(uuid: str, listener: Listener) -> None:
    """It hears no more."""
    if listener in _listeners.get(uuid, []):
        _listeners[uuid].remove(listener)


def is_heard(uuid: str) -> bool:
    """True while somebody listens to the node."""
    return bool(_listeners.get(uuid))


def announce(uuid: str, change: Change) -> None:
    """Tells everybody who listens to the node."""
    for listener in list(_listeners.get(uuid, [])):
        listener(change)
