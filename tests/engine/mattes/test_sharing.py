"""Pixels that several objects claim."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from efficienttam.contract.job import Mattes
from efficienttam.mattes.matte import soft_matte
from efficienttam.mattes.sharing import exclusive_logits, filled_apart, kept_apart, share_out

PLANES = arrays(np.float32, (3, 4, 5), elements=st.floats(-12, 12, width=32))


@given(PLANES)
def test_no_two_are_inside_at_one_place(planes: np.ndarray) -> None:
    apart = np.stack(list(exclusive_logits(dict(enumerate(planes))).values()))
    assert ((apart > 0).sum(axis=0) <= 1).all()
    assert (apart <= planes).all()
    alone = planes.argmax(axis=0)[None] == np.arange(3)[:, None, None]
    none_else = (np.where(alone, -np.inf, planes) <= 0).all(axis=0)
    assert (np.where(alone, apart == planes, True) | ~none_else).all()


def test_objects_that_complete_each_other_keep_their_logits() -> None:
    one = np.linspace(-5, 5, 12, dtype=np.float32).reshape(3, 4)
    two = np.minimum(-one, 4)
    told = exclusive_logits({"one": one, "two": two})
    np.testing.assert_array_equal(told["one"], one)
    np.testing.assert_array_equal(told["two"], two)
    over = exclusive_logits({"one": one, "two": two + 2})
    assert (soft_matte(over["one"]) + soft_matte(over["two"])).max() <= 1 + 1e-6
    np.testing.assert_array_equal(over["one"] > 0, one > np.maximum(two + 2, 0))


@given(arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32)), st.sets(st.integers(0, 2)))
def test_what_is_drawn_stays_and_the_others_share_the_rest(mattes: np.ndarray, drawn: set[int]) -> None:
    shared = share_out(dict(enumerate(mattes)), drawn)
    assert list(shared) == [0, 1, 2]
    told = np.stack(list(shared.values()))
    assert (told.sum(axis=0) <= 1 + 1e-5).all() and (told <= mattes).all()
    fits = mattes.sum(axis=0) <= 1
    np.testing.assert_allclose(told[:, fits], mattes[:, fits], rtol=1e-4, atol=1e-6)
    if len(drawn) == 1:
        (roto,) = drawn
        np.testing.assert_array_equal(told[roto], mattes[roto])


def test_mattes_as_the_network_draws_them_keep_their_soft_edges() -> None:
    """Two ramps that sum to 1, and a third that claims a half of all."""
    one = np.linspace(1, 0, 9, dtype=np.float32)[None]
    kept = kept_apart({"one": one, "two": 1 - one}, Mattes(), ())
    np.testing.assert_array_equal(kept["one"], one)
    np.testing.assert_array_equal(kept["two"], 1 - one)
    kept = kept_apart({"one": one, "two": 1 - one, "more": np.full_like(one, 0.5)}, Mattes(), ())
    np.testing.assert_allclose(sum(kept.values()), 1, atol=1e-6)
    np.testing.assert_allclose(kept["one"], one / 1.5, rtol=1e-6)


@given(arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32)))
def test_shares_sum_to_one_at_most(mattes: np.ndarray) -> None:
    shared = np.stack(list(share_out(dict(enumerate(mattes))).values()))
    assert (shared.sum(axis=0) <= 1 + 1e-5).all() and (shared <= mattes).all()
    fits = mattes.sum(axis=0) <= 1
    np.testing.assert_allclose(shared[:, fits], mattes[:, fits], rtol=1e-6)


def test_what_fits_is_returned_itself() -> None:
    one, two = np.full((2, 2), 0.4, np.float32), np.full((2, 2), 0.6, np.float32)
    shared = share_out({"a": one, "b": two})
    assert shared["a"] is one and shared["b"] is two
    assert share_out({"a": one})["a"] is one


def test_what_stands_in_a_hole_keeps_its_place() -> None:
    ys, xs = np.mgrid[0:40, 0:40]
    far = np.hypot(xs - 20, ys - 20)
    ring = ((far < 15) & (far > 8)).astype(np.float32)
    disc = (far < 5).astype(np.float32)
    filled = filled_apart({"ring": ring, "disc": disc}, 1000)
    np.testing.assert_array_equal(filled["disc"], disc)
    np.testing.assert_array_equal(filled["ring"], (far < 15) & ~(far < 5))
    kept = kept_apart(filled, Mattes(softness=2), ())
    assert kept["disc"][20, 20] == 1 and kept["ring"][20, 20] == 0
    assert filled_apart({"ring": ring}, 1000, drawn=["ring"])["ring"] is ring


def test_hard_mattes_have_one_owner() -> None:
    one = np.array([[1, 1, 0]], np.float32)
    two = np.array([[0, 1, 1]], np.float32)
    kept = kept_apart({"one": one, "two": two}, Mattes(softness=0), ())
    np.testing.assert_array_equal(kept["one"], [[1, 1, 0]])
    np.testing.assert_array_equal(kept["two"], [[0, 0, 1]])
    kept = kept_apart({"one": one, "two": two}, Mattes(softness=0), {"two"})
    assert list(kept) == ["one", "two"]
    np.testing.assert_array_equal(kept["one"], [[1, 0, 0]])
    np.testing.assert_array_equal(kept["two"], [[0, 1, 1]])
