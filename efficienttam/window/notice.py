"""Telling others that something happened. Standard library only, Python 3.7 or newer."""

from __future__ import annotations

from typing import Any, Callable, List


class Notice:
    """Calls everyone who connected, in that order, on the thread of the caller."""

    def __init__(self) -> None:
        self._listeners: List[Callable[..., Any]] = []

    def connect(self, listener: Callable[..., Any]) -> None:
        """Has ``listener`` called from now on."""
        self._listeners.append(listener)

    def fall_silent(self) -> None:
        """Tells nobody any more."""
        self._listeners.clear()

    def emit(self, *what: Any) -> None:
        """Tells all."""
        for listener in tuple(self._listeners):
            listener(*what)
