"""What the whole frame makes of a click, told to the tracker of a region.

In a region the object is large, and one click on a shirt may mean the shirt. On the whole frame it means the
person; so what the whole frame shows is the shape that the click corrects in the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract.prompts import Point, Prompt
from ..mattes.matte import upsample_logits
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, FrameSource, TrackerOptions, VideoTracker
from ..tracking.region_plate import overlap
from .object_groups import ObjectGroup, border_path

#: A shape counts when at least this share of it lies in the region: else it is something else.
LEAST_INSIDE = 0.9


class FirstLook:
    """Looks at single frames of one plate, as a tracker of the whole frame with this ``border`` does."""

    def __init__(
        self,
        model: EfficientTAM,
        plate: FrameSource,
        border: float,
        options: TrackerOptions,
        embeddings: EmbeddingCache,
    ) -> None:
        self._model, self._embeddings = model, embeddings
        self._whole = ObjectGroup((), plate, border_path(plate, border))
        self._options = replace(options, non_overlapping=False)

    def prompts(self, said: Sequence[Prompt], group: ObjectGroup) -> list[Prompt]:
        """An object's prompts, in the order given, masks as arrays, as the tracker of its group takes them.

        Only the first may need a look: later points correct what tracking shows. Raises PlateError.
        """
        told = list(said)
        if group.path not in (None, self._whole.path) and said[0].only_points:
            shape = self._shape(said[0], group)
            told[0] = said[0] if shape is None else replace(said[0], mask=shape)
        return [group.prompt(prompt) for prompt in told]

    def _shape(self, prompt: Prompt, group: ObjectGroup) -> np.ndarray | None:
        """What the whole frame shows of a prompt, 0 or 1 at plate size; None where that goes against its
        points or lies elsewhere."""
        whole, frame = self._whole, prompt.frame
        tracker = VideoTracker(self._model, whole.plate, self._options, self._embeddings)
        id = tracker.add_object()
        logits = tracker.prompt(id, whole.prompt(prompt)).logits[id]
        shape = whole.matte((upsample_logits(logits, whole.plate.size) > 0).astype(np.float32), frame)
        heeds = all(_at(shape, point) for point in prompt.include)
        heeds = heeds and not any(_at(shape, point) for point in prompt.exclude)
        if group.path is None or not heeds:
            return None
        left, top, right, bottom = overlap(group.path, frame, whole.whole.size)
        inside = np.count_nonzero(shape[top:bottom, left:right])
        return shape if inside >= LEAST_INSIDE * np.count_nonzero(shape) else None


def _at(shape: np.ndarray, point: Point) -> bool:
    return bool(shape[int(point[1]), int(point[0])] > 0)
