"""Mattes land on the right pixels: jobs run for real, with the demo's weights, on plates of odd geometry.

The plate is a bright disc, or square, on a dark texture: easy to follow, so that only geometry can fail.
"""

import dataclasses

import numpy as np
import OpenImageIO as oiio
import pytest

from efficienttam.contract.job import (
    DataWindow,
    FrameRange,
    Layout,
    Mattes,
    Model,
    Output,
    Plate,
    Refine,
    TrackedObject,
    TrackJob,
)
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Follow, Region, RegionBox
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.media import read_info, read_roto, write_matte
from efficienttam.run import run_job
from efficienttam.weights.load import load_model

OpenEXR = pytest.importorskip("OpenEXR")
FRAMES = range(1001, 1004)


@pytest.fixture(scope="module")
def network():
    """The demo network, loaded once."""
    return load_model("efficienttam_demo", device="cpu")


@dataclasses.dataclass(frozen=True)
class Shape:
    """A disc by frame, in pixels of the display window; a radius per axis."""

    size: tuple[int, int]
    start: tuple[float, float]
    step: tuple[float, float]
    radius: tuple[float, float]

    def center(self, frame):
        past = frame - FRAMES[0]
        return self.start[0] + past * self.step[0], self.start[1] + past * self.step[1]

    def truth(self, frame, left=0, top=0, width=0, height=0):
        """True inside, over a window that is counted from the display window's top left."""
        x, y = self.center(frame)
        rows, columns = np.mgrid[: height or self.size[1], : width or self.size[0]]
        across, down = (columns + left + 0.5 - x) / self.radius[0], (rows + top + 0.5 - y) / self.radius[1]
        return across**2 + down**2 < 1


def write_plate(path, pixels, origin, display, *, parts=(), **attributes):
    """``pixels`` (height, width, 3) at ``origin`` in a display window (x, y, width, height); ``parts`` are
    (name, pixels, origin) instead."""

    def spec_of(pixels=pixels, origin=origin, name=""):
        spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "half")
        spec.x, spec.y = origin
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display
        spec.attribute("compression", "zip")
        for key, value in attributes.items():
            spec.attribute(key, value)
        if name:
            spec.attribute("oiio:subimagename", name)
            spec.attribute("view", name)
        return spec

    target = oiio.ImageOutput.create(str(path))
    if parts:
        specs = [spec_of(view, place, name) for name, view, place in parts]
        assert target.open(str(path), specs), target.geterror()
        for number, (_, view, _) in enumerate(parts):
            if number:
                assert target.open(str(path), specs[number], "AppendSubimage"), target.geterror()
            assert target.write_image(view), target.geterror()
    else:
        assert target.open(str(path), spec_of()) and target.write_image(pixels), target.geterror()
    assert target.close()


def painted(truth, seed=3):
    """A picture (height, width, 3) float32 of the shape: orange on dark noise."""
    noise = np.random.default_rng(seed).random((*truth.shape, 1), np.float32) * 0.02
    ground = np.array([0.02, 0.03, 0.05], np.float32) + noise
    return np.where(truth[..., None], np.array([0.8, 0.45, 0.1], np.float32) + noise, ground)


def shot(folder, shape, display_origin=(0, 0), windows=None, **attributes):
    """Writes frames; ``windows`` gives their data windows (x, y, width, height) from the display's corner."""
    for frame in FRAMES:
        left, top, width, height = windows(frame) if windows else (0, 0, *shape.size)
        truth = shape.truth(frame, left, top, width, height)
        origin = (left + display_origin[0], top + display_origin[1])
        display = (*display_origin, *shape.size)
        write_plate(folder / f"plate.{frame}.exr", painted(truth), origin, display, **attributes)


def job_of(shape, prompt=None, last=FRAMES[-1], **output):
    prompt = prompt or Prompt(FRAMES[0], include=(shape.center(FRAMES[0]),))
    return TrackJob(
        plate=Plate("plate.%04d.exr"),
        objects=(TrackedObject("hero", (prompt,)),),
        output=Output("out/hero.%04d.exr", **output),
        range=FrameRange(FRAMES[0], last),
        model=Model(device="cpu"),
    )


def around(shape, frame, room):
    """Left, top, right and bottom of the shape with so much room around it."""
    (x, y), (across, down) = shape.center(frame), shape.radius
    return x - across - room, y - down - room, x + across + room, y + down + room


def overlap(found, truth):
    return np.logical_and(found, truth).sum() / max(1, np.logical_or(found, truth).sum())


def placed(path, shape, origin, channel="A"):
    """A channel over the display window, as the OpenEXR binding sees it, placed by hand."""
    header = OpenEXR.File(path).header()
    (left, top), (right, bottom) = header["displayWindow"]
    assert (left, top) == origin and (right - left + 1, bottom - top + 1) == shape.size
    (x, y), (last_x, last_y) = header["dataWindow"]
    with OpenEXR.File(path, separate_channels=True) as file:
        stored = file.channels()[channel].pixels
    matte = np.zeros(shape.size[::-1], np.float32)
    matte[y - top : last_y + 1 - top, x - left : last_x + 1 - left] = stored
    return matte


def check_place(matte, truth, least, off, frame):
    """IoU and centroid of a matte against the truth."""
    found = matte > 0.5
    assert overlap(found, truth) >= least, (frame, overlap(found, truth))
    moved = [np.mean(one) - np.mean(other) for one, other in zip(found.nonzero(), truth.nonzero())]
    assert np.abs(moved).max() <= off, (frame, moved)


def check(folder, shape, frames=FRAMES, least=0.85, origin=(0, 0), name="hero", off=1.0):
    """IoU, centroid and windows of every matte, as two readers see it."""
    for frame in frames:
        path = str(folder / "out" / f"{name}.{frame}.exr")
        truth = shape.truth(frame)
        matte = placed(path, shape, origin)
        np.testing.assert_array_equal(matte, read_roto(path))
        check_place(matte, truth, least, off, frame)


def run(job, folder, network, **more):
    return run_job(job, folder=str(folder), load=lambda wish, tell: network, **more)


SMALL = Shape((320, 180), (110.5, 80.5), (14.0, 6.0), (34.0, 34.0))


def test_overscan_is_read_past_and_the_matte_covers_the_display_window(tmp_path, network):
    shot(tmp_path, SMALL, windows=lambda frame: (-40, -24, 400, 228))
    run(job_of(SMALL), tmp_path, network)
    check(tmp_path, SMALL)


def test_an_object_that_leaves_into_the_overscan(tmp_path, network):
    leaving = Shape((320, 180), (262.0, 90.0), (22.0, 0.0), (36.0, 36.0))
    shot(tmp_path, leaving, windows=lambda frame: (-40, -24, 400, 228))
    run(job_of(leaving), tmp_path, network)
    check(tmp_path, leaving, least=0.8, off=2.0)


@pytest.mark.parametrize("origin", [(0, 0), (-64, -32), (1000, 500)])
def test_data_windows_that_move_and_origins_anywhere(tmp_path, network, origin):
    shot(tmp_path, SMALL, origin, around_moving)
    run(job_of(SMALL), tmp_path, network)
    check(tmp_path, SMALL, origin=origin)


def test_a_data_window_that_leaves_the_display_window(tmp_path, network):
    shot(tmp_path, SMALL, windows=lambda frame: (-100 + 90 * (frame - 1001), -20, 330, 190))
    run(job_of(SMALL), tmp_path, network)
    check(tmp_path, SMALL)


def around_moving(frame):
    """A data window close around the small disc: of another place and size on every frame."""
    x, y = SMALL.center(frame)
    return int(x) - 61, int(y) - 47, 130 + frame % 2, 101


@pytest.mark.parametrize(
    "size, origin, windows, aspect",
    [
        ((320, 180), (0, 0), lambda frame: (-40, -24, 400, 228), 1.0),
        ((320, 180), (-64, -32), around_moving, 1.0),
        ((320, 180), (0, 0), None, 2.0),
        ((321, 187), (7, -5), lambda frame: (-3, -5, 327, 195), 1.0),
    ],
    ids=["overscan", "moving windows", "wide pixels", "odd size"],
)
def test_everything_that_shapes_a_matte_stays_in_place(tmp_path, network, size, origin, windows, aspect):
    """A region that follows, a width, refined and steadied: to a fraction of a pixel."""
    round_thing = dataclasses.replace(SMALL, size=size, radius=(34 / aspect**0.5, 34 * aspect**0.5))
    shot(tmp_path, round_thing, origin, windows, PixelAspectRatio=aspect)
    job = job_of(round_thing)
    (hero,) = job.objects
    shaped = dataclasses.replace(
        job,
        objects=(dataclasses.replace(hero, region=Region(Follow.TRACK)),),
        # The band is wide enough for what the network draws off: only geometry can fail.
        mattes=Mattes(2, Refine.UNMIX, 8, fill_holes=20, remove_specks=20, steady_frames=1),
    )
    run(shaped, tmp_path, network)
    assert (tmp_path / "out" / ".hero.region.json").is_file()
    check(tmp_path, round_thing, origin=origin, least=0.99, off=0.1)


@pytest.mark.parametrize("aspect", [2.0, 0.5, 1.4587])
def test_pixels_that_are_not_square(tmp_path, network, aspect):
    wide = dataclasses.replace(SMALL, radius=(34 / aspect**0.5, 34 * aspect**0.5))
    shot(tmp_path, wide, PixelAspectRatio=aspect)
    run(job_of(wide), tmp_path, network)
    check(tmp_path, wide)
    assert read_info(str(tmp_path / "out" / "hero.1002.exr")).pixel_aspect == pytest.approx(aspect)


@pytest.mark.parametrize("size", [(321, 187), (255, 257), (1, 1)])
def test_odd_sizes(tmp_path, network, size):
    if size == (1, 1):
        dot = Shape(size, (0.5, 0.5), (0, 0), (1, 1))
        shot(tmp_path, dot)
        run(job_of(dot), tmp_path, network)
        check(tmp_path, dot)
        return
    odd = dataclasses.replace(SMALL, size=size)
    shot(tmp_path, odd)
    run(job_of(odd), tmp_path, network)
    check(tmp_path, odd)


def test_tall_and_wide_plates(tmp_path, network):
    tall = Shape((64, 2048), (30.0, 700.0), (1.0, 60.0), (22.0, 260.0))
    for name, shape in (
        ("tall", tall),
        ("wide", Shape((2048, 64), (700.0, 30.0), (60.0, 1.0), (260.0, 22.0))),
    ):
        folder = tmp_path / name
        folder.mkdir()
        shot(folder, shape)
        run(job_of(shape), folder, network)
        check(folder, shape, off=12.0)


def test_a_round_thing_on_a_tall_plate_with_a_mask_for_a_prompt(tmp_path, network):
    """In the network's square it is a few cells high, too little to be followed; its word must hold."""
    shape = Shape((64, 2048), (30.0, 700.0), (1.0, 20.0), (24.0, 24.0))
    shot(tmp_path, shape)
    write_matte(tmp_path / "roto.exr", shape.truth(1001).astype(np.float32))
    run(job_of(shape, Prompt(1001, mask=RotoFile("roto.exr"))), tmp_path, network)
    check(tmp_path, shape, [1001], least=0.6, off=4.0)


def test_a_round_thing_on_a_tall_plate_is_followed_in_a_region(tmp_path, network):
    shape = Shape((64, 2048), (30.0, 700.0), (1.0, 20.0), (24.0, 24.0))
    shot(tmp_path, shape)
    boxes = tuple(RegionBox(frame, tuple(around(shape, frame, 24))) for frame in (1001, 1003))
    job = job_of(shape)
    (hero,) = job.objects
    hero = dataclasses.replace(hero, region=Region(Follow.DRAWN, boxes=boxes))
    run(dataclasses.replace(job, objects=(hero,)), tmp_path, network)
    check(tmp_path, shape)


def test_a_tiny_plate_with_a_mask_for_a_prompt(tmp_path, network):
    tiny = Shape((7, 5), (3.0, 2.5), (0.5, 0.0), (1.8, 1.8))
    shot(tmp_path, tiny)
    write_matte(tmp_path / "roto.exr", tiny.truth(1001).astype(np.float32))
    run(job_of(tiny, Prompt(1001, mask=RotoFile("roto.exr"))), tmp_path, network)
    check(tmp_path, tiny, least=0.6, off=0.6)


def test_views_in_one_multipart_file(tmp_path, network):
    right = dataclasses.replace(SMALL, start=(150.5, 80.5))
    windows = {"left": (0, 0, *SMALL.size), "right": (-12, -7, 341, 190)}
    for frame in FRAMES:
        views = []
        for name, shape in (("left", SMALL), ("right", right)):
            window = windows[name]
            views.append((name, painted(shape.truth(frame, *window)), (window[0] - 5, window[1] + 3)))
        path = tmp_path / f"plate.{frame}.exr"
        write_plate(path, views[0][1], (-5, 3), (-5, 3, *SMALL.size), parts=views)
        boxes = [part.header["dataWindow"][0] for part in OpenEXR.File(str(path)).parts]
        assert [tuple(int(edge) for edge in box) for box in boxes] == [(-5, 3), (-17, -4)]
    job = dataclasses.replace(
        job_of(SMALL, Prompt(1001, include=((130.5, 80.5),))),
        views=("left", "right"),
        output=Output("out/%V.%04d.exr"),
    )
    run(job, tmp_path, network)
    check(tmp_path, SMALL, name="left", origin=(-5, 3))
    check(tmp_path, right, name="right", origin=(-5, 3))


@pytest.mark.parametrize("layout", [Layout.FILE_PER_OBJECT, Layout.CRYPTOMATTE])
def test_shrunk_windows_stay_in_place(tmp_path, network, layout):
    shot(tmp_path, SMALL, (-64, -32))
    job = job_of(SMALL, layout=layout, data_window=DataWindow.CONTENT)
    run(job, tmp_path, network)
    if layout is Layout.FILE_PER_OBJECT:
        check(tmp_path, SMALL, origin=(-64, -32))
    for frame in FRAMES:
        path = str(tmp_path / "out" / f"hero.{frame}.exr")
        (left, top), (right, bottom) = OpenEXR.File(path).header()["dataWindow"]
        x, y = SMALL.center(frame)
        assert abs((left + right + 1) / 2 + 64 - x) < 6 and abs((top + bottom + 1) / 2 + 32 - y) < 6
        assert right - left < 2 * 34 + 30
        if layout is Layout.CRYPTOMATTE:
            ids, shares = (placed(path, SMALL, (-64, -32), f"crypto_object00.{rank}") for rank in "RG")
            assert len(set(ids[ids != 0].tolist())) == 1 and (shares[ids == 0] == 0).all()
            check_place(shares, SMALL.truth(frame), 0.85, 1.0, frame)
    assert run(job, tmp_path, network, resume=True).made == 0


@pytest.mark.long
def test_eight_thousand_pixels(tmp_path, network):
    """A cell of the network's mask is 128 pixels; in a region and refined the matte is right to one pixel."""
    large = Shape((8192, 4320), (2816.0, 1920.0), (60.0, -24.0), (870.0, 816.0))
    for frame in (1001, 1002):
        window = (1800, 900, 2200, 2000)
        write_plate(
            tmp_path / f"plate.{frame}.exr",
            painted(large.truth(frame, *window)),
            window[:2],
            (0, 0, *large.size),
        )
    job = job_of(large, Prompt(1001, box=around(large, 1001, 10)), 1002, data_window=DataWindow.CONTENT)
    (hero,) = job.objects
    shaped = dataclasses.replace(
        job,
        objects=(dataclasses.replace(hero, region=Region(Follow.TRACK)),),
        mattes=Mattes(2, Refine.UNMIX, 100),
    )
    run(job, tmp_path, network)
    check(tmp_path, large, [1001, 1002], off=24.0)
    run(shaped, tmp_path, network)
    check(tmp_path, large, [1001, 1002], least=0.99, off=1.0)


def test_a_render_whose_data_window_leaves_the_picture(tmp_path, network, shared_data):
    """OpenEXR's own beach ball: its data window moves, and from frame 6 leaves the display window."""
    Image = pytest.importorskip("PIL.Image")
    folder = shared_data / "open_beachball_exr"

    def truth(frame):
        return np.asarray(Image.open(folder / "Annotations" / f"{frame - 1:05d}.png")) == 1

    box = prompt_from_truth(PromptKind.BOX, 4, truth(4).astype(np.float32))
    job = TrackJob(
        Plate(str(folder / "exr" / "beachball.%04d.exr")),
        (TrackedObject("ball", (box,)),),
        Output(str(tmp_path / "ball.%04d.exr")),
        FrameRange(4, 8),
        model=Model(device="cpu"),
    )
    run(job, tmp_path, network)
    overlaps = []
    for frame in range(4, 9):
        path = str(tmp_path / f"ball.{frame:04d}.exr")
        plate = read_info(job.plate.path % frame)
        assert read_info(path).display_window == plate.display_window != plate.data_window
        found = read_roto(path) > 0.5
        overlaps.append(overlap(found, truth(frame)))
        seen = np.zeros(found.shape, bool)
        window = plate.data_window.intersection(plate.display_window)
        seen[window.y : window.y + window.height, window.x : window.x + window.width] = True
        assert found[~seen].sum() < 0.02 * found.sum()
    assert min(overlaps) > 0.5, overlaps
