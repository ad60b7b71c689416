"""What a tracker says about one frame."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from efficienttam.contract.prompts import Prompt
from efficienttam.mattes import sharing
from efficienttam.mattes.matte import matte_from_logits, soft_matte, upsample_logits

from .memory_bank import FrameMemory
from .object_track import ObjectId, ObjectTrack

#: Logits of a pixel that another object won are at most this (upstream clamps likewise).
LOST_PIXEL_LOGIT = -10.0


@dataclass(frozen=True)
class TrackResult:
    """One frame, by object; objects without an output on the frame are absent.

    ``size`` (width, height) of the plate in pixels; ``logits`` (L, L) float32 low-res; ``drawn`` (height,
    width) 0 to 1 of the objects whose prompt on the frame is a mask alone: that very mask;
    ``object_score`` logit, above 0 where the object is in the frame; ``predicted_iou`` 0 to 1, the
    network's own guess for the mask it chose; ``apart`` tells that each pixel belongs to one object;
    ``agreement`` IoU of the forward and the backward mask, of objects whose matte is a mix of both.
    """

    frame: int
    size: tuple[int, int]
    logits: Mapping[ObjectId, np.ndarray]
    object_score: Mapping[ObjectId, float]
    predicted_iou: Mapping[ObjectId, float]
    drawn: Mapping[ObjectId, np.ndarray]
    apart: bool = False
    agreement: Mapping[ObjectId, float] = field(default_factory=dict)

    @functools.cached_property
    def mattes(self) -> Mapping[ObjectId, np.ndarray]:
        """(height, width) float32 0 to 1 at plate size, made when first asked for: the artist's own where
        it is drawn. ``apart`` ones are 0 where another is higher; of equal ones a drawn one stays."""
        drawn = {id: self.drawn[id] for id in self.logits if id in self.drawn}
        tracked = {id: low for id, low in self.logits.items() if id not in drawn}
        if self.apart and len(tracked) > 1:
            mattes = _winners({id: upsample_logits(low, self.size) for id, low in tracked.items()})
        else:
            mattes = {id: matte_from_logits(low, self.size) for id, low in tracked.items()}
        every = {id: drawn[id] if id in drawn else mattes[id] for id in self.logits}
        return sharing.apart(every, drawn) if self.apart and drawn and len(every) > 1 else every


def compose(
    frame: int,
    outputs: Mapping[ObjectId, FrameMemory],
    tracks: Mapping[ObjectId, ObjectTrack],
    size: tuple[int, int],
    non_overlapping: bool,
) -> TrackResult:
    """Outputs of some objects on a frame of a plate of ``size`` (width, height)."""
    return TrackResult(
        frame=frame,
        size=size,
        logits={id: output.logits.cpu().numpy() for id, output in outputs.items()},
        object_score={id: output.object_score for id, output in outputs.items()},
        predicted_iou={id: float(output.predicted_iou.max()) for id, output in outputs.items()},
        drawn=drawn_masks({id: tracks[id].prompts.get(frame) for id in outputs}),
        apart=non_overlapping,
        agreement={id: output.agreement for id, output in outputs.items() if output.agreement is not None},
    )


def drawn_masks(prompts: Mapping[ObjectId, Prompt | None]) -> dict[ObjectId, np.ndarray]:
    """The masks (height, width), 0 to 1, of those prompts of a frame that are a mask alone."""
    masks = {id: mask_alone(prompt) for id, prompt in prompts.items()}
    return {
        id: np.clip(np.asarray(mask, dtype=np.float32), 0, 1)
        for id, mask in masks.items()
        if mask is not None
    }


def mask_alone(prompt: Prompt | None) -> np.ndarray | None:
    """The mask of a prompt that is nothing else: the artist's softness is kept there."""
    return prompt.mask if prompt is not None and prompt.only_mask else None


def _winners(full: Mapping[ObjectId, np.ndarray]) -> dict[ObjectId, np.ndarray]:
    """Mattes of logits (height, width) of which only the highest of each pixel keeps its value."""
    stack = np.stack(list(full.values()))
    wins = np.arange(len(stack))[:, None, None] == stack.argmax(0)[None]
    stack = np.where(wins, stack, np.minimum(stack, LOST_PIXEL_LOGIT))
    return dict(zip(full, soft_matte(stack), strict=True))
