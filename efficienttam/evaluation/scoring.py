"""Prompt the first frame of footage from its truth, track, and score every later frame."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from efficienttam.contract.passes import Direction
from efficienttam.contract.prompts import Prompt
from efficienttam.evaluation.flow_baseline import carry_masks
from efficienttam.evaluation.footage import Footage, void_pixels
from efficienttam.evaluation.marks import rate
from efficienttam.evaluation.matte_errors import MatteErrors, matte_errors
from efficienttam.evaluation.true_masks import true_mattes
from efficienttam.mattes.edges import thickest_place
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.video_tracker import VideoTracker

Array = np.ndarray


class PromptKind(enum.Enum):
    """What the tracker is told on the first frame."""

    #: One point where the object is thickest.
    CLICK = "click"
    #: The tight box.
    BOX = "box"
    #: The true matte.
    MASK = "mask"
    #: No tracker: the true matte carried along by optical flow.
    FLOW = "flow"


@dataclass(frozen=True)
class ObjectScore:
    """One object of one piece of footage; ``region``, ``boundary`` and ``errors`` by frame after the first.

    ``first_region`` is J on the prompted frame itself.
    """

    footage: str
    object: str
    prompt: PromptKind
    first_region: float
    region: tuple[float, ...]
    boundary: tuple[float, ...]
    errors: tuple[MatteErrors, ...] = ()

    @property
    def j(self) -> float:
        """Mean J after the prompted frame."""
        return float(np.mean(self.region))

    @property
    def f(self) -> float:
        """Mean F after the prompted frame."""
        return float(np.mean(self.boundary))


def prompt_from_truth(kind: PromptKind, frame: int, matte: Array) -> Prompt:
    """The prompt an artist would give for a true matte (height, width) 0..1."""
    mask = matte >= 0.5
    if kind is PromptKind.MASK:
        return Prompt(frame=frame, mask=np.asarray(matte, np.float32))
    if kind is PromptKind.BOX:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        return Prompt(frame=frame, box=(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    x, y = thickest_place(mask)
    return Prompt(frame=frame, include=((x + 0.5, y + 0.5),))


def score(model: EfficientTAM | None, footage: Footage, kind: PromptKind) -> list[ObjectScore]:
    """Scores of every object of a piece of footage; ``model`` may be None for PromptKind.FLOW.

    Raises PlateError for a truth that is missing or of another size than the plate.
    """
    frames = list(footage.plate.frames)
    start = true_mattes(footage, frames[0])
    if kind is PromptKind.FLOW:
        results = carry_masks(footage.plate, frames, start)
    else:
        if model is None:
            raise ValueError(f"Prompt kind {kind.value} needs a model.")
        results = _tracked(model, footage, kind, start)
    region: list[list[float]] = [[] for _ in footage.objects]
    boundary: list[list[float]] = [[] for _ in footage.objects]
    errors: list[list[MatteErrors]] = [[] for _ in footage.objects]
    before: tuple[Array, Array] | None = None
    for frame, mattes in zip(frames, results, strict=True):
        truth, void = true_mattes(footage, frame), void_pixels(footage, frame)
        for index in range(len(footage.objects)):
            mine, theirs = mattes[index] >= 0.5, truth[index] >= 0.5
            j, f = rate(mine, theirs, void)
            region[index].append(j)
            boundary[index].append(f)
            last = None if before is None else (before[0][index], before[1][index])
            errors[index].append(matte_errors(mattes[index], truth[index], last))
        before = (mattes, truth)
    return [
        ObjectScore(
            footage.name,
            name,
            kind,
            region[i][0],
            tuple(region[i][1:]),
            tuple(boundary[i][1:]),
            tuple(errors[i][1:]),
        )
        for i, name in enumerate(footage.objects)
    ]


def _tracked(model: EfficientTAM, footage: Footage, kind: PromptKind, start: Array) -> Iterator[Array]:
    tracker = VideoTracker(model, footage.plate)
    first = footage.plate.frames[0]
    ids = []
    for name, matte in zip(footage.objects, start, strict=True):
        id = tracker.add_object(name)
        tracker.add_prompt(id, prompt_from_truth(kind, first, matte))
        ids.append(id)
    for result in tracker.propagate(start=first, direction=Direction.FORWARD):
        yield np.stack([result.mattes[id] for id in ids])
