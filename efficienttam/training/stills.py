"""Stage one: image encoder, prompt encoder and mask decoder on single frames.

Every image is encoded once and prompted several times: two clicks, a box, and a correction of the
first click's mask. Two small heads that exist only here help the encoder: which cells belong to the
same object, and where outlines run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.model.mask_decoder import Candidates
from efficienttam.training.losses import MaskLoss, mask_loss
from efficienttam.training.pool import Pool
from efficienttam.training.prompt_sampling import draw_box, draw_click, draw_correction, visible_objects

Array = np.ndarray

_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


@dataclass(frozen=True)
class StillBatch:
    """``images`` (B, 3, S, S) normalised, ``labels`` (B, S, S); prompts refer to image ``owner`` and
    object ``target``: ``clicks`` (n, 1, 2) with ``click_owner``, ``click_mask`` (n, L, L) and the same
    for ``boxes`` (m, 2, 2)."""

    images: Tensor
    labels: Tensor
    clicks: Tensor
    click_owner: Tensor
    click_mask: Tensor
    boxes: Tensor
    box_owner: Tensor
    box_mask: Tensor


def normalise(images: Array | Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 sRGB (B, S, S, 3) to network input (B, 3, S, S)."""
    tensor = torch.as_tensor(images).permute(0, 3, 1, 2).float() / 255
    return ((tensor - _MEAN) / _STD).to(dtype)


def recolor(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Random channel order, gain and offset per image of normalised (B, 3, S, S)."""
    batch = images.shape[0]
    kept = np.arange(3)
    order = np.stack([rng.permutation(3) if rng.random() < 0.5 else kept for _ in range(batch)])
    images = torch.gather(images, 1, torch.as_tensor(order)[:, :, None, None].expand_as(images))
    gain = np.exp(rng.normal(0, 0.15, (batch, 1, 1, 1)) + rng.normal(0, 0.07, (batch, 3, 1, 1)))
    offset = rng.normal(0, 0.1, (batch, 1, 1, 1))
    return images * torch.as_tensor(gain).float() + torch.as_tensor(offset).float()


def low_res(masks: Array | Tensor, side: int) -> Tensor:
    """Hard masks (n, S, S) to the covered share of low-res pixels (n, side, side)."""
    full = torch.as_tensor(masks).float()[:, None]
    return functional.avg_pool2d(full, full.shape[-1] // side)[:, 0]


def draw_batch(pool: Pool, size: int, mask_side: int, rng: np.random.Generator) -> StillBatch:
    """A batch of prompted stills, flipped and recoloured at random."""
    ready = pool.available()
    images: list[Array] = []
    labels: list[Array] = []
    prompts: dict[str, list[tuple[int, Array, Array]]] = {"click": [], "box": []}
    while len(images) < size:
        index, frame = int(ready[rng.integers(len(ready))]), int(rng.integers(pool.spec.frames))
        image, label = pool.images[index, frame], pool.labels[index, frame]
        flip, upside = rng.random() < 0.5, rng.random() < 0.15
        rows, columns = slice(None, None, -1 if upside else 1), slice(None, None, -1 if flip else 1)
        image, label = image[rows, columns], np.ascontiguousarray(label[rows, columns])
        seen = visible_objects(label)
        if len(seen) == 0:
            continue
        owner = len(images)
        images.append(np.ascontiguousarray(image))
        labels.append(label)
        for kind in ("click", "click", "box"):
            mask = label == seen[rng.integers(len(seen))]
            where = np.array([draw_click(mask, rng)]) if kind == "click" else draw_box(mask, rng)
            prompts[kind].append((owner, where, mask))
    gathered = {
        kind: (
            torch.as_tensor(np.stack([p[1] for p in found])).float(),
            torch.as_tensor([p[0] for p in found]),
            low_res(np.stack([p[2] for p in found]), mask_side),
        )
        for kind, found in prompts.items()
    }
    return StillBatch(
        recolor(normalise(np.stack(images)), rng),
        torch.as_tensor(np.stack(labels)),
        *gathered["click"],
        *gathered["box"],
    )


class Scaffold(nn.Module):
    """The two heads that are thrown away after stage one; cells are those of the embedding grid."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.kind = nn.Linear(hidden, 64)
        self.bias = nn.Parameter(torch.zeros(()))
        self.border = nn.Conv2d(hidden, 16, 1)

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """Loss of an embedding (B, C, H, W) given labels (B, S, S)."""
        return self._affinity(embedding, labels) + self._outline(embedding, labels)

    def _affinity(self, embedding: Tensor, labels: Tensor) -> Tensor:
        grid = embedding.shape[-1]
        cell = labels.shape[-1] // grid
        blocks = (
            labels.unflatten(1, (grid, cell))
            .unflatten(3, (grid, cell))
            .transpose(2, 3)
            .flatten(3)
            .flatten(1, 2)
        )
        name = blocks[:, :, cell * cell // 2 + cell // 2]
        pure = (blocks == name[..., None]).float().mean(2) > 0.7
        kind = self.kind(embedding.flatten(2).transpose(1, 2))
        likeness = (kind @ kind.transpose(1, 2)).float() / 8 + self.bias.float()
        same = (name[:, :, None] == name[:, None]).float()
        counted = (pure[:, :, None] & pure[:, None]) & ((name > 0)[:, :, None] | (name > 0)[:, None])
        entropy = functional.binary_cross_entropy_with_logits(likeness, same, reduction="none")
        weight = counted * (1 + 4 * same)
        return (entropy * weight).sum() / weight.sum().clamp(min=1)

    def _outline(self, embedding: Tensor, labels: Tensor) -> Tensor:
        logits = functional.pixel_shuffle(self.border(embedding), 4)[:, 0].float()
        coarse = labels[:, 2::4, 2::4]
        edge = torch.zeros_like(coarse, dtype=torch.bool)
        across, down = coarse[:, :, 1:] != coarse[:, :, :-1], coarse[:, 1:] != coarse[:, :-1]
        edge[:, :, 1:] |= across
        edge[:, :, :-1] |= across
        edge[:, 1:] |= down
        edge[:, :-1] |= down
        weight = 1 + 4 * edge.float()
        return functional.binary_cross_entropy_with_logits(logits, edge.float(), weight=weight)


def still_loss(
    model: EfficientTAM, scaffold: Scaffold, batch: StillBatch, aid: float
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch; ``aid`` is the weight of the scaffold. Also the mean IoU of every prompt kind."""
    dtype = model.no_mem_embed.dtype
    raw = model.encode_image(batch.images.to(dtype))
    embedding = model.without_memory(raw)
    encoder, side = model.sam_prompt_encoder, model.config.input_size

    def decode(owner: Tensor, points: Tensor, tags: Tensor, masks: Tensor | None = None) -> Candidates:
        return model.decode(embedding[owner], encoder.points(points, tags), masks)

    include = torch.ones(len(batch.clicks), 1, dtype=torch.long)
    clicked = decode(batch.click_owner, batch.clicks, include)
    corners = torch.tensor([[2, 3]]).expand(len(batch.boxes), 2)
    boxed = decode(batch.box_owner, batch.boxes, corners)

    half = slice(0, None, 2)
    row = torch.arange(len(batch.clicks))
    best = clicked.predicted_iou[:, 1:].argmax(1) + 1
    earlier = clicked.logits[row, best].detach()[half].clamp(-32, 32)
    more, tags = draw_correction(earlier, batch.click_mask[half], side)
    refined = decode(
        batch.click_owner[half],
        torch.cat((batch.clicks[half], more), 1),
        torch.cat((include[half], tags), 1),
        earlier[:, None],
    )
    here = torch.ones(len(batch.clicks), dtype=torch.bool)
    losses: dict[str, MaskLoss] = {
        "click": mask_loss(clicked, batch.click_mask, here, multimask=True),
        "box": mask_loss(boxed, batch.box_mask, here[: len(batch.boxes)], multimask=False),
        "correction": mask_loss(refined, batch.click_mask[half], here[half], multimask=False),
    }
    total = sum(loss.total for loss in losses.values())
    helped = scaffold(raw, batch.labels)
    reached = {name: float(loss.iou.mean()) for name, loss in losses.items()}
    return total + aid * helped, {**reached, "scaffold": float(helped.detach())}
