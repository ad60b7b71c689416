"""How a range is tracked: which way, what happens between two prompted frames, who is recalled.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import enum
from typing import Sequence


class Direction(enum.Enum):
    """Which frames a pass visits."""

    #: From the first prompted frame (or the given start) towards higher frame numbers.
    FORWARD = "forward"
    #: From the last prompted frame (or the given start) towards lower frame numbers.
    BACKWARD = "backward"
    #: The whole range: before, between and after the prompted frames.
    BOTH = "both"

    def reaches(self, frame: int, prompted: Sequence[int]) -> bool:
        """True when an object prompted on these frames gets a matte on this one."""
        if self is Direction.FORWARD:
            return frame >= min(prompted)
        return self is Direction.BOTH or frame <= max(prompted)


class Between(enum.Enum):
    """Who decides on the frames between two prompted frames of an object."""

    #: The nearer prompted frame: tracked forward from the earlier one up to the middle, backward
    #: from the later one after it. A tie goes forward.
    NEAREST = "nearest"
    #: Both, tracked twice; mask logits are mixed linearly by distance.
    BLEND = "blend"
    #: The earlier one, tracked forward all the way (what upstream does).
    FORWARD = "forward"


class Recall(enum.Enum):
    """Which prompted frames speak to a tracked frame."""

    #: The nearest one on either side. A correction then changes only the span up to the
    #: neighbouring prompted frames, and spans may be tracked independently.
    NEIGHBOURS = "neighbours"
    #: All of them, future ones too (what upstream does). A correction may change every frame.
    ALL = "all"
