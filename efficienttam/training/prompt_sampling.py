"""Prompts drawn from the truth, as an artist would give them: clicks, boxes, corrections.

Labels are (S, S) label images; points are (x, y) network pixel indices, as ``PromptEncoder.points``
takes them.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

Array = np.ndarray

#: Objects with fewer visible pixels than this share of the frame are not prompted.
SMALLEST_SHARE = 0.003


def visible_objects(label: Array, share: float = SMALLEST_SHARE) -> Array:
    """Labels (1, 2, ...) of the objects large enough to be prompted."""
    counts = np.bincount(label.reshape(-1))
    counts[0] = 0
    return np.flatnonzero(counts >= share * label.size)


def draw_click(mask: Array, rng: np.random.Generator) -> tuple[float, float]:
    """A point inside a mask (S, S) bool: anywhere, or where it is thickest."""
    if rng.random() < 0.5:
        depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        index = int(np.argmax(depth * rng.uniform(0.7, 1, mask.shape)))
    else:
        inside = np.flatnonzero(mask)
        index = int(inside[rng.integers(len(inside))])
    return float(index % mask.shape[1]), float(index // mask.shape[1])


def draw_box(mask: Array, rng: np.random.Generator, jitter: float = 0.1) -> Array:
    """Corner points ((left, top), (right, bottom)) of a mask, moved by up to ``jitter`` of its size."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], np.float64)
    reach = jitter * rng.random() * (box[1] - box[0])
    moved = box + np.clip(rng.normal(0, 1, (2, 2)) * reach, -20, 20)
    low, high = np.minimum(moved[0], moved[1] - 1), np.maximum(moved[1], moved[0] + 1)
    return np.clip(np.stack([low, high]), 0, mask.shape[0])


def draw_correction(logits: Tensor, target: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """One click per mask where the mask is wrong.

    ``logits`` and ``target`` (B, L, L); returns points (B, 1, 2) in network pixels of a ``side``
    square and labels (B, 1). Where nothing is wrong the click confirms a pixel inside.
    """
    truth = target > 0.5
    wrong = ((logits > 0) != truth).float()
    chance = (wrong + 1e-4 * truth.float() + 1e-9).flatten(1)
    index = torch.multinomial(chance, 1)
    low = target.shape[-1]
    scale = side / low
    points = torch.stack((index % low, index // low), dim=-1).float() * scale + (scale - 1) / 2
    return points, torch.gather(truth.flatten(1).long(), 1, index)


def place_correction(logits: Tensor, target: Tensor, side: int, chances: Tensor) -> tuple[Tensor, Tensor]:
    """``draw_correction`` with its chances given: ``chances`` (B,) 0..1 says which pixel of the region that
    is wrong, counted row by row, takes the click. The same on every device and in every batch."""
    truth = target > 0.5
    wrong = (logits > 0) != truth
    nothing = ~wrong.flatten(1).any(1)[:, None, None]
    region = torch.where(nothing, truth, wrong).flatten(1)
    region = region | ~region.any(1, keepdim=True)
    count = region.sum(1)
    chosen = torch.minimum((chances * count).long(), count - 1) + 1
    index = torch.searchsorted(region.long().cumsum(1), chosen[:, None])
    low = target.shape[-1]
    scale = side / low
    points = torch.stack((index % low, index // low), dim=-1).float() * scale + (scale - 1) / 2
    return points, torch.gather(truth.flatten(1).long(), 1, index)
