"""The tracker as its users meet it, on the small network with random weights (numbers mean nothing,
what depends on what does)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from efficienttam.contract.errors import JobError, PromptError
from efficienttam.contract.passes import Between, Direction, Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.model.config import MODELS
from efficienttam.tracking import ArrayFrames, EmbeddingCache, ImageSegmenter, TrackerOptions, VideoTracker
from efficienttam.tracking.network_pass import contradicted, heeds, unheeded
from efficienttam.tracking.track_result import TrackResult
from efficienttam.weights.load import load_model

FIRST, COUNT, WIDTH, HEIGHT = 1001, 14, 64, 48


@pytest.fixture(scope="module")
def plate() -> ArrayFrames:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return ArrayFrames(images, first=FIRST)


@pytest.fixture(scope="module")
def embeddings() -> EmbeddingCache:
    return EmbeddingCache()


@pytest.fixture
def make(model, plate, embeddings):
    def build(*prompts: Prompt, **options: object) -> tuple[VideoTracker, int]:
        tracker = VideoTracker(model, plate, TrackerOptions(**options), embeddings)
        hero = tracker.add_object("hero")
        for prompt in prompts:
            tracker.add_prompt(hero, prompt)
        return tracker, hero

    return build


def mattes(results, id) -> dict[int, np.ndarray]:
    found: dict[int, np.ndarray] = {}
    for result in results:
        if id in result.mattes:
            assert result.frame not in found, "a frame of an object came twice"
            found[result.frame] = result.logits[id]
    return found


def same(a: dict[int, np.ndarray], b: dict[int, np.ndarray]) -> set[int]:
    return {frame for frame in a if frame in b and np.array_equal(a[frame], b[frame])}


CLICK = Prompt(1003, include=[(20, 20)])
BOX = Prompt(1010, box=(10, 8, 40, 30))
LAST_FRAME = FIRST + COUNT - 1


@pytest.mark.parametrize("between", Between)
@pytest.mark.parametrize("recall", Recall)
def test_every_frame_of_the_range_once(make, between: Between, recall: Recall) -> None:
    tracker, hero = make(CLICK, BOX, between=between, recall=recall)
    found = mattes(tracker.track(), hero)
    assert sorted(found) == list(range(FIRST, LAST_FRAME + 1))
    again = make(CLICK, BOX, between=between, recall=recall)
    assert same(found, mattes(again[0].track(), again[1])) == set(found)
    assert same(found, mattes(tracker.track(), hero)) == set(found), "a second run differs"


def test_a_part_of_the_range_equals_the_whole(make) -> None:
    whole = mattes(make(CLICK, BOX)[0].track(), 1)
    part = mattes(make(CLICK, BOX)[0].track(1006, 1008), 1)
    assert sorted(part) == [1006, 1007, 1008]
    assert same(whole, part) == set(part)
    only = mattes(make(CLICK, BOX)[0].track(only={1: [range(1012, 1014)]}), 1)
    assert sorted(only) == [1012, 1013]
    assert same(whole, only) == set(only)


def test_a_correction_changes_its_span_and_no_other_frame(make) -> None:
    prompts = [CLICK, BOX]
    before = mattes(make(*prompts)[0].track(), 1)
    after = mattes(make(*prompts, Prompt(1012, include=[(30, 30)], exclude=[(12, 12)]))[0].track(), 1)
    changed = set(before) - same(before, after)
    assert 1012 in changed
    assert changed <= set(range(1011, LAST_FRAME + 1))
    everywhere = mattes(make(*prompts, Prompt(1012, include=[(30, 30)]), recall=Recall.ALL)[0].track(), 1)
    all_before = mattes(make(*prompts, recall=Recall.ALL)[0].track(), 1)
    assert min(set(all_before) - same(all_before, everywhere)) < 1010


def test_nearest_takes_each_half_from_its_prompt(make) -> None:
    forward = mattes(make(CLICK, BOX, between=Between.FORWARD)[0].track(), 1)
    nearest = mattes(make(CLICK, BOX)[0].track(), 1)
    blend = mattes(make(CLICK, BOX, between=Between.BLEND)[0].track(), 1)
    assert {1004, 1005, 1006} <= same(forward, nearest)
    assert not {1007, 1008, 1009} & same(forward, nearest)
    assert {1003, 1010} <= same(forward, blend)
    assert not {1004, 1006, 1009} & same(forward, blend)


def test_points_that_come_later_correct_what_tracking_shows(make) -> None:
    correction = Prompt(1007, exclude=[(20, 20)])
    tracker, hero = make(CLICK, correction)
    shown = mattes(tracker.track(), hero)
    untouched = mattes(make(CLICK)[0].track(), 1)
    assert not np.array_equal(shown[1007], untouched[1007])
    assert np.array_equal(shown[1003], untouched[1003])
    with pytest.raises(PromptError, match="only excludes"):
        list(make(correction, CLICK)[0].track())


def test_an_artists_correction_sticks(make) -> None:
    """Prompt, track, correct on a tracked frame, track again: the corrected frame is as previewed."""
    tracker, hero = make()
    tracker.prompt(hero, CLICK)
    first = mattes(tracker.propagate(), hero)
    preview = tracker.prompt(hero, Prompt(1008, include=[(50, 10)]))
    assert not np.array_equal(preview.logits[hero], first[1008])
    second = mattes(tracker.propagate(), hero)
    assert np.array_equal(second[1008], preview.logits[hero])
    assert not np.array_equal(second[1009], first[1009])


def test_a_correction_far_behind_the_pass_is_conditioned_all_the_same(make, model, plate) -> None:
    """What the bank dropped is tracked again from the nearest prompt, silently."""
    tracker, hero = make()
    tracker.prompt(hero, CLICK)
    list(tracker.propagate())
    kept = tracker.prompt(hero, Prompt(1009, include=[(50, 10)])).logits[hero]
    other, again = make()
    other.prompt(again, CLICK)
    list(other.propagate())
    other.track_of(again).memory.tracked.clear()
    dropped = other.prompt(again, Prompt(1009, include=[(50, 10)])).logits[again]
    assert np.allclose(kept, dropped, atol=1e-4)


def test_an_object_prompted_late_is_tracked_from_anywhere(make) -> None:
    tracker, hero = make(BOX)
    assert sorted(mattes(tracker.track(), hero)) == list(range(FIRST, LAST_FRAME + 1))
    tracker, hero = make(BOX)
    assert sorted(mattes(tracker.propagate(start=FIRST), hero)) == list(range(FIRST, LAST_FRAME + 1))
    tracker, hero = make(BOX)
    backward = mattes(tracker.track(direction=Direction.BACKWARD), hero)
    assert sorted(backward) == list(range(FIRST, 1011))


def test_directions_are_words_too(make) -> None:
    tracker, hero = make(BOX)
    assert [result.frame for result in tracker.propagate(direction="backward")] == list(
        range(1010, FIRST - 1, -1)
    )
    assert sorted(mattes(tracker.track(direction="backward"), hero)) == list(range(FIRST, 1011))
    with pytest.raises(JobError, match=r"'back' is no direction\. Use one of 'forward', 'backward', 'both'"):
        next(tracker.propagate(direction="back"))
    with pytest.raises(JobError, match="'back' is no direction"):
        tracker.track(direction="back")
    assert TrackerOptions(between="blend", recall="all") == TrackerOptions(Between.BLEND, Recall.ALL)
    with pytest.raises(JobError, match="'mix' is no word for between"):
        TrackerOptions(between="mix")


@pytest.mark.parametrize("told", [{"start": 0}, {"start": 5000}, {"end": 0}, {"end": LAST_FRAME + 1}])
@pytest.mark.parametrize("direction", [Direction.FORWARD, Direction.BACKWARD])
def test_a_pass_stays_on_the_plate(make, told: dict[str, int], direction: Direction) -> None:
    tracker, _ = make(CLICK)
    with pytest.raises(PromptError, match=f"is not in the plate, which has {FIRST} to {LAST_FRAME}"):
        next(tracker.propagate(**told, direction=direction))


def test_objects_come_go_and_keep_their_ids(make) -> None:
    tracker, hero = make(CLICK)
    car = tracker.add_object("car")
    tracker.add_prompt(car, BOX)
    tracker.rename_object(car, "lorry")
    assert dict(tracker.objects) == {hero: "hero", car: "lorry"}
    both = list(tracker.track())
    alone = mattes(make(CLICK)[0].track(), 1)
    assert same(mattes(both, hero), alone) == set(alone), "objects disturb each other"
    tracker.remove_object(hero)
    assert dict(tracker.objects) == {car: "lorry"}
    before, left = mattes(both, car), list(tracker.track())
    assert all(set(result.mattes) == {car} for result in left), "one that was removed is tracked"
    assert same(mattes(left, car), before) == set(before) == set(range(FIRST, LAST_FRAME + 1))
    third = tracker.add_object()
    assert third not in (hero, car)
    with pytest.raises(PromptError, match="There is no object"):
        tracker.add_prompt(hero, CLICK)
    with pytest.raises(PromptError, match="object3 has no prompt"):
        list(tracker.track())


def test_a_roto_keeps_its_softness_on_its_frame(make) -> None:
    soft = np.linspace(0, 1, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, 0)
    tracker, hero = make(Prompt(1005, mask=soft))
    for result in tracker.track():
        if result.frame == 1005:
            assert np.array_equal(result.mattes[hero], soft)
        else:
            assert result.mattes[hero].shape == (HEIGHT, WIDTH)
            assert not np.array_equal(result.mattes[hero], soft)


def test_points_correct_a_mask_on_the_same_frame(make) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:30, 10:30] = 1
    both = make(Prompt(1005, mask=mask, exclude=[(12, 12)]))[0].track(1005, 1005)
    alone = make(Prompt(1005, mask=mask))[0].track(1005, 1005)
    assert not np.array_equal(next(both).logits[1], next(alone).logits[1])


def test_breaking_out_keeps_what_is_done_and_leaves_a_working_tracker(make) -> None:
    tracker, hero = make(CLICK)
    for result in tracker.track():
        if result.frame == 1006:
            break
    assert sorted(mattes(tracker.track(), hero)) == list(range(FIRST, LAST_FRAME + 1))


def test_a_pass_that_was_broken_off_goes_on_as_if_it_had_not_been(make) -> None:
    whole = mattes(make(CLICK)[0].propagate(), 1)
    tracker, hero = make(CLICK)
    begun = {}
    for result in tracker.propagate():
        begun |= mattes([result], hero)
        if result.frame == 1006:
            break
    rest = mattes(tracker.propagate(start=1007), hero)
    assert (sorted(begun), sorted(rest)) == ([*range(1003, 1007)], [*range(1007, LAST_FRAME + 1)])
    assert same(whole, begun | rest) == set(whole)


def test_objects_may_be_kept_apart(make) -> None:
    tracker, hero = make(CLICK, non_overlapping=True)
    other = tracker.add_object()
    tracker.add_prompt(other, BOX)
    seen = set()
    for result in tracker.track():
        assert set(result.mattes) == {hero, other}
        assert not ((result.mattes[hero] > 0.5) & (result.mattes[other] > 0.5)).any()
        seen.add(result.frame)
    assert seen == set(range(FIRST, LAST_FRAME + 1))


def test_a_roto_keeps_its_softness_apart_where_it_is_highest() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32), (16, 16))
    logits = {id: np.full((16, 16), low, np.float32) for id, low in ((1, -10), (2, 20), (3, 30))}
    logits[2][:, 8:] = logits[3][:, 8:] = -20
    logits[2][:8, :4] = 40
    zeros = dict.fromkeys(logits, 0.0)
    found = TrackResult(1001, (16, 16), logits, zeros, zeros, {1: ramp}, apart=True).mattes
    np.testing.assert_array_equal(found[1][:, 8:], ramp[:, 8:])
    assert list(found) == [1, 2, 3] and not found[1][:, :8].any()
    np.testing.assert_array_equal(found[2] == 1, logits[2] == 40)
    np.testing.assert_array_equal(found[3] == 1, (logits[3] == 30) & (logits[2] < 40))
    alone = TrackResult(1001, (16, 16), {1: logits[1]}, zeros, zeros, {1: ramp}, apart=True)
    np.testing.assert_array_equal(alone.mattes[1], ramp)


def test_preview_shows_one_frame(make) -> None:
    tracker, hero = make(CLICK)
    whole = mattes(make(CLICK)[0].track(), 1)
    for frame in (1003, 1006, 1001):
        assert np.array_equal(tracker.preview(frame).logits[hero], whole[frame])


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (Prompt(1, include=[(1, 1)]), "not in the plate, which has 1001 to 1014"),
        (Prompt(1003, include=[(65, 1)]), "outside the plate of 64x48"),
        (Prompt(1003, include=[(64, 1)]), "x is 0 to less than 64"),
        (Prompt(1003, exclude=[(1, 48)]), "y 0 to less than 48"),
        (Prompt(1003, mask=np.zeros((4, 4))), r"expected \(48, 64\)"),
        (Prompt(1003, box=(70, 1, 80, 9)), "the box 70,1,80,9 is outside the plate of 64x48"),
        (Prompt(1003, mask=np.full((48, 64), 200, np.uint8)), "200 to 200, expected 0 outside to 1 inside"),
        (Prompt(1003, mask=np.full((48, 64), np.nan, np.float32)), "nan to nan, expected 0 outside"),
    ],
)
def test_a_prompt_outside_the_plate_is_refused(make, prompt: Prompt, said: str) -> None:
    tracker, hero = make()
    with pytest.raises(PromptError, match=said):
        tracker.prompt(hero, prompt)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"include": (8, 4)}, "point 8 is not two finite numbers.*Give a list of points"),
        ({"include": ["8,4"]}, "point '8,4' is not two finite numbers"),
        ({"box": [(1, 2), (3, 4)]}, "is not four finite numbers"),
    ],
)
def test_a_prompt_of_another_form_is_refused_in_words(said: dict, words: str) -> None:
    with pytest.raises(PromptError, match=words):
        Prompt(1003, **said)


def test_pictures_and_masks_that_a_segmenter_would_misread_are_refused(make) -> None:
    segmenter = ImageSegmenter(make()[0].model)
    with pytest.raises(PromptError, match="uint16, expected uint8"):
        segmenter.set_image(np.zeros((48, 64, 3), np.uint16))
    segmenter.set_image(np.zeros((48, 64, 3), np.uint8))
    side = segmenter.model.config.mask_side
    with pytest.raises(PromptError, match=rf"expected \({side}, {side}\) for each"):
        segmenter.predict(include=[(8, 4)], mask_logits=np.zeros((48, 64), np.float32))
    logits = segmenter.predict(include=[(8, 4)]).logits[0, 0]
    both = [Prompt(0, include=[(8, 4)], mask=logits), Prompt(0, include=[(9, 4)])]
    with pytest.raises(PromptError, match="none, expected"):
        segmenter.predict_many(both)
    assert segmenter.predict_many(both[:1]).mask_logits.shape[-2:] == (48, 64)


def test_a_prompt_can_be_taken_back(make) -> None:
    tracker, hero = make(CLICK, BOX)
    tracker.remove_prompt(hero, BOX.frame)
    assert same(mattes(tracker.track(), hero), mattes(make(CLICK)[0].track(), 1)) == set(
        range(FIRST, LAST_FRAME + 1)
    )
    with pytest.raises(PromptError, match="has no prompt on frame 1010"):
        tracker.remove_prompt(hero, BOX.frame)


def test_holes_are_filled_on_the_cpu(make) -> None:
    """With every region small enough to be a hole, no background is left."""
    cells = MODELS["efficienttam_demo"].mask_side ** 2
    left_open = mattes(make(CLICK, fill_hole_area=0)[0].track(1003, 1004), 1)
    filled = mattes(make(CLICK, fill_hole_area=cells)[0].track(1003, 1004), 1)
    assert any((logits <= 0).any() for logits in left_open.values())
    assert all((logits > 0).all() for logits in filled.values())


def test_an_embedding_cache_is_bounded_in_bytes() -> None:
    cache = EmbeddingCache(budget=4 * 100)
    for frame in range(10):
        cache.get(str(frame), lambda: torch.zeros(30))
    assert len(cache) == 3
    assert cache.get("9", lambda: pytest.fail("was held")).numel() == 30


def test_a_given_embedding_cache_is_the_one_used(model, plate) -> None:
    """An empty cache is false in a condition; it must not be taken for none."""
    cache = EmbeddingCache(budget=1)
    tracker = VideoTracker(model, plate, embeddings=cache)
    tracker.prompt(tracker.add_object(), CLICK)
    assert tracker.frame_encoder.cache is cache
    assert len(cache) == 1


def disc(x: float, y: float, radius: float = 22) -> np.ndarray:
    rows, columns = np.mgrid[:120, :160] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_points_on_another_object_bring_a_lost_track_back() -> None:
    """With trained weights: tracking follows one disc, the words on a later frame mean the other one."""
    one, two = disc(45, 60), disc(115, 60)
    picture = np.full((120, 160, 3), (90, 110, 100), np.uint8)
    picture[one], picture[two] = (210, 60, 40), (50, 80, 220)
    model = load_model("efficienttam_demo", device="cpu")
    tracker = VideoTracker(model, ArrayFrames(np.stack([picture] * 5)))
    hero = tracker.add_object("hero")
    first = tracker.plate.frames[0]
    tracker.add_prompt(hero, Prompt(first, include=[(45, 60)]))
    assert iou(tracker.preview(first + 3).mattes[hero] > 0.5, one) > 0.7
    tracker.add_prompt(hero, Prompt(first + 3, include=[(115, 60)], exclude=[(45, 60)]))
    shown = {result.frame - first: result.mattes[hero] > 0.5 for result in tracker.track()}
    assert iou(shown[3], two) > 0.7 and iou(shown[4], two) > 0.7
    assert iou(shown[0], one) > 0.7


def test_points_contradict_a_mask_that_they_leave_no_part_of() -> None:
    logits = torch.full((64, 64), -5.0)
    inside, outside = (40.0, 20.0), (10.0, 20.0)
    here, there = Prompt(1, include=[inside]), Prompt(1, include=[outside])
    assert contradicted(logits, here, (64, 48)), "an empty mask"
    logits[:, 32:] = 5
    assert not contradicted(logits, here, (64, 48))
    assert not contradicted(logits, there, (64, 48)), "a part may be missing"
    assert contradicted(logits, Prompt(1, include=[outside], exclude=[inside]), (64, 48))
    assert not contradicted(logits, Prompt(1, include=[outside, inside], exclude=[(45.0, 20.0)]), (64, 48))
    assert not contradicted(logits, Prompt(1, exclude=[inside]), (64, 48))
    assert heeds(logits, here, (64, 48)) and not heeds(logits, there, (64, 48))
    assert heeds(logits, Prompt(1, exclude=[inside]), (64, 48))
    assert heeds(logits, Prompt(1, include=[(64, 48)]), (64, 48)), "the far corner is the last cell"


def test_points_that_the_mask_goes_against_are_told(make) -> None:
    logits = torch.full((64, 64), -5.0)
    logits[:, 32:] = 5
    prompt = Prompt(1, include=[(10, 20), (40, 20)], exclude=[(50, 20), (5, 5)])
    assert unheeded(logits, prompt, (64, 48)) == ["10,20 is not in it", "50,20 is still in it"]
    told: list[str] = []
    tracker, _ = make()
    told_by = VideoTracker(tracker.model, tracker.plate, tell=told.append)
    id = told_by.add_object("hero")
    same_place = (20.0, 20.0)
    told_by.add_prompt(id, Prompt(1003, include=[same_place], exclude=[(21.0, 20.0)]))
    told_by.preview(1003)
    assert len(told) == 1 and told[0].startswith("hero on frame 1003: 2")


@pytest.mark.parametrize(
    ("level", "width", "words"),
    [
        (0.0, 30, "hero on frame 1003: its mask is empty"),
        (0.4, 30, "hero on frame 1003: its mask is empty"),
        (0.55, 1, "hero on frame 1003: its mask is too small"),
        (1.0, 30, ""),
        (1.0, 9999, "hero on frame 1003: its mask covers the whole frame"),
    ],
)
def test_a_mask_without_a_shape_is_told(make, level: float, width: int, words: str) -> None:
    told: list[str] = []
    tracker, _ = make()
    told_by = VideoTracker(tracker.model, tracker.plate, tell=told.append)
    id = told_by.add_object("hero")
    columns, rows = tracker.plate.size
    mask = np.zeros((rows, columns), np.float32)
    mask[0 if width > columns else rows // 2 :, :][:width, :width] = level
    told_by.add_prompt(id, Prompt(1003, mask=mask))
    told_by.preview(1003)
    assert [sentence.startswith(words) for sentence in told] == [True] * bool(words)
