"""Requests that wait: read by one thread, taken by the other, newer previews before older ones."""

from __future__ import annotations

import threading
from collections import deque

from ..contract.messages import GetMattes, GetPicture, Preview, Request

#: Requests that are answered in a moment and may go between two frames of a job.
QUICK = (Preview, GetPicture, GetMattes)


class Inbox:
    """Requests in the order they came, and the one at hand. ``cancelled`` is set when that is to end."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._waiting: deque[Request] = deque()
        self._at_hand: Request | None = None
        self._changed = threading.Condition()

    @property
    def busy(self) -> bool:
        """True while a request is at hand."""
        return self._at_hand is not None

    def put(self, request: Request) -> list[Request]:
        """Takes a request in; gives those whose place it takes, which are not to be done any more."""
        with self._changed:
            replaced = [other for other in self._waiting if _replaces(request, other)]
            for other in replaced:
                self._waiting.remove(other)
            self._waiting.append(request)
            self._changed.notify()
        return replaced

    def take(self, seconds: float | None) -> Request | None:
        """The first request, waiting so long for one; None where none came. It is at hand until the next
        is taken."""
        with self._changed:
            self._at_hand = None
            self._changed.wait_for(lambda: self._waiting, seconds)
            if not self._waiting:
                return None
            self.cancelled.clear()
            self._at_hand = self._waiting.popleft()
            return self._at_hand

    def take_quick(self) -> Request | None:
        """The first request if it is answered in a moment, else None; the one at hand stays so."""
        with self._changed:
            if self._waiting and isinstance(self._waiting[0], QUICK):
                return self._waiting.popleft()
        return None

    def cancel(self, number: int) -> bool:
        """Ends the request at hand at its next frame; True when it only waited and is taken out."""
        with self._changed:
            for request in self._waiting:
                if request.id == number:
                    self._waiting.remove(request)
                    return True
            if self._at_hand is not None and self._at_hand.id == number:
                self.cancelled.set()
        return False


def _replaces(new: Request, old: Request) -> bool:
    """True for previews of the same objects of one plate, and pictures of one plate."""
    if isinstance(new, Preview) and isinstance(old, Preview):
        names = [thing.name for thing in new.objects] == [thing.name for thing in old.objects]
        return new.session == old.session and new.mattes == old.mattes and names
    if isinstance(new, GetPicture) and isinstance(old, GetPicture):
        return new.session == old.session and new.side == old.side
    return False
