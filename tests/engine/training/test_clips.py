"""Generated clips: exact, seeded, and never shared between training and evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from efficienttam.contract.errors import JobError
from efficienttam.training.clips import (
    DEMO_SEED,
    FIRST_EVALUATION_SEED,
    Clip,
    ClipRecipe,
    demo_clip,
    evaluation_seed,
    training_seed,
)
from efficienttam.training.course import SequenceOptions, StillOptions
from efficienttam.training.pool import Pool, PoolSpec, draw_clip, fill, label_map


def _recipe(seed: int) -> ClipRecipe:
    return ClipRecipe(seed, 24, 96, 64)


@pytest.mark.parametrize("seed", [0, 5, 11, evaluation_seed(3)])
def test_a_clip_follows_from_its_seed(seed: int) -> None:
    image, mattes = Clip(_recipe(seed)).render(7)
    again, mattes_again = Clip(_recipe(seed)).render(7)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mattes, mattes_again)
    other, _ = Clip(_recipe(seed + 1)).render(7)
    assert np.abs(image - other).max() > 0.05


def test_frames_do_not_depend_on_the_order_they_are_asked_for() -> None:
    forward, backward = Clip(_recipe(2)), Clip(_recipe(2))
    pictures = [forward.render(t)[0] for t in range(4)]
    reverse = [backward.render(t)[0] for t in (3, 2, 1, 0)][::-1]
    np.testing.assert_array_equal(pictures, reverse)


@pytest.mark.parametrize("seed", range(12))
def test_pictures_and_mattes_are_in_range(seed: int) -> None:
    image, mattes = Clip(_recipe(seed)).render(3)
    assert image.shape == (64, 96, 3) and image.dtype == np.float32
    assert mattes.shape[1:] == (64, 96) and mattes.dtype == np.float32
    assert image.min() >= 0 and image.max() <= 1
    assert mattes.min() >= 0 and mattes.sum(0).max() <= 1 + 1e-4


def test_the_same_scene_at_another_size_has_its_objects_in_the_same_place() -> None:
    small, large = (Clip(ClipRecipe(4, 8, 64 * k, 36 * k)).render(2)[1] for k in (2, 4))
    assert len(small) == len(large)
    for a, b in zip(small, large, strict=True):
        assert abs(a.mean() - b.mean()) < 0.01


def test_training_and_evaluation_cannot_share_a_seed() -> None:
    for spec in (StillOptions().pool, SequenceOptions().pool):
        last = spec.first_clip + spec.clips - 1
        assert training_seed(last) < FIRST_EVALUATION_SEED <= evaluation_seed(0)
    with pytest.raises(ValueError, match="outside"):
        training_seed(FIRST_EVALUATION_SEED)
    with pytest.raises(ValueError, match="outside"):
        evaluation_seed(DEMO_SEED - FIRST_EVALUATION_SEED)


def test_the_stages_share_no_clip() -> None:
    stills, clips = StillOptions().pool, SequenceOptions().pool
    assert stills.first_clip + stills.clips <= clips.first_clip


def test_the_demo_shows_an_object_on_its_first_frame() -> None:
    clip = demo_clip()
    image, mattes = clip.render(0)
    assert image.shape == (clip.recipe.height, clip.recipe.width, 3)
    assert mattes.mean((1, 2)).max() > 0.01


def test_labels_name_the_object_that_covers_half() -> None:
    mattes = np.zeros((2, 2, 2), np.float32)
    mattes[0, 0, 0], mattes[1, 0, 1], mattes[1, 1, 1] = 0.6, 0.5, 0.4
    np.testing.assert_array_equal(label_map(mattes), [[1, 2], [0, 0]])


def test_two_workers_fill_a_pool_like_one(tmp_path) -> None:
    spec = PoolSpec(clips=4, frames=2, side=32)
    for worker in range(2):
        fill(tmp_path / "shared", spec, worker, 2)
    pool = Pool(tmp_path / "shared", spec)
    np.testing.assert_array_equal(pool.available(), range(4))
    images, labels = draw_clip(spec, 3)
    np.testing.assert_array_equal(pool.images[3], images)
    np.testing.assert_array_equal(pool.labels[3], labels)
    with pytest.raises(JobError, match=r"holds other clips .*another work folder"):
        Pool(tmp_path / "shared", PoolSpec(clips=5, frames=2, side=32))
