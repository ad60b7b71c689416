"""Previews while prompts change: the same as from the beginning, with far less work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from efficienttam.contract.errors import PromptError
from efficienttam.contract.passes import Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.tracking import ArrayFrames, EmbeddingCache, TrackerOptions, VideoTracker
from efficienttam.tracking.rehearsal import Rehearsal, Word

FIRST, COUNT, WIDTH, HEIGHT = 1001, 9, 64, 48


@pytest.fixture(scope="module")
def plate():
    rng = np.random.default_rng(0)
    return ArrayFrames(rng.integers(0, 255, (COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8), first=FIRST)


@pytest.fixture(scope="module")
def embeddings():
    return EmbeddingCache()


def words(*prompts):
    return [Word(prompt, prompt) for prompt in prompts]


def from_the_beginning(model, plate, embeddings, frame, prompts, **options):
    tracker = VideoTracker(model, plate, TrackerOptions(**options), embeddings)
    hero = tracker.add_object("hero")
    for prompt in prompts:
        tracker.add_prompt(hero, prompt)
    result = tracker.preview(frame)
    return result.mattes[hero], result.object_score[hero]


class Counted:
    """Counts frames that the network works on."""

    def __init__(self):
        self.frames = []

    def __call__(self, frame):
        self.frames.append(frame)


POINT = st.tuples(st.integers(1, WIDTH - 2), st.integers(1, HEIGHT - 2))
FRAMES = st.integers(FIRST, FIRST + COUNT - 1)
EDIT = st.one_of(
    st.tuples(st.just("point"), FRAMES, POINT),
    st.tuples(st.just("box"), FRAMES, POINT),
    st.tuples(st.just("undo"), FRAMES, POINT),
    st.tuples(st.just("look"), FRAMES, POINT),
    st.tuples(st.just("ready"), FRAMES, POINT),
)


def edited(prompts, edit):
    """The prompts after an edit of an artist."""
    kind, frame, (x, y) = edit
    if kind == "undo":
        return prompts[:-1] if len(prompts) > 1 else prompts
    if kind in ("look", "ready"):
        return prompts
    there = next((prompt for prompt in prompts if prompt.frame == frame), None)
    if kind == "box":
        made = Prompt(frame, box=(max(0, x - 10), max(0, y - 10), x + 10, y + 10))
    else:
        before = () if there is None else there.include
        made = Prompt(
            frame, include=tuple(dict.fromkeys((*before, (x, y)))), box=there.box if there else None
        )
    if there is None:
        return [*prompts, made]
    return [made if prompt.frame == frame else prompt for prompt in prompts]


@pytest.mark.parametrize("recall", list(Recall))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(EDIT, min_size=1, max_size=5))
def test_a_preview_is_that_of_a_tracker_that_heard_everything_at_once(
    model, plate, embeddings, recall, edits
):
    rehearsal = Rehearsal(VideoTracker(model, plate, TrackerOptions(recall=recall), embeddings))
    prompts = [Prompt(FIRST, box=(10, 10, 40, 40))]
    for edit in edits:
        prompts = edited(prompts, edit)
        if edit[0] == "ready":
            rehearsal.ready(edit[1], {"hero": words(*prompts)})
            continue
        result, ids = rehearsal.show(edit[1], {"hero": words(*prompts)})
        matte, score = from_the_beginning(model, plate, embeddings, edit[1], prompts, recall=recall)
        np.testing.assert_allclose(result.mattes[ids["hero"]], matte, atol=1e-5)
        assert result.object_score[ids["hero"]] == pytest.approx(score, abs=1e-4)


def test_another_point_on_the_last_frame_walks_nowhere(model, plate, embeddings):
    counted = Counted()
    rehearsal = Rehearsal(VideoTracker(model, plate, embeddings=embeddings, visit=counted))
    first, far = Prompt(FIRST, box=(10, 10, 40, 40)), FIRST + 6
    rehearsal.ready(far, {"hero": words(first)})
    assert len(set(counted.frames)) > 5
    for count in (1, 2, 3):
        counted.frames.clear()
        points = tuple((20 + index, 20) for index in range(count))
        rehearsal.show(far, {"hero": words(first, Prompt(far, include=points))})
        assert set(counted.frames) == {far}
    counted.frames.clear()
    rehearsal.show(far, {"hero": words(first, Prompt(far, include=((20, 20),)))})
    assert set(counted.frames) <= {far}


def test_other_objects_are_left_alone(model, plate, embeddings):
    counted = Counted()
    rehearsal = Rehearsal(VideoTracker(model, plate, embeddings=embeddings, visit=counted))
    sky = words(Prompt(FIRST + 3, box=(0, 0, 60, 20)))
    rehearsal.show(FIRST, {"hero": words(Prompt(FIRST, box=(10, 10, 40, 40))), "sky": sky})
    counted.frames.clear()
    rehearsal.show(FIRST, {"hero": words(Prompt(FIRST, box=(11, 10, 40, 40))), "sky": sky})
    assert set(counted.frames) == {FIRST}


def test_what_was_refused_leaves_nothing_behind(model, plate, embeddings):
    rehearsal = Rehearsal(VideoTracker(model, plate, embeddings=embeddings))
    good = words(Prompt(FIRST, box=(10, 10, 40, 40)))
    before, ids = rehearsal.show(FIRST, {"hero": good})
    matte = before.mattes[ids["hero"]]
    with pytest.raises(PromptError, match="only excludes"):
        rehearsal.show(FIRST, {"hero": words(Prompt(FIRST, exclude=((1, 1),)))})
    with pytest.raises(PromptError, match="outside the plate"):
        rehearsal.show(FIRST, {"hero": [*good, *words(Prompt(FIRST + 1, include=((999, 1),)))]})
    with pytest.raises(PromptError, match="not in the plate"):
        rehearsal.show(5, {"hero": good})
    with pytest.raises(PromptError, match="no prompt"):
        rehearsal.show(FIRST, {"hero": []})
    after, ids = rehearsal.show(FIRST, {"hero": good})
    np.testing.assert_array_equal(after.mattes[ids["hero"]], matte)


def test_an_interruption_in_the_middle_leaves_nothing_behind(model, plate, embeddings):
    class Stopped(Exception):
        pass

    def visit(frame):
        if stop and frame == FIRST + 3:
            raise Stopped

    stop = False
    rehearsal = Rehearsal(VideoTracker(model, plate, embeddings=embeddings, visit=visit))
    prompts = [Prompt(FIRST, box=(10, 10, 40, 40)), Prompt(FIRST + 5, include=((30, 30),))]
    rehearsal.show(FIRST, {"hero": words(*prompts[:1])})
    stop = True
    with pytest.raises(Stopped):
        rehearsal.show(FIRST + 5, {"hero": words(*prompts)})
    stop = False
    result, ids = rehearsal.show(FIRST + 5, {"hero": words(*prompts)})
    matte, _ = from_the_beginning(model, plate, embeddings, FIRST + 5, prompts)
    np.testing.assert_allclose(result.mattes[ids["hero"]], matte, atol=1e-5)
