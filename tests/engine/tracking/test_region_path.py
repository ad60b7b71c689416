"""Where regions lie: constant size, the object inside, evenly moving, the same however a shot is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.prompts import Prompt
from efficienttam.tracking.region_boxes import (
    box_of_logits,
    box_of_mask,
    from_prompts,
    prompted,
    without_slips,
)
from efficienttam.tracking.region_path import PathShape, RegionPath, region_path, still_path

PLATE = (400, 300)


@st.composite
def boxes(draw, plate=PLATE):
    """A box with an area that has at least a pixel on the plate, and may reach beyond it."""
    left, top = draw(st.integers(-50, plate[0] - 1)), draw(st.integers(-50, plate[1] - 1))
    right = draw(st.integers(max(left, 0) + 1, plate[0] + 50))
    bottom = draw(st.integers(max(top, 0) + 1, plate[1] + 50))
    return left, top, right, bottom


SHAPES = st.builds(
    PathShape,
    padding=st.floats(0, 3),
    smoothing=st.integers(0, 9),
    overhang=st.sampled_from([0.0, 0.25]),
    least_side=st.integers(1, 128),
)
COURSES = st.lists(st.dictionaries(st.integers(995, 1030), boxes(), max_size=8), min_size=1, max_size=3)
FRAMES = range(1000, 1021)


@given(COURSES, SHAPES)
def test_every_object_is_inside_on_every_frame_and_the_region_stays_with_the_plate(courses, shape):
    path = region_path(courses, FRAMES, PLATE, shape)
    width, height = path.size
    assert 0 < width <= PLATE[0] and 0 < height <= PLATE[1]
    assert len(path.corners) == len(FRAMES)
    for frame in FRAMES:
        x, y = path.corner(frame)
        for at, side, of in ((x, width, PLATE[0]), (y, height, PLATE[1])):
            beyond = int(shape.overhang * side) if side < of else 0
            assert -beyond <= at and at + side <= of + beyond
        for course in courses:
            if frame in course:
                left, top, right, bottom = course[frame]
                assert x <= max(left, 0) and min(right, PLATE[0]) <= x + width
                assert y <= max(top, 0) and min(bottom, PLATE[1]) <= y + height


@given(COURSES, SHAPES)
def test_sides_are_never_shorter_than_they_must_be_nor_odd_ones(courses, shape):
    path = region_path(courses, FRAMES, PLATE, shape)
    for side, of in zip(path.size, PLATE, strict=True):
        assert side == of or (side % 16 == 0 and side >= shape.least_side)
    width, height = path.size
    if PLATE[0] not in path.size and PLATE[1] not in path.size:
        assert max(width, height) <= 2 * min(width, height) + 16


@given(boxes(), SHAPES, st.integers(0, 30))
def test_what_stands_still_has_a_region_that_stands_still(box, shape, extra):
    path = region_path([{1000: box, 1000 + extra: box}], FRAMES, PLATE, shape)
    assert len(set(path.corners)) == 1


@given(st.integers(0, 8), st.integers(-6, 6), st.integers(-4, 4))
def test_what_moves_evenly_is_followed_evenly(smoothing, across, down):
    shape = PathShape(0.5, smoothing, 0.25, 1)
    first = (150 - 10 * across, 120 - 10 * down, 190 - 10 * across, 160 - 10 * down)
    course = {
        1000 + step: tuple(side + step * by for side, by in zip(first, (across, down) * 2, strict=True))
        for step in range(21)
    }
    path = region_path([course], FRAMES, PLATE, shape)
    steps = np.diff(np.array(path.corners), axis=0)
    assert (np.abs(steps - (across, down)) <= 1).all()


def test_a_trembling_box_gives_a_calm_path():
    rng = np.random.default_rng(5)
    course = {
        frame: (
            int(100 + x),
            int(100 + y),
            int(160 + x),
            int(150 + y),
        )
        for frame, (x, y) in zip(FRAMES, rng.integers(-8, 9, (21, 2)), strict=True)
    }
    rough = region_path([course], FRAMES, PLATE, PathShape(0.5, 0, 0.25, 1))
    calm = region_path([course], FRAMES, PLATE, PathShape(0.5, 8, 0.25, 1))
    assert rough.size == calm.size
    tremble = [np.abs(np.diff(np.array(path.corners), axis=0)).sum() for path in (rough, calm)]
    assert tremble[1] < 0.3 * tremble[0]


def test_an_object_at_the_edge_keeps_room_on_every_side():
    path = region_path([{1000: (0, 100, 40, 140)}], FRAMES, PLATE, PathShape(0.5, 0, 0.25, 1))
    assert path.size == (80, 80)
    assert path.corner(1000) == (-20, 80)


def test_a_little_more_of_the_object_does_not_move_every_frame():
    course = dict.fromkeys(FRAMES, (100, 100, 150, 150))
    shape = PathShape(0.5, 2, 0.25, 1)
    before = region_path([course], FRAMES, PLATE, shape)
    after = region_path([{**course, 1010: (100, 100, 153, 150)}], FRAMES, PLATE, shape)
    assert after.size == before.size
    changed = [frame for frame in FRAMES if after.corner(frame) != before.corner(frame)]
    assert set(changed) <= set(range(1008, 1013))


def test_without_any_box_the_region_is_the_plate():
    assert region_path([{}], FRAMES, PLATE, PathShape(0.5, 2, 0.25, 1)) == still_path(FRAMES, PLATE, (0, 0))


def test_beyond_its_ends_a_path_holds():
    path = RegionPath(1000, (4, 4), ((1, 2), (3, 4)))
    assert [path.corner(frame) for frame in (990, 1000, 1001, 2000)] == [(1, 2), (1, 2), (3, 4), (3, 4)]


def test_the_box_of_a_mask_is_tight_and_of_logits_in_plate_pixels():
    mask = np.zeros((30, 40), np.float32)
    mask[5:9, 10:31] = 0.1
    assert box_of_mask(mask) == (10, 5, 31, 9)
    assert box_of_mask(mask * 0) is None
    logits = np.full((64, 64), -8, np.float32)
    assert box_of_logits(logits, (1920, 1080)) is None
    logits[16:32, 8:24] = 8
    logits[60, 60] = 8
    left, top, right, bottom = box_of_logits(logits, (1920, 1080))
    assert left == pytest.approx(240, abs=20) and right == pytest.approx(720, abs=20)
    assert top == pytest.approx(270, abs=12) and bottom == pytest.approx(540, abs=12)


def test_prompts_tell_boxes_and_points_move_them():
    words = [
        Prompt(1001, box=(10, 20, 50, 60)),
        Prompt(1011, include=((100.5, 30.5),)),
        Prompt(1021, box=(30, 20, 70, 60)),
        Prompt(1005, exclude=((3, 3),)),
    ]
    found = from_prompts(words)
    assert found[1001] == (10, 20, 50, 60) and found[1021] == (30, 20, 70, 60)
    left, top, right, bottom = found[1011]
    assert (left, right) == (61, 101) and (top, bottom) == (20, 60)
    assert from_prompts(words[1:2]) == {}
    mask = np.zeros((100, 100), np.float32)
    mask[4:8, 2:9] = 0.5
    assert from_prompts([Prompt(1, mask=mask)]) == {1: (2, 4, 9, 8)}


def test_a_prompt_beside_the_boxes_is_held_where_it_is():
    held = prompted([Prompt(1005, include=((200.5, 5.5),))], {1000: (0, 0, 10, 10), 1010: (20, 0, 30, 10)})
    assert held[1005] == (10, 0, 201, 10)
    assert prompted([Prompt(3, include=((7, 8),))], {}) == {3: (7, 8, 8, 9)}


def test_one_frame_on_which_the_tracker_slips_does_not_count():
    course = dict.fromkeys(range(9), (100, 100, 150, 150))
    assert without_slips({**course, 4: (0, 0, 400, 300)}) == course
    assert without_slips({}) == {}
