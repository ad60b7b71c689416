"""Colours of objects as knobs and sheets have them. Pure; standard library only, Python 3.7 or newer."""

from __future__ import annotations

from typing import Sequence, Tuple


def color_numbers(color: str) -> Tuple[float, float, float]:
    """``#rrggbb`` as three numbers of 0 to 1, unconverted: a sign, not a picture."""
    red, green, blue = (round(int(color[at : at + 2], 16) / 255.0, 4) for at in (1, 3, 5))
    return red, green, blue


def color_text(numbers: Sequence[float]) -> str:
    """The other way, cut off at 0 and 1."""
    parts = [max(0, min(255, int(round(number * 255)))) for number in numbers[:3]]
    return "#{:02x}{:02x}{:02x}".format(*parts)
