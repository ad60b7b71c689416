"""Clicks of the simulated artist, on masks whose error regions can be seen."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from efficienttam.evaluation.simulated_artist import Click, next_click

_MASKS = arrays(bool, (7, 11))


def _box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((30, 40), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_first_click_is_in_the_middle_of_the_object() -> None:
    assert next_click(_box(0, 0, 0, 0), _box(5, 10, 16, 21)) == Click(15.5, 10.5, True)


def test_the_deepest_error_is_clicked() -> None:
    truth = _box(5, 5, 20, 20)
    # A strip of 5 is missing on the right, 9 rows are too much below.
    shown = _box(5, 5, 29, 15)
    click = next_click(shown, truth)
    assert click is not None and not click.include and click.y == 24.5
    click = next_click(_box(5, 5, 22, 12), truth)
    assert click is not None and click.include and click.x == 15.5


def test_what_is_missing_goes_first() -> None:
    click = next_click(_box(0, 20, 9, 29), _box(0, 0, 9, 9))
    assert click is not None and click.include


def test_the_frame_ends_where_the_object_does() -> None:
    # An object that fills the left half is deepest in its own middle, not at the border it touches.
    click = next_click(_box(0, 0, 0, 0), _box(0, 0, 30, 15))
    assert click is not None and click.x == 7.5


def test_nothing_is_clicked_where_nothing_is_wrong() -> None:
    assert next_click(_box(3, 3, 9, 9), _box(3, 3, 9, 9)) is None
    assert next_click(_box(0, 0, 0, 0), _box(0, 0, 0, 0)) is None


@settings(max_examples=30)
@given(_MASKS, _MASKS)
def test_a_click_lies_on_a_wrong_pixel_and_says_what_is_true(shown: np.ndarray, truth: np.ndarray) -> None:
    click = next_click(shown, truth)
    assert (click is None) == bool((shown == truth).all())
    if click is not None:
        row, column = int(click.y), int(click.x)
        assert shown[row, column] != truth[row, column]
        assert click.include == bool(truth[row, column])
        assert (click.x % 1, click.y % 1) == (0.5, 0.5)
