"""From what a tracker says about frames to mattes, in plate pixels, whatever the tracker sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.batch.matte_shaping import MatteShaping, roto_shares
from efficienttam.batch.object_groups import ObjectGroup, border_path
from efficienttam.contract.job import Mattes, Refine
from efficienttam.contract.prompts import Prompt
from efficienttam.evaluation.matte_errors import edge_width
from efficienttam.mattes.shaping import shaped_matte
from efficienttam.mattes.softness import EdgeSoftness
from efficienttam.tracking import ArrayFrames
from efficienttam.tracking.region_path import still_path
from efficienttam.tracking.track_result import TrackResult

PLATE = ArrayFrames(np.zeros((1, 100, 100, 3), np.uint8), 1001)
GROUPS = {
    "the plate": ObjectGroup((), PLATE, None),
    "a margin": ObjectGroup((), PLATE, border_path(PLATE, 0.06)),
    "a region beyond the plate": ObjectGroup((), PLATE, still_path(PLATE.frames, (96, 96), (-12, -12))),
}


def drawn(group, *inside, outside=()):
    """Logits, one per pixel of what the tracker sees, that are above 0 in boxes (left, top, right, bottom) of
    plate pixels but not in the ``outside`` ones."""
    width, height = group.plate.size
    x, y = group.corner(1001)
    logits = np.full((height, width), -10, np.float32)
    for boxes, value in ((inside, 10), (outside, -10)):
        for left, top, right, bottom in boxes:
            logits[max(top - y, 0) : bottom - y, max(left - x, 0) : right - x] = value
    return logits


def shaped(group, wish, logits, apart=False):
    every = {1: logits, 2: np.full_like(logits, -10)} if apart else {1: logits}
    zeros = dict.fromkeys(every, 0.0)
    result = TrackResult(1001, group.plate.size, every, zeros, zeros, {}, apart)
    return group.matte(MatteShaping(wish, group, {key: {} for key in every}).mattes(result)[1], 1001)


@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_specks_at_the_frame_s_edge_are_counted_on_the_plate(group):
    """One of 144 pixels, which goes on beyond the edge."""
    logits = drawn(group, (-50, 20, 12, 32), (40, 40, 70, 70))
    assert shaped(group, Mattes(remove_specks=143), logits)[25, 5] == 1
    gone = shaped(group, Mattes(remove_specks=144), logits)
    assert not gone[:, :38].any() and gone[50, 50] == 1


@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_the_largest_part_is_the_largest_on_the_plate(group):
    """At the left edge one of 400 pixels, 520 and more with what lies beyond; below it one of 441."""
    logits = drawn(group, (-50, 10, 20, 30), (20, 40, 41, 61))
    kept = shaped(group, Mattes(keep_largest=True), logits)
    assert kept[50, 30] == 1 and not kept[:35].any()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_a_gap_that_is_open_to_the_frame_s_edge_is_no_hole(group, apart):
    """The network closes one beyond the edge; one further in is a hole."""
    logits = drawn(group, (-50, 10, 60, 60), outside=((0, 20, 8, 24), (30, 30, 34, 34)))
    filled = shaped(group, Mattes(fill_holes=100), logits, apart)
    assert not filled[21:23, 0:7].any() and filled[31, 31] == 1


def test_what_went_leaves_no_softness_at_the_frame_s_edge():
    group = GROUPS["a margin"]
    logits = drawn(group, (-50, 20, 12, 32), (40, 40, 70, 70))
    soft = np.clip((25 - np.hypot(*np.mgrid[-56:56, -56:56])) / 16 + 0.5, 0, 1).astype(np.float32)
    wish = Mattes(softness=2, remove_specks=150)
    rotos = {EdgeSoftness(soft): 1.0}
    matte = shaped_matte(logits, group.plate.size, wish, None, rotos, group.on_plate(1001))
    assert not group.matte(matte, 1001)[:, :20].any()


CENTRES = {1001: (45.3, 51.4), 1002: (58.3, 55.4), 1003: (71.3, 59.4)}


def disc(frame, width=1.0):
    """A disc of radius 20 whose edge is a ramp of ``width`` pixels; it goes 13 pixels a frame."""
    x, y = CENTRES[frame]
    away = 20 - np.hypot(*(np.mgrid[0:100, 0:100] - np.array([y, x])[:, None, None]))
    return np.clip(away / width + 0.5, 0, 1).astype(np.float32)


def plate_of_discs():
    colours = np.array([200, 90, 40]), np.array([40, 90, 160])
    pictures = [
        disc(frame)[..., None] * colours[0] + (1 - disc(frame)[..., None]) * colours[1] for frame in CENTRES
    ]
    return ArrayFrames(np.stack(pictures).astype(np.uint8), 1001)


def shaped_at(group, wish, frame, shape, prompts=None):
    """The matte of a frame on which the network draws a shape at plate size, in 32 cells."""
    seen = group.prompt(Prompt(frame, mask=shape)).mask
    low = 20 * cv2.resize(seen, (32, 32), interpolation=cv2.INTER_AREA) - 10
    result = TrackResult(frame, group.plate.size, {1: low}, {1: 0.0}, {1: 0.0}, {})
    return group.matte(MatteShaping(wish, group, {1: prompts or {}}).mattes(result)[1], frame)


@pytest.mark.parametrize("width", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_softness_is_in_plate_pixels(group, width):
    matte = shaped_at(group, Mattes(softness=width), 1001, disc(1001))
    assert edge_width(matte) == pytest.approx(width, rel=0.08)


def test_a_frame_is_refined_by_its_own_picture():
    """The network draws the object 3 pixels off; the other pictures show it beyond the band."""
    group = ObjectGroup((), plate_of_discs(), None)
    for frame in CENTRES:
        off = np.roll(disc(frame), 3, axis=1)
        wish = Mattes(softness=1, refine=Refine.UNMIX, refine_band=8)
        matte = shaped_at(group, wish, frame, off)
        assert np.abs(matte - disc(frame)).sum() < 0.3 * np.abs(off - disc(frame)).sum(), frame


def test_the_softness_of_a_roto_fades_with_the_distance_from_it():
    """The same shape on every frame: what differs is how far the roto is."""
    prompts = {frame: Prompt(frame, mask=disc(1002, 12.0)) for frame in (1001, 1010)}
    group = ObjectGroup((), ArrayFrames(np.zeros((10, 100, 100, 3), np.uint8), 1001), None)

    def width(frame, blend):
        wish = Mattes(softness=1, roto_blend=blend)
        shape = disc(1002)
        return edge_width(shaped_at(group, wish, frame, shape, prompts))

    plain = width(1005, 0)
    found = [width(frame, 3) for frame in range(1002, 1010)]
    assert found[3] == found[4] == plain
    assert found[0] > found[1] + 0.5 > found[2] + 1 > plain + 1.5
    np.testing.assert_allclose(found, found[::-1], rtol=1e-6)
    assert found[0] > 7, "Three quarters of the softness of 12 pixels."


@given(st.integers(1, 20), st.integers(1, 40))
def test_the_softness_of_two_rotos_goes_over_from_one_to_the_other(reach: int, last: int) -> None:
    found = []
    for frame in range(last + 1):
        near = [key for key in (0, last) if abs(key - frame) <= reach]
        shares = roto_shares(frame, near, reach)
        assert set(shares) == set(near) and all(share >= 0 for share in shares.values())
        assert sum(shares.values()) <= 1 + 1e-9
        found.append([shares.get(0, 0.0), shares.get(last, 0.0)])
    first, second = np.array(found).T
    assert first[0] == second[-1] == 1
    # No pop: from each frame to the next no more than fading over all frames there are.
    assert (np.diff(first) <= 1e-9).all() and (np.diff(second) >= -1e-9).all()
    assert np.abs(np.diff(found, axis=0)).max() <= 1 / min(reach + 1, last) + 1e-9
    if last <= reach + 1:
        np.testing.assert_allclose(first + second, 1)
