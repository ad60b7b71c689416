"""Ctrl-C and SIGTERM: the first asks to stop after the frame at hand, the second stops at once."""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Any

from ..contract.errors import Cancelled, ExitCode

_SIGNALS = {signal.SIGINT: ExitCode.CANCELLED, signal.SIGTERM: ExitCode.TERMINATED}


class Interruption:
    """While entered, remembers a stop signal; ``requested`` is what ``run_job`` asks for.

    Before ``defer`` is called there is nothing worth finishing and a signal stops at once by raising
    Cancelled. Enter it in the main thread only.
    """

    def __init__(self) -> None:
        self._received: signal.Signals | None = None
        self._deferred = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

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
        if again or not self._deferred:
            raise Cancelled("Stopped before it was done.", "Run it again with --resume to go on.")
        print("Stopping after this frame; once more stops at once.", file=sys.stderr, flush=True)
