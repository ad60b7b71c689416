import numpy as np
import pytest
import torch
from torch.nn import functional

from efficienttam.mattes.matte import matte_from_logits, upsample_logits


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (37, 91), (64, 64), (20, 12)])
def test_resampling_is_the_one_of_the_network(size):
    logits = np.random.default_rng(1).normal(0, 8, (64, 64)).astype(np.float32)
    width, height = size
    expected = functional.interpolate(
        torch.from_numpy(logits)[None, None], (height, width), mode="bilinear", align_corners=False
    )[0, 0].numpy()

    assert np.abs(upsample_logits(logits, size) - expected).max() < 2e-4
    matte = matte_from_logits(logits, size)
    assert matte.shape == (height, width) and matte.dtype == np.float32
    assert np.abs(matte - torch.sigmoid(torch.from_numpy(expected)).numpy()).max() < 1e-3


def test_hard_matte_is_cut_at_zero():
    logits = np.array([[-3, 1e-3], [0, 4]], np.float32)
    assert matte_from_logits(logits, (2, 2), hard=True).tolist() == [[0, 1], [0, 1]]


def test_background_and_inside_are_clean():
    logits = np.linspace(-20, 20, 401, dtype=np.float32)[None]
    matte = matte_from_logits(logits, (401, 1))[0]
    assert (matte[logits[0] <= -7.05] == 0).all() and (matte[logits[0] >= 7.05] == 1).all()
    assert abs(matte[200] - 0.5) < 1e-6
    assert (np.diff(matte) >= 0).all()


def test_extreme_logits_are_exactly_outside_and_inside(recwarn):
    logits = np.array([[-1024, 1024]], np.float32)
    assert matte_from_logits(logits, (2, 1)).tolist() == [[0, 1]]
    assert not recwarn.list


def test_the_logits_are_left_alone():
    logits = np.full((8, 8), 2, np.float32)
    matte_from_logits(logits, (8, 8))
    assert (logits == 2).all()


def test_a_row_of_the_plate_is_a_row_of_the_matte():
    logits = np.full((16, 16), -9, np.float32)
    logits[0] = 9
    matte = matte_from_logits(logits, (32, 18))
    assert matte.shape == (18, 32)
    assert matte[0].min() > 0.99 and matte[-1].max() < 0.01
