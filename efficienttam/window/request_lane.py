"""Requests of one kind: one at a time, and of those wanted meanwhile only the last."""

from __future__ import annotations

from typing import Callable, Optional

from ..client import WorkerClient
from ..contract.messages import Failed, Message, NotOpen, Request

Heard = Callable[[Message], None]


class RequestLane:
    """A worker answers in its own time; whoever scrubs or hovers wants only where he is now."""

    def __init__(self, client: WorkerClient) -> None:
        self._client = client
        self._busy = False
        self._next: Optional[Callable[[], None]] = None

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._busy

    def ask(self, request: Request, heard: Heard) -> None:
        """Sends now, or when the answer that is awaited has come and nothing newer was asked."""
        if self._busy:
            self._next = lambda: self._send(request, heard)
        else:
            self._send(request, heard)

    def forget(self) -> None:
        """Asks nothing more when the awaited answer comes."""
        self._next = None

    def _send(self, request: Request, heard: Heard) -> None:
        self._busy = True

        def answered(message: Message) -> None:
            self._busy = False
            following, self._next = self._next, None
            heard(message)
            # After a failure nothing is sent by itself: a worker that died is started by the artist.
            if following is not None and not self._busy and not isinstance(message, (Failed, NotOpen)):
                following()

        self._client.send(request, answered)
