"""Prompts drawn from the truth lie where they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from efficienttam.training.prompt_sampling import draw_box, draw_click, draw_correction, visible_objects


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((64, 64), bool)
    mask[10:30, 20:50] = True
    return mask


def test_clicks_are_inside(mask: np.ndarray) -> None:
    for seed in range(20):
        x, y = draw_click(mask, np.random.default_rng(seed))
        assert mask[int(y), int(x)]


def test_boxes_are_close_and_in_the_frame(mask: np.ndarray) -> None:
    exact = np.array([[20, 10], [50, 30]])
    np.testing.assert_array_equal(draw_box(mask, np.random.default_rng(0), jitter=0), exact)
    for seed in range(20):
        box = draw_box(mask, np.random.default_rng(seed))
        assert (box >= 0).all() and (box <= 64).all() and (box[1] > box[0]).all()
        assert np.abs(box - exact).max() <= 20


def test_small_objects_are_not_prompted() -> None:
    label = np.zeros((100, 100), np.uint8)
    label[:20, :20], label[50:53, 50:53] = 1, 2
    np.testing.assert_array_equal(visible_objects(label), [1])


def test_a_correction_includes_what_is_missing_and_excludes_what_is_too_much() -> None:
    torch.manual_seed(0)
    target = torch.zeros(2, 16, 16)
    target[:, 4:8, 4:8] = 1
    logits = torch.full((2, 16, 16), -5.0)
    logits[1] = target[1] * 10 - 5
    logits[1, 12, 3] = 5
    points, labels = draw_correction(logits, target, 64)
    assert labels.tolist() == [[1], [0]]
    x, y = points[0, 0].tolist()
    assert 16 <= x < 32 and 16 <= y < 32
    assert points[1, 0].tolist() == [3 * 4 + 1.5, 12 * 4 + 1.5]
