"""Objects on single frames from one to five clicks, through the image segmenter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from efficienttam.evaluation.footage import Footage
from efficienttam.evaluation.metrics import region_similarity
from efficienttam.evaluation.simulated_artist import next_click
from efficienttam.evaluation.true_masks import TrueMasks
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.image_segmenter import ImageSegmenter

Array = np.ndarray

#: Clicks on each object.
STILL_CLICKS = 5


@dataclass(frozen=True)
class StillMarks:
    """IoU of one object on one frame after each click; 1 from there on where the mask equals the truth."""

    footage: str
    object: str
    frame: int
    iou: tuple[float, ...]


def on_stills(model: EfficientTAM, footage: Footage, stills: int) -> list[StillMarks]:
    """Every visible object on ``stills`` annotated frames, evenly spread from the first to the last; one is
    the first.

    The protocol of SAM (Kirillov et al. 2023, section 7.1) and of SAM 2 on SA-23 (section 6.3): the first
    click in the middle of the object, of three candidates the one that the network thinks best; further
    clicks in the middle of the largest error region, with the mask before as a prompt and one candidate.
    """
    truth = TrueMasks(footage)
    segmenter = ImageSegmenter(model)
    spread = np.linspace(0, len(truth.frames) - 1, min(stills, len(truth.frames))).round().astype(int)
    found = []
    for frame in (truth.frames[index] for index in spread):
        segmenter.set_image(footage.plate.read(frame))
        for name, mask in zip(footage.objects, truth.masks(frame), strict=True):
            if mask.any():
                reached = click_iou(segmenter, mask, truth.void(frame))
                found.append(StillMarks(footage.name, name, frame, reached))
    return found


def click_iou(segmenter: ImageSegmenter, truth: Array, void: Array | None = None) -> tuple[float, ...]:
    """IoU after 1 to ``STILL_CLICKS`` clicks on an object of the segmenter's image; ``truth`` and ``void``,
    which is not scored, (height, width) bool."""
    points: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    shown, logits = np.zeros_like(truth), None
    reached: list[float] = []
    while len(reached) < STILL_CLICKS:
        click = next_click(shown, truth)
        if click is None:
            return (*reached, *[1.0] * (STILL_CLICKS - len(reached)))
        points[click.include].append((click.x, click.y))
        drawn = segmenter.predict(
            include=points[True], exclude=points[False], mask_logits=logits, multimask=not reached
        )
        best = int(drawn.predicted_iou[0].argmax())
        shown, logits = drawn.mask_logits[0, best] > 0, drawn.logits[0, best]
        if void is not None:
            shown = shown & ~void
        reached.append(region_similarity(shown, truth))
    return tuple(reached)
