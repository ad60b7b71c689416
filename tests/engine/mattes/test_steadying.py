"""Steadying: what flickers on a still scene calms down, what moves keeps its edge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from efficienttam.evaluation.matte_errors import edge_width
from efficienttam.mattes.steadying import small_picture, steadied

HEIGHT, WIDTH = 120, 200


def scene(shift: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured square that moved by ``shift`` over a textured ground, and its hard matte."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 3) // 2
    cloth = 128 + cv2.GaussianBlur(rng.integers(0, 256, (60, 60, 3), np.uint8), (0, 0), 2) // 2
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[30:90, 50 + shift : 110 + shift] = 1
    picture = ground.copy()
    picture[30:90, 50 + shift : 110 + shift] = cloth
    grain = np.random.default_rng(seed).integers(-2, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8), matte


def test_flicker_on_a_still_scene_calms_down() -> None:
    shown = [small_picture(scene(0, seed)[0]) for seed in range(3)]
    true = scene(0)[1]
    rng = np.random.default_rng(1)
    mattes = []
    for _ in range(3):
        wobble = cv2.GaussianBlur(rng.normal(0, 1, true.shape), (0, 0), 4)
        soft = cv2.GaussianBlur(true, (0, 0), 2) + 0.15 * wobble / wobble.std() * (
            cv2.blur(true, (9, 9)) % 1 > 0
        )
        mattes.append(soft.clip(0, 1).astype(np.float32))
    calm = steadied(mattes[1], shown[1], [(mattes[0], shown[0]), (mattes[2], shown[2])])
    soft = cv2.GaussianBlur(true, (0, 0), 2)
    assert np.abs(calm - soft).sum() < 0.75 * np.abs(mattes[1] - soft).sum()
    assert calm.min() >= 0 and calm.max() <= 1


@pytest.mark.parametrize("speed", [1, 5, 10, 30])
@pytest.mark.parametrize(("blur", "widening"), [(0.5, 1.2), (1, 1.06), (2, 1.03)])
def test_a_fast_edge_is_not_smeared(speed: int, blur: float, widening: float) -> None:
    """It becomes a little wider; one of a pixel by a fifth at most."""
    mattes, shown = [], []
    for step in (-speed, 0, speed):
        picture, matte = scene(step, step + speed + 1)
        shown.append(small_picture(picture))
        mattes.append(cv2.GaussianBlur(matte, (0, 0), blur))
    calm = steadied(mattes[1], shown[1], [(mattes[0], shown[0]), (mattes[2], shown[2])])
    assert np.abs(calm - mattes[1]).mean() < 0.0006
    assert 0.99 < edge_width(calm) / edge_width(mattes[1]) < widening
    assert calm[60, 140:].max() < 0.05 and calm[60, :45].max() < 0.05


@pytest.mark.parametrize(
    "size", [(24, 200), (28, 300), (7, 640), (31, 1024), (16, 512), (13, 17), (1, 1), (400, 26)]
)
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    """OpenCV's flow ends the process on the first two, and raises on the two after them."""
    rng = np.random.default_rng(5)
    pictures = [small_picture(rng.integers(0, 256, (*size, 3), np.uint8)) for _ in range(2)]
    mattes = [rng.random(size, np.float32) for _ in range(2)]
    calm = steadied(mattes[0], pictures[0], [(mattes[1], pictures[1])])
    assert calm.shape == size and np.isfinite(calm).all()


def test_another_scene_does_not_count() -> None:
    picture, matte = scene(0)
    matte = cv2.GaussianBlur(matte, (0, 0), 2)
    other = small_picture(np.random.default_rng(9).integers(0, 256, picture.shape, np.uint8))
    calm = steadied(matte, small_picture(picture), [(1 - matte, other)])
    assert np.abs(calm - matte).max() < 0.05


def test_alone_and_where_nothing_is_grey_the_matte_stays() -> None:
    picture, matte = scene(0)
    assert steadied(matte, small_picture(picture), []) is matte
    none = np.zeros_like(matte)
    assert steadied(none, small_picture(picture), [(none, small_picture(picture))]) is none


def test_pictures_are_reduced_to_bytes() -> None:
    small = small_picture(np.full((600, 3000, 3), 0.5, np.float32))
    assert small.color.shape == (205, 1024, 3) and small.color.dtype == np.uint8
    assert int(small.grey[0, 0]) == 128
