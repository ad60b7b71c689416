"""Files are written by threads while the network works on, in order and never many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

T = TypeVar("T")

#: Compression lets go of the interpreter's lock; two threads keep up with a GPU on most disks.
THREADS = 2
#: Pieces of work that may wait: what a slow disk can cost in memory.
DEPTH = 4


#: Seconds between two looks up while a result is waited for.
PAUSE = 0.05


class WriteBehind(Generic[T]):
    """Work given by one thread, done by others; results come back in the order it was given.

    ``meanwhile`` is called now and then while that thread waits for a result; what it raises ends the wait
    and loses nothing.
    """

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="write-behind")
        self._waiting: deque[Future[T]] = deque()
        self._meanwhile = meanwhile
        self._abandoned = False

    def submit(self, work: Callable[[], T]) -> Iterator[T]:
        """Takes on some work; yields the results that are there, and waits for some when too much is
        waiting. Raises what earlier work raised."""
        self._waiting.append(self._pool.submit(work))
        while self._waiting and (len(self._waiting) > DEPTH or self._waiting[0].done()):
            yield self._oldest()

    def finish(self) -> Iterator[T]:
        """Waits for the rest and yields it. Raises what any of it raised, once all has ended."""
        while self._waiting:
            yield self._oldest()

    def finish_begun(self) -> Iterator[T]:
        """Drops what has not begun, waits for the rest and yields it. Raises what any of it raised."""
        begun = [future for future in self._waiting if not future.cancel()]
        self._waiting.clear()
        for future in begun:
            yield future.result()

    def abandon(self) -> None:
        """Drops what has not begun and waits for nothing: what has begun ends by itself, unheard."""
        self._abandoned = True
        self.close()

    def close(self) -> None:
        """Ends the threads; what has not begun is dropped, what has is finished unless abandoned."""
        for future in self._waiting:
            future.cancel()
        self._pool.shutdown(wait=not self._abandoned)

    def _oldest(self) -> T:
        while not wait((self._waiting[0],), PAUSE).done:
            self._meanwhile()
        return self._waiting.popleft().result()
