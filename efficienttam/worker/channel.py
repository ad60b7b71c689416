"""The worker's way out: whole lines, from any thread."""

from __future__ import annotations

import os
import threading

from ..contract.messages import Message, to_line


class Channel:
    """Writes messages to a file descriptor that nothing else writes to. ``closed`` once nobody reads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self.closed = False

    def say(self, message: Message) -> None:
        """Sends a message; nothing once the host is gone."""
        waiting = memoryview(to_line(message).encode("ascii"))
        with self._lock:
            while waiting and not self.closed:
                try:
                    waiting = waiting[os.write(self._descriptor, waiting) :]
                except OSError:
                    self.closed = True
