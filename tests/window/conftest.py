"""Generated plates for the window."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def make_two_things(folder: Path, frames: int, width: int = 480, height: int = 270) -> Path:
    """``plate.1001.png`` and on: two things alike that cross each other's way in the middle.

    Beside it ``truth.json``: for each of the two and each frame a point well inside it, or null.
    """
    from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
    from efficienttam.media import write_png
    from efficienttam.training.clips import Clip, ClipRecipe, evaluation_seed

    clip = Clip(ClipRecipe(evaluation_seed(15), frames, width, height, crossing=frames / 2))
    truth: dict[str, dict[int, object]] = {"left": {}, "right": {}}
    for time in range(frames):
        picture, mattes = clip.render(time)
        write_png(str(folder / f"plate.{1001 + time}.png"), np.rint(255 * picture).astype(np.uint8))
        for name, matte in zip(truth, mattes, strict=False):
            seen = (matte >= 0.5).sum() > 0.002 * width * height
            point = prompt_from_truth(PromptKind.CLICK, 1, matte).include[0] if seen else None
            truth[name][1001 + time] = point and [float(number) for number in point]
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


@pytest.fixture
def two_things(tmp_path: Path) -> Path:
    """A folder with a plate of 10 frames, 480 x 270."""
    return make_two_things(tmp_path, 10)
