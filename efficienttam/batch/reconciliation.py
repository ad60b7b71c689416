"""Objects of several trackers that must not overlap: each pixel goes to one of them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.job import Mattes
from ..mattes.sharing import settled
from .matte_score import MatteScore
from .matte_spool import MatteSpool


@dataclass(frozen=True)
class FrameMattes:
    """Mattes (height, width) of some objects on a frame at plate size, and how sure tracking was of them."""

    frame: int
    mattes: Mapping[str, np.ndarray]
    scores: Mapping[str, MatteScore]


class Reconciliation:
    """Holds mattes on disk, in ``folder``, until all of a frame are there, and settles them: none overlaps.

    ``wanted`` maps objects to the frames that they will have mattes on, ``drawn`` to those where their matte
    is the artist's own; ``form`` is that of the mattes.
    """

    def __init__(
        self,
        wanted: Mapping[str, Sequence[int]],
        folder: str,
        form: Mattes,
        drawn: Mapping[str, Container[int]],
    ) -> None:
        self._form = form
        self._drawn = drawn
        self._wanted = {name: frozenset(frames) for name, frames in wanted.items()}
        self._waiting = MatteSpool(folder or ".")
        self._scores: dict[tuple[int, str], MatteScore] = {}

    def add(self, result: FrameMattes) -> FrameMattes | None:
        """All mattes of the frame, not settled, once its last ones come; None before. Raises OutputError."""
        frame = result.frame
        names = [name for name, frames in self._wanted.items() if frame in frames]
        if any(name not in result.mattes and (frame, name) not in self._waiting for name in names):
            for name, matte in result.mattes.items():
                self._waiting.put(frame, name, matte)
                self._scores[frame, name] = result.scores[name]
            return None
        mattes = {
            name: result.mattes[name] if name in result.mattes else self._waiting.take(frame, name)
            for name in names
        }
        scores = {name: result.scores.get(name) or self._scores.pop((frame, name)) for name in names}
        return FrameMattes(frame, mattes, scores)

    def settle(self, whole: FrameMattes) -> FrameMattes:
        """All mattes of a frame so that none overlaps; in any thread."""
        drawn = {name for name in whole.mattes if whole.frame in self._drawn[name]}
        return FrameMattes(whole.frame, settled(whole.mattes, self._form, drawn), whole.scores)

    def close(self) -> None:
        """Drops what never became complete."""
        self._waiting.close()
