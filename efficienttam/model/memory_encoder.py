"""The memory encoder: a frame's embedding and its mask to a memory map.

Upstream: ``MemoryEncoder``, ``MaskDownSampler``, ``Fuser``, ``CXBlock``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import LayerNorm2d


class MaskDownsampler(nn.Module):
    """Mask (B, 1, S, S) to (B, C, S / 16, S / 16): four strided convolutions and a 1x1."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for _ in range(4):
            layers += [nn.Conv2d(channels, 4 * channels, 3, 2, 1), LayerNorm2d(4 * channels), nn.GELU()]
            channels *= 4
        self.encoder = nn.Sequential(*layers, nn.Conv2d(channels, hidden, 1))

    def forward(self, mask: Tensor) -> Tensor:
        return self.encoder(mask)


class FuserBlock(nn.Module):
    """ConvNeXt block over (B, C, H, W) with a learned scale per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = LayerNorm2d(channels)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        # Copied once: linear layers on a permuted view would copy it, and their weights, on every call.
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1).contiguous()
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class Fuser(nn.Module):
    """A stack of ConvNeXt blocks."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FuserBlock(channels) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Embedding (B, C, H, W) and scaled mask (B, 1, S, S) to a memory map (B, M, H, W)."""

    def __init__(self, hidden: int, memory_channels: int) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(hidden)
        self.pix_feat_proj = nn.Conv2d(hidden, hidden, 1)
        self.fuser = Fuser(hidden, depth=2)
        self.out_proj = nn.Conv2d(hidden, memory_channels, 1)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        return self.out_proj(self.fuser(self.pix_feat_proj(embedding) + self.mask_downsampler(mask)))
