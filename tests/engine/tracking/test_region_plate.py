"""A plate through a region: crops, prompts into it, mattes out of it, embeddings apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.prompts import Prompt
from efficienttam.tracking import ArrayFrames, EmbeddingCache, VideoTracker
from efficienttam.tracking.region_path import RegionPath, still_path
from efficienttam.tracking.region_plate import Fill, RegionPlate, into_region, onto_plate

WIDTH, HEIGHT = 40, 30
RNG = np.random.default_rng(1)
PLATE = ArrayFrames(RNG.integers(0, 255, (3, HEIGHT, WIDTH, 3), np.uint8), 1001)


@st.composite
def paths(draw):
    """Regions that have at least a pixel on the plate."""
    width, height = draw(st.integers(1, 60)), draw(st.integers(1, 50))
    corner = st.tuples(st.integers(1 - width, WIDTH - 1), st.integers(1 - height, HEIGHT - 1))
    return RegionPath(1001, (width, height), tuple(draw(st.lists(corner, min_size=3, max_size=3))))


def inside(path, frame, x, y):
    left, top = path.corner(frame)
    return left <= x < left + path.size[0] and top <= y < top + path.size[1]


@given(paths(), st.integers(1001, 1003), st.sampled_from(list(Fill)))
def test_a_crop_holds_the_plates_pixels_at_their_place(path, frame, fill):
    crop = RegionPlate(PLATE, path, fill).read(frame)
    assert crop.shape == (path.size[1], path.size[0], 3)
    x, y = path.corner(frame)
    rows, columns = np.arange(path.size[1]) + y, np.arange(path.size[0]) + x
    if fill is Fill.HOLD:
        expected = PLATE.read(frame)[np.clip(rows, 0, HEIGHT - 1)][:, np.clip(columns, 0, WIDTH - 1)]
        np.testing.assert_array_equal(crop, expected)
    real = np.ix_((rows >= 0) & (rows < HEIGHT), (columns >= 0) & (columns < WIDTH))
    seen = PLATE.read(frame)[max(y, 0) : y + path.size[1], max(x, 0) : x + path.size[0]]
    np.testing.assert_array_equal(crop[real], seen)


@given(paths(), st.integers(1001, 1003), st.floats(0, WIDTH - 0.01), st.floats(0, HEIGHT - 0.01))
def test_a_point_shows_the_same_pixel_in_the_region_and_comes_back(path, frame, x, y):
    if not inside(path, frame, x, y):
        return
    moved = into_region(Prompt(frame, include=((x, y),)), path, PLATE.size).include[0]
    left, top = path.corner(frame)
    assert moved[0] + left == pytest.approx(x) and moved[1] + top == pytest.approx(y)
    column, row = int(np.floor(x)) - left, int(np.floor(y)) - top
    pixel = RegionPlate(PLATE, path).read(frame)[row, column]
    np.testing.assert_array_equal(pixel, PLATE.read(frame)[int(y), int(x)])
    matte = np.zeros((path.size[1], path.size[0]), np.float32)
    matte[row, column] = 1
    whole = onto_plate(matte, path, frame, PLATE.size)
    assert np.argwhere(whole).tolist() == [[int(y), int(x)]]


@given(paths(), st.integers(1001, 1003))
def test_a_mask_into_a_region_and_out_is_the_mask_where_the_region_is(path, frame):
    mask = np.random.default_rng(frame).random((HEIGHT, WIDTH), np.float32)
    moved = into_region(Prompt(frame, mask=mask), path, PLATE.size).mask
    assert moved.shape == (path.size[1], path.size[0])
    back = onto_plate(moved, path, frame, PLATE.size)
    x, y = path.corner(frame)
    expected = np.zeros_like(mask)
    region = np.s_[max(y, 0) : y + path.size[1], max(x, 0) : x + path.size[0]]
    expected[region] = mask[region]
    np.testing.assert_array_equal(back, expected)


def test_a_box_at_the_edge_goes_on_as_the_picture_does():
    path = still_path(PLATE.frames, (60, 50), (-10, -10))
    box = into_region(Prompt(1001, box=(0, 5, 8, 30)), path, PLATE.size, Fill.REFLECT).box
    assert box == (2, 15, 18, 50)
    box = into_region(Prompt(1001, box=(0, 5, 8, 30)), path, PLATE.size, Fill.HOLD).box
    assert box == (0, 15, 18, 50)
    box = into_region(Prompt(1001, box=(3, 5, 8, 20)), path, PLATE.size).box
    assert box == (13, 15, 18, 30)


def test_an_exclude_point_beyond_the_region_is_left_out_unless_it_is_alone():
    path = still_path(PLATE.frames, (10, 10), (20, 10))
    both = Prompt(1001, include=((25, 15),), exclude=((1, 1), (21, 11)))
    assert into_region(both, path, PLATE.size).exclude == ((1, 1),)
    alone = into_region(Prompt(1001, exclude=((1, 1), (2, 1))), path, PLATE.size)
    assert alone.exclude == ((0.5, 0.5),)


def test_a_source_that_reads_windows_is_asked_for_no_more():
    asked = []

    class Windowed(ArrayFrames):
        def read_window(self, frame, left, top, width, height):
            asked.append((left, top, width, height))
            return self.read(frame)[top : top + height, left : left + width]

    images = RNG.integers(0, 255, (1, HEIGHT, WIDTH, 3), np.uint8)
    path = still_path(range(1, 2), (20, 10), (-5, 25))
    crop = RegionPlate(Windowed(images), path).read(1)
    assert asked == [(0, 25, 15, 5)]
    np.testing.assert_array_equal(crop, RegionPlate(ArrayFrames(images), path).read(1))


def test_identities_know_the_region():
    here, there = (RegionPlate(PLATE, still_path(PLATE.frames, (10, 10), (x, 5))) for x in (3, 4))
    assert here.identity(1001) != there.identity(1001) != PLATE.identity(1001)
    assert here.identity(1001) == RegionPlate(PLATE, still_path(PLATE.frames, (10, 10), (3, 5))).identity(
        1001
    )
    held, mirrored = (
        RegionPlate(PLATE, still_path(PLATE.frames, (10, 10), (-1, 5)), fill).identity(1001) for fill in Fill
    )
    assert held != mirrored


def test_a_tracker_of_a_region_answers_as_one_of_the_crop_itself(model):
    images = RNG.integers(0, 255, (3, 90, 120, 3), np.uint8)
    path = RegionPath(1, (64, 48), ((10, 20), (12, 21), (14, 22)))
    crops = np.stack([image[y : y + 48, x : x + 64] for image, (x, y) in zip(images, path.corners)])
    prompt = Prompt(1, include=((30, 40),))
    results = []
    for plate, word in (
        (RegionPlate(ArrayFrames(images), path), into_region(prompt, path, (120, 90))),
        (ArrayFrames(crops), Prompt(1, include=((20, 20),))),
    ):
        tracker = VideoTracker(model, plate)
        id = tracker.add_object("hero")
        tracker.add_prompt(id, word)
        results.append([result.mattes[id] for result in tracker.track()])
    np.testing.assert_array_equal(results[0], results[1])


def test_two_trackers_of_one_region_encode_each_frame_once(model, monkeypatch):
    encoded = []
    encode = model.encode_image
    monkeypatch.setattr(model, "encode_image", lambda pixels: encoded.append(1) or encode(pixels))
    cache = EmbeddingCache()
    path = still_path(PLATE.frames, (20, 16), (3, 4))
    for point in ((10, 10), (12, 12)):
        tracker = VideoTracker(model, RegionPlate(PLATE, path), embeddings=cache)
        id = tracker.add_object()
        tracker.add_prompt(id, into_region(Prompt(1001, include=(point,)), path, PLATE.size))
        list(tracker.track())
    assert len(encoded) == 3
