"""Holes and specks by area in pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.mattes.small_parts import without_small_parts


def block(matte: np.ndarray, top: int, left: int, height: int, width: int, value: float = 1.0) -> None:
    matte[top : top + height, left : left + width] = value


def with_parts() -> np.ndarray:
    """A large block with holes of 12 and 40 pixels; specks of 6 and 30; grey around that of 6."""
    matte = np.zeros((60, 80), np.float32)
    block(matte, 10, 10, 40, 40)
    block(matte, 15, 15, 3, 4, 0)
    block(matte, 30, 20, 5, 8, 0)
    block(matte, 4, 59, 4, 5, 0.3)
    block(matte, 5, 60, 2, 3)
    block(matte, 30, 60, 5, 6)
    return matte


@given(st.integers(0, 60), st.integers(0, 60))
def test_what_is_small_goes_and_the_rest_stays(holes: int, specks: int) -> None:
    before = with_parts()
    after = without_small_parts(before, holes, specks)
    assert (after[15, 15] == 1) == (holes >= 12)
    assert (after[31, 21] == 1) == (holes >= 40)
    assert (after[5, 60] == 0) == (specks >= 6)
    assert (after[4, 59] == 0) == (specks >= 6), "The grey around a speck goes with it."
    assert (after[31, 61] == 0) == (specks >= 30)
    assert after[20, 30] == 1 and after[55, 5] == 0
    assert 0 <= after.min() and after.max() <= 1


def test_nothing_asked_is_the_same_array() -> None:
    matte = with_parts()
    assert without_small_parts(matte) is matte


def test_keep_largest() -> None:
    after = without_small_parts(with_parts(), keep_largest=True)
    assert after[:, 55:].max() == 0 and after[20, 30] == 1 and after[16, 16] == 0
    empty = np.zeros((8, 8), np.float32)
    assert without_small_parts(empty, 5, 5, True).max() == 0


def test_the_soft_rim_of_a_filled_hole_is_filled() -> None:
    matte = np.ones((40, 40), np.float32)
    block(matte, 17, 17, 6, 6, 0.7)
    block(matte, 18, 18, 4, 4, 0)
    assert (without_small_parts(matte, holes=16) == 1).all()


def test_a_gap_at_the_border_is_no_hole() -> None:
    matte = np.ones((20, 20), np.float32)
    block(matte, 0, 5, 3, 3, 0)
    assert without_small_parts(matte, holes=100)[1, 6] == 0


def test_corners_connect() -> None:
    matte = np.zeros((12, 12), np.float32)
    block(matte, 2, 2, 2, 2)
    block(matte, 4, 4, 2, 2)
    assert without_small_parts(matte, specks=7).sum() == 8
