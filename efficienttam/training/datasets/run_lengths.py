"""Masks as COCO run lengths, which SA-V and SA-1B use.

A mask is ``{"size": [height, width], "counts": ...}``: lengths of runs down the columns, outside first.
``counts`` is a list of them, or a text of five bits a character: six bits from ``0`` on, the sixth says that
more follow, the lowest five come first, and from the fourth run on the text has the difference to the
run two before, signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray


def decode_mask(coded: Mapping[str, Any]) -> Array:
    """The mask (height, width) bool. Raises ValueError for anything that is not such a mask."""
    height, width = size_of(coded)
    runs = run_lengths(coded)
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def mask_area(coded: Mapping[str, Any]) -> float:
    """Share of the picture inside, 0..1, without decoding pixels. Raises ValueError as ``decode_mask``."""
    height, width = size_of(coded)
    return float(run_lengths(coded)[1::2].sum() / max(height * width, 1))


def size_of(coded: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width). Raises ValueError."""
    size = coded.get("size") if isinstance(coded, Mapping) else None
    if not isinstance(size, Sequence) or len(size) != 2 or "counts" not in coded:
        raise ValueError("a mask needs size [height, width] and counts")
    return int(size[0]), int(size[1])


def run_lengths(coded: Mapping[str, Any]) -> Array:
    """Runs (n,) int64, outside first, that fill the picture exactly. Raises ValueError."""
    height, width = size_of(coded)
    counts = coded["counts"]
    runs = unpack(counts) if isinstance(counts, (str, bytes)) else np.asarray(counts, np.int64)
    if (runs < 0).any() or int(runs.sum()) != height * width:
        raise ValueError(f"runs of {int(runs.sum())} pixels in a mask of {height} x {width}")
    return runs


def unpack(text: str | bytes) -> Array:
    """The runs of a compressed text. Raises ValueError."""
    digits = text.encode("ascii") if isinstance(text, str) else text
    runs: list[int] = []
    value, shift = 0, 0
    for digit in digits:
        bits = digit - 48
        if not 0 <= bits < 64:
            raise ValueError(f"{chr(digit)!r} is no digit of compressed run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise ValueError("compressed run lengths end in the middle of a number")
    return np.array(runs, np.int64)
