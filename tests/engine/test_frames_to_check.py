"""The one rule of what to check: reasons in words, and a worse score never takes a frame off the list."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.contract.frames_to_check import LIMITS, checks, frames_to_check, places, run_starts, ways
from efficienttam.contract.matte_score import MatteScore, parse_score

GOOD = MatteScore(6.0, 0.9, 0.04, 0.9, (0.5, 0.5), (0.4, 0.4, 0.6, 0.6), None, False)
GONE = MatteScore(-3.0, 0.1, 0.0, 1.0)


def but(**changes):
    return dataclasses.replace(GOOD, **changes)


def shot(*scores, first=1001):
    return {first + step: score for step, score in enumerate(scores)}


def words(scores):
    return {frame: check.words for frame, check in checks(scores).items()}


def test_good_mattes_need_no_check():
    assert words(shot(but(prompted=True), GOOD, GOOD, GOOD)) == {}
    assert checks({}) == {}


def test_an_object_that_is_lost_and_seen_again():
    found = words(shot(but(prompted=True), GONE, GONE, GOOD, GOOD))
    assert found[1002].startswith("lost") and found[1003].startswith("lost")
    assert found[1004] == "seen again" and 1005 not in found


def test_what_the_network_says_of_itself():
    assert words(shot(GOOD, but(predicted_iou=0.5))) == {1002: "network unsure (50 %)"}
    assert words(shot(GOOD, but(stability=0.2))) == {1002: "edge unsure (20 %)"}
    assert words(shot(GOOD, but(agreement=0.31))) == {1002: "forward and backward disagree (31 %)"}


def test_an_area_that_jumps_is_told_away_from_the_prompt():
    small, large = but(area=0.04), but(area=0.0648)
    assert words(shot(but(prompted=True), small, large)) == {1003: "area jumps +62 %"}
    backward = shot(large, small, but(prompted=True))
    assert words(backward) == {1001: "area jumps +62 %"}
    assert words(shot(but(area=0.0001), but(area=0.0004))) == {}
    apart = {1001: GOOD, 1010: but(area=0.9)}
    assert words(apart) == {}


def test_a_centre_that_jumps_and_one_that_moves_on():
    def at(x):
        return but(center=(x, 0.5), box=(x - 0.1, 0.4, x + 0.1, 0.6))

    assert words(shot(at(0.2), at(0.22), at(0.24), at(0.5), at(0.52))) == {1004: "centre jumps"}
    assert words(shot(at(0.1), at(0.13), at(0.16), at(0.2), at(0.25), at(0.31))) == {}


def test_objects_count_apart_and_are_named():
    two = {1001: {"hero": GOOD, "car": GOOD}, 1002: {"hero": GOOD, "car": but(predicted_iou=0.3)}}
    assert frames_to_check(two) == {1002: ("car: network unsure (30 %)",)}


def test_places_are_runs_with_their_worst_frame():
    found = checks(shot(GOOD, but(predicted_iou=0.6), but(predicted_iou=0.2), GOOD, but(predicted_iou=0.5)))
    one, other = places(found)
    assert (one.first, one.last, one.worst, one.reasons) == (1002, 1003, 1003, ("network unsure (20 %)",))
    assert (other.first, other.last) == (1005, 1005)
    assert run_starts(tuple(found)) == (1002, 1005)


share = st.floats(0, 1)
pair = st.none() | st.tuples(share, share)
scores = st.builds(
    MatteScore,
    object_score=st.none() | st.floats(-20, 20),
    predicted_iou=st.none() | share,
    area=st.sampled_from([0.0, 0.0001, 0.01, 0.02, 0.05, 0.5]),
    stability=st.none() | share,
    center=pair,
    box=st.none() | st.tuples(share, share, share, share),
    agreement=st.none() | share,
    prompted=st.booleans(),
)
shots = st.dictionaries(st.integers(-5, 25), scores, max_size=20)


@given(shots)
def test_every_frame_is_walked_outward_from_its_nearest_prompt(known):
    walked = [frame for way in ways(known) for frame in way]
    assert set(walked) == set(known)
    for way in ways(known):
        assert all(abs(one - other) == 1 for one, other in zip(way, way[1:], strict=False))
    found = checks(known)
    assert list(found) == sorted(found) and set(found) <= set(known)
    assert all(check.reasons and check.doubt > 0 for check in found.values())
    assert [frame for place in places(found) for frame in range(place.first, place.last + 1)] == list(found)


@settings(max_examples=300)
@given(shots, st.data())
def test_a_worse_score_takes_no_frame_off_the_list(known, data):
    if not known:
        return
    frame = data.draw(st.sampled_from(sorted(known)))
    field = data.draw(st.sampled_from(["object_score", "predicted_iou", "stability", "agreement"]))
    value = getattr(known[frame], field)
    worse = data.draw(st.floats(-30 if field == "object_score" else 0, 20 if value is None else value))
    before = checks(known)
    after = checks({**known, frame: dataclasses.replace(known[frame], **{field: worse})})
    if field == "object_score" and worse <= 0 and (value is None or value > 0):
        # It is gone there: that is said of the frame itself, and others are no longer held against it.
        assert frame in after or known[frame].prompted
    else:
        assert set(before) <= set(after)


@given(st.floats(1.01, 20), st.floats(1.01, 20))
def test_a_larger_jump_is_flagged_where_a_smaller_one_is(one, other):
    small, large = sorted((one, other))
    found = [bool(checks(shot(but(area=0.02), but(area=0.02 * factor)))) for factor in (small, large)]
    assert found[0] <= found[1] and found[1] == (0.02 * large > LIMITS.area * 0.02)


@given(scores)
def test_a_score_is_read_back_as_it_was_written(score):
    text = str(score)
    again = parse_score(text)
    assert again is not None and str(again) == text
    assert again.prompted == score.prompted and (again.center is None) == (score.center is None)


def test_what_the_first_mattes_said_is_read():
    assert parse_score("5.1234 0.9000 0.010000") == MatteScore(5.1234, 0.9, 0.01)
    assert parse_score("area=0.5 later=1,2,3") == MatteScore(area=0.5)


@pytest.mark.parametrize(
    "text", ["", "no score", "1 2", "area=x", "area=1,2", "center=0.5 area=1", "iou=0.5"]
)
def test_what_is_no_score_is_none(text):
    assert parse_score(text) is None
