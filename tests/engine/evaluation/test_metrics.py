"""J and F on masks whose scores can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from efficienttam.evaluation.metrics import boundary, boundary_accuracy, region_similarity


def _square(top: int, left: int, side: int = 40, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_region_of_a_shifted_square() -> None:
    assert region_similarity(_square(20, 20), _square(20, 20)) == 1
    assert region_similarity(_square(20, 20), _square(20, 40)) == pytest.approx(800 / 2400)
    assert region_similarity(_square(20, 20), _square(70, 100)) == 0


def test_empty_masks() -> None:
    empty = np.zeros((120, 160), bool)
    assert region_similarity(empty, empty) == boundary_accuracy(empty, empty) == 1
    assert region_similarity(empty, _square(5, 5)) == boundary_accuracy(empty, _square(5, 5)) == 0
    assert boundary_accuracy(_square(5, 5), empty) == 0


def test_boundary_is_one_pixel_wide() -> None:
    edge = boundary(_square(10, 10, 4, (20, 20)))
    # A square of 4 has 16 edge steps; the lower-right difference adds its upper-left corner.
    assert edge[9, 9:14].all() and edge[9:14, 9].all() and edge[13, 10:14].all() and edge[10:14, 13].all()
    assert edge.sum() == 16


def test_boundary_tolerance_is_the_rule_of_davis() -> None:
    # 120 x 160 has a diagonal of 200: 0.008 of it is 1.6, rounded up to 2 pixels.
    assert boundary_accuracy(_square(20, 20), _square(20, 22)) == 1
    off = boundary_accuracy(_square(20, 20), _square(20, 23))
    assert 0.4 < off < 0.8
    assert boundary_accuracy(_square(20, 20), _square(20, 23), tolerance=0.015) == 1


def test_boundary_precision_and_recall_differ() -> None:
    two = _square(20, 20) | _square(20, 100)
    # Everything of the one square is found, half of what two squares have is not.
    value = boundary_accuracy(_square(20, 20), two)
    assert value == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert value == boundary_accuracy(two, _square(20, 20))
