"""Objects that were tracked apart and may not overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

K = TypeVar("K")


def apart(mattes: Mapping[K, np.ndarray]) -> dict[K, np.ndarray]:
    """Mattes (height, width) of which only the highest of each pixel keeps its value; the others are 0
    there. Of equal ones the first keeps it."""
    highest: np.ndarray | None = None
    for matte in mattes.values():
        highest = matte if highest is None else np.maximum(highest, matte)
    kept: dict[K, np.ndarray] = {}
    taken = None
    for name, matte in mattes.items():
        wins = matte == highest
        if taken is None:
            taken = wins
        else:
            wins &= ~taken
            taken |= wins
        kept[name] = np.where(wins, matte, np.float32(0))
    return kept
