"""How sure tracking was of a matte, as its header tells."""

from __future__ import annotations

from dataclasses import dataclass

_NAME = "efficienttam/score/"


@dataclass(frozen=True)
class MatteScore:
    """``object_score`` is a logit, above 0 where the object is in the frame; ``predicted_iou`` the
    network's own guess of the mask's quality, 0 to 1; ``area`` the share of the plate that the matte
    covers, 0 to 1."""

    object_score: float
    predicted_iou: float
    area: float = 0.0

    def __str__(self) -> str:
        return f"{self.object_score:.4f} {self.predicted_iou:.4f} {self.area:.6f}"


def score_attribute(name: str) -> str:
    """The header attribute that holds the score of an object."""
    return _NAME + name


def parse_score(text: str) -> MatteScore | None:
    """The score of an attribute's text; None where it holds none."""
    try:
        score, iou, area = map(float, text.split())
    except ValueError:
        return None
    return MatteScore(score, iou, area)
