"""Records as files: what is read is what was written, or nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.tracking.result_file import DamagedResult, ObjectResult, from_bytes, to_bytes

numbers = st.floats(width=64)


def a_result(seed=0, score=1.5, iou=0.75, agreement=None):
    logits = np.random.default_rng(seed).normal(size=(8, 8)).astype(np.float32)
    return ObjectResult({"efficienttam/frame": "1001", "b": "ä"}, logits, score, iou, agreement)


def same(one, other):
    return one == other or (math.isnan(one) and math.isnan(other))


@given(st.integers(0, 9), numbers, numbers, st.none() | numbers)
def test_to_the_last_bit(seed, score, iou, agreement):
    result = a_result(seed, score, iou, agreement)
    content = to_bytes(result)
    found = from_bytes(content)
    assert content == to_bytes(found)
    assert found.made_of == result.made_of and found.logits.tobytes() == result.logits.tobytes()
    assert same(found.object_score, score) and same(found.predicted_iou, iou)
    assert (found.agreement is None) if agreement is None else same(found.agreement, agreement)


def test_cut_short_anywhere_it_is_refused():
    content = to_bytes(a_result())
    for length in range(len(content)):
        with pytest.raises(DamagedResult):
            from_bytes(content[:length])


@given(st.data())
def test_changed_anywhere_it_is_refused_or_the_same(data):
    content = to_bytes(a_result())
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        found = from_bytes(bytes(changed))
    except DamagedResult:
        return
    assert to_bytes(found) == content, "only blanks may differ"


@given(st.binary(max_size=200))
def test_anything_else_is_refused(content):
    with pytest.raises(DamagedResult):
        from_bytes(content)
