"""Embeddings in memory over a disk, and the keys they are known by."""

from __future__ import annotations

import hashlib
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.cache_settings import Storage
from efficienttam.contract.prompts import Prompt
from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.tracking import ArrayFrames, EmbeddingCache, EmbeddingStore, VideoTracker
from efficienttam.tracking.embedding_key import MEANING, embedding_key
from efficienttam.tracking.network_input import frame_input

KEY = hashlib.sha256(b"one").hexdigest()


def never() -> torch.Tensor:
    pytest.fail("was encoded again")


@pytest.fixture
def embedding() -> torch.Tensor:
    return torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))


def test_without_a_store_nothing_is_rounded(embedding) -> None:
    cache = EmbeddingCache()
    assert cache.get(KEY, lambda: embedding) is embedding
    assert cache.get(KEY, never) is embedding and cache.holds(KEY)
    assert cache.load("other") is None and not cache.holds("other")


@pytest.mark.parametrize("storage", Storage)
def test_numbers_do_not_depend_on_what_the_disk_held(tmp_path, embedding, storage) -> None:
    """Made now, from memory, from disk, with the disk off and with one that cannot be written."""
    (tmp_path / "file").touch()
    folders = [str(tmp_path / "cache"), str(tmp_path / "cache"), "", str(tmp_path / "file" / "no")]
    found = []
    for number, folder in enumerate(folders):
        cache = EmbeddingCache(store=EmbeddingStore(folder, 2**30, storage))
        found.append(cache.get(KEY, never if number == 1 else lambda: embedding))
        found.append(cache.get(KEY, never))
    assert all(torch.equal(found[0], other) for other in found)
    assert all(other.dtype == embedding.dtype for other in found)
    assert torch.equal(found[0], embedding) == (storage is Storage.FLOAT32)


def test_loading_ahead_brings_it_into_memory(tmp_path, embedding) -> None:
    store = EmbeddingStore(str(tmp_path), 2**30)
    EmbeddingCache(store=store).get(KEY, lambda: embedding)
    cache = EmbeddingCache(store=store)
    assert cache.holds(KEY) and len(cache) == 0
    loaded = cache.load(KEY)
    assert len(cache) == 1 and cache.get(KEY, never) is loaded


def test_what_changed_while_it_was_encoded_is_not_kept(tmp_path, embedding) -> None:
    cache = EmbeddingCache(store=EmbeddingStore(str(tmp_path), 2**30))
    assert cache.get(KEY, lambda: embedding, unchanged=lambda: False).shape == embedding.shape
    assert not cache.holds(KEY)


def test_a_damaged_file_is_encoded_again(tmp_path, embedding) -> None:
    store = EmbeddingStore(str(tmp_path), 2**30)
    first = EmbeddingCache(store=store).get(KEY, lambda: embedding)
    with open(store.path(KEY), "r+b") as file:
        file.truncate(200)
    assert torch.equal(EmbeddingCache(store=store).get(KEY, lambda: embedding), first)
    assert torch.equal(EmbeddingCache(store=store).get(KEY, never), first)


def test_many_threads_see_one_embedding_per_key(tmp_path) -> None:
    cache = EmbeddingCache(budget=4 * 512, store=EmbeddingStore(str(tmp_path), 2**30))
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(20)]
    wrong: list[str] = []

    def work() -> None:
        for _ in range(20):
            for number, key in enumerate(keys):
                found = cache.get(key, lambda number=number: torch.full((1, 8, 4, 4), float(number)))
                if not torch.equal(found, torch.full((1, 8, 4, 4), float(number))):
                    wrong.append(key)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(cache) == 4


INGREDIENTS = st.fixed_dictionaries(
    {
        "weights": st.text("0123456789abcdef", min_size=1, max_size=4),
        "variant": st.sampled_from(sorted(MODELS)),
        "side": st.sampled_from([256, 512, 1024]),
        "precision": st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
        "storage": st.sampled_from(list(Storage)),
        "picture": st.text(max_size=6),
    }
)


def key_for(parts: dict) -> str:
    config = SimpleNamespace(name=parts["variant"], input_size=parts["side"])
    model = SimpleNamespace(weights_hash=parts["weights"], config=config, precision=parts["precision"])
    return embedding_key(model, parts["picture"], parts["storage"])


@given(one=INGREDIENTS, other=INGREDIENTS, changed=st.sampled_from(["", *"weights side picture".split()]))
def test_keys_are_equal_exactly_when_every_ingredient_is(one, other, changed) -> None:
    if changed:
        other = {**one, changed: other[changed]}
    assert (key_for(one) == key_for(other)) == (one == other)
    assert len(key_for(one)) == 64


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", "b"),
        ("variant", "efficienttam_ti"),
        ("side", 512),
        ("precision", torch.float16),
        ("storage", Storage.INT8),
        ("picture", "q"),
    ],
)
def test_each_ingredient_counts(name, value) -> None:
    parts = {
        "weights": "a",
        "variant": "efficienttam_s",
        "side": 1024,
        "precision": torch.float32,
        "storage": Storage.FLOAT16,
        "picture": "p",
    }
    assert key_for(parts) != key_for({**parts, name: value})


def test_weights_from_no_file_meet_nobody_and_no_disk(tmp_path) -> None:
    torch.manual_seed(0)
    one, two = (build_model(MODELS["efficienttam_demo"]) for _ in range(2))
    assert embedding_key(one, "p", None) == embedding_key(one, "p", None)
    assert embedding_key(one, "p", None) != embedding_key(two, "p", None)
    cache = EmbeddingCache(store=EmbeddingStore(str(tmp_path), 2**30))
    plate = ArrayFrames(np.zeros((2, 48, 64, 3), np.uint8))
    for model in (one, two):
        tracker = VideoTracker(model, plate, embeddings=cache)
        tracker.prompt(tracker.add_object(), Prompt(1, include=[(30, 20)]))
    assert len(cache) == 2 and list(tmp_path.iterdir()) == []


def test_arrays_are_known_by_their_pixels() -> None:
    images = np.zeros((3, 4, 6, 3), np.uint8)
    images[2] = 1
    plate = ArrayFrames(images, first=7)
    assert plate.identity(7) == plate.identity(8) != plate.identity(9)
    assert ArrayFrames(images.astype(np.float32)).identity(1) != plate.identity(7)
    assert ArrayFrames(images.reshape(3, 6, 4, 3)).identity(1) != plate.identity(7)


def test_a_prompt_on_an_embedded_frame_runs_no_image_encoder_and_reads_no_plate() -> None:
    torch.manual_seed(0)
    model = build_model(MODELS["efficienttam_demo"])
    cache = EmbeddingCache()
    read: list[int] = []

    class Watched(ArrayFrames):
        def read(self, frame: int) -> np.ndarray:
            read.append(frame)
            return super().read(frame)

    plate = Watched(np.random.default_rng(0).integers(0, 255, (2, 48, 64, 3), dtype=np.uint8))
    tracker = VideoTracker(model, plate, embeddings=cache)
    hero = tracker.add_object()
    tracker.prompt(hero, Prompt(1, include=[(30, 20)]))
    read.clear()
    model.encode_image = lambda image: pytest.fail("the image encoder ran")
    tracker.prompt(hero, Prompt(1, include=[(30, 20)], exclude=[(5, 5)]))
    assert read == []


def test_an_embedding_means_what_it_meant() -> None:
    """If this fails, pictures or the image encoder are treated differently than before, and embeddings
    on disk are no longer what the network would make: raise ``embedding_key.MEANING``, then the numbers."""
    rows, columns = np.mgrid[:54, :96]
    picture = np.stack([rows * 4, columns * 2, (rows + columns) % 256], axis=2).astype(np.uint8)
    model = build_model(MODELS["efficienttam_demo"])
    assert MEANING == 1
    with torch.inference_mode():
        for name, parameter in model.image_encoder.named_parameters():
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
            parameter.copy_(noise * 0.05 + (parameter.dim() == 1))
        for pixels, expected in (
            (picture, [-0.0105, 1.2213, 1.1133, 0.2813]),
            (picture.astype(np.float32) / 255, [-0.0111, 1.2213, 1.113, 0.2811]),
        ):
            image = frame_input(pixels, 256)
            found = model.encode_image(image)[0, ::32, 5, 7].tolist()
            assert found == pytest.approx(expected, abs=3e-4)
