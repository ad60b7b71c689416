"""How well the network draws the frames that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from efficienttam.finetune.takes import Take
from efficienttam.mattes.edges import thickest_place
from efficienttam.model.efficienttam import EfficientTAM, HeadOutput


@dataclass(frozen=True)
class HeldOutScore:
    """Mean J (0 to 1): ``clicked`` of one click on the frame itself, ``recalled`` where the nearest frame
    that is learned from, before or after, was given as a mask. ``frames`` counts what was scored."""

    clicked: float
    recalled: float
    frames: int

    @property
    def mean(self) -> float:
        """What early stopping goes by."""
        return (self.clicked + self.recalled) / 2


@torch.no_grad()
def score_held_out(model: EfficientTAM, takes: Sequence[Take]) -> HeldOutScore:
    """Scores every object on the frames held out. Raises ValueError where none is seen on any."""
    clicked: list[float] = []
    recalled: list[float] = []
    frames = 0
    for take in takes:
        if take.mirrored:
            continue
        for place in np.flatnonzero(take.held):
            if take.seen[place]:
                clicked.append(_clicked(model, take, int(place)))
            before, after = take.learned[take.learned < place], take.learned[take.learned > place]
            for source in (*before[-1:], *after[:1]):
                if take.seen[source]:
                    recalled.append(_recalled(model, take, int(source), int(place)))
            frames += 1
    if not clicked or not recalled:
        raise ValueError("No object is seen on the frames that are held out.")
    return HeldOutScore(float(np.mean(clicked)), float(np.mean(recalled)), frames)


def _clicked(model: EfficientTAM, take: Take, place: int) -> float:
    mask = take.masks[place].numpy()
    x, y = thickest_place(mask)
    points = torch.tensor([[[float(x), float(y)]]], device=model.device)
    labels = torch.ones(1, 1, dtype=torch.long, device=model.device)
    seen = model.without_memory(take.embeddings[place][None].to(model.device))
    return _agreement(model, model.predict(seen, points, labels, multimask=True), mask)


def _recalled(model: EfficientTAM, take: Take, source: int, place: int) -> float:
    raw, given = take.embeddings[source][None].to(model.device), take.masks[source][None, None]
    start = model.predict_from_mask(raw, given.float().to(model.device))
    memory_map = model.encode_memory(raw, start.logits, binarize=True)
    memory = model.assemble_memory(memory_map[:, None], [0], start.pointer[:, None])
    seen = model.recall(take.embeddings[place][None].to(model.device), memory)
    return _agreement(model, model.predict(seen, multimask=True), take.masks[place].numpy())


def _agreement(model: EfficientTAM, out: HeadOutput, truth: np.ndarray) -> float:
    """J at the network's size; 1 where both are empty."""
    full: Tensor = model.upsample(out.logits)[0, 0] > 0
    drawn = full.cpu().numpy()
    either = int((drawn | truth).sum())
    return float((drawn & truth).sum() / either) if either else 1.0
