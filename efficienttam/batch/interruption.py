"""Ctrl-C and SIGTERM: the first asks to stop after the frame at hand, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from ..contract.errors import Cancelled, ExitCode

#: What was in force for each signal.
Handlers = dict[signal.Signals, Any]
_SIGNALS = {signal.SIGINT: ExitCode.CANCELLED, signal.SIGTERM: ExitCode.TERMINATED}


def leave_at_once(told: Callable[[Cancelled], None]) -> Handlers:
    """Until an ``Interruption`` has work to finish a stop signal ends the process: nothing is being made.

    ``told`` hears of it first. No exception is raised: one in the middle of importing a library turns into
    that library's error. For a process of our own only, from its main thread. Returns what was in force, for
    ``handle_as_before``.
    """
    leaving = _Leaving(told)
    return {number: signal.signal(number, leaving) for number in _SIGNALS}


def handle_as_before(handlers: Handlers) -> None:
    """Takes ``leave_at_once`` back. A signal that the parent had ignored is ignored again."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


class _Leaving:
    """A signal handler that ends the process."""

    def __init__(self, told: Callable[[Cancelled], None]) -> None:
        self._told = told

    def __call__(self, number: int, frame: FrameType | None) -> None:
        stopped = Cancelled("Stopped.")
        stopped.exit_code = _SIGNALS[signal.Signals(number)]
        self._told(stopped)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(stopped.exit_code)


class Interruption:
    """While entered, remembers a stop signal; ``requested`` is what ``run_job`` asks for.

    Before ``requested`` is asked there is nothing worth finishing and a signal stops at once: by
    ``leave_at_once`` where that is in force, else by raising Cancelled. Enter it in the main thread only.
    """

    def __init__(self) -> None:
        self._received: signal.Signals | None = None
        self._deferred = False
        self._before: Handlers = {}

    def __enter__(self) -> Interruption:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle_as_before(self._before)

    def requested(self) -> bool:
        """True once a signal came. Asking means that work is under way which is worth finishing."""
        self._deferred = True
        return self._received is not None

    @property
    def exit_code(self) -> ExitCode:
        """130 after Ctrl-C, 143 after SIGTERM."""
        return _SIGNALS.get(self._received or signal.SIGINT, ExitCode.CANCELLED)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        again = self._received is not None
        self._received = signal.Signals(number)
        before = self._before[signal.Signals(number)]
        if not self._deferred and isinstance(before, _Leaving):
            before(number, frame)
        if again or not self._deferred:
            raise Cancelled("Stopped before it was done.")
        print("Stopping after this frame; once more stops at once.", file=sys.stderr, flush=True)
