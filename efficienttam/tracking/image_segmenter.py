"""Segments one image from points, boxes and masks. Upstream: ``EfficientTAMImagePredictor``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from efficienttam.contract.errors import PromptError
from efficienttam.contract.prompts import Box, Point, Prompt
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.model.mask_decoder import Candidates, select

from .network_input import image_input
from .network_pass import PREVIOUS_LOGIT_LIMIT, point_tensors


@dataclass(frozen=True)
class Drawn:
    """Low-res masks of one image: ``logits`` (B, k, L, L) and ``predicted_iou`` (B, k), as of a
    ``Segmentation``, but on the device and not clamped."""

    logits: Tensor
    predicted_iou: Tensor
    candidates: Candidates


@dataclass(frozen=True)
class Segmentation:
    """Masks of one image. B prompts at once, k masks each (3 with multimask, else 1).

    ``mask_logits`` (B, k, height, width) float32 at image size, above 0 inside;
    ``logits`` (B, k, L, L) low-res, clamped to +-32, fit to be a ``mask_logits`` prompt;
    ``predicted_iou`` (B, k); ``candidates`` everything the decoder said, before selection.
    """

    mask_logits: np.ndarray
    logits: np.ndarray
    predicted_iou: np.ndarray
    candidates: Candidates


class ImageSegmenter:
    """Holds the embedding of one image; prompts on it are then cheap."""

    def __init__(self, model: EfficientTAM, dynamic_multimask: bool = True) -> None:
        self.model = model
        self.dynamic_multimask = dynamic_multimask
        self._embedding: Tensor | None = None
        self._size = (0, 0)

    @property
    def embedding(self) -> Tensor:
        """Embedding (1, C, H, W) of the image, no-memory embedding added."""
        if self._embedding is None:
            raise PromptError("There is no image yet.", "Call set_image first.")
        return self._embedding

    def set_image(self, image: np.ndarray) -> None:
        """Encodes an image (height, width, 3), RGB uint8 or float 0 to 1, sRGB-encoded."""
        if image.ndim != 3 or image.shape[2] != 3:
            raise PromptError(f"The image has shape {image.shape}, expected (height, width, 3).", "Give RGB.")
        if image.dtype != np.uint8 and image.dtype.kind != "f":
            raise PromptError(
                f"The image is {image.dtype}, expected uint8, or float 0 to 1.",
                "Divide it by its largest value.",
            )
        height, width = image.shape[:2]
        self._size = (width, height)
        with self.model.inference():
            pixels = image_input(image, self.model.config.input_size, self.model.device)
            self._embedding = self.model.without_memory(self.model.encode_image(pixels))

    def predict(
        self,
        *,
        include: Sequence[Point] = (),
        exclude: Sequence[Point] = (),
        box: Box | None = None,
        mask_logits: np.ndarray | None = None,
        multimask: bool = True,
    ) -> Segmentation:
        """One prompt, in image pixels from the top-left corner.

        ``mask_logits`` (L, L) is a low-res mask, usually from an earlier call. Masks are not gated by
        the object score.
        """
        words = [Prompt(0, tuple(include), tuple(exclude), box, mask_logits)]
        return self.predict_many(words, multimask=multimask)

    def predict_many(self, prompts: Sequence[Prompt], *, multimask: bool = True) -> Segmentation:
        """Several prompts at once, each for an object of its own; all have the same number of points.

        ``frame`` of a prompt is not looked at; ``mask`` is low-res logits (L, L).
        """
        drawn = self.draw(prompts, multimask=multimask)
        width, height = self._size
        with self.model.inference():
            full = functional.interpolate(drawn.logits, (height, width), mode="bilinear", align_corners=False)
        limit = PREVIOUS_LOGIT_LIMIT
        return Segmentation(
            mask_logits=full.cpu().numpy(),
            logits=drawn.logits.clamp(-limit, limit).cpu().numpy(),
            predicted_iou=drawn.predicted_iou.cpu().numpy(),
            candidates=drawn.candidates,
        )

    def draw(self, prompts: Sequence[Prompt], *, multimask: bool = True) -> Drawn:
        """As ``predict_many``, without masks at image size: many of a large image would not fit in memory."""
        embedding = self.embedding
        with self.model.inference():
            sparse = self._sparse(prompts)
            masks = [prompt.mask for prompt in prompts]
            dense = None
            if any(mask is not None for mask in masks):
                side = self.model.config.mask_side
                shapes = {None if mask is None else np.shape(mask) for mask in masks}
                if shapes != {(side, side)}:
                    told = ", ".join(sorted("none" if shape is None else str(shape) for shape in shapes))
                    raise PromptError(
                        f"Low-res masks are {told}, expected {(side, side)} for each prompt.",
                        "Give the logits of an earlier answer, or no mask at all.",
                    )
                stack = np.stack([np.asarray(mask, dtype=np.float32) for mask in masks])
                dense = torch.from_numpy(stack).to(embedding.device)[:, None]
            candidates = self.model.decode(embedding.expand(len(prompts), -1, -1, -1), sparse, dense)
            chosen = select(candidates, multimask, self.dynamic_multimask)
            return Drawn(chosen.logits.float(), chosen.predicted_iou.float(), candidates)

    def _sparse(self, prompts: Sequence[Prompt]) -> Tensor:
        """Prompt tokens (B, n, C); none at all (n = 0) for prompts that are masks alone."""
        side, device = self.model.config.input_size, self.model.device
        if not any(prompt.include or prompt.exclude or prompt.box for prompt in prompts):
            return torch.zeros(len(prompts), 0, self.model.config.hidden, device=device)
        pairs = [point_tensors(prompt, self._size, side, device) for prompt in prompts]
        counts = {points.shape[1] for points, _ in pairs}
        if len(counts) > 1:
            raise PromptError(
                f"Prompts have {', '.join(map(str, sorted(counts)))} points, expected as many in each.",
                "Predict them one by one.",
            )
        points, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return self.model.sam_prompt_encoder.points(points, labels)
