"""The memory encoder: a frame's embedding and its mask to a memory map.

Upstream: ``MemoryEncoder``, ``MaskDownSampler``, ``Fuser``, ``CXBlock``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import LayerNorm2d


class _LastNorm(LayerNorm2d):
    """The same norm of (B, C, H, W) whose channels lie together in memory, in one step over them."""

    def forward(self, x: Tensor) -> Tensor:
        normalised = functional.layer_norm(
            x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps
        )
        return normalised.permute(0, 3, 1, 2)


class MaskDownsampler(nn.Module):
    """Mask (B, 1, S, S) to (B, C, S / 16, S / 16): four strided convolutions and a 1x1."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for norm in (LayerNorm2d, _LastNorm, _LastNorm, _LastNorm):
            layers += [nn.Conv2d(channels, 4 * channels, 3, 2, 1), norm(4 * channels), nn.GELU()]
            channels *= 4
        self.encoder = nn.Sequential(*layers, nn.Conv2d(channels, hidden, 1))

    def forward(self, mask: Tensor) -> Tensor:
        # Four channels are too few for laying them together to pay.
        few = self.encoder[:3](mask)
        return self.encoder[3:](few.contiguous(memory_format=torch.channels_last))


class FuserBlock(nn.Module):
    """ConvNeXt block over (B, C, H, W) with a learned scale per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = _LastNorm(channels)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
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
    """Embedding (B, C, H, W) and scaled mask (B, 1, S, S) to a memory map (B, M, H, W).

    Channels lie together in memory on the way: convolutions, norms and linear layers are soonest so.
    """

    def __init__(self, hidden: int, memory_channels: int) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(hidden)
        self.pix_feat_proj = nn.Conv2d(hidden, hidden, 1)
        self.fuser = Fuser(hidden, depth=2)
        self.out_proj = nn.Conv2d(hidden, memory_channels, 1)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        seen = self.pix_feat_proj(embedding.contiguous(memory_format=torch.channels_last))
        return self.out_proj(self.fuser(seen + self.mask_downsampler(mask)))
