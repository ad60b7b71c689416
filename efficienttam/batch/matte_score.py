"""The score of a matte, from what the tracker says and what the matte shows."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..contract.matte_score import MatteScore
from ..mattes.extent import extent, stability
from ..tracking import ObjectId, TrackResult


def score_of(result: TrackResult, id: ObjectId, prompted: bool) -> MatteScore:
    """What the tracker says of an object; where the matte lies is not looked at yet."""
    return MatteScore(
        object_score=result.object_score[id],
        predicted_iou=result.predicted_iou[id],
        stability=stability(result.logits[id]),
        agreement=result.agreement.get(id),
        prompted=prompted,
    )


def placed(score: MatteScore, matte: np.ndarray) -> MatteScore:
    """The score with area, centre and box of its matte (height, width)."""
    seen = extent(matte)
    return dataclasses.replace(score, area=seen.area, center=seen.center, box=seen.box)
