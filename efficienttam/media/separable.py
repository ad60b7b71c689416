"""Colour spaces that are one curve on each channel and a matrix: camera logs, linear gamuts, gammas.

OCIO is asked once, with a ramp and a few colours, and what it answers is kept: reading its
configuration again for every frame would cost more than the frame.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from .curves import srgb_from_linear

Convert = Callable[[np.ndarray], np.ndarray]

#: Codes of a curve are -1 to 2 in steps of 16-bit integers.
_STEPS = 65535
_LARGEST = 65504.0
_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class Separable:
    """``curve`` holds the linear value of every code (None: codes are linear), ``matrix`` is 3 x 3."""

    matrix: np.ndarray
    curve: np.ndarray | None

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(..., 3) float32, finite, to sRGB-encoded Rec.709, clipped to 0..1."""
        if self.curve is not None:
            place = np.clip(pixels, -1.0, 2.0)
            place += np.float32(1)
            place *= np.float32(_STEPS)
            pixels = np.take(self.curve, np.rint(place, out=place).astype(np.int32))
        return srgb_from_linear(pixels @ self.matrix.T)


def separate(to_linear: Convert, to_srgb: Convert, is_linear: bool) -> Separable | None:
    """The curve and matrix of a space, or None when it is no such space.

    ``to_linear`` and ``to_srgb`` convert (height, width, 3) float32 to linear and to sRGB-encoded
    Rec.709. What comes out agrees with ``to_srgb`` on random colours to 0.001.
    """
    if is_linear:
        found = Separable(to_linear(np.eye(3, dtype=np.float32)[None])[0].T, None)
    else:
        ramp = np.arange(-_STEPS, 2 * _STEPS + 1, dtype=np.float64) / _STEPS
        low, high = 0.3, 0.7
        corners = np.full((4, 3), low) + (high - low) * np.eye(4, 3)
        codes = np.concatenate([np.repeat(ramp[:, None], 3, axis=1), corners]).astype(np.float32)
        linear = to_linear(codes[None])[0]
        neutral = np.clip(np.nan_to_num(linear[:-4]), -_LARGEST, _LARGEST)
        curve = np.ascontiguousarray(neutral[:, 1])
        step = curve[round((1 + high) * _STEPS)] - curve[round((1 + low) * _STEPS)]
        if not step > 0:
            return None
        found = Separable((linear[-4:-1] - linear[-1]).T / step, curve)
    colors = np.random.default_rng(0).random((1, 512, 3), np.float32)
    worst = np.abs(found(colors) - np.clip(to_srgb(colors), 0.0, 1.0)).max()
    return found if worst < _TOLERANCE else None
