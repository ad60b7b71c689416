"""A shot of any length is remembered in the same space: what a bank holds while more frames pass than it
reaches. The numbers are those of the published weights: sixteen pointers back, seven maps back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from efficienttam.contract.passes import Direction, Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.tracking import ArrayFrames, EmbeddingCache, TrackerOptions, VideoTracker

FIRST, LAST = 1001, 1042
CLICK, LATE_CLICK = Prompt(FIRST, include=[(20, 20)]), Prompt(LAST, include=[(20, 20)])
#: Around the frame at hand and the prompted one, which lie at the two ends of what was tracked.
ENTRIES, MAPS = 16 + 1 + 16, 7 + 1 + 7


@pytest.fixture(scope="module")
def plate() -> ArrayFrames:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (LAST - FIRST + 1, 48, 64, 3), dtype=np.uint8)
    return ArrayFrames(images, first=FIRST)


@pytest.fixture(scope="module")
def embeddings() -> EmbeddingCache:
    return EmbeddingCache()


@pytest.fixture
def make(model, plate, embeddings) -> Callable[..., VideoTracker]:
    def build(*prompts: Prompt, **options: object) -> VideoTracker:
        tracker = VideoTracker(model, plate, TrackerOptions(**options), embeddings)
        hero = tracker.add_object("hero")
        for prompt in prompts:
            tracker.add_prompt(hero, prompt)
        return tracker

    return build


def held(tracker: VideoTracker) -> tuple[int, int]:
    """Tracked frames that the bank holds, and those of them with maps."""
    (id,) = tracker.objects
    tracked = tracker.track_of(id).memory.tracked
    return len(tracked), sum(entry.memory_map is not None for entry in tracked.values())


def most_held(tracker: VideoTracker, results: Iterator) -> tuple[int, int, int]:
    """Results that came, and the most that was held, of entries and of maps, when one came."""
    sizes = [held(tracker) for _ in results]
    return len(sizes), max(entries for entries, _ in sizes), max(maps for _, maps in sizes)


@pytest.mark.parametrize(
    ("prompt", "direction"), [(CLICK, Direction.FORWARD), (LATE_CLICK, Direction.BACKWARD)]
)
def test_a_pass_is_bounded(make, prompt: Prompt, direction: Direction) -> None:
    tracker = make(prompt)
    count = LAST - FIRST + 1
    assert most_held(tracker, tracker.propagate(direction=direction)) == (count, ENTRIES, MAPS)


@pytest.mark.parametrize(
    ("prompt", "recall"), [(CLICK, Recall.NEIGHBOURS), (LATE_CLICK, Recall.NEIGHBOURS), (CLICK, Recall.ALL)]
)
def test_the_filling_of_a_range_is_bounded(make, prompt: Prompt, recall: Recall) -> None:
    tracker = make(prompt, recall=recall)
    assert most_held(tracker, tracker.track()) == (LAST - FIRST + 1, ENTRIES, MAPS)


def test_frames_passed_on_the_way_to_a_part_of_a_job_are_bounded(make) -> None:
    """As a farm's task asks for it: three frames far from the prompt, exact."""
    tracker = make(CLICK)
    (hero,) = tracker.objects
    part = tracker.track(FIRST, LAST, Direction.BOTH, {hero: [range(LAST - 2, LAST + 1)]}, True)
    assert most_held(tracker, part) == (3, ENTRIES, MAPS)


def test_the_way_to_a_preview_is_bounded(make) -> None:
    tracker = make(CLICK)
    tracker.preview(LAST)
    assert held(tracker) == (ENTRIES, MAPS)
