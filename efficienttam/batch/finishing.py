"""From what the tracker gives to files: mattes are shaped, steadied and written while it goes on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .matte_files import MatteFiles
from .matte_score import MatteScore
from .reconciliation import FrameMattes, Reconciliation
from .steady_window import SteadyWindow
from .write_behind import WriteBehind


@dataclass(frozen=True)
class Written:
    """Files that the mattes of a frame completed, and how many mattes there were."""

    frame: int
    paths: list[str]
    mattes: int


class Finishing:
    """Stages, each in threads of its own and never many frames at once; what comes out keeps the order.

    ``wanted`` are the frames to write by object; others only steady those, by ``window``, where there is one.
    ``reconciliation`` brings mattes of a frame together that come from several trackers and must not overlap.
    ``meanwhile`` is called now and then while a stage is waited for, and may raise to end that.
    """

    def __init__(
        self,
        files: MatteFiles,
        wanted: Mapping[str, Collection[int]],
        window: SteadyWindow | None = None,
        reconciliation: Reconciliation | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._files = files
        self._wanted = {name: frozenset(frames) for name, frames in wanted.items()}
        self._window = window
        self._reconciliation = reconciliation
        self._scores: dict[tuple[int, str], MatteScore] = {}
        self._shaping: WriteBehind[FrameMattes] = WriteBehind(meanwhile)
        self._settling: WriteBehind[FrameMattes] = WriteBehind(meanwhile)
        self._steadying: WriteBehind[FrameMattes] = WriteBehind(meanwhile)
        self._writing: WriteBehind[Written] = WriteBehind(meanwhile)

    def take(self, shape: Callable[[], FrameMattes]) -> Iterator[Written]:
        """Has a frame shaped, by calling ``shape`` in a thread, and what follows from it done; yields what
        is written by now. Raises what any earlier work raised."""
        for shaped in self._shaping.submit(shape):
            yield from self._shaped(shaped)

    def finish(self) -> Iterator[Written]:
        """Waits for all that can be written and yields it."""
        for shaped in self._shaping.finish():
            yield from self._shaped(shaped)
        for done in self._settling.finish():
            yield from self._settled(done)
        for steady in self._steadying.finish():
            yield from self._write(steady)
        yield from self._writing.finish()

    def finish_begun(self) -> Iterator[Written]:
        """Drops all but the files that are being written; waits for those and yields them."""
        self._shaping.abandon()
        self._settling.abandon()
        self._steadying.abandon()
        yield from self._writing.finish_begun()

    def close(self) -> None:
        """Ends the threads; what has not begun is dropped, what has is finished."""
        self._shaping.close()
        self._settling.close()
        self._steadying.close()
        self._writing.close()
        if self._reconciliation is not None:
            self._reconciliation.close()

    def _shaped(self, given: FrameMattes) -> Iterator[Written]:
        if self._reconciliation is None:
            yield from self._settled(given)
            return
        whole = self._reconciliation.add(given)
        if whole is not None:
            for done in self._settling.submit(functools.partial(self._reconciliation.settle, whole)):
                yield from self._settled(done)

    def _settled(self, mattes: FrameMattes) -> Iterator[Written]:
        if self._window is None:
            yield from self._write(mattes)
            return
        self._window.add(mattes.frame, mattes.mattes)
        self._scores.update(((mattes.frame, name), score) for name, score in mattes.scores.items())
        for frame, around in self._window.complete():
            scores = {name: self._scores.pop((frame, name)) for name in around}
            wanted = {name: found for name, found in around.items() if frame in self._wanted[name]}
            if wanted:
                steady = functools.partial(self._steady, self._window, frame, wanted, scores)
                for done in self._steadying.submit(steady):
                    yield from self._write(done)

    def _steady(
        self,
        window: SteadyWindow,
        frame: int,
        around: Mapping[str, Mapping[int, np.ndarray]],
        scores: Mapping[str, MatteScore],
    ) -> FrameMattes:
        return FrameMattes(frame, window.steady(frame, around), scores)

    def _write(self, done: FrameMattes) -> Iterator[Written]:
        files = self._files.completed(done.frame, done.mattes, done.scores)
        yield from self._writing.submit(functools.partial(_write, done.frame, len(done.mattes), files))


def _write(frame: int, mattes: int, files: Sequence[Callable[[], str]]) -> Written:
    return Written(frame, [write() for write in files], mattes)
