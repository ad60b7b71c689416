"""What the network makes of a few samples, as a picture beside the curve while training goes on."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import torch

from efficienttam.contract.errors import EfficientTAMError
from efficienttam.mattes.overlay import contact_sheet, overlay
from efficienttam.media import write_png
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.network_input import MEAN, STD
from efficienttam.training.curve import draw_curve
from efficienttam.training.lesson import play
from efficienttam.training.samples import Draw, Sample, SampleDraws
from efficienttam.training.sequences import Listener

Array = np.ndarray

SAMPLES = 4
#: Side of one picture on the sheet.
_CELL = 192


class SamplePictures:
    """Writes ``pictures/<stage>_<step>.png`` and the curve in a folder every ``minutes``, 0 for never.

    The samples are the same every time; they come from the training data and are drawn apart from
    the batches. Nothing here touches the random numbers of the run.
    """

    def __init__(self, folder: Path, stage: str, draws: SampleDraws, minutes: float) -> None:
        self._folder, self._stage, self._draws = folder, stage, draws
        self._seconds = 60 * minutes
        self._last = time.monotonic()
        self._samples: list[Sample] = []

    def due(self) -> bool:
        """Is it time again?"""
        return self._seconds > 0 and time.monotonic() - self._last >= self._seconds

    def write(
        self, model: EfficientTAM, listener: Listener, step: int, cast: AbstractContextManager[object]
    ) -> Path:
        """Draw the sheet and the curve; returns the sheet's path. ``cast`` is the precision to compute in."""
        if not self._samples:
            drawn = [self._draws[Draw(0, place)] for place in range(SAMPLES)]
            self._samples = [one.to(model.device) for one in drawn if not isinstance(one, EfficientTAMError)]
        path = self._folder / "pictures" / f"{self._stage}_{step:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        with torch.no_grad(), cast:
            rows = [_shown(one, play(model, listener, one).logits) for one in self._samples]
        if rows:
            write_png(path, _sheet(rows))
        draw_curve(self._folder, self._folder / "curve.png")
        self._last = time.monotonic()
        return path


def _shown(sample: Sample, logits: list[torch.Tensor]) -> list[list[Array]]:
    """Plates, truths and predictions of a sample's frames."""
    pictures = sample.images.cpu().permute(0, 2, 3, 1).numpy() * np.array(STD) + np.array(MEAN)
    small = [_reduced(one.astype(np.float32)) for one in pictures]
    truths = [[_reduced(m) for m in frame] for frame in sample.masks.cpu().float().numpy()]
    found = [[_reduced(m) for m in frame.float().sigmoid().cpu().numpy()] for frame in logits]
    return [
        [overlay(picture, []) for picture in small],
        [overlay(picture, mattes) for picture, mattes in zip(small, truths, strict=True)],
        [overlay(picture, mattes) for picture, mattes in zip(small, found, strict=True)],
    ]


def _reduced(image: Array) -> Array:
    way = cv2.INTER_AREA if image.shape[0] >= _CELL else cv2.INTER_LINEAR
    return cv2.resize(image, (_CELL, _CELL), interpolation=way)


def _sheet(samples: list[list[list[Array]]]) -> Array:
    """Plate above truth above prediction; frames of a sample beside each other, stills all in one row."""
    if all(len(one[0]) == 1 for one in samples):
        samples = [[[one[row][0] for one in samples] for row in range(3)]]
    columns = max(len(one[0]) for one in samples)
    empty = np.zeros((_CELL, _CELL, 3), np.uint8)
    cells = [cell for one in samples for row in one for cell in [*row, *[empty] * (columns - len(row))]]
    return contact_sheet(cells, _CELL, columns)
