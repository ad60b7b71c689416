"""EfficientTAM: the boxes put together. Stateless: the caller owns every memory map and pointer.

Upstream: ``EfficientTAMBase``. Paper: Efficient Track Anything (Xiong et al., 2024).

Shapes: B objects or images, S input side, H = W = S / 16 grid, L = 4 H mask side, C hidden channels,
M memory channels. Mask logits are before the sigmoid: above 0 is inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import ModelConfig
from .image_encoder import ImageEncoder
from .layers import MLP
from .mask_decoder import Candidates, MaskDecoder, select
from .memory_attention import MapTokens, Memory, MemoryAttention
from .memory_encoder import MemoryEncoder
from .position_encoding import sine_position
from .prompt_encoder import PointLabel, PromptEncoder

#: Logit of every pixel of an object that is not in the frame (upstream ``NO_OBJ_SCORE``).
NO_OBJECT_LOGIT = -1024.0
#: Logits of a mask given by the user are ``MASK_SCALE * mask + MASK_BIAS``; the memory encoder sees
#: probabilities through the same line (upstream ``sigmoid_scale_for_mem_enc`` and ``_bias_``).
MASK_SCALE = 20.0
MASK_BIAS = -10.0
#: Object score of a mask given by the user, positive when any pixel is set.
GIVEN_OBJECT_SCORE = 10.0


@dataclass(frozen=True)
class HeadOutput:
    """What the heads say about one frame, per object.

    ``logits`` (B, 1, L, L) float32 of the chosen mask, ``candidates`` (B, k, L, L) float32 before the
    choice (k is 1 or 3), ``predicted_iou`` (B, k), ``best`` (B,) index of the chosen one,
    ``object_score`` (B, 1) logit, ``pointer`` (B, C).
    """

    logits: Tensor
    candidates: Tensor
    predicted_iou: Tensor
    best: Tensor
    object_score: Tensor
    pointer: Tensor


class EfficientTAM(nn.Module):
    """One variant of the network; see ``build.build_model``."""

    #: sha256 of the file the weights came from, for provenance; empty for random weights.
    weights_hash: str = ""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, memory = config.hidden, config.memory_channels
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(config.memory_maps, 1, 1, memory))
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, hidden))
        # Part of every published checkpoint, used by no forward pass.
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, hidden))
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, hidden))
        self.image_encoder = ImageEncoder(config.image_encoder, hidden)
        self.mask_downsample = nn.Conv2d(1, 1, 4, 4)
        self.memory_attention = MemoryAttention(config.memory_attention, hidden, memory)
        self.memory_encoder = MemoryEncoder(hidden, memory)
        self.sam_prompt_encoder = PromptEncoder(hidden, config.input_size, config.grid)
        self.sam_mask_decoder = MaskDecoder(config.mask_decoder, hidden)
        self.obj_ptr_proj = MLP((hidden, hidden, hidden, hidden))

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return self.no_mem_embed.device

    @property
    def precision(self) -> torch.dtype:
        """What the image encoder, the memory encoder and memory attention compute in; see ``lower``."""
        return self.maskmem_tpos_enc.dtype

    def lower(self, dtype: torch.dtype) -> None:
        """Lets image encoder, memory encoder and memory attention compute in ``dtype``.

        Their weights are converted once, instead of by autocast on every call. The heads, which draw
        the mask and cost next to nothing, stay in float32.
        """
        for box in (self.image_encoder, self.memory_encoder, self.memory_attention):
            box.to(dtype)
        self.maskmem_tpos_enc = nn.Parameter(self.maskmem_tpos_enc.detach().to(dtype), requires_grad=False)

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Runs the block without gradients."""
        with torch.inference_mode():
            yield

    def encode_image(self, image: Tensor) -> Tensor:
        """Normalised RGB (B, 3, S, S) to embeddings (B, C, H, W), in the network's precision."""
        return self.image_encoder(image.to(_type_of(self.image_encoder)))

    def without_memory(self, embedding: Tensor) -> Tensor:
        """What the heads see of a frame that recalls nothing: (B, C, H, W)."""
        return embedding + self.no_mem_embed[0, 0, :, None, None].to(embedding.dtype)

    def project_map(self, maps: Tensor, *, pooled: bool) -> MapTokens:
        """Memory maps (B, M, H, W) as tokens for ``memory``; worth keeping.

        ``pooled`` is ``pools(n)`` for the n maps of the memory.
        """
        channels, height, width = maps.shape[1:]
        sine = sine_position(height, width, channels, maps.device)
        return self.memory_attention.project(maps.to(self.precision), sine, pooled=pooled)

    def pools(self, maps: int) -> bool:
        """Are so many maps of a memory pooled?"""
        return self.memory_attention.pools(maps)

    def memory(self, tokens: Sequence[MapTokens], slots: Sequence[int], pointers: Tensor) -> Memory:
        """Tokens of n maps in temporal ``slots`` and object pointers (B, p, C) as one memory.

        Slot 0 is a prompted frame, slot ``memory_maps`` - 1 the frame just before (after, in reverse).
        A pointer becomes C / M tokens of M channels, without a position.
        """
        codes = self.maskmem_tpos_enc.flatten(1)
        told = pointers.to(codes.dtype).reshape(pointers.shape[0], -1, codes.shape[1])
        rows = tuple(self.config.memory_maps - 1 - slot for slot in slots)
        return Memory(tuple(tokens), rows, codes, told)

    def assemble_memory(self, maps: Tensor, slots: Sequence[int], pointers: Tensor) -> Memory:
        """Memory maps (B, n, M, H, W) in ``slots`` and object pointers (B, p, C) as one memory."""
        pooled = self.pools(maps.shape[1])
        tokens = [self.project_map(one, pooled=pooled) for one in maps.unbind(1)]
        return self.memory(tokens, slots, pointers)

    def recall(self, embedding: Tensor, *memories: Memory) -> Tensor:
        """Memory-conditioned embeddings (B, C, H, W) of an embedding (1, C, H, W), or (B, C, H, W), for the
        B objects of all memories, which are alike in their numbers of maps and pointers."""
        channels, height, width = embedding.shape[1:]
        position = sine_position(height, width, channels, embedding.device)
        return self.memory_attention(embedding.to(self.precision), position, memories)

    def decode(self, embedding: Tensor, sparse: Tensor, mask_logits: Tensor | None = None) -> Candidates:
        """All candidate masks for a (conditioned) embedding (B, C, H, W) and prompt tokens (B, n, C)."""
        dtype = _type_of(self.sam_mask_decoder)
        mask_logits = None if mask_logits is None else mask_logits.to(dtype)
        dense = self.sam_prompt_encoder.mask(mask_logits, embedding.shape[0])
        position = self.sam_prompt_encoder.dense_position()
        return self.sam_mask_decoder(
            embedding.to(dtype), position.to(dtype), sparse.to(dtype), dense.to(dtype)
        )

    def no_points(self, batch: int) -> tuple[Tensor, Tensor]:
        """The points (B, 1, 2) and labels (B, 1) that say nothing, for tracked frames."""
        points = torch.zeros(batch, 1, 2, device=self.device)
        labels = torch.full((batch, 1), int(PointLabel.PADDING), device=self.device)
        return points, labels

    def predict(
        self,
        embedding: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
        *,
        multimask: bool,
        dynamic: bool = True,
    ) -> HeadOutput:
        """Heads of the tracker: masks, object score and pointer.

        ``embedding`` (B, C, H, W) conditioned on memory or on its absence; ``points`` (B, n, 2) in
        network pixels with ``labels`` (B, n), none for tracking; ``mask_logits`` (B, 1, h, w) from an
        earlier word on the frame. ``dynamic`` is the stability rule of single masks.
        Upstream: ``_forward_sam_heads``.
        """
        if points is None or labels is None:
            points, labels = self.no_points(embedding.shape[0])
        candidates = self.decode(embedding, self.sam_prompt_encoder.points(points, labels), mask_logits)
        selection = select(candidates, multimask, dynamic)
        appears = candidates.object_score > 0
        logits = torch.where(appears[..., None, None], selection.logits.float(), NO_OBJECT_LOGIT)
        best = selection.predicted_iou.argmax(1)
        row = torch.arange(best.shape[0], device=best.device)
        token = selection.tokens[row, best]
        return HeadOutput(
            logits=logits[row, best][:, None],
            candidates=logits,
            predicted_iou=selection.predicted_iou,
            best=best,
            object_score=candidates.object_score,
            pointer=self._pointer(token, appears),
        )

    def predict_from_mask(self, embedding: Tensor, mask: Tensor) -> HeadOutput:
        """The user's mask (B, 1, S, S), 0 to 1, as the output of its frame.

        The pointer comes from a pass over the raw embedding with the mask as prompt; it is the
        no-object pointer where the mask is empty. Upstream: ``_use_mask_as_output``.
        """
        side = self.config.mask_side
        logits = functional.interpolate(
            mask * MASK_SCALE + MASK_BIAS, (side, side), mode="bilinear", align_corners=False, antialias=True
        )
        appears = (mask > 0).flatten(1).any(1, keepdim=True)
        seen = self.predict(embedding, mask_logits=self._reduced(mask), multimask=False, dynamic=False)
        return HeadOutput(
            logits=logits,
            candidates=logits,
            predicted_iou=torch.ones_like(seen.predicted_iou[:, :1]),
            best=torch.zeros_like(seen.best),
            object_score=torch.where(appears, GIVEN_OBJECT_SCORE, -GIVEN_OBJECT_SCORE),
            pointer=torch.where(appears, seen.pointer, self.no_obj_ptr.to(seen.pointer.dtype)),
        )

    def encode_memory(self, embedding: Tensor, logits: Tensor, *, binarize: bool) -> Tensor:
        """Memory map (B, M, H, W) of a raw embedding and its low-res mask logits (B, 1, L, L).

        ``binarize`` thresholds the mask, as for frames the user prompted. Upstream:
        ``_encode_new_memory``.
        """
        full = self.upsample(logits)
        mask = (full > 0).float() if binarize else full.sigmoid()
        scaled = mask * MASK_SCALE + MASK_BIAS
        return self.memory_encoder(embedding.to(self.precision), scaled.to(self.precision))

    def upsample(self, logits: Tensor) -> Tensor:
        """Low-res mask logits (B, k, L, L) at network size (B, k, S, S), bilinear, float32."""
        side = self.config.input_size
        return functional.interpolate(logits.float(), (side, side), mode="bilinear", align_corners=False)

    def _pointer(self, token: Tensor, appears: Tensor) -> Tensor:
        pointer = self.obj_ptr_proj(token)
        return torch.where(appears, pointer, self.no_obj_ptr.to(pointer.dtype))

    def _reduced(self, mask: Tensor) -> Tensor:
        """The user's mask as a prompt of the decoder's own size."""
        return self.mask_downsample(mask.to(self.mask_downsample.weight.dtype))


def _type_of(box: nn.Module) -> torch.dtype:
    return next(box.parameters()).dtype
