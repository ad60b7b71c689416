"""Frames an artist should look at."""

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.messages import ObjectMatte
from efficienttam.window.look_here import look_here


def scores(*mattes, first=1001, name="hero"):
    return {
        first + step: {name: ObjectMatte(name, "", score, iou, area)}
        for step, (score, iou, area) in enumerate(mattes)
    }


GOOD = (5.0, 0.9, 0.1)


def test_good_mattes_need_no_look():
    assert look_here(scores(GOOD, GOOD, GOOD)) == {}


def test_an_object_lost_between_frames_where_it_is_seen():
    gone = (-3.0, 0.1, 0.0)
    assert look_here(scores(gone, GOOD, gone, gone, GOOD, gone)) == {
        1003: ("hero is lost.",),
        1004: ("hero is lost.",),
    }
    assert look_here(scores(gone, gone)) == {}


def test_an_unsure_matte():
    assert look_here(scores(GOOD, (2.0, 0.59, 0.1), GOOD)) == {1002: ("hero is unsure (59%).",)}


def test_an_area_that_jumps_and_one_that_is_too_small_to_count():
    assert list(look_here(scores(GOOD, (5.0, 0.9, 0.21), (5.0, 0.9, 0.1)))) == [1002, 1003]
    assert look_here(scores((5.0, 0.9, 0.0002), (5.0, 0.9, 0.0004), (5.0, 0.9, 0.001))) == {}
    apart = {**scores(GOOD), **scores((5.0, 0.9, 0.9), first=1010)}
    assert look_here(apart) == {}


def test_objects_count_apart():
    two = scores(GOOD, GOOD)
    two[1002]["car"] = ObjectMatte("car", "", 4.0, 0.3, 0.1)
    assert look_here(two) == {1002: ("car is unsure (30%).",)}


number = st.floats(-10, 10)


@given(st.lists(st.tuples(number, number, number), max_size=12))
def test_only_frames_that_are_there_are_named_in_order(mattes):
    given_scores = scores(*mattes)
    found = look_here(given_scores)
    assert set(found) <= set(given_scores) and list(found) == sorted(found)
    assert all(reasons for reasons in found.values())
