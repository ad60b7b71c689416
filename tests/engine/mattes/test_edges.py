"""Edges of a given width: distances to known contours, ramps, upsampling without corners."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.evaluation.contours import contour
from efficienttam.mattes.edges import ramp, signed_distance
from efficienttam.mattes.upsampling import smooth_upsample


def circle(
    radius: float, x: float = 60.0, y: float = 50.0, shape: tuple[int, int] = (100, 120)
) -> np.ndarray:
    """A field that is 0 on a circle and steeper the farther out."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]]
    away = np.hypot(xs - x, ys - y)
    return ((radius - away) * (1 + 0.01 * away)).astype(np.float32)


@given(st.floats(15, 30), st.floats(50, 70), st.floats(40, 60))
def test_distance_to_a_circle(radius: float, x: float, y: float) -> None:
    distance = signed_distance(circle(radius, x, y), 12)
    ys, xs = np.mgrid[0:100, 0:120]
    true = radius - np.hypot(xs - x, ys - y)
    near = np.abs(true) < 11
    assert (np.abs(distance - true) <= 0.06 + 0.05 * np.abs(true))[near].all()
    assert (np.sign(distance) == np.sign(np.where(true == 0, distance, true)))[np.abs(true) > 0.05].all()
    assert (np.abs(distance[np.abs(true) > 13]) >= 12).all()


def test_distance_where_there_is_no_edge() -> None:
    assert (signed_distance(np.ones((9, 9), np.float32), 5) >= 5).all()
    assert (signed_distance(-np.ones((9, 9), np.float32), 5) <= -5).all()


@given(st.floats(1, 20))
def test_a_ramp_is_as_wide_as_asked(width: float) -> None:
    """The grey of a straight ramp is a sixth of its width, per pixel of contour."""
    distance = np.tile(np.linspace(-40, 40, 801, dtype=np.float32), (3, 1))
    matte = ramp(distance, width)
    assert (matte * (1 - matte)).sum() * 0.1 / 3 * 6 == pytest.approx(width, rel=0.01)
    assert matte.min() == 0 and matte.max() == 1 and (np.diff(matte, axis=1) >= 0).all()


def test_a_wider_ramp_is_greyer_and_none_is_binary() -> None:
    distance = signed_distance(circle(30), 15)
    greys = [float((m * (1 - m)).sum()) for m in (ramp(distance, w) for w in (0, 1, 2, 5, 10, 20))]
    assert greys[0] == 0 and greys == sorted(greys) and len(set(greys)) == 6
    assert set(np.unique(ramp(distance, 0))) == {0, 1}


@pytest.mark.parametrize("size", [(64, 48), (101, 37), (16, 16), (7, 300)])
def test_smooth_logits_keep_planes_and_their_place(size: tuple[int, int]) -> None:
    ys, xs = (np.mgrid[0:16, 0:16] + 0.5) / 16
    field = smooth_upsample(3 * xs - 2 * ys, size)
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    plane = 3 * (x + 0.5) / size[0] - 2 * (y + 0.5) / size[1]
    inner = (slice(size[1] // 6, -size[1] // 6), slice(size[0] // 6, -size[0] // 6))
    np.testing.assert_allclose(field[inner], plane[inner], atol=1e-4)
    assert field.dtype == np.float32
    np.testing.assert_allclose(smooth_upsample(np.full((5, 5), 2.5), size), 2.5, atol=1e-5)


def test_a_round_contour_comes_out_rounder_than_bilinear() -> None:
    low = cv2.resize(
        (circle(150, 251, 257, (512, 512)) > 0).astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA
    )

    def wobble(field: np.ndarray) -> float:
        points = contour(field, 0)[0].reshape(-1, 2)
        return float(np.std(np.hypot(points[:, 0] - 251.5, points[:, 1] - 257.5)))

    bilinear = cv2.resize(20 * low - 10, (512, 512), interpolation=cv2.INTER_LINEAR)
    assert wobble(smooth_upsample(20 * low - 10, (512, 512))) < 0.7 * wobble(bilinear)
