"""Jobs whose objects are tracked in regions, run for real with the demo weights on small plates."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest

from efficienttam.batch.first_look import FirstLook
from efficienttam.batch.object_groups import Regional, object_groups
from efficienttam.batch.progress import SilentProgress
from efficienttam.batch.region_record import RegionRecord
from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.document import JobFaults, examine, job_hash, to_json
from efficienttam.contract.errors import Cancelled
from efficienttam.contract.job import (
    FrameRange,
    Layout,
    Mattes,
    Output,
    Plate,
    TrackedObject,
    Tracking,
    TrackJob,
)
from efficienttam.contract.passes import Direction, Recall
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Follow, Region, RegionBox
from efficienttam.embed import embed_job
from efficienttam.media import FrameSequence, read_roto, write_matte, write_mattes
from efficienttam.run import preview_job, run_job
from efficienttam.tracking import EmbeddingCache, TrackerOptions
from efficienttam.weights.load import load_model

WIDTH, HEIGHT = 480, 270
FRAMES = range(1001, 1007)
BALL, BOX = "ball", "box"


def truth(name, frame):
    """Where the ball is and where the box is: they move apart."""
    step = frame - 1001
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    if name == BALL:
        return (xs - 60 - 6 * step) ** 2 + (ys - 70 - 3 * step) ** 2 < 22**2
    return (abs(xs - 380 + 5 * step) < 26) & (abs(ys - 190) < 18)


def write_plate(folder, view="", shift=0):
    rng = np.random.default_rng(7)
    ground = 0.25 + 0.05 * rng.random((HEIGHT, WIDTH)).astype(np.float32)
    for frame in FRAMES:
        picture = np.stack([ground, ground * 1.1, ground * 0.9])
        picture[:, np.roll(truth(BALL, frame), shift, 1)] = np.array([[0.9], [0.25], [0.1]])
        picture[:, np.roll(truth(BOX, frame), shift, 1)] = np.array([[0.1], [0.3], [0.9]])
        name = f"plate.{view}.{frame}.exr" if view else f"plate.{frame}.exr"
        write_mattes(folder / name, dict(zip(("red", "green", "blue"), picture.astype(np.float32))))


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plates")
    write_plate(folder)
    return folder


@pytest.fixture
def folder(plates, tmp_path):
    for path in plates.iterdir():
        shutil.copy2(path, tmp_path)
    return tmp_path


def an_object(name, region, frame=1001):
    found = np.argwhere(truth(name, frame))
    (top, left), (bottom, right) = found.min(0), found.max(0) + 1
    return TrackedObject(name, (Prompt(frame, box=(left, top, right, bottom)),), region)


def a_job(*objects, **values):
    output = values.pop("output", Output("out/{object}.%04d.exr"))
    return TrackJob(Plate("plate.%04d.exr"), objects, output, **values)


def mattes(folder):
    return {
        path.name: read_roto(str(path))
        for path in sorted((folder / "out").iterdir())
        if path.suffix == ".exr"
    }


def raw(folder):
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.suffix == ".exr"}


def overlap(matte, known):
    return np.count_nonzero((matte >= 0.5) & known) / np.count_nonzero((matte >= 0.5) | known)


DRAWN = Region(Follow.DRAWN, boxes=(RegionBox(1001, (10, 20, 110, 120)), RegionBox(1006, (40, 30, 140, 140))))
TRACKED = Region(Follow.TRACK)


class Told(SilentProgress):
    def __init__(self):
        self.statuses, self.passed, self.done = [], [], 0

    def status(self, text):
        self.statuses.append(text)

    def visit(self, frame, view, passed):
        self.passed += [frame] if passed else []

    def advance(self, frame, view, mattes):
        self.done += mattes


@pytest.mark.parametrize("region", [None, TRACKED, DRAWN, Region(Follow.PROMPTS, padding=2)])
def test_the_matte_lands_on_the_object(folder, region):
    run_job(a_job(an_object(BALL, region)), folder=str(folder))
    found = mattes(folder)
    assert len(found) == len(FRAMES)
    for frame in FRAMES:
        assert overlap(found[f"ball.{frame}.exr"], truth(BALL, frame)) > (0.9 if region else 0.6), frame


def test_a_region_is_sharper(folder):
    wrong = []
    for region in (None, TRACKED):
        run_job(a_job(an_object(BALL, region)), folder=str(folder))
        found = mattes(folder)
        wrong.append(
            sum(
                np.count_nonzero((found[f"ball.{frame}.exr"] >= 0.5) ^ truth(BALL, frame)) for frame in FRAMES
            )
        )
    assert wrong[1] < 0.5 * wrong[0]


def test_edges_are_steadied_on_the_plate_not_in_the_region_that_moves(folder):
    """The ball goes 6 pixels a frame and its region with it: neighbours are taken from where they were."""
    kept, errors = {}, {}
    for steady in (0, 2):
        job = a_job(an_object(BALL, TRACKED), mattes=Mattes(steady_frames=steady))
        run_job(job, folder=str(folder))
        kept[steady] = mattes(folder)
        errors[steady] = [
            np.count_nonzero((kept[steady][f"ball.{frame}.exr"] >= 0.5) ^ truth(BALL, frame))
            for frame in FRAMES
        ]
    assert any((kept[0][name] != kept[2][name]).any() for name in kept[0])
    for frame, plain, steadied in zip(FRAMES, errors[0], errors[2]):
        assert overlap(kept[2][f"ball.{frame}.exr"], truth(BALL, frame)) > 0.9, frame
        assert steadied < 1.5 * plain, frame


@pytest.mark.parametrize("follow", [Follow.DRAWN, Follow.PROMPTS])
def test_a_region_is_smoothed_as_the_job_says(folder, follow):
    """Boxes that tremble on every frame: the region trembles less, the more frames are counted."""
    plate = FrameSequence(str(folder / "plate.%04d.exr"))
    boxes = {
        frame: (100 + shift, 90 - shift, 160 + shift, 150 - shift)
        for frame, shift in zip(FRAMES, (0, 14, -6, 12, -10, 3))
    }
    tremble = []
    for smoothing in (0, 4):
        drawn = tuple(RegionBox(frame, box) for frame, box in boxes.items())
        region = Region(
            follow, smoothing=smoothing, padding=0.5, boxes=drawn if follow is Follow.DRAWN else ()
        )
        prompts = [Prompt(frame, box=box) for frame, box in boxes.items()]
        said = prompts[:1] if follow is Follow.DRAWN else prompts
        (group,) = object_groups(plate, [Regional(BALL, region, said)], Tracking(), 8)
        corners = np.array([group.path.corner(frame) for frame in FRAMES])
        tremble.append(np.abs(np.diff(corners, axis=0)).sum())
    # What is drawn has no padding to move in: there only a little is left to smooth.
    assert 0 < tremble[1] < (0.95 if follow is Follow.DRAWN else 0.5) * tremble[0]


def test_outside_its_region_a_matte_is_exactly_black(folder):
    run_job(a_job(an_object(BALL, DRAWN)), folder=str(folder), frames=(1001, 1001))
    matte = mattes(folder)["ball.1001.exr"]
    assert matte[20:120, 10:110].any()
    matte[16:130, 5:122] = 0
    assert not matte.any()


def test_parts_of_the_range_are_those_of_the_whole_and_the_first_pass_runs_once(folder):
    job = a_job(an_object(BALL, TRACKED), an_object(BOX, TRACKED, 1004))
    told = Told()
    run_job(job, told, folder=str(folder))
    assert [text for text in told.statuses if text.startswith("Looking for ball, box on 6 frames")]
    assert set(told.passed) == set(FRAMES)
    whole = raw(folder)
    shutil.rmtree(folder / "out")
    for part in ((1005, 1006), (1001, 1002), (1003, 1004)):
        told = Told()
        run_job(job, told, folder=str(folder), frames=part)
        looked = [text for text in told.statuses if text.startswith("Looking")]
        assert bool(looked) == (part == (1005, 1006))
    assert raw(folder) == whole
    assert sorted(path.name for path in (folder / "out").glob(".*")) == [
        ".ball.region.json",
        ".box.region.json",
    ]


@pytest.mark.parametrize("recall", list(Recall))
def test_resuming_gives_what_an_unbroken_run_gives(folder, recall):
    job = a_job(
        an_object(BALL, TRACKED), an_object(BOX, Region(Follow.PROMPTS)), tracking=Tracking(recall=recall)
    )
    run_job(job, folder=str(folder))
    whole = raw(folder)
    assert run_job(job, folder=str(folder), resume=True).made == 0
    for name in ("ball.1003.exr", "box.1006.exr"):
        (folder / "out" / name).unlink()
    # The boxes of the first pass are gone too, or damaged: they come out the same again.
    (folder / "out" / ".ball.region.json").write_text("{")
    assert run_job(job, folder=str(folder), resume=True).made == 2
    assert raw(folder) == whole


@pytest.mark.parametrize("box", ["[5, 5, 4, 4]", "[0, 0, 1000000000, 10]", "[-1e30, 0, 4, 4]"])
def test_boxes_that_no_plate_has_are_not_believed(tmp_path, box, caplog):
    path = tmp_path / ".hero.region.json"
    path.write_text('{"version": 1, "boxes": {"1001": ["sum", BOX]}}'.replace("BOX", box))
    assert RegionRecord(str(path)).boxes(lambda frame: "sum", range(1001, 1002)) == {}
    assert "is damaged and is made again" in caplog.text
    path.write_text(path.read_text().replace(box, "[5, 5, 40, 40]"))
    assert RegionRecord(str(path)).boxes(lambda frame: "sum", range(1001, 1002)) == {1001: (5, 5, 40, 40)}


def test_stopping_in_the_first_pass_keeps_what_it_found(folder):
    job = a_job(an_object(BALL, TRACKED))
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(Cancelled):
        run_job(job, folder=str(folder), stop=stop)
    assert mattes(folder) == {}
    known = json.loads((folder / "out" / ".ball.region.json").read_text())["boxes"]
    assert 0 < len(known) < len(FRAMES)
    told = Told()
    run_job(job, told, folder=str(folder), resume=True)
    assert f"Looking for ball on {len(FRAMES) - len(known)} frame" in "".join(told.statuses)
    resumed = raw(folder)
    shutil.rmtree(folder / "out")
    run_job(job, folder=str(folder))
    assert raw(folder) == resumed


def test_stopping_while_mattes_are_made_keeps_whole_files_and_resumes(folder):
    job = a_job(an_object(BALL, TRACKED), an_object(BOX, DRAWN))
    run_job(job, folder=str(folder))
    whole = raw(folder)
    for path in (folder / "out").glob("*.exr"):
        path.unlink()
    told = Told()
    with pytest.raises(Cancelled):
        run_job(job, told, folder=str(folder), stop=lambda: told.done >= 8)
    some = raw(folder)
    assert 0 < len(some) < 12 and all(whole[name] == found for name, found in some.items())
    run_job(job, folder=str(folder), resume=True)
    assert raw(folder) == whole


def test_a_correction_makes_only_what_it_can_change(folder):
    ball = an_object(BALL, DRAWN)
    more = [Prompt(frame, box=an_object(BALL, None, frame).prompts[0].box) for frame in (1003, 1006)]
    job = a_job(dataclasses.replace(ball, prompts=(*ball.prompts, *more)))
    run_job(job, folder=str(folder))
    other = Prompt(1006, include=((90.5, 85.5), (91.5, 84.5)))
    changed = a_job(dataclasses.replace(ball, prompts=(*ball.prompts, more[0], other)))
    again = run_job(changed, folder=str(folder), resume=True)
    assert sorted(map(os.path.basename, again.written)) == [
        f"ball.{frame}.exr" for frame in (1004, 1005, 1006)
    ]


def test_a_region_that_moved_is_noticed_where_it_matters(folder):
    run_job(a_job(an_object(BALL, DRAWN)), folder=str(folder))
    moved = dataclasses.replace(DRAWN, padding=DRAWN.padding + 1)
    assert run_job(a_job(an_object(BALL, moved)), folder=str(folder), resume=True).made == 6
    assert run_job(a_job(an_object(BALL, None)), folder=str(folder), resume=True).made == 6


@pytest.mark.parametrize("layered", [False, True])
def test_objects_in_several_regions_come_as_layers_or_files(folder, layered):
    things = an_object(BALL, TRACKED), an_object(BOX, Region(Follow.PROMPTS)), an_object(BALL, None)
    things = (*things[:2], dataclasses.replace(things[2], name="whole"))
    output = (
        Output("out/all.%04d.exr", Layout.LAYER_PER_OBJECT) if layered else Output("out/{object}.%04d.exr")
    )
    run_job(a_job(*things, output=output), folder=str(folder))
    for frame in FRAMES:
        for name in (BALL, BOX):
            file, channel = (f"all.{frame}.exr", f"{name}.A") if layered else (f"{name}.{frame}.exr", "")
            matte = read_roto(str(folder / "out" / file), channel)
            assert overlap(matte, truth(name, frame)) > 0.85


def test_objects_of_several_regions_do_not_overlap_where_they_may_not(folder):
    # With another padding than the drawn one has, or the two would be one region.
    wide = Region(Follow.TRACK, padding=1.0)
    other = dataclasses.replace(an_object(BALL, wide), name="other")
    whole = dataclasses.replace(an_object(BALL, None), name="whole")
    things = (an_object(BALL, DRAWN), other, whole)
    run_job(a_job(*things), folder=str(folder), frames=(1002, 1003))
    free = mattes(folder)
    job = a_job(*things, tracking=Tracking(non_overlapping=True))
    run_job(job, folder=str(folder), frames=(1002, 1003))
    apart = mattes(folder)
    for frame in (1002, 1003):
        together = np.stack([apart[f"{thing.name}.{frame}.exr"] for thing in things])
        alone = np.stack([free[f"{thing.name}.{frame}.exr"] for thing in things])
        assert alone.sum(0).max() > 2.5 and together.sum(0).max() <= 1.001
        np.testing.assert_allclose(together, alone / np.maximum(alone.sum(0), 1), atol=1e-3)
    assert run_job(job, folder=str(folder), frames=(1002, 1003), resume=True).made == 0


def test_a_roto_in_a_region_keeps_what_a_hard_matte_of_another_claims_too(folder):
    """Of pixels that both claim wholly those of the roto are its own, though its object comes later."""
    roto = truth(BALL, 1002)
    write_matte(folder / "roto.1002.exr", roto.astype(np.float32))
    things = (
        dataclasses.replace(an_object(BALL, None), name="whole"),
        TrackedObject("drawn", (Prompt(1002, mask=RotoFile("roto.%04d.exr")),), DRAWN),
    )
    hard = a_job(*things, mattes=Mattes(softness=0))
    run_job(hard, folder=str(folder), frames=(1002, 1002))
    assert np.logical_and(mattes(folder)["whole.1002.exr"], roto).sum() > 500, "Both claim some."

    apart = dataclasses.replace(hard, tracking=Tracking(non_overlapping=True))
    run_job(apart, folder=str(folder), frames=(1002, 1002))
    _, shown = preview_job(apart, 1002, folder=str(folder))
    written = {path.removesuffix(".1002.exr"): matte for path, matte in mattes(folder).items()}
    for found in (written, shown):
        np.testing.assert_array_equal(found["drawn"], roto)
        assert not np.logical_and(found["whole"], roto).any()


@pytest.mark.parametrize("softness", [0, 2])
def test_holes_are_not_filled_over_an_object_of_another_region(tmp_path, softness):
    """A disc stands in the hole of a ring, which alone has a region."""
    ys, xs = np.mgrid[0:144, 0:256] + 0.5
    away = np.hypot(xs - 120, ys - 70)
    shapes = {"ring": (away < 48) & (away > 26), "disc": away < 22}
    picture = np.full((3, 144, 256), 0.2, np.float32)
    picture[:, shapes["ring"]], picture[:, shapes["disc"]] = [[0.9], [0.2], [0.1]], [[0.1], [0.3], [0.9]]
    for frame in (1001, 1002):
        write_mattes(tmp_path / f"plate.{frame}.exr", dict(zip(("red", "green", "blue"), picture)))
    things = []
    for name, shape in shapes.items():
        write_matte(tmp_path / f"{name}.exr", shape.astype(np.float32))
        region = Region(Follow.DRAWN, boxes=(RegionBox(1001, (50, 0, 190, 140)),)) if name == "ring" else None
        things.append(TrackedObject(name, (Prompt(1001, mask=RotoFile(f"{name}.exr")),), region))
    wish = Mattes(softness=softness, fill_holes=3000)
    job = a_job(*things, mattes=wish, tracking=Tracking(non_overlapping=True))
    run_job(job, folder=str(tmp_path))
    written = {path.removesuffix(".1002.exr"): matte for path, matte in mattes(tmp_path).items()}
    _, shown = preview_job(job, 1002, folder=str(tmp_path))
    for found in (written, shown):
        assert found["disc"][away < 16].mean() > 0.95 and found["ring"][away < 16].mean() < 0.05
        assert found["ring"][(away > 30) & (away < 44)].mean() > 0.95
        assert (found["ring"] + found["disc"]).max() <= 1.001


def test_objects_that_share_a_region_are_in_one_crop_around_all(folder):
    shared = dataclasses.replace(TRACKED, name="both")
    job = a_job(an_object(BALL, shared), an_object(BOX, shared))
    told = Told()
    run_job(job, told, folder=str(folder), cache=CacheSettings())
    found = mattes(folder)
    for name in (BALL, BOX):
        assert overlap(found[f"{name}.1004.exr"], truth(name, 1004)) > 0.6


def test_every_view_has_its_own_path(tmp_path):
    for view, shift in (("left", 0), ("right", 90)):
        write_plate(tmp_path, view, shift)
    output = Output("out/{object}.%V.%04d.exr")
    ball = an_object(BALL, Region(Follow.TRACK, padding=1))
    both = dataclasses.replace(ball, prompts=(Prompt(1001, mask=RotoFile("roto.%V.%04d.exr")),))
    for view, shift in (("left", 0), ("right", 90)):
        write_matte(
            tmp_path / f"roto.{view}.1001.exr", np.roll(truth(BALL, 1001), shift, 1).astype(np.float32)
        )
    job = a_job(both, output=output, views=("left", "right"))
    job = dataclasses.replace(job, plate=Plate("plate.%V.%04d.exr"))
    run_job(job, folder=str(tmp_path))
    for view, shift in (("left", 0), ("right", 90)):
        for frame in FRAMES:
            matte = read_roto(str(tmp_path / "out" / f"ball.{view}.{frame}.exr"))
            assert overlap(matte, np.roll(truth(BALL, frame), shift, 1)) > 0.85
    assert (tmp_path / "out" / ".ball.right.region.json").exists()


def test_a_roto_keeps_its_softness_on_its_frame(folder):
    soft = np.clip((26 - np.hypot(*np.mgrid[-70 : HEIGHT - 70, -60 : WIDTH - 60])) / 8, 0, 1)
    write_matte(folder / "roto.exr", soft.astype(np.float32))
    thing = TrackedObject(BALL, (Prompt(1001, mask=RotoFile("roto.exr")),), Region(Follow.PROMPTS))
    run_job(a_job(thing), folder=str(folder), frames=(1001, 1001))
    np.testing.assert_allclose(mattes(folder)["ball.1001.exr"], soft, atol=1e-3)


def test_a_border_around_the_plate_leaves_mattes_at_their_place(folder):
    job = a_job(an_object(BALL, None), an_object(BOX, TRACKED), tracking=Tracking(border=0.1))
    run_job(job, folder=str(folder))
    found = mattes(folder)
    for frame in FRAMES:
        assert overlap(found[f"ball.{frame}.exr"], truth(BALL, frame)) > 0.6
        assert overlap(found[f"box.{frame}.exr"], truth(BOX, frame)) > 0.85
    assert run_job(a_job(an_object(BALL, None)), folder=str(folder), resume=True).made == 6


@pytest.mark.parametrize("by_roto", [False, True])
def test_a_border_mends_what_three_sides_of_the_frame_cut(tmp_path, by_roto):
    """A strip along one side. Without the margin the demo weights give it 0.84 to 0.89 at best."""
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    rng = np.random.default_rng(7)
    known = {}
    for frame in (1001, 1002, 1003):
        step = frame - 1001
        known[frame] = xs < 70 + 4 * step if by_roto else abs(ys - 20 - 2 * step) < 40
        ground = 60 + 12 * rng.random((HEIGHT, WIDTH))
        seen = np.stack([ground, ground * 1.1, ground * 0.9])
        seen[:, known[frame]] = np.array([[230], [70], [30]])
        light = (((seen / 255) + 0.055) / 1.055) ** 2.4
        channels = dict(zip(("red", "green", "blue"), light.astype(np.float32)))
        write_mattes(tmp_path / f"plate.{frame}.exr", channels)
    write_matte(tmp_path / "roto.exr", known[1001].astype(np.float32))
    said = Prompt(1001, mask=RotoFile("roto.exr")) if by_roto else Prompt(1001, box=(0, 0, WIDTH, 60))
    job = a_job(TrackedObject(BALL, (said,)), tracking=Tracking(border=0.06))
    run_job(job, folder=str(tmp_path))
    found = mattes(tmp_path)
    for frame, true in known.items():
        assert overlap(found[f"ball.{frame}.exr"], true) > 0.92, frame


def test_a_preview_shows_the_region_once_it_is_known(folder):
    drawn, tracked = a_job(an_object(BALL, DRAWN)), a_job(an_object(BOX, TRACKED))
    _, shown = preview_job(drawn, 1004, folder=str(folder))
    run_job(drawn, folder=str(folder))
    np.testing.assert_allclose(shown[BALL], mattes(folder)["ball.1004.exr"], atol=1e-3)
    _, whole = preview_job(tracked, 1004, folder=str(folder))
    _, plain = preview_job(a_job(an_object(BOX, None)), 1004, folder=str(folder))
    np.testing.assert_array_equal(whole[BOX], plain[BOX])
    run_job(tracked, folder=str(folder))
    _, shown = preview_job(tracked, 1004, folder=str(folder))
    np.testing.assert_allclose(shown[BOX], mattes(folder)["box.1004.exr"], atol=1e-3)


def test_embedding_ahead_leaves_no_encoding_to_tracking(folder, monkeypatch):
    from efficienttam.model.efficienttam import EfficientTAM

    job = a_job(an_object(BALL, TRACKED), an_object(BOX, DRAWN))
    cache = CacheSettings(str(folder / "cache"), 2**28)
    embed_job(job, folder=str(folder), cache=cache)
    told = Told()
    monkeypatch.setattr(EfficientTAM, "encode_image", lambda self, pixels: pytest.fail("It encodes again."))
    run_job(job, told, folder=str(folder), cache=cache)
    assert not [text for text in told.statuses if text.startswith("Looking")]


def test_forward_looks_at_no_frame_before_the_first_prompt(folder):
    job = a_job(an_object(BALL, TRACKED, 1004), tracking=Tracking(direction=Direction.FORWARD))
    run_job(job, folder=str(folder))
    assert set(json.loads((folder / "out" / ".ball.region.json").read_text())["boxes"]) == {
        "1004",
        "1005",
        "1006",
    }


def test_points_that_are_not_heeded_are_told_in_plate_pixels(folder):
    ball = an_object(BALL, Region(Follow.DRAWN, boxes=(RegionBox(1001, (10, 20, 170, 180)),)))
    prompt = dataclasses.replace(ball.prompts[0], exclude=((61.5, 71.5), (150.5, 160.5)))
    told = Told()
    run_job(
        a_job(dataclasses.replace(ball, prompts=(prompt,))), told, folder=str(folder), frames=(1001, 1001)
    )
    spoken = [text for text in told.statuses if "still in it" in text]
    assert all("61.5,71.5" in text for text in spoken)


def test_a_click_in_a_region_begins_with_what_it_means_on_the_whole_frame(folder):
    model, plate = (
        load_model("efficienttam_demo", device="cpu"),
        FrameSequence(str(folder / "plate.%04d.exr")),
    )
    look = FirstLook(model, plate, 0.0, TrackerOptions(), EmbeddingCache())
    click = Prompt(1001, include=((60.5, 70.5),))
    wide, narrow = ((10, 20, 110, 120), (55, 65, 66, 76))
    shapes = []
    for box in (wide, narrow):
        drawn = Region(Follow.DRAWN, boxes=(RegionBox(1001, box),))
        (group,) = object_groups(plate, [Regional(BALL, drawn, [click])], Tracking(), 8)
        (moved,) = look.prompts([click], group)
        shapes.append(moved.mask)
        assert group.path.corner(1001)[0] + moved.include[0][0] == 60.5
    assert shapes[0].shape == (112, 112) and shapes[1] is None, "what leaves the region says nothing of it"
    known = truth(BALL, 1001)[12:124, 4:116]
    assert overlap(shapes[0], known) > 0.5
    boxed = an_object(BALL, None).prompts
    assert look.prompts(boxed, group)[0].mask is None, "a box needs no look"


BROKEN = {
    "objects[0].region.boxes": Region(Follow.DRAWN),
    "objects[0].region.boxes[1].frame": dataclasses.replace(DRAWN, boxes=DRAWN.boxes[:1] * 2),
    "objects[0].region.follow": Region(Follow.PROMPTS),
}


@pytest.mark.parametrize("place", list(BROKEN))
def test_what_is_wrong_with_a_region_is_told(place):
    thing = TrackedObject(BALL, (Prompt(1001, include=((3, 4),)),), BROKEN[place])
    _, faults = examine(to_json(a_job(thing)))
    assert [fault.place for fault in faults] == [place]


def test_regions_of_one_name_must_be_alike():
    things = (
        an_object(BALL, Region(name="both")),
        an_object(BOX, Region(name="both", padding=1)),
        dataclasses.replace(an_object(BOX, DRAWN), name="third"),
    )
    _, faults = examine(to_json(a_job(*things)))
    assert [fault.place for fault in faults] == ["objects[1].region"]
    boxed = dataclasses.replace(TRACKED, boxes=DRAWN.boxes)
    _, faults = examine(to_json(a_job(an_object(BALL, boxed))))
    assert [fault.place for fault in faults] == ["objects[0].region.boxes"]


def test_a_drawn_box_beside_the_plate_is_told(folder):
    beside = Region(Follow.DRAWN, boxes=(RegionBox(1001, (490, 10, 600, 90)),))
    with pytest.raises(JobFaults, match=r"region.boxes\[0\]"):
        run_job(a_job(an_object(BALL, beside)), folder=str(folder))


def test_a_job_without_regions_is_written_and_known_as_before():
    job = a_job(an_object(BALL, None), range=FrameRange(1001, 1006))
    assert "region" not in to_json(job) and "border" not in to_json(job)
    assert job_hash(job) != job_hash(a_job(an_object(BALL, TRACKED), range=FrameRange(1001, 1006)))
