"""COCO run lengths against masks and texts worked out by hand, and there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from efficienttam.training.datasets.run_lengths import decode_mask, mask_area, run_lengths, unpack


def test_runs_go_down_the_columns_outside_first() -> None:
    coded = {"size": [2, 3], "counts": [1, 2, 3]}
    np.testing.assert_array_equal(decode_mask(coded), [[0, 1, 0], [1, 0, 0]])
    assert mask_area(coded) == pytest.approx(2 / 6)


def test_texts_by_hand() -> None:
    # 100 is 00011 00100: the low five bits with the sign that more follow, then the high ones.
    assert unpack("0T3").tolist() == [0, 100]
    # The fourth run is told as 1 - 20.
    assert unpack(b"5d0n0]O").tolist() == [5, 20, 30, 1]
    assert decode_mask({"size": [10, 10], "counts": "0T3"}).all()


def runs_of(mask: np.ndarray) -> list[int]:
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat)).astype(int)))
    return np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()


def text_of(runs: list[int]) -> str:
    text = ""
    for index, run in enumerate(runs):
        rest = run - runs[index - 2] if index > 2 else run
        while True:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
            if not more:
                break
    return text


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_there_and_back(mask: np.ndarray) -> None:
    runs = runs_of(mask)
    for counts in (runs, text_of(runs), text_of(runs).encode()):
        coded = {"size": list(mask.shape), "counts": counts}
        np.testing.assert_array_equal(decode_mask(coded), mask)
        assert mask_area(coded) == pytest.approx(mask.mean())


@pytest.mark.parametrize(
    ("coded", "said"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "runs of 3 pixels"),
        ({"size": [2, 2], "counts": "T"}, "middle of a number"),
        ({"size": [2, 2], "counts": "!"}, "no digit"),
        ({"size": [2], "counts": [4]}, "needs size"),
        ({"size": [2, 2]}, "needs size"),
    ],
)
def test_what_is_no_mask_is_said(coded: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run_lengths(coded)
