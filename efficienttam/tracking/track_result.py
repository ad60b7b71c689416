"""What a tracker says about one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from efficienttam.contract.prompts import Prompt
from efficienttam.mattes.matte import matte_from_logits, soft_matte, upsample_logits

from .memory_bank import FrameMemory
from .object_track import ObjectId, ObjectTrack

#: Logits of a pixel that another object won are at most this (upstream clamps likewise).
LOST_PIXEL_LOGIT = -10.0


@dataclass(frozen=True)
class TrackResult:
    """One frame, by object; objects without an output on the frame are absent.

    ``mattes`` (height, width) float32 0 to 1 at plate size; ``logits`` (L, L) float32 low-res;
    ``object_score`` logit, above 0 where the object is in the frame; ``predicted_iou`` 0 to 1, the
    network's own guess for the mask it chose.
    """

    frame: int
    mattes: Mapping[ObjectId, np.ndarray]
    logits: Mapping[ObjectId, np.ndarray]
    object_score: Mapping[ObjectId, float]
    predicted_iou: Mapping[ObjectId, float]


def compose(
    frame: int,
    outputs: Mapping[ObjectId, FrameMemory],
    tracks: Mapping[ObjectId, ObjectTrack],
    size: tuple[int, int],
    non_overlapping: bool,
) -> TrackResult:
    """Outputs of some objects on a frame as mattes at plate size (width, height).

    A frame whose prompt is a mask alone gets that very mask: the artist's softness is kept.
    """
    logits = {id: output.logits.cpu().numpy() for id, output in outputs.items()}
    if non_overlapping and len(logits) > 1:
        mattes = _winners({id: upsample_logits(low, size) for id, low in logits.items()})
    else:
        mattes = {id: matte_from_logits(low, size) for id, low in logits.items()}
    for id in outputs:
        drawn = _mask_alone(tracks[id].prompts.get(frame))
        if drawn is not None and not non_overlapping:
            mattes[id] = np.clip(np.asarray(drawn, dtype=np.float32), 0, 1)
    return TrackResult(
        frame=frame,
        mattes=mattes,
        logits=logits,
        object_score={id: output.object_score for id, output in outputs.items()},
        predicted_iou={id: float(output.predicted_iou.max()) for id, output in outputs.items()},
    )


def only_logits(frame: int, outputs: Mapping[ObjectId, FrameMemory]) -> TrackResult:
    """The same without mattes, which take more time at plate size than the logits at theirs."""
    return TrackResult(
        frame=frame,
        mattes={},
        logits={id: output.logits.cpu().numpy() for id, output in outputs.items()},
        object_score={id: output.object_score for id, output in outputs.items()},
        predicted_iou={id: float(output.predicted_iou.max()) for id, output in outputs.items()},
    )


def _mask_alone(prompt: Prompt | None) -> np.ndarray | None:
    if prompt is None or prompt.include or prompt.exclude or prompt.box:
        return None
    return prompt.mask


def _winners(full: Mapping[ObjectId, np.ndarray]) -> dict[ObjectId, np.ndarray]:
    """Mattes of logits (height, width) of which only the highest of each pixel keeps its value."""
    stack = np.stack(list(full.values()))
    wins = np.arange(len(stack))[:, None, None] == stack.argmax(0)[None]
    stack = np.where(wins, stack, np.minimum(stack, LOST_PIXEL_LOGIT))
    return dict(zip(full, soft_matte(stack), strict=True))
