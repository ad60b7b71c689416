"""One tracked object: the user's words about it and what it remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

from torch import Tensor

from efficienttam.contract.prompts import Prompt

from .memory_bank import FrameMemory, MemoryBank
from .network_pass import Recollection

#: Handle of an object, never reused within a tracker.
ObjectId = NewType("ObjectId", int)


@dataclass(frozen=True)
class Conditioned:
    """A frame's memory-conditioned embedding (1, C, H, W) and what was recalled for it."""

    frame: int
    recollection: Recollection
    features: Tensor


@dataclass
class ObjectTrack:
    """State of one object. Owned by a ``VideoTracker``; ``id`` never changes, ``name`` may.

    ``prompts`` by frame in the order they were given. ``pending`` holds the outputs of prompted
    frames that are not yet remembered. ``resolved`` tells whether all prompts have such an output.
    ``covered`` lists the frame ranges tracked so far, merged, as (first, last). ``conditioned`` is the
    last embedding that memory spoke to. ``walked`` is the frame that a ``Rehearsal`` walked to, None
    once something else was remembered.
    """

    id: ObjectId
    name: str
    memory: MemoryBank
    prompts: dict[int, Prompt] = field(default_factory=dict)
    pending: dict[int, FrameMemory] = field(default_factory=dict)
    resolved: bool = True
    covered: list[tuple[int, int]] = field(default_factory=list)
    conditioned: Conditioned | None = None
    walked: int | None = None

    def output(self, frame: int) -> FrameMemory | None:
        """The latest output on a frame, if it is still held."""
        return self.pending.get(frame) or self.memory.get(frame)

    def cover(self, frame: int) -> None:
        """Notes that a frame was tracked."""
        ranges = [*self.covered, (frame, frame)]
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        self.covered = merged

    def is_covered(self, frame: int) -> bool:
        """True when the frame was tracked, also if its memory was dropped since."""
        return any(first <= frame <= last for first, last in self.covered)

    def forget_tracked(self) -> None:
        """Drops what was tracked, and keeps what prompts gave."""
        self.memory.tracked.clear()
        self.covered.clear()
        self.walked = None

    def forget_outputs(self) -> None:
        """Drops everything but the user's words."""
        self.memory.prompted.clear()
        self.memory.tracked.clear()
        self.pending.clear()
        self.covered.clear()
        self.conditioned = None
        self.walked = None
        self.resolved = not self.prompts
