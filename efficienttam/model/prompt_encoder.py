"""The prompt encoder of Segment Anything: points, boxes as corner points, mask logits.

Upstream: ``PromptEncoder``.
"""

from __future__ import annotations

import enum

import torch
from torch import Tensor, nn
from torch.nn import functional

from .constant import Constant
from .layers import LayerNorm2d
from .position_encoding import RandomPosition


class PointLabel(enum.IntEnum):
    """What a point says."""

    PADDING = -1
    EXCLUDE = 0
    INCLUDE = 1
    BOX_TOP_LEFT = 2
    BOX_BOTTOM_RIGHT = 3


class PromptEncoder(nn.Module):
    """Prompts to sparse tokens (B, n, C) and a dense code (B, C, H, W)."""

    def __init__(self, hidden: int, input_size: int, grid: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.grid = grid
        self.pe_layer = RandomPosition(hidden)
        self._position = Constant()
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, hidden) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, hidden)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2),
            LayerNorm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, 2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, hidden, 1),
        )
        self.no_mask_embed = nn.Embedding(1, hidden)

    def dense_position(self) -> Tensor:
        """Position code of the embedding grid: (1, C, H, W)."""
        matrix = self.pe_layer.positional_encoding_gaussian_matrix
        return self._position.get([matrix], (), lambda: self.pe_layer.grid(self.grid, self.grid)[None])

    def points(self, points: Tensor, labels: Tensor) -> Tensor:
        """Tokens (B, n + 1, C) of points (B, n, 2) in network pixels with labels (B, n).

        A padding point is always appended: boxes come as two corner points, never as boxes.
        """
        batch = points.shape[0]
        points = torch.cat((points + 0.5, points.new_zeros(batch, 1, 2)), dim=1)
        labels = torch.cat((labels, labels.new_full((batch, 1), PointLabel.PADDING)), dim=1)[..., None]
        code = self.pe_layer(points / self.input_size)
        code = torch.where(labels == PointLabel.PADDING, self.not_a_point_embed.weight, code)
        for label, embedding in enumerate(self.point_embeddings):
            code = torch.where(labels == label, code + embedding.get_parameter("weight"), code)
        return code

    def mask(self, logits: Tensor | None, batch: int) -> Tensor:
        """Dense code (batch, C, H, W) of mask logits (batch, 1, h, w), or of no mask.

        Logits of another side than 4 H are first resized, bilinear with antialias.
        """
        if logits is None:
            return self.no_mask_embed.weight[..., None, None].expand(batch, -1, self.grid, self.grid)
        side = 4 * self.grid
        if logits.shape[-2:] != (side, side):
            logits = functional.interpolate(
                logits.float(), (side, side), mode="bilinear", align_corners=False, antialias=True
            )
        return self.mask_downscaling(logits)
