"""Batches for the loss of training's second stage, drawn from frames with mattes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from efficienttam.finetune.takes import Take
from efficienttam.training.prompt_sampling import draw_box, draw_click
from efficienttam.training.sequences import SequenceBatch

#: Sequences of a step by how they start: clicked, boxed, from a mask.
KINDS = (1, 1, 2)
#: Frames of a sequence.
LENGTHS = (2, 3)


def draw_lesson(takes: Sequence[Take], rng: np.random.Generator) -> tuple[SequenceBatch, int]:
    """A batch of sequences, and the frame that takes a corrective click (0 for none).

    Frames of a sequence are neighbours among those that are learned from, or every other one, forward or
    backward; no frame that is held out is among them. Raises ValueError where no take shows its object.
    """
    length = int(rng.choice(LENGTHS))
    usable = [take for take in takes if take.seen[take.learned].any()]
    if not usable:
        raise ValueError("No object is seen on the frames that are learned from.")
    clicks: list[np.ndarray] = []
    boxes: list[np.ndarray] = []
    chosen: list[tuple[Take, np.ndarray]] = []
    while len(chosen) < sum(KINDS):
        take = usable[int(rng.integers(len(usable)))]
        order = _order(take, length, rng)
        first = take.masks[order[0]].numpy()
        if not first.any():
            continue
        if len(clicks) < KINDS[0]:
            clicks.append(np.array([draw_click(first, rng)]))
        elif len(boxes) < KINDS[1]:
            boxes.append(draw_box(first, rng))
        chosen.append((take, order))
    batch = SequenceBatch(
        torch.stack([take.embeddings[order] for take, order in chosen], 1),
        torch.stack([take.masks[order] for take, order in chosen], 1),
        torch.stack([take.targets[order] for take, order in chosen], 1),
        torch.as_tensor(np.array(clicks)).float().reshape(-1, 1, 2),
        torch.as_tensor(np.array(boxes)).float().reshape(-1, 2, 2),
    )
    corrected = int(rng.integers(1, length)) if rng.random() < 0.25 else 0
    return batch, corrected


def _order(take: Take, length: int, rng: np.random.Generator) -> np.ndarray:
    """Places of a sequence's frames in a take; a shot of fewer frames stands still."""
    places = take.learned
    step = int(rng.integers(1, 3)) if len(places) > 2 * (length - 1) else 1
    reach = (length - 1) * step + 1
    if len(places) >= reach:
        start = int(rng.integers(len(places) - reach + 1))
        order = places[start : start + reach : step]
    else:
        order = places[np.minimum(np.arange(length), len(places) - 1)]
    return order[::-1].copy() if rng.random() < 0.5 else order
