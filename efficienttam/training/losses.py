"""Losses of the paper: focal and dice on masks, absolute error on predicted IoU, cross-entropy on the
object score, weighted 20:1:1:1.

Mask logits (B, k, L, L) meet targets (B, L, L), the covered share of every low-res pixel, 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from efficienttam.model.mask_decoder import Candidates

FOCAL, DICE, IOU, OBJECT = 20.0, 1.0, 1.0, 1.0


def focal_loss(logits: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Mean focal loss per mask: logits and target (..., L, L) to (...,)."""
    probability = logits.sigmoid()
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    miss = probability + target - 2 * probability * target
    balance = alpha * target + (1 - alpha) * (1 - target)
    return (balance * miss**gamma * entropy).flatten(-2).mean(-1)


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice coefficient, with 1 added above and below: (..., L, L) to (...,)."""
    probability = logits.sigmoid().flatten(-2)
    target = target.flatten(-2)
    overlap = 2 * (probability * target).sum(-1)
    return 1 - (overlap + 1) / (probability.sum(-1) + target.sum(-1) + 1)


@torch.no_grad()
def hard_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of logits above 0 and target above one half, 1 where both are empty: (..., L, L) to (...,)."""
    inside, truth = (logits > 0).flatten(-2), (target > 0.5).flatten(-2)
    both = (inside & truth).sum(-1).float()
    either = (inside | truth).sum(-1).float()
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


@dataclass(frozen=True)
class MaskLoss:
    """``total`` scalar to minimise; ``iou`` (B,) of the mask the loss was on, for the log."""

    total: Tensor
    iou: Tensor


def mask_loss(
    candidates: Candidates, target: Tensor, present: Tensor, *, multimask: bool, other: float = 0.3
) -> MaskLoss:
    """Loss of one decoder pass.

    ``target`` (B, L, L) 0..1, ``present`` (B,) bool: is any of the object visible. Masks and IoU are
    not scored where it is not. With ``multimask`` the lowest of masks 1..3 counts, else mask 0;
    the respective other head counts with weight ``other``, since the stability rule may choose it.
    IoU is scored on every candidate.
    """
    logits = candidates.logits.float()
    goal = target[:, None].expand_as(logits)
    each = FOCAL * focal_loss(logits, goal) + DICE * dice_loss(logits, goal)
    lowest, which = each[:, 1:].min(1)
    main, side = (lowest, each[:, 0]) if multimask else (each[:, 0], lowest)
    reached = hard_iou(logits, goal)
    miss = (candidates.predicted_iou.float() - reached).abs().mean(1)
    weight = present.float()
    count = weight.sum().clamp(min=1)
    masks = ((main + other * side + IOU * miss) * weight).sum() / count
    score = functional.binary_cross_entropy_with_logits(candidates.object_score.float()[:, 0], weight)
    row = torch.arange(len(which), device=which.device)
    iou = reached[row, which + 1] if multimask else reached[:, 0]
    return MaskLoss(masks + OBJECT * score, iou[present])
