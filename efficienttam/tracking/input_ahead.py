"""Network inputs of the frames to come, made in threads while the network works on the one at hand.

Reading and colour let go of the interpreter's lock, so that a pass costs the longer of the two and not
their sum. At most ``depth`` inputs wait, however fast the disk or slow the network.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

#: One thread is enough beside a network on the CPU; a GPU is served by several.
CPU_THREADS, GPU_THREADS = 1, 6


class InputAhead(Generic[T]):
    """``prepare(frame)`` run ahead for the frames of a pass; used by one thread.

    Until ``expect`` is called, and for any other frame, ``take`` prepares in the caller's thread.
    """

    def __init__(self, prepare: Callable[[int], T], *, gpu: bool) -> None:
        self._prepare = prepare
        self._threads = min(GPU_THREADS, os.cpu_count() or 1) if gpu else CPU_THREADS
        self.depth = 2 * self._threads
        self._pool: ThreadPoolExecutor | None = None
        self._coming: Iterator[int] = iter(())
        self._wanted: Callable[[int], bool] = lambda frame: True
        self._waiting: deque[tuple[int, Future[T]]] = deque()

    def expect(self, frames: Iterable[int], wanted: Callable[[int], bool]) -> None:
        """The frames of a pass in its order; those that are not ``wanted`` when their turn comes near are
        left out."""
        self.close()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="read-ahead")
        self._coming, self._wanted = iter(frames), wanted
        self._fill()

    def take(self, frame: int) -> T:
        """The input of a frame. Raises what ``prepare`` raised for it."""
        if frame not in (coming for coming, _ in self._waiting):
            return self._prepare(frame)
        while True:
            coming, future = self._waiting.popleft()
            if coming == frame:
                self._fill()
                return future.result()
            future.cancel()

    def close(self) -> None:
        """Drops what waits; returns once no thread is at work."""
        self._coming = iter(())
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None

    def _fill(self) -> None:
        while self._pool is not None and len(self._waiting) < self.depth:
            frame = next((frame for frame in self._coming if self._wanted(frame)), None)
            if frame is None:
                return
            self._waiting.append((frame, self._pool.submit(self._prepare, frame)))
