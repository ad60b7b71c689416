"""Stage two: memory encoder, memory attention, pointers and heads on short sequences.

The image encoder stays as stage one left it, so every frame is encoded once and kept. A sequence runs
through the same methods, slots and rules as the tracker: the first frame takes a click, a box or a
mask, later ones recall what was predicted before them, now and then a frame is corrected by a click.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from efficienttam.model.efficienttam import EfficientTAM, HeadOutput
from efficienttam.model.mask_decoder import Candidates
from efficienttam.model.memory_attention import Memory
from efficienttam.training.losses import mask_loss
from efficienttam.training.pool import Pool
from efficienttam.training.prompt_sampling import draw_box, draw_click, draw_correction, visible_objects
from efficienttam.training.stills import low_res, normalise

Array = np.ndarray


class EmbeddingShelf:
    """Embeddings of a pool's clips, encoded when first asked for and kept in memory as bfloat16."""

    def __init__(self, model: EfficientTAM, pool: Pool) -> None:
        grid, hidden = model.config.grid, model.config.hidden
        self._model, self._pool = model, pool
        shape = (pool.spec.clips, pool.spec.frames, hidden, grid, grid)
        self._kept = torch.empty(shape, dtype=torch.bfloat16)
        self._known = np.zeros(shape[:2], bool)

    def frames(self, index: int, frames: Array) -> Tensor:
        """Raw embeddings (len(frames), C, H, W) of some frames of a clip."""
        new = frames[~self._known[index, frames]]
        if len(new):
            with torch.no_grad():
                images = normalise(self._pool.images[index, new], self._model.no_mem_embed.dtype)
                self._kept[index, new] = self._model.encode_image(images).to(torch.bfloat16)
            self._known[index, new] = True
        return self._kept[index, frames]


#: How much more often an object is followed that meets another one or disappears for a while.
HARDER = 3


def eventful(labels: Array, name: int) -> bool:
    """Does object ``name`` touch another one, or leave the picture, in labels (frames, S, S)?"""
    coarse = labels[:, ::4, ::4]
    mask = coarse == name
    if not mask.any((1, 2)).all():
        return True
    around = np.zeros_like(mask)
    for shift in (-2, 2):
        around |= np.roll(mask, shift, 1) | np.roll(mask, shift, 2)
    near = around & (coarse != name) & (coarse > 0)
    return bool((near.sum((1, 2)) > 1.0 * np.sqrt(mask.sum((1, 2)))).any())


@dataclass(frozen=True)
class SequenceBatch:
    """B sequences of T frames: ``embeddings`` (T, B, C, H, W), ``masks`` (T, B, S, S) bool and
    ``targets`` (T, B, L, L); the first ``clicked`` of them start from ``clicks`` (.., 1, 2), the next
    ``boxed`` from ``boxes`` (.., 2, 2), the rest from the mask of their first frame."""

    embeddings: Tensor
    masks: Tensor
    targets: Tensor
    clicks: Tensor
    boxes: Tensor

    @property
    def clicked(self) -> int:
        """How many start from a click."""
        return len(self.clicks)

    @property
    def boxed(self) -> int:
        """How many start from a box."""
        return len(self.boxes)

    def present(self, frame: int) -> Tensor:
        """Which objects are visible on a frame: (B,) bool."""
        return self.masks[frame].flatten(1).any(1)


def draw_sequences(
    shelf: EmbeddingShelf,
    pool: Pool,
    kinds: tuple[int, int, int],
    frames: int,
    mask_side: int,
    rng: np.random.Generator,
    share: tuple[int, int] = (0, 1),
) -> SequenceBatch:
    """A batch of ``kinds`` = (clicked, boxed, masked) sequences, played forward or backward.

    ``share`` = (rank, processes): each process keeps to its own clips, so that each is encoded once.
    """
    ready = pool.available()
    ready = ready[ready % share[1] == share[0]]
    embeddings: list[Tensor] = []
    masks: list[Array] = []
    clicks: list[Array] = []
    boxes: list[Array] = []
    while len(masks) < sum(kinds):
        index = int(ready[rng.integers(len(ready))])
        start = int(rng.integers(pool.spec.frames - frames + 1))
        order = np.arange(start, start + frames)
        if rng.random() < 0.5:
            order = order[::-1].copy()
        labels = pool.labels[index][order]
        seen = visible_objects(labels[0])
        if len(seen) == 0:
            continue
        odds = np.array([1 + HARDER * eventful(labels, name) for name in seen], float)
        mask = labels == seen[rng.choice(len(seen), p=odds / odds.sum())]
        if rng.random() > odds.max() / (1 + HARDER):
            continue
        if len(clicks) < kinds[0]:
            clicks.append(np.array([draw_click(mask[0], rng)]))
        elif len(boxes) < kinds[1]:
            boxes.append(draw_box(mask[0], rng))
        masks.append(mask)
        embeddings.append(shelf.frames(index, order))
    truth = torch.as_tensor(np.stack(masks)).transpose(0, 1)
    shares = low_res(truth.flatten(0, 1), mask_side).unflatten(0, truth.shape[:2])
    return SequenceBatch(
        torch.stack(embeddings, 1),
        truth,
        shares,
        torch.as_tensor(np.array(clicks)).float().reshape(-1, 1, 2),
        torch.as_tensor(np.array(boxes)).float().reshape(-1, 2, 2),
    )


class Listener:
    """Keeps the last candidates the mask decoder gave: what losses need beside the tracker's output."""

    def __init__(self, model: EfficientTAM) -> None:
        self.heard: Candidates | None = None
        self._hook = model.sam_mask_decoder.register_forward_hook(self._hear)

    def _hear(self, module: nn.Module, given: tuple[Tensor, ...], result: Candidates) -> None:
        self.heard = result

    def take(self) -> Candidates:
        """The candidates of the last pass."""
        if self.heard is None:
            raise RuntimeError("The mask decoder has not run yet.")
        heard, self.heard = self.heard, None
        return heard

    def stop(self) -> None:
        """Listen no more."""
        self._hook.remove()


@dataclass
class Recall:
    """What a running sequence remembers: prompted frames, then tracked frames oldest first."""

    prompted: list[tuple[Tensor, Tensor]]
    tracked: list[tuple[int, Tensor, Tensor]]

    def assemble(self, model: EfficientTAM, frame: int) -> Memory:
        """Memory of a frame as the tracker selects it: slot 0 for prompted, 7 - distance for tracked."""
        maps = [memory for memory, _ in self.prompted]
        slots = [0] * len(maps)
        reach = model.config.memory_maps
        for index, memory, _ in self.tracked:
            if frame - index < reach:
                maps.append(memory)
                slots.append(reach - (frame - index))
        pointers = [pointer for _, pointer in self.prompted]
        pointers += [pointer for _, _, pointer in reversed(self.tracked)]
        told = torch.stack(pointers, 1)[:, : model.config.max_pointers]
        return model.assemble_memory(torch.stack(maps, 1), slots, told)


def _start(
    model: EfficientTAM, listener: Listener, batch: SequenceBatch
) -> tuple[HeadOutput, list[Tensor], Tensor]:
    """First frame: outputs joined over prompt kinds, losses, and IoU of clicked and boxed masks."""
    raw, target = batch.embeddings[0], batch.targets[0]
    here = torch.ones(raw.shape[0], dtype=torch.bool)
    fresh = model.without_memory(raw)
    clicked, boxed = slice(0, batch.clicked), slice(batch.clicked, batch.clicked + batch.boxed)
    masked = slice(batch.clicked + batch.boxed, None)
    outputs, losses, reached = [], [], []
    if batch.clicked:
        tags = torch.ones(batch.clicked, 1, dtype=torch.long)
        outputs.append(model.predict(fresh[clicked], batch.clicks, tags, multimask=True))
        losses.append(mask_loss(listener.take(), target[clicked], here[clicked], multimask=True))
        reached.append(losses[-1].iou)
    if batch.boxed:
        tags = torch.tensor([[2, 3]]).expand(batch.boxed, 2)
        outputs.append(model.predict(fresh[boxed], batch.boxes, tags, multimask=False))
        losses.append(mask_loss(listener.take(), target[boxed], here[boxed], multimask=False))
        reached.append(losses[-1].iou)
    given = batch.masks[0][masked][:, None].float()
    if len(given):
        outputs.append(model.predict_from_mask(raw[masked], given))
        # The pass behind the pointer draws the mask again; that it can keeps the token meaningful.
        losses.append(mask_loss(listener.take(), target[masked], here[masked], multimask=False))
    return _join(outputs), [loss.total for loss in losses], torch.cat(reached) if reached else torch.ones(1)


def _join(outputs: list[HeadOutput]) -> HeadOutput:
    return HeadOutput(
        logits=torch.cat([out.logits for out in outputs]),
        candidates=outputs[0].candidates,
        predicted_iou=outputs[0].predicted_iou,
        best=torch.cat([out.best for out in outputs]),
        object_score=torch.cat([out.object_score for out in outputs]),
        pointer=torch.cat([out.pointer for out in outputs]),
    )


def sequence_loss(
    model: EfficientTAM, listener: Listener, batch: SequenceBatch, corrected: int = 0
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch of sequences; frame ``corrected`` (0: none) also takes a click on its error.

    Also the mean IoU of the first frame, of tracked frames, of the last one, and the share of frames
    whose presence was told right.
    """
    frames = len(batch.embeddings)
    out, losses, first = _start(model, listener, batch)
    raw = batch.embeddings[0]
    memory = model.encode_memory(raw, out.logits, binarize=True)
    recall = Recall([(memory, out.pointer)], [])
    ious, right = [], []
    for frame in range(1, frames):
        raw, target, present = batch.embeddings[frame], batch.targets[frame], batch.present(frame)
        seen = model.recall(raw, recall.assemble(model, frame))
        out = model.predict(seen, multimask=True)
        loss = mask_loss(listener.take(), target, present, multimask=True)
        losses.append(loss.total)
        ious.append(loss.iou)
        right.append(((out.object_score[:, 0] > 0) == present).float())
        if frame == corrected:
            earlier = out.logits.detach().clamp(-32, 32)
            points, tags = draw_correction(earlier[:, 0], target, model.config.input_size)
            out = model.predict(seen, points, tags, earlier.to(seen.dtype), multimask=True)
            losses.append(mask_loss(listener.take(), target, present, multimask=True).total)
        if frame + 1 == frames:
            break
        memory = model.encode_memory(raw, out.logits, binarize=frame == corrected)
        if frame == corrected:
            recall.prompted.append((memory, out.pointer))
        else:
            recall.tracked.append((frame, memory, out.pointer))
    numbers = {
        "first": float(first.mean()),
        "tracked": float(torch.cat(ious).mean()),
        "last": float(ious[-1].mean()) if len(ious[-1]) else float("nan"),
        "presence": float(torch.cat(right).mean()),
    }
    return torch.stack(losses).sum() / len(losses), numbers
