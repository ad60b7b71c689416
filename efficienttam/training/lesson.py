"""The loss of one sample of the paper's recipe, stills and sequences alike.

The first frame is told a mask, a click or a box; later ones recall what came before, by the tracker's own
methods and slots; a few frames take clicks where the prediction is wrong, one after the other, each with
the mask before it. Losses of every pass of the heads: focal and dice of the best of three masks (or of the
single one), IoU and object score of all; no mask loss where the object is not seen (``losses.mask_loss``).
Upstream: SAM 2's ``SAM2Train`` and ``MultiStepMultiMasksAndIous``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from efficienttam.model.efficienttam import EfficientTAM, HeadOutput
from efficienttam.tracking.network_pass import MULTIMASK_MAX_POINTS, PREVIOUS_LOGIT_LIMIT
from efficienttam.training.losses import mask_loss
from efficienttam.training.prompt_sampling import place_correction
from efficienttam.training.samples import Sample
from efficienttam.training.sequences import Listener, Recall

#: What every lesson tells: mean IoU of what the first frame's prompt gave, by its kind, after the last
#: correction, on frames tracked without a word, on the last of them, and how often presence was right.
NUMBERS = ("click", "box", "first", "correction", "tracked", "last", "presence")


@dataclass
class Played:
    """A sample seen through: losses of all passes, IoUs by name, mask logits (n, L, L) of every frame."""

    losses: list[Tensor] = field(default_factory=list)
    ious: dict[str, list[Tensor]] = field(default_factory=dict)
    logits: list[Tensor] = field(default_factory=list)

    @property
    def loss(self) -> Tensor:
        """Mean over passes."""
        return torch.stack(self.losses).mean()

    def numbers(self) -> dict[str, float]:
        """Means of the numbers named in ``NUMBERS``, NaN for what did not happen."""
        told = {name: torch.cat(self.ious[name]) for name in NUMBERS if self.ious.get(name)}
        known = {name: float(ious.mean()) for name, ious in told.items() if len(ious)}
        return {name: known.get(name, math.nan) for name in NUMBERS}

    def note(self, name: str, iou: Tensor) -> None:
        """Add IoUs (k,) to a number."""
        self.ious.setdefault(name, []).append(iou.detach().float())


def play(model: EfficientTAM, listener: Listener, sample: Sample) -> Played:
    """Take a sample, on the model's device, through the network. ``listener`` listens to ``model``."""
    embeddings = model.encode_image(sample.images)
    played, recall = Played(), Recall([], [])
    count, frames = sample.masks.shape[1], len(sample.images)
    for frame in range(frames):
        raw = embeddings[frame : frame + 1]
        if frame == 0:
            seen = model.without_memory(raw).expand(count, -1, -1, -1)
        else:
            seen = model.recall(raw, recall.assemble(model, frame))
        out = _Frame(model, listener, sample, frame, played).say(seen, raw)
        played.logits.append(out.logits[:, 0].detach())
        if frame + 1 == frames:
            break
        prompted = frame == 0 or frame in sample.corrected
        memory = model.encode_memory(raw, out.logits, binarize=prompted)
        if prompted:
            recall.prompted.append((memory, out.pointer))
        else:
            recall.tracked.append((frame, memory, out.pointer))
    return played


class _Frame:
    """The passes of the heads over one frame."""

    def __init__(
        self, model: EfficientTAM, listener: Listener, sample: Sample, frame: int, played: Played
    ) -> None:
        self._model, self._listener, self._sample, self._played = model, listener, sample, played
        self._index = frame
        self._target = sample.targets[frame]
        self._present = sample.masks[frame].flatten(1).any(1)

    def say(self, seen: Tensor, raw: Tensor) -> HeadOutput:
        """The first word on the frame, or none, then its corrections; the last output.

        ``seen`` (n, C, H, W) conditioned, ``raw`` (1, C, H, W).
        """
        sample, model = self._sample, self._model
        count = seen.shape[0]
        points, tags = seen.new_zeros(count, 0, 2, dtype=torch.float32), None
        if self._index == 0 and sample.kind == "mask":
            mask = sample.masks[0][:, None].float()
            out = model.predict_from_mask(raw.expand(count, -1, -1, -1), mask)
            self._score(multimask=False)
        elif self._index == 0:
            points = sample.clicks if sample.kind == "click" else sample.boxes
            label = [1] if sample.kind == "click" else [2, 3]
            tags = torch.tensor([label], device=seen.device).expand(count, -1)
            out = self._ask(seen, points, tags)
            iou = self._score(multimask=points.shape[1] <= MULTIMASK_MAX_POINTS)
            self._played.note(sample.kind, iou)
            self._played.note("first", iou)
        else:
            out = self._ask(seen, None, None)
            iou = self._score(multimask=True)
            self._played.note("tracked", iou)
            if self._index + 1 == len(sample.images):
                self._played.note("last", iou)
            self._played.note("presence", (out.object_score[:, 0] > 0) == self._present)
        if self._index in sample.corrected:
            out = self._correct(seen, out, points, tags)
        return out

    def _correct(self, seen: Tensor, out: HeadOutput, points: Tensor, tags: Tensor | None) -> HeadOutput:
        side = self._model.config.input_size
        tags = points.new_zeros(len(points), 0, dtype=torch.long) if tags is None else tags
        iou = torch.empty(0)
        for chance in self._sample.chances[self._index]:
            earlier = out.logits.detach().clamp(-PREVIOUS_LOGIT_LIMIT, PREVIOUS_LOGIT_LIMIT)
            more, tag = place_correction(earlier[:, 0], self._target, side, chance)
            points, tags = torch.cat((points, more), 1), torch.cat((tags, tag), 1)
            out = self._ask(seen, points, tags, earlier)
            iou = self._score(multimask=points.shape[1] <= MULTIMASK_MAX_POINTS)
        self._played.note("correction", iou)
        return out

    def _ask(
        self, seen: Tensor, points: Tensor | None, tags: Tensor | None, earlier: Tensor | None = None
    ) -> HeadOutput:
        one = points is None or points.shape[1] <= MULTIMASK_MAX_POINTS
        return self._model.predict(seen, points, tags, earlier, multimask=one, dynamic=False)

    def _score(self, *, multimask: bool) -> Tensor:
        """Add the loss of the pass just made; the IoU of its mask for the objects that are seen."""
        loss = mask_loss(self._listener.take(), self._target, self._present, multimask=multimask, other=0.0)
        self._played.losses.append(loss.total)
        return loss.iou


@contextmanager
def recomputed(model: EfficientTAM) -> Iterator[None]:
    """Within the block the layers of the image encoder and of memory attention keep nothing for the backward
    pass but their inputs, and run again in it: less memory, the same gradients, about a third more time."""
    layers: list[nn.Module] = [*model.image_encoder.trunk.blocks, *model.memory_attention.layers]

    def again(layer: nn.Module) -> None:
        inner = layer.forward
        layer.forward = lambda *given: checkpoint(inner, *given, use_reentrant=False)  # type: ignore[method-assign]

    for layer in layers:
        again(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
