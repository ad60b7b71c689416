import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.mattes.holes import FILLED, fill_holes


def flood_areas(background):
    """Area of the 8-connected background region of every cell, written as plainly as possible."""
    areas = np.zeros(background.shape, int)
    seen = np.zeros(background.shape, bool)
    for start in zip(*np.nonzero(background), strict=True):
        if seen[start]:
            continue
        region, front = [], [start]
        seen[start] = True
        while front:
            y, x = front.pop()
            region.append((y, x))
            for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                inside = all(0 <= c < n for c, n in zip(near, background.shape, strict=True))
                if inside and background[near] and not seen[near]:
                    seen[near] = True
                    front.append(near)
        for cell in region:
            areas[cell] = len(region)
    return areas


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.floats(0.2, 0.8))
def test_same_as_a_flood_fill(seed, max_area, density):
    logits = np.random.default_rng(seed).uniform(-1, 1, (14, 17)).astype(np.float32)
    logits += np.float32(2 * density - 1)
    areas = flood_areas(logits <= 0)
    expected = np.where((areas > 0) & (areas <= max_area), FILLED, logits)
    assert np.array_equal(fill_holes(logits, max_area), expected)


def test_small_holes_are_filled_and_large_ones_kept():
    logits = np.full((10, 10), 5, np.float32)
    logits[2, 2] = -5
    logits[5:8, 5:8] = -5
    filled = fill_holes(logits, 8)
    assert filled[2, 2] == FILLED
    assert (filled[5:8, 5:8] == -5).all()
    assert logits[2, 2] == -5


def test_nothing_but_background_stays_background():
    logits = np.full((16, 16), -1, np.float32)
    assert (fill_holes(logits, 8) == -1).all()


def test_zero_area_changes_nothing():
    logits = np.array([[1, -1, 1]], np.float32)
    assert fill_holes(logits, 0) is logits
