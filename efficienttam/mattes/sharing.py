"""Pixels that several objects claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")


def exclusive_logits(logits: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
    """Mask logits (L, L) of several objects, each lowered by what the strongest other has above 0.

    Two objects that claim a place meet on one contour, where both are equally sure.
    """
    told = {}
    for key, mine in logits.items():
        others = [theirs for other, theirs in logits.items() if other != key]
        told[key] = mine - np.maximum(np.max(others, axis=0), 0) if others else mine
    return told


def share_out(mattes: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
    """Mattes (height, width) of several objects whose sum is at most 1: in proportion where it was more.

    They are returned themselves where it never was.
    """
    if len(mattes) < 2:
        return dict(mattes)
    whole = np.sum(list(mattes.values()), axis=0)
    if not (whole > 1).any():
        return dict(mattes)
    whole = np.maximum(whole, 1)
    return {key: matte / whole for key, matte in mattes.items()}
