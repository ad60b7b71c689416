"""J and F on masks whose scores can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from efficienttam.evaluation.metrics import boundary, boundary_accuracy, course, region_similarity

_MASKS = arrays(bool, (9, 12))


def _square(top: int, left: int, side: int = 40, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def _drawn(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_region_of_a_shifted_square() -> None:
    assert region_similarity(_square(20, 20), _square(20, 20)) == 1
    assert region_similarity(_square(20, 20), _square(20, 40)) == pytest.approx(800 / 2400)
    assert region_similarity(_square(20, 20), _square(70, 100)) == 0


def test_region_counted_by_hand() -> None:
    mine = _drawn("##..", "##..", "....")
    theirs = _drawn(".##.", ".##.", "....")
    # Two pixels shared, six in either.
    assert region_similarity(mine, theirs) == pytest.approx(2 / 6)
    assert region_similarity(mine, _drawn("##..", "#...", "....")) == pytest.approx(3 / 4)


def test_empty_masks() -> None:
    empty = np.zeros((120, 160), bool)
    assert region_similarity(empty, empty) == boundary_accuracy(empty, empty) == 1
    assert region_similarity(empty, _square(5, 5)) == boundary_accuracy(empty, _square(5, 5)) == 0
    assert boundary_accuracy(_square(5, 5), empty) == 0


def test_a_full_mask_has_no_boundary() -> None:
    full, empty = np.ones((6, 8), bool), np.zeros((6, 8), bool)
    assert not boundary(full).any()
    # The benchmark looks at boundaries alone: nothing against everything is a perfect F and a J of 0.
    assert boundary_accuracy(full, empty) == 1 and region_similarity(full, empty) == 0


def test_boundary_is_one_pixel_wide() -> None:
    edge = boundary(_square(10, 10, 4, (20, 20)))
    # A square of 4 has 16 edge steps; the lower-right difference adds its upper-left corner.
    assert edge[9, 9:14].all() and edge[9:14, 9].all() and edge[13, 10:14].all() and edge[10:14, 13].all()
    assert edge.sum() == 16


def test_boundary_drawn_by_hand() -> None:
    # Half a pixel towards the origin; nothing runs along the frame's border, whose last pixel never counts.
    np.testing.assert_array_equal(
        boundary(_drawn(".....", "..#..", ".....")), _drawn(".##..", ".##..", ".....")
    )
    np.testing.assert_array_equal(
        boundary(_drawn("....", "....", "..##", "..##")), _drawn("....", ".###", ".#..", ".#..")
    )
    np.testing.assert_array_equal(boundary(_drawn("##..", "##..")), _drawn(".#..", ".#.."))


def test_boundary_tolerance_is_the_rule_of_davis() -> None:
    # 120 x 160 has a diagonal of 200: 0.008 of it is 1.6, rounded up to 2 pixels.
    assert boundary_accuracy(_square(20, 20), _square(20, 22)) == 1
    off = boundary_accuracy(_square(20, 20), _square(20, 23))
    assert 0.4 < off < 0.8
    assert boundary_accuracy(_square(20, 20), _square(20, 23), tolerance=0.015) == 1


@pytest.mark.parametrize(("shape", "pixels"), [((75, 100), 1), ((76, 101), 2), ((480, 854), 8), ((9, 12), 1)])
def test_tolerance_is_rounded_up_to_whole_pixels(shape: tuple[int, int], pixels: int) -> None:
    # 75 x 100 has a diagonal of exactly 125 and a tolerance of exactly 1; a pixel more of either makes it 2.
    assert math.ceil(0.008 * math.hypot(*shape)) == pixels
    line = np.zeros(shape, bool)
    line[:, : shape[1] // 3] = True
    near, far = np.roll(line, pixels, 1), np.roll(line, pixels + 1, 1)
    near[:, :pixels] = far[:, : pixels + 1] = True
    assert boundary_accuracy(near, line) == 1
    assert boundary_accuracy(far, line) == 0


def test_the_tolerance_is_a_disc() -> None:
    # 2 pixels: one to the side and one down lie 1.4 apart and count, two to the side and one down 2.2, and do
    # not. The boundary of a point is a square of four pixels.
    shape = (120, 160)
    line = np.zeros(shape, bool)
    line[60, 80] = True
    assert boundary_accuracy(np.roll(line, (1, 1), (0, 1)), line) == 1
    # Shifted by (2, 2) only the corners that face each other are near enough.
    assert boundary_accuracy(np.roll(line, (2, 2), (0, 1)), line) == pytest.approx(1 / 4)


def test_boundary_precision_and_recall_differ() -> None:
    two = _square(20, 20) | _square(20, 100)
    # Everything of the one square is found, half of what two squares have is not.
    value = boundary_accuracy(_square(20, 20), two)
    assert value == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert value == boundary_accuracy(two, _square(20, 20))


@settings(max_examples=30)
@given(_MASKS, _MASKS)
def test_both_measures_are_fair(mine: np.ndarray, theirs: np.ndarray) -> None:
    for measure in (region_similarity, boundary_accuracy):
        assert 0 <= measure(mine, theirs) <= 1
        assert measure(mine, theirs) == pytest.approx(measure(theirs, mine))
        assert measure(mine, mine) == 1
    assert (region_similarity(mine, theirs) == 1) == bool((mine == theirs).all())


def test_a_course_sums_up_as_the_benchmark_does() -> None:
    # Ends of quarters of 1..9 are 1, 3, 5, 7, 9: the first holds frames 1 to 3, the last 7 to 9.
    values = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    found = course(values)
    assert found.mean == pytest.approx(0.5)
    # 0.5 itself is not above one half.
    assert found.recall == pytest.approx(4 / 9)
    assert found.decay == pytest.approx(0.8 - 0.2)


def test_the_course_of_one_frame_and_of_none() -> None:
    alone = course([0.7])
    assert (alone.mean, alone.recall, alone.decay) == (pytest.approx(0.7), 1, 0)
    with pytest.raises(ValueError, match="at least one frame"):
        course([])


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_course_that_only_falls_decays(values: list[float]) -> None:
    assert course(sorted(values, reverse=True)).decay >= -1e-9
    assert course(sorted(values)).decay <= 1e-9
