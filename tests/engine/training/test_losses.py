"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from efficienttam.model.mask_decoder import Candidates
from efficienttam.training.losses import DICE, FOCAL, IOU, OBJECT, dice_loss, focal_loss, hard_iou, mask_loss


def test_focal_loss_at_a_logit_of_zero() -> None:
    zero = torch.zeros(1, 2, 2)
    hit, miss = focal_loss(zero, torch.ones(1, 2, 2)), focal_loss(zero, torch.zeros(1, 2, 2))
    assert hit.item() == pytest.approx(0.25 * 0.5**2 * math.log(2))
    assert miss.item() == pytest.approx(0.75 * 0.5**2 * math.log(2))


def test_dice_loss_of_half_a_square() -> None:
    logits = torch.tensor([[[50.0, 50.0], [-50.0, -50.0]]])
    target = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert dice_loss(logits, target).item() == pytest.approx(1 - (2 * 1 + 1) / (2 + 1 + 1))
    assert dice_loss(logits, (logits > 0).float()).item() == pytest.approx(0, abs=1e-6)


def test_iou_counts_both_empty_as_right() -> None:
    logits = torch.tensor([[[1.0, 1.0], [-1.0, -1.0]], [[-1.0, -1.0], [-1.0, -1.0]]])
    target = torch.tensor([[[1.0, 0.0], [0.6, 0.0]], [[0.0, 0.0], [0.2, 0.0]]])
    assert hard_iou(logits, target).tolist() == pytest.approx([1 / 3, 1.0])


def _candidates(logits: torch.Tensor) -> Candidates:
    batch, masks = logits.shape[:2]
    return Candidates(
        logits, torch.full((batch, masks), 0.5), torch.zeros(batch, masks, 8), torch.zeros(batch, 1)
    )


def test_the_best_of_three_masks_takes_the_loss() -> None:
    target = torch.zeros(1, 4, 4)
    target[0, :2] = 1
    good = (target * 2 - 1)[:, None] * 20
    logits = torch.cat((-good, -good, good, -good), 1).requires_grad_()
    present = torch.tensor([True])
    loss = mask_loss(_candidates(logits), target, present, multimask=True, other=0.0)
    # Masks right (0), IoU off by one half everywhere, object score undecided.
    assert loss.total.item() == pytest.approx(0.5 + math.log(2), abs=1e-4)
    assert loss.iou.tolist() == [1.0]
    single = mask_loss(_candidates(logits), target, present, multimask=False, other=0.0)
    assert single.total.item() > 10 and single.iou.tolist() == [0.0]


def test_a_wrong_mask_weighs_as_in_the_paper() -> None:
    assert (FOCAL, DICE, IOU, OBJECT) == (20, 1, 1, 1)
    target = torch.zeros(1, 4, 4)
    target[0, :2] = 1
    wrong = (1 - target * 2)[:, None].expand(1, 4, 4, 4) * 30
    loss = mask_loss(_candidates(wrong), target, torch.tensor([True]), multimask=False, other=0.0)
    # All wrong by a logit of 30: a quarter of it where the object is, three quarters where it is not.
    focal = (0.25 + 0.75) / 2 * 30
    dice = 1 - 1 / (8 + 8 + 1)
    assert loss.total.item() == pytest.approx(20 * focal + dice + 0.5 + math.log(2), rel=1e-6)


def test_a_frame_without_the_object_has_no_mask_loss() -> None:
    logits = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(2, 4, 4)
    loss = mask_loss(_candidates(logits), target, torch.tensor([False, False]), multimask=True)
    assert loss.total.item() == pytest.approx(math.log(2))
    assert len(loss.iou) == 0


def test_gradients_are_finite_for_extreme_logits() -> None:
    logits = torch.tensor(
        np.linspace(-1e4, 1e4, 64).reshape(1, 4, 4, 4), dtype=torch.float32, requires_grad=True
    )
    target = torch.ones(1, 4, 4)
    mask_loss(_candidates(logits), target, torch.tensor([True]), multimask=True).total.backward()
    assert torch.isfinite(logits.grad).all()
