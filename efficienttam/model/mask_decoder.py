"""The mask decoder: prompt tokens and image to four candidate masks, their IoUs and an object score.

Upstream: ``MaskDecoder``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import MaskDecoderConfig
from .layers import MLP, LayerNorm2d
from .two_way_transformer import TwoWayTransformer

STABILITY_DELTA = 0.05
STABILITY_THRESHOLD = 0.98


@dataclass(frozen=True)
class Candidates:
    """All masks of one decoder pass, before selection. Mask 0 is the single-mask output.

    ``logits`` (B, 4, L, L), ``predicted_iou`` (B, 4) in 0..1, ``tokens`` (B, 4, C),
    ``object_score`` (B, 1) logit.
    """

    logits: Tensor
    predicted_iou: Tensor
    tokens: Tensor
    object_score: Tensor

    def stability(self) -> Tensor:
        """Area above +delta over area above -delta of mask 0: (B,), 1 where both are empty."""
        mask = self.logits[:, 0].flatten(1)
        inner = (mask > STABILITY_DELTA).sum(1).float()
        outer = (mask > -STABILITY_DELTA).sum(1).float()
        return torch.where(outer > 0, inner / outer.clamp(min=1), 1.0)


@dataclass(frozen=True)
class Selection:
    """The masks a caller asked for: one, or the three ambiguity-aware ones.

    ``logits`` (B, k, L, L), ``predicted_iou`` (B, k), ``tokens`` (B, k, C).
    """

    logits: Tensor
    predicted_iou: Tensor
    tokens: Tensor


def select(candidates: Candidates, multimask: bool, dynamic: bool) -> Selection:
    """Masks 1..3, or mask 0; with ``dynamic`` an unstable mask 0 gives way to the best of 1..3.

    The token of a single mask is always token 0, even where another mask was taken: object pointers
    of the published weights were trained so. Upstream: ``dynamic_multimask_via_stability``.
    """
    if multimask:
        return Selection(candidates.logits[:, 1:], candidates.predicted_iou[:, 1:], candidates.tokens[:, 1:])
    logits, iou = candidates.logits[:, :1], candidates.predicted_iou[:, :1]
    if dynamic:
        row = torch.arange(logits.shape[0], device=logits.device)
        best = candidates.predicted_iou[:, 1:].argmax(1) + 1
        stable = candidates.stability() >= STABILITY_THRESHOLD
        chosen = torch.where(stable, 0, best)
        logits = candidates.logits[row, chosen][:, None]
        iou = candidates.predicted_iou[row, chosen][:, None]
    return Selection(logits, iou, candidates.tokens[:, :1])


class MaskDecoder(nn.Module):
    """Two-way transformer, mask upscaling and heads."""

    def __init__(self, config: MaskDecoderConfig, hidden: int) -> None:
        super().__init__()
        masks = config.multimask_outputs + 1
        self.masks = masks
        self.transformer = TwoWayTransformer(hidden, config.depth, config.heads, config.feedforward)
        self.iou_token = nn.Embedding(1, hidden)
        self.mask_tokens = nn.Embedding(masks, hidden)
        self.obj_score_token = nn.Embedding(1, hidden)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(hidden, hidden // 4, 2, 2),
            LayerNorm2d(hidden // 4),
            nn.GELU(),
            nn.ConvTranspose2d(hidden // 4, hidden // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            MLP((hidden, hidden, hidden, hidden // 8)) for _ in range(masks)
        )
        self.iou_prediction_head = MLP((hidden, hidden, hidden, masks))
        self.pred_obj_score_head = MLP((hidden, hidden, hidden, 1))

    def forward(self, image: Tensor, position: Tensor, sparse: Tensor, dense: Tensor) -> Candidates:
        """``image`` and ``dense`` (B, C, H, W), ``position`` (1, C, H, W), ``sparse`` (B, n, C)."""
        batch, _, height, width = image.shape
        own = torch.cat((self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight))
        tokens = torch.cat((own[None].expand(batch, -1, -1).to(sparse.dtype), sparse), dim=1)
        tokens, grid = self.transformer(
            (image + dense).flatten(2).transpose(1, 2).contiguous(),
            position.flatten(2).transpose(1, 2),
            tokens,
        )
        mask_tokens = tokens[:, 2 : 2 + self.masks]
        weights = torch.stack(
            [head(mask_tokens[:, i]) for i, head in enumerate(self.output_hypernetworks_mlps)], dim=1
        )
        return Candidates(
            logits=self._draw(grid, weights, (height, width)),
            predicted_iou=self.iou_prediction_head(tokens[:, 1]).sigmoid(),
            tokens=mask_tokens,
            object_score=self.pred_obj_score_head(tokens[:, 0]),
        )

    def _draw(self, grid: Tensor, weights: Tensor, size: tuple[int, int]) -> Tensor:
        """Masks (B, k, 4 H, 4 W): ``output_upscaling`` of the grid (B, H W, C), weighted by (B, k, C / 8).

        A transposed convolution of stride 2 and side 2 is a linear layer to four pixels each. Pixels
        stay in the order they are made in, and only the masks are put in rows and columns.
        """
        first, norm, act, second, last_act = self.output_upscaling
        assert isinstance(first, nn.ConvTranspose2d) and isinstance(second, nn.ConvTranspose2d)
        assert isinstance(norm, LayerNorm2d)
        x = _quadruple(grid, first)
        x = act(functional.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps))
        x = last_act(_quadruple(x, second))
        masks = x.flatten(1, 3) @ weights.transpose(1, 2)
        height, width = size
        # Row and column of the grid, then those of the first and of the second doubling.
        masks = masks.view(-1, height, width, 2, 2, 2, 2, self.masks).permute(0, 7, 1, 3, 5, 2, 4, 6)
        return masks.reshape(-1, self.masks, 4 * height, 4 * width)


def _quadruple(x: Tensor, convolution: nn.ConvTranspose2d) -> Tensor:
    """Pixels (..., C) to the four pixels (..., 4, C') that each becomes, row by row."""
    out = convolution.weight.shape[1]
    weight = convolution.weight.permute(2, 3, 1, 0).reshape(4 * out, -1)
    bias = None if convolution.bias is None else convolution.bias.repeat(4)
    return functional.linear(x, weight, bias).unflatten(-1, (4, out))
