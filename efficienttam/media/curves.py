"""The few encodings that need no OCIO configuration: sRGB, scene-linear, Cineon, and primaries."""

from __future__ import annotations

import numpy as np

_REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def srgb_from_linear(linear: np.ndarray) -> np.ndarray:
    """Scene-linear to sRGB-encoded (IEC 61966-2-1), any shape, float32, clipped to 0..1."""
    clipped = np.clip(linear, 0.0, 1.0).astype(np.float32, copy=False)
    encoded = np.power(clipped, np.float32(1 / 2.4))
    encoded *= np.float32(1.055)
    encoded -= np.float32(1.055) - np.float32(1)
    toe = clipped <= np.float32(0.0031308)
    encoded[toe] = clipped[toe] * np.float32(12.92)
    return encoded


def linear_from_cineon(code: np.ndarray) -> np.ndarray:
    """Cineon printing density, 0..1 over 10 bits, to scene-linear.

    Reference white 685 is 1, reference black 95 is 0, 0.002 density per code, gamma 0.6.
    """
    black = 10.0 ** ((95 - 685) * 0.002 / 0.6)
    codes = np.clip(np.asarray(code, np.float64), -4.0, 4.0) * 1023
    exposure = np.power(10.0, (codes - 685) * (0.002 / 0.6))
    return ((exposure - black) / (1 - black)).astype(np.float32)


def rec709_matrix(chromaticities: tuple[float, ...]) -> np.ndarray | None:
    """3 x 3 from linear RGB of these primaries and white to linear Rec.709, Bradford-adapted to D65.

    ``chromaticities`` is red x, red y, green x, green y, blue x, blue y, white x, white y. None when
    they are Rec.709's own (to 0.002) or span no colour space.
    """
    if max(abs(a - b) for a, b in zip(chromaticities, _REC709)) <= 0.002:
        return None
    if not chromaticities[7] > 0:
        return None
    try:
        source, white = _xyz_from_rgb(chromaticities)
        target, d65 = _xyz_from_rgb(_REC709)
        cones = (_BRADFORD @ d65) / (_BRADFORD @ white)
        adapted = np.linalg.inv(_BRADFORD) @ (cones[:, None] * _BRADFORD)
        matrix = np.linalg.inv(target) @ adapted @ source
    except np.linalg.LinAlgError:
        return None
    return matrix.astype(np.float32) if np.isfinite(matrix).all() else None


def _xyz_from_rgb(chromaticities: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    points = np.array(chromaticities, np.float64).reshape(4, 2)
    primaries = np.array([points[:3, 0], points[:3, 1], 1 - points[:3].sum(axis=1)])
    white = np.array([points[3, 0], points[3, 1], 1 - points[3].sum()]) / float(points[3, 1])
    return primaries * np.linalg.solve(primaries, white), white
