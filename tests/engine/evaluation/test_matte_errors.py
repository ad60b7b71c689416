"""Matte errors on mattes whose errors can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.evaluation.contours import contour, distances, length
from efficienttam.evaluation.matte_errors import (
    boundary_distance,
    edge_width,
    flicker,
    gradient_error,
    matte_errors,
)
from efficienttam.evaluation.soft_plates import coverage
from efficienttam.training.shapes import ellipse


def ramp(at: float, width: float, shape: tuple[int, int] = (40, 120)) -> np.ndarray:
    """0 on the left, 1 on the right, a straight ramp of ``width`` around x = ``at``; pixels hold its mean."""
    fine = (np.arange(shape[1] * 64) + 0.5) / 64
    row = np.clip((fine - at) / width + 0.5, 0, 1) if width else (fine > at).astype(float)
    return np.tile(row.reshape(-1, 64).mean(1).astype(np.float32), (shape[0], 1))


def disc(radius: float, x: float = 64.0, y: float = 64.0) -> np.ndarray:
    return coverage([ellipse(1.0, 1024) * radius + (x, y)], (128, 128))


def test_a_matte_against_itself() -> None:
    errors = matte_errors(disc(30), disc(30), (disc(30), disc(30)))
    assert (errors.sad, errors.mse, errors.gradient, errors.flicker) == (0, 0, 0, 0)
    assert errors.boundary == pytest.approx(0, abs=1e-6) and errors.width_ratio == 1


def test_differences_are_counted() -> None:
    truth = np.zeros((100, 200), np.float32)
    matte = truth.copy()
    matte[10:20, 10:60] = 0.5
    errors = matte_errors(matte, truth)
    assert errors.sad == pytest.approx(0.25)
    assert errors.mse == pytest.approx(500 * 0.25 / 20000 * 1000)
    assert math.isnan(errors.flicker) and math.isnan(errors.width_ratio)


def test_gradient_of_a_slope_that_is_not_there() -> None:
    flat = np.zeros((60, 400), np.float32)
    slope = np.tile(np.linspace(0, 1, 400, dtype=np.float32), (60, 1))
    # The derivative of a Gaussian of norm 1 gives on a slope s the same at every pixel but the border's.
    at = np.arange(-4, 5)
    smooth = np.exp(-(at**2) / (2 * 1.4**2))
    kernel = at * smooth / np.linalg.norm(at * smooth)
    each = (kernel @ at) * (smooth / np.linalg.norm(smooth)).sum() / 399
    assert gradient_error(slope, flat) * 1000 == pytest.approx(each**2 * 60 * 400, rel=0.02)
    assert gradient_error(slope, slope) == 0


def test_a_contour_lies_between_pixels() -> None:
    segments, _ = contour(ramp(50.3, 4))
    assert length(segments) == pytest.approx(39)
    np.testing.assert_allclose(segments[..., 0], 50.3, atol=1e-4)
    assert length(contour(disc(30))[0]) == pytest.approx(2 * np.pi * 30, rel=0.01)


def test_a_cell_crossed_twice_gives_two_segments() -> None:
    matte = np.array([[1, 0], [0, 1]], np.float32)
    segments, cells = contour(matte)
    assert len(segments) == 2 and cells.tolist() == [[0, 0], [0, 0]]
    assert length(segments) == pytest.approx(math.sqrt(2))


@given(st.floats(0.05, 25), st.floats(2, 6))
def test_boundary_distance_is_the_shift(shift: float, width: float) -> None:
    assert boundary_distance(ramp(40 + shift, width), ramp(40, width)) == pytest.approx(shift, abs=0.05)


def test_boundary_distance_of_discs() -> None:
    assert boundary_distance(disc(33.5), disc(30)) == pytest.approx(3.5, abs=0.04)
    # A point of a circle moved by d is d |cos| off, about: 2 d / pi in the mean.
    assert boundary_distance(disc(30, 65), disc(30)) == pytest.approx(2 / np.pi, rel=0.02)
    empty = np.zeros((128, 128), np.float32)
    assert boundary_distance(empty, empty) == 0
    assert math.isnan(boundary_distance(disc(30), empty)) and math.isnan(boundary_distance(empty, disc(30)))
    with pytest.raises(ValueError, match="no contour"):
        distances(*(contour(disc(30))[0], *contour(empty)), (128, 128))


def test_boundary_distance_counts_both_ways() -> None:
    two = np.maximum(disc(10, 30, 30), disc(10, 98, 98))
    one = disc(10, 30, 30)
    lost = [
        math.hypot(98 + 10 * math.cos(t) - 30, 98 + 10 * math.sin(t) - 30) - 10
        for t in np.arange(0, 6.28, 0.01)
    ]
    assert boundary_distance(one, two) == pytest.approx(np.mean(lost) / 4, rel=0.01)
    assert boundary_distance(one, two) == pytest.approx(boundary_distance(two, one))


@pytest.mark.parametrize("width", [2.0, 6.0, 17.5])
def test_edge_width_of_a_ramp(width: float) -> None:
    # Pixels hold means over a pixel, which widens a narrow ramp.
    expected = math.hypot(width, 1)
    assert edge_width(ramp(50.3, width)) * 39 / 40 == pytest.approx(expected, rel=0.02)


def test_edge_width_of_hard_mattes() -> None:
    assert edge_width(ramp(50, 0)) == 0
    # Half the pixels of a slanting hard edge are grey: about 1 pixel of ramp.
    assert edge_width(disc(40)) == pytest.approx(0.9, abs=0.15)
    assert math.isnan(edge_width(np.ones((8, 8), np.float32)))


def test_flicker_is_motion_beyond_the_truth() -> None:
    still = ramp(50, 4)
    assert flicker(ramp(50.7, 4), still, still, still) == pytest.approx(0.7 * 40 / 39, rel=1e-3)
    moved = ramp(55, 4)
    assert flicker(moved, moved, still, still) == 0
    assert flicker(still, moved, still, still) == pytest.approx(5 * 40 / 39, rel=1e-3)
