"""Objects on one frame through the network.

Upstream: ``track_step`` and ``_run_single_frame_inference``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from efficienttam.contract.prompts import Prompt
from efficienttam.mattes.holes import fill_holes
from efficienttam.model.efficienttam import MASK_BIAS, MASK_SCALE, EfficientTAM, HeadOutput
from efficienttam.model.prompt_encoder import PointLabel

from .memory_bank import FrameMemory, MemoryBank, Selection
from .network_input import MASK_THRESHOLD, mask_input
from .options import TrackerOptions

#: Logits of an earlier word on a frame are clamped to this before they are a prompt.
PREVIOUS_LOGIT_LIMIT = 32.0
#: With at most this many points (a box counts two) the best of three candidate masks is taken.
MULTIMASK_MAX_POINTS = 1
#: A mask with this share of the frame inside is taken for one that holds no shape.
WHOLE_SHARE = 0.995


@dataclass(frozen=True)
class Recollection:
    """What one object recalls on a frame: memories with their slots, and memories whose pointers count."""

    maps: tuple[tuple[FrameMemory, int], ...]
    pointers: tuple[FrameMemory, ...]

    def same(self, other: Recollection) -> bool:
        """True for the very same memories; equal numbers are not looked for."""
        mine = [*(id(entry) for entry in self.pointers), *((id(entry), slot) for entry, slot in self.maps)]
        theirs = [
            *(id(entry) for entry in other.pointers),
            *((id(entry), slot) for entry, slot in other.maps),
        ]
        return mine == theirs

    @property
    def size(self) -> tuple[int, int]:
        """Numbers of maps and pointers: objects alike in them go through the network together."""
        return len(self.maps), len(self.pointers)


def recollect(memory: MemoryBank, selection: Selection) -> Recollection:
    """The selected memories that are still held; pointers count only where a map is."""
    maps = [(memory.get(frame), slot) for frame, slot in selection.maps]
    held = tuple((entry, slot) for entry, slot in maps if entry is not None and entry.memory_map is not None)
    recalled = [memory.get(frame) for frame in selection.pointers] if held else []
    return Recollection(held, tuple(entry for entry in recalled if entry is not None))


def conditioned(
    model: EfficientTAM, embedding: Tensor, recollections: Sequence[Recollection], banks: Sequence[MemoryBank]
) -> Tensor:
    """Embedding (1, C, H, W) as each of B objects, alike in ``size``, recalls it: (B, C, H, W)."""
    if not recollections[0].maps:
        return model.without_memory(embedding).expand(len(banks), -1, -1, -1)
    pooled = model.pools(len(recollections[0].maps))
    memories = []
    for recollection, bank in zip(recollections, banks, strict=True):
        entries, slots = zip(*recollection.maps, strict=True)
        tokens = bank.tokens(entries, pooled, lambda one: model.project_map(one, pooled=pooled))
        told = [entry.pointer for entry in recollection.pointers]
        pointers = torch.stack(told) if told else embedding.new_zeros(0, model.config.hidden)
        memories.append(model.memory(tokens, slots, pointers[None]))
    return model.recall(embedding, *memories)


def track(model: EfficientTAM, features: Tensor, options: TrackerOptions) -> HeadOutput:
    """Heads for a frame without prompt, on its memory-conditioned embeddings (B, C, H, W)."""
    return model.predict(features, multimask=True, dynamic=options.dynamic_multimask)


def respond(
    model: EfficientTAM,
    embedding: Tensor,
    features: Tensor,
    prompt: Prompt,
    size: tuple[int, int],
    previous: FrameMemory | None,
    options: TrackerOptions,
) -> HeadOutput:
    """Heads for a prompted frame.

    ``embedding`` raw and ``features`` conditioned, both (1, C, H, W); ``size`` (width, height) of the
    plate; ``previous`` an earlier output on the frame, which points correct.
    """
    side = model.config.input_size
    mask = None
    if prompt.mask is not None:
        mask = mask_input(np.asarray(prompt.mask), side, embedding.device)
    if mask is not None and not (prompt.include or prompt.exclude or prompt.box):
        return model.predict_from_mask(embedding, mask)
    prior = None
    if mask is not None:
        prior = mask * MASK_SCALE + MASK_BIAS
    elif previous is not None:
        prior = previous.logits[None, None].clamp(-PREVIOUS_LOGIT_LIMIT, PREVIOUS_LOGIT_LIMIT)
    points, labels = point_tensors(prompt, size, side, embedding.device)
    return model.predict(
        features,
        points,
        labels,
        prior,
        multimask=points.shape[1] <= MULTIMASK_MAX_POINTS,
        dynamic=options.dynamic_multimask,
    )


def contradicted(logits: Tensor, prompt: Prompt, size: tuple[int, int]) -> bool:
    """True when a prompt's points say that a mask (L, L) is not the object at all, rather than that a
    part of it is wrong: something is included, nothing of it lies in the mask, and the mask is empty or
    an exclude point lies in it. ``size`` is (width, height) of the plate."""
    if not prompt.include or _any_inside(logits, prompt.include, size):
        return False
    return _any_inside(logits, prompt.exclude, size) or not bool((logits > 0).any())


def heeds(logits: Tensor, prompt: Prompt, size: tuple[int, int]) -> bool:
    """True when a mask (L, L) holds at least one of the prompt's include points, if it has any."""
    return not prompt.include or _any_inside(logits, prompt.include, size)


def unheeded(
    logits: Tensor, prompt: Prompt, size: tuple[int, int], corner: tuple[int, int] = (0, 0)
) -> list[str]:
    """The prompt's points that a mask (L, L) goes against, in words; they are told as seen from a plate in
    which the top-left pixel lies at ``corner``."""

    def told(x: float, y: float) -> str:
        return f"{x + corner[0]:g},{y + corner[1]:g}"

    missed = [
        f"{told(x, y)} is not in it" for x, y in prompt.include if not _any_inside(logits, [(x, y)], size)
    ]
    kept = [f"{told(x, y)} is still in it" for x, y in prompt.exclude if _any_inside(logits, [(x, y)], size)]
    return missed + kept


def lost_mask(logits: Tensor, prompt: Prompt) -> str:
    """Why nothing is left of a prompt's mask in the mask (L, L) that it gave, with a remedy; empty where
    something is, or where the prompt has no mask."""
    if prompt.mask is None or bool((logits > 0).any()):
        return ""
    if np.max(np.asarray(prompt.mask), initial=0.0) < MASK_THRESHOLD:
        return (
            "its mask is empty, so it counts as not seen there. If it is seen, look at the mask's channel: "
            f"what is inside should be {MASK_THRESHOLD:g} or more."
        )
    return (
        "its mask is too small for the network's picture: nothing is left of it there. "
        "Give the object a region of its own, or a box."
    )


def whole_mask(prompt: Prompt) -> str:
    """What there is to say of a prompt's mask that takes (nearly) the whole frame; empty for any other."""
    if prompt.mask is None or np.mean(np.asarray(prompt.mask) >= MASK_THRESHOLD) < WHOLE_SHARE:
        return ""
    return (
        "its mask covers the whole frame. If the object does not, the mask's alpha may be opaque: "
        "name the channel that holds its shape."
    )


def _any_inside(logits: Tensor, points: Sequence[tuple[float, float]], size: tuple[int, int]) -> bool:
    side = logits.shape[-1]
    for x, y in points:
        column, row = (min(int(at / of * side), side - 1) for at, of in zip((x, y), size, strict=True))
        if logits[row, column] > 0:
            return True
    return False


def point_tensors(
    prompt: Prompt, size: tuple[int, int], side: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Points (1, n, 2) in network pixels and labels (1, n): box corners first, then points."""
    box = [] if prompt.box is None else [prompt.box[:2], prompt.box[2:]]
    places = [*box, *prompt.include, *prompt.exclude]
    labels = [PointLabel.BOX_TOP_LEFT, PointLabel.BOX_BOTTOM_RIGHT][: len(box)]
    labels += [PointLabel.INCLUDE] * len(prompt.include) + [PointLabel.EXCLUDE] * len(prompt.exclude)
    points = torch.tensor(places, dtype=torch.float32, device=device)
    points = points / torch.tensor(size, dtype=torch.float32, device=device) * side
    return points[None], torch.tensor([labels], device=device)


def memory_maps(model: EfficientTAM, embedding: Tensor, logits: Tensor, *, binarize: bool) -> Tensor:
    """Memory maps (B, M, H, W), bfloat16, of a raw embedding (1, C, H, W) and low-res logits (B, L, L)."""
    return model.encode_memory(embedding, logits[:, None], binarize=binarize).to(torch.bfloat16)


def frame_memory(
    head: HeadOutput, options: TrackerOptions, *, row: int = 0, recalled: bool, reverse: bool
) -> FrameMemory:
    """What is kept of a head's output for the object of a row; the memory map comes later."""
    logits = head.logits[row, 0].float()
    if options.fill_hole_area > 0:
        filled = fill_holes(logits.cpu().numpy(), options.fill_hole_area)
        logits = torch.from_numpy(np.ascontiguousarray(filled)).to(logits.device)
    return FrameMemory(
        logits=logits,
        predicted_iou=head.predicted_iou[row].float(),
        object_score=float(head.object_score[row, 0]),
        pointer=head.pointer[row].float(),
        recalled=recalled,
        reverse=reverse,
    )
