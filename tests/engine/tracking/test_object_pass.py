"""What is computed once, what goes together, and what happens when memory runs out."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
import pytest
import torch

from efficienttam.contract.passes import Direction
from efficienttam.contract.prompts import Prompt
from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import ArrayFrames, EmbeddingCache, VideoTracker
from efficienttam.tracking.economy import Economy
from efficienttam.tracking.frame_encoder import FrameEncoder

FRAMES = 6


class Counted(EfficientTAM):
    """Counts the passes through the network, and runs out of memory where told."""

    def __init__(self, config) -> None:
        super().__init__(config)
        self.encoded = self.recalled = self.recalled_objects = 0
        self.most_objects = 10**9

    def encode_image(self, image):
        self.encoded += len(image)
        return super().encode_image(image)

    def recall(self, embedding, *memories):
        if len(memories) > self.most_objects:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.recalled += 1
        self.recalled_objects += len(memories)
        return super().recall(embedding, *memories)


@pytest.fixture
def model() -> Counted:
    torch.manual_seed(3)
    model = Counted(MODELS["efficienttam_demo"])
    model.load_state_dict(build_model(model.config).state_dict())
    with torch.no_grad():
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3)
    return model.requires_grad_(False).eval()


@pytest.fixture(scope="module")
def plate() -> ArrayFrames:
    rng = np.random.default_rng(0)
    return ArrayFrames(rng.integers(0, 255, (FRAMES, 48, 64, 3), dtype=np.uint8), first=1)


PLACES = [(20, 20), (40, 10), (8, 40)]


def tracked(model, plate, places) -> tuple[VideoTracker, dict[int, list[np.ndarray]]]:
    tracker = VideoTracker(model, plate)
    for place in places:
        tracker.add_prompt(tracker.add_object(), Prompt(1, include=[place]))
    found: dict[int, list[np.ndarray]] = {}
    for result in tracker.track():
        for id, logits in result.logits.items():
            found.setdefault(id, []).append(logits)
    return tracker, found


def test_objects_go_through_the_network_together_and_come_out_as_alone(model, plate) -> None:
    _, together = tracked(model, plate, PLACES)
    assert (model.encoded, model.recalled, model.recalled_objects) == (FRAMES, FRAMES - 1, 3 * (FRAMES - 1))
    for place, logits in zip(PLACES, together.values(), strict=True):
        _, alone = tracked(model, plate, [place])
        for one, other in zip(logits, alone[1], strict=True):
            np.testing.assert_allclose(one, other, atol=2e-4)


def test_an_object_prompted_elsewhere_recalls_by_itself(model, plate) -> None:
    tracker = VideoTracker(model, plate)
    first, second = tracker.add_object(), tracker.add_object()
    tracker.add_prompt(first, Prompt(1, include=[PLACES[0]]))
    tracker.add_prompt(second, Prompt(4, include=[PLACES[1]]))
    results = list(tracker.track(direction=Direction.FORWARD))
    assert [sorted(result.logits) for result in results] == [[1]] * 3 + [[1, 2]] * 3


def test_a_second_click_on_a_tracked_frame_recalls_nothing_anew(model, plate) -> None:
    tracker = VideoTracker(model, plate)
    hero = tracker.add_object()
    tracker.prompt(hero, Prompt(1, include=[PLACES[0]]))
    list(tracker.propagate())
    model.encoded = model.recalled = 0
    tracker.prompt(hero, Prompt(4, include=[PLACES[1]]))
    assert (model.encoded, model.recalled) == (0, 1)
    more = tracker.prompt(hero, Prompt(4, include=[PLACES[1]], exclude=[PLACES[2]]))
    assert (model.encoded, model.recalled) == (0, 1)

    fresh = VideoTracker(model, plate)
    hero = fresh.add_object()
    fresh.prompt(hero, Prompt(1, include=[PLACES[0]]))
    list(fresh.propagate())
    fresh.prompt(hero, Prompt(4, include=[PLACES[1]]))
    fresh.track_of(hero).conditioned = None
    again = fresh.prompt(hero, Prompt(4, include=[PLACES[1]], exclude=[PLACES[2]]))
    assert np.array_equal(more.logits[1], again.logits[1])


def test_a_first_click_on_a_cached_frame_runs_the_heads_alone(model, plate) -> None:
    tracker = VideoTracker(model, plate)
    hero = tracker.add_object()
    tracker.embedding(2)
    model.encoded = model.recalled = 0
    tracker.prompt(hero, Prompt(2, include=[PLACES[0]]))
    assert (model.encoded, model.recalled) == (0, 0)


def test_a_gpu_without_memory_for_three_tracks_one_by_one_and_says_so(model, plate) -> None:
    _, expected = tracked(model, plate, PLACES)
    model.most_objects = 2
    told: list[str] = []
    tracker = VideoTracker(model, plate, tell=told.append)
    for place in PLACES:
        tracker.add_prompt(tracker.add_object(), Prompt(1, include=[place]))
    found = [result.logits for result in tracker.track()]
    assert tracker.object_pass.economy is Economy.SINGLE_OBJECTS
    assert [text for text in told if "GPU" in text] == [Economy.SINGLE_OBJECTS.told]
    for row, logits in enumerate(found):
        for id, one in logits.items():
            np.testing.assert_allclose(one, expected[id][row], atol=2e-4)


def test_a_gpu_without_memory_for_one_gives_up_after_offloading(model, plate) -> None:
    model.most_objects = 0
    told: list[str] = []
    tracker = VideoTracker(model, plate, tell=told.append)
    tracker.add_prompt(tracker.add_object(), Prompt(1, include=[PLACES[0]]))
    with pytest.raises(torch.OutOfMemoryError):
        list(tracker.track())
    assert [text for text in told if "GPU" in text] == [Economy.OFFLOADED.told]


def test_every_frame_is_visited_before_the_network_works_on_it(model, plate) -> None:
    visited: list[int] = []
    tracker = VideoTracker(model, plate, visit=visited.append)
    tracker.add_prompt(tracker.add_object(), Prompt(2, include=[PLACES[0]]))
    list(tracker.track())
    assert visited == [2, 3, 4, 5, 6, 1]
    list(tracker.track())
    assert visited == [2, 3, 4, 5, 6, 1, 3, 4, 5, 6, 1], "also when every embedding is cached"


def test_a_frame_that_was_replaced_after_it_was_read_ahead_is_read_again(model, plate) -> None:
    """Its old picture must not be embedded under the new one's key."""

    class Replaced:
        size, frames = plate.size, plate.frames
        reads: ClassVar[list[int]] = []
        version = 0

        def identity(self, frame: int) -> str:
            return f"{frame} of version {self.version}"

        def read(self, frame: int) -> np.ndarray:
            self.reads.append(frame)
            return plate.read(1 + (frame - 1 + self.version) % FRAMES)

    source = Replaced()
    encoder = FrameEncoder(model, source, EmbeddingCache())
    encoder.expect([3])
    limit = time.monotonic() + 10
    while not source.reads and time.monotonic() < limit:
        time.sleep(0.005)
    source.version = 1
    with torch.inference_mode():
        found = encoder.embedding(3)
        expected = FrameEncoder(model, plate, EmbeddingCache()).embedding(4)
    encoder.rest()
    assert source.reads == [3, 3]
    assert torch.equal(found, expected)
