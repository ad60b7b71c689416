"""Files are written by threads while the network works on, in order and never many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

#: Compression lets go of the interpreter's lock; two threads keep up with a GPU on most disks.
THREADS = 2
#: Pieces of work that may wait: what a slow disk can cost in memory.
DEPTH = 4


class WriteBehind(Generic[T]):
    """Work given by one thread, done by others; results come back in the order it was given."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="write-behind")
        self._waiting: deque[Future[T]] = deque()

    def submit(self, work: Callable[[], T]) -> Iterator[T]:
        """Takes on some work; yields the results that are there, and waits for some when too much is
        waiting. Raises what earlier work raised."""
        self._waiting.append(self._pool.submit(work))
        while self._waiting and (len(self._waiting) > DEPTH or self._waiting[0].done()):
            yield self._waiting.popleft().result()

    def finish(self) -> Iterator[T]:
        """Waits for the rest and yields it. Raises what any of it raised, once all has ended."""
        while self._waiting:
            yield self._waiting.popleft().result()

    def close(self) -> None:
        """Ends the threads; what has not begun is dropped, what has is finished."""
        for future in self._waiting:
            future.cancel()
        self._pool.shutdown(wait=True)
