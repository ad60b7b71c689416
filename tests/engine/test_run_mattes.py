"""Jobs that ask for a form of mattes: the same files whole or in parts, kept and made anew as they must."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from efficienttam.contract.job import (
    Depth,
    FrameRange,
    Layout,
    Mattes,
    Output,
    Refine,
    TrackedObject,
    Tracking,
)
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Follow, Region, RegionBox
from efficienttam.mattes.small_parts import without_small_parts
from efficienttam.media import read_roto, write_matte
from efficienttam.run import preview_job, run_job

FRAMES = range(1001, 1007)
EVERYTHING = Mattes(softness=3, refine=Refine.UNMIX, fill_holes=20, remove_specks=20, keep_largest=True)


def wanting(job, mattes, **output):
    return dataclasses.replace(job, mattes=mattes, output=dataclasses.replace(job.output, **output))


def pixels(folder, name="hero", out="out"):
    paths = {frame: folder / out / f"{name}.{frame}.exr" for frame in FRAMES}
    return {frame: read_roto(str(path), "") for frame, path in paths.items() if path.exists()}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[frame], other[frame]) for frame in one)


def test_hard_mattes_are_binary_and_previews_are_what_is_written(job, tiny_plate):
    hard = wanting(job, Mattes(softness=0, fill_holes=9))
    run_job(hard, folder=str(tiny_plate))
    mattes = pixels(tiny_plate)
    assert list(mattes) == list(FRAMES)
    assert all(set(np.unique(matte)) <= {0, 1} for matte in mattes.values())
    assert any(matte.any() for matte in mattes.values())
    _, shown = preview_job(hard, 1001, folder=str(tiny_plate))
    np.testing.assert_array_equal(shown["hero"], mattes[1001])


def test_every_wish_at_once_makes_every_file(job, tiny_plate):
    layered = dataclasses.replace(job, output=Output("out/all.%04d.exr", layout=Layout.LAYER_PER_OBJECT))
    wish = dataclasses.replace(EVERYTHING, steady_frames=1, roto_blend=2)
    tracking = dataclasses.replace(job.tracking, non_overlapping=True)
    summary = run_job(dataclasses.replace(layered, mattes=wish, tracking=tracking), folder=str(tiny_plate))
    assert (summary.made, len(summary.written)) == (12, 6)
    for path in summary.written:
        both = sum(read_roto(path, name) for name in ("hero.A", "sky.A"))
        assert both.max() <= 1.001


@pytest.mark.parametrize("steady", [0, 1])
def test_parts_equal_the_whole_and_good_files_are_kept(job, tiny_plate, steady):
    wish = wanting(job, dataclasses.replace(EVERYTHING, steady_frames=steady))
    run_job(wish, folder=str(tiny_plate))
    whole = pixels(tiny_plate)
    for frame in (1003, 1006):
        os.remove(tiny_plate / "out" / f"hero.{frame}.exr")
    again = run_job(wish, folder=str(tiny_plate), resume=True)
    assert again.made == 2 and same(pixels(tiny_plate), whole)
    apart = wanting(wish, wish.mattes, path="apart/{object}.%04d.exr")
    for frames in ((1001, 1002), (1003, 1004), (1005, 1006)):
        run_job(apart, folder=str(tiny_plate), frames=frames)
    assert same(pixels(tiny_plate, out="apart"), whole)
    assert run_job(wish, folder=str(tiny_plate), resume=True).made == 0


def test_another_wish_makes_mattes_anew(job, tiny_plate):
    run_job(job, folder=str(tiny_plate))
    assert run_job(wanting(job, Mattes()), folder=str(tiny_plate), resume=True).made == 0
    assert run_job(wanting(job, Mattes(softness=2)), folder=str(tiny_plate), resume=True).made == 12


def test_a_neighbour_that_changed_is_reason_to_steady_anew(job, tiny_plate):
    """A plate frame says nothing of those before it in a forward pass, unless it steadies them."""
    one = dataclasses.replace(
        job,
        objects=(TrackedObject("hero", (Prompt(1001, include=((30, 25),)),)),),
        range=FrameRange(1001, 1006),
    )
    later = tiny_plate / "plate.1005.exr"
    for steady, anew in ((0, 2), (2, 4)):
        wish = wanting(one, Mattes(softness=2, steady_frames=steady))
        run_job(wish, folder=str(tiny_plate))
        stamp = later.stat().st_mtime_ns + 10**9
        os.utime(later, ns=(stamp, stamp))
        assert run_job(wish, folder=str(tiny_plate), resume=True).made == anew


def a_soft_roto(folder, width=12):
    ys, xs = np.mgrid[0:54, 0:96]
    roto = np.clip((18 - np.hypot(xs - 32, ys - 25)) / width + 0.5, 0, 1).astype(np.float32)
    write_matte(folder / "roto.exr", roto)
    return roto, TrackedObject("hero", (Prompt(1002, mask=RotoFile("roto.exr")),))


@pytest.mark.parametrize("wish", [Mattes(), Mattes(softness=1)])
def test_a_roto_stays_as_drawn_where_nothing_else_is_and_objects_may_not_overlap(job, tiny_plate, wish):
    roto, hero = a_soft_roto(tiny_plate)
    far = TrackedObject("sky", (Prompt(1002, mask=RotoFile("far.exr")),))
    other = np.zeros_like(roto)
    other[:, 70:] = 1
    write_matte(tiny_plate / "far.exr", other)
    for things in ((hero,), (hero, far), (far, hero)):
        tracking = dataclasses.replace(job.tracking, non_overlapping=True)
        apart = dataclasses.replace(wanting(job, wish), objects=things, tracking=tracking)
        run_job(apart, folder=str(tiny_plate), frames=(1002, 1002))
        np.testing.assert_allclose(pixels(tiny_plate)[1002], roto, atol=1e-3)


def test_rotos_whose_edges_complete_each_other_show_no_seam(job, tiny_plate):
    """Soft ramps that sum to 1: nothing is claimed twice, and so nothing changes."""
    ramp = np.broadcast_to(np.clip(np.arange(96) / 8 - 5, 0, 1), (54, 96)).astype(np.float32)
    rotos = {"hero": 1 - ramp, "sky": ramp}
    things = []
    for name, roto in rotos.items():
        write_matte(tiny_plate / f"{name}.roto.exr", roto)
        things.append(TrackedObject(name, (Prompt(1002, mask=RotoFile(f"{name}.roto.exr")),)))
    apart = dataclasses.replace(job, objects=tuple(things), tracking=Tracking(non_overlapping=True))
    run_job(apart, folder=str(tiny_plate), frames=(1002, 1002))
    for name, roto in rotos.items():
        np.testing.assert_allclose(pixels(tiny_plate, name)[1002], roto, atol=1e-3)


@pytest.mark.parametrize("apart", [False, True])
def test_the_softness_of_a_roto_blends_out(job, tiny_plate, apart):
    roto, hero = a_soft_roto(tiny_plate)
    tracking = dataclasses.replace(job.tracking, non_overlapping=apart)
    one = dataclasses.replace(job, objects=(hero,), tracking=tracking)
    run_job(one, folder=str(tiny_plate), frames=(1002, 1002))
    np.testing.assert_allclose(pixels(tiny_plate)[1002], roto, atol=1e-3)
    found = {}
    for blend in (0, 2):
        run_job(wanting(one, Mattes(softness=1, roto_blend=blend)), folder=str(tiny_plate))
        found[blend] = pixels(tiny_plate)
    np.testing.assert_allclose(found[0][1002], roto, atol=1e-3)
    np.testing.assert_array_equal(found[2][1002], found[0][1002])
    run_job(wanting(one, Mattes(softness=1, steady_frames=2)), folder=str(tiny_plate))
    np.testing.assert_array_equal(pixels(tiny_plate)[1002], found[0][1002])

    for frame, softer in ((1003, True), (1001, True), (1004, True), (1005, False), (1006, False)):
        before, after = grey(found[0][frame]), grey(found[2][frame])
        assert (after > 1.2 * before) == (softer and before > 0)
        assert softer or np.array_equal(found[0][frame], found[2][frame])


@pytest.mark.parametrize("apart", [False, True])
def test_the_frame_of_a_roto_does_not_stand_out_unless_told_so(job, tiny_plate, apart):
    """Its sharp edge goes over into the network's own, of many pixels, within four frames."""
    _, hero = a_soft_roto(tiny_plate, width=1)
    sky = TrackedObject("sky", (Prompt(1001, box=(0.0, 0.0, 40.0, 16.0)),))
    tracking = dataclasses.replace(job.tracking, non_overlapping=apart)
    one = dataclasses.replace(job, objects=(hero, sky), tracking=tracking)
    run_job(one, folder=str(tiny_plate))
    told, others = pixels(tiny_plate), pixels(tiny_plate, "sky")
    run_job(wanting(one, Mattes(roto_blend=0)), folder=str(tiny_plate))
    popped = pixels(tiny_plate)
    if not apart:
        assert same(others, pixels(tiny_plate, "sky")), "It has no roto."
    gained = [grey(told[frame]) / grey(popped[frame]) for frame in FRAMES]
    assert gained[1] == 1 and gained[0] < 0.9
    assert 0.9 > gained[2] < gained[3] < gained[4] < gained[5] < 1 and gained[5] > 0.9, gained
    for frame in FRAMES:
        if apart:
            assert (told[frame] + others[frame]).max() <= 1.001
        else:
            moved = (told[frame] > 0.5) != (popped[frame] > 0.5)
            np.testing.assert_allclose(popped[frame][moved], 0.5, atol=1e-3)


def test_hard_mattes_stay_hard_beside_a_roto(job, tiny_plate):
    _, hero = a_soft_roto(tiny_plate)
    run_job(wanting(dataclasses.replace(job, objects=(hero,)), Mattes(softness=0)), folder=str(tiny_plate))
    assert all(
        set(np.unique(matte)) == {0, 1} for frame, matte in pixels(tiny_plate).items() if frame != 1002
    )


def grey(matte):
    return float((matte * (1 - matte)).sum())


SMALL_PARTS = {
    "holes": Mattes(fill_holes=60),
    "specks": Mattes(remove_specks=60),
    "largest": Mattes(keep_largest=True),
}
BEYOND = Region(Follow.DRAWN, boxes=(RegionBox(1001, (0, 0, 60, 40)),))


@pytest.mark.parametrize("place", ["whole", "margin", "region"])
@pytest.mark.parametrize("wish", SMALL_PARTS.values(), ids=list(SMALL_PARTS))
def test_small_parts_go_by_their_area_on_the_plate(job, tiny_plate, wish, place):
    """Also where the tracker sees more than the plate."""
    things = tuple(
        dataclasses.replace(thing, region=BEYOND if place == "region" else None) for thing in job.objects
    )
    tracking = dataclasses.replace(job.tracking, border=0.1 if place == "margin" else 0.0)
    one = dataclasses.replace(job, objects=things, tracking=tracking)
    found = []
    for form in (Mattes(), wish):
        run_job(wanting(one, form, depth=Depth.FLOAT), folder=str(tiny_plate))
        every = {name: pixels(tiny_plate, name) for name in ("hero", "sky")}
        found.append({(name, at): one for name, mattes in every.items() for at, one in mattes.items()})
    before, after = found
    for key, matte in before.items():
        known = without_small_parts(matte, wish.fill_holes, wish.remove_specks, wish.keep_largest)
        np.testing.assert_array_equal(after[key] >= 0.5, known >= 0.5)
        # Grey at a region's side may belong to what is black beyond it.
        assert place == "region" or np.abs(after[key] - known).max() < 1e-6
    assert place != "whole" or any((before[key] != after[key]).any() for key in before)
