"""What a tracker gives up, step by step, when the GPU's memory does not suffice."""

from __future__ import annotations

import enum


class Economy(enum.IntEnum):
    """Each member includes those before it."""

    #: Objects go through the network together, embeddings wait where the network is.
    NONE = 0
    #: One object goes through the network at a time.
    SINGLE_OBJECTS = 1
    #: Also embeddings wait in the machine's memory instead of the GPU's.
    OFFLOADED = 2

    @property
    def told(self) -> str:
        """What to say when it begins."""
        return {
            Economy.NONE: "",
            Economy.SINGLE_OBJECTS: "The GPU ran out of memory: from here on objects are tracked one by one.",
            Economy.OFFLOADED: "The GPU ran out of memory: from here on embeddings are kept outside of it.",
        }[self]
