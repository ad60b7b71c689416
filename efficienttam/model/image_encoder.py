"""The image encoder: a plain ViT with some windowed blocks and a two-convolution neck.

Upstream: ``ViT`` / ``ImageEncoder`` / ``ViTDetNeck``.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import ImageEncoderConfig
from .constant import Constant
from .layers import MLP, LayerNorm2d

#: From this many tokens on, keys and values are laid out densely before attention: the same numbers,
#: sooner.
MANY_TOKENS = 1024


class Attention(nn.Module):
    """Multi-head self-attention over (B, N, D), fused query, key and value projection."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def mix(self, x: Tensor) -> Tensor:
        """Attention of (B, N, D) before the last projection, a view (B, N, heads, D / heads)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        if query.shape[2] > MANY_TOKENS:
            # Rows that lie apart by the width of all three cost more cache than the copies take.
            key, value = key.contiguous(), value.contiguous()
        return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2)


@functools.lru_cache(maxsize=8)
def _window_order(height: int, width: int, side: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """How a grid is cut into windows of ``side`` x ``side`` tokens, padded below and right.

    Indices of the grid's tokens in window order, which places of that order are padding, and where
    every token of the grid stands in it.
    """
    rows, columns = -(-height // side), -(-width // side)
    with torch.inference_mode(False):
        token = torch.arange(height * width, device=device).view(height, width)
        padded = functional.pad(token, (0, columns * side - width, 0, rows * side - height), value=-1)
        order = padded.view(rows, side, columns, side).transpose(1, 2).flatten()
        place = order.argsort(stable=True)[-height * width :]
        return order.clamp(min=0), (order < 0).nonzero()[:, 0], place


class Block(nn.Module):
    """Pre-norm transformer block over (B, H, W, D); ``window`` 0 attends globally."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int, window: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLP((dim, mlp_ratio * dim, dim), nn.GELU)
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def _attend(self, x: Tensor) -> Tensor:
        batch, height, width, dim = x.shape
        tokens = x.flatten(1, 2)
        if self.window == 0:
            mixed = self.attn.mix(tokens).flatten(2)
            return self.attn.proj(mixed).unflatten(1, (height, width))
        order, padding, place = _window_order(height, width, self.window, x.device)
        # The padding comes after the norm and is not masked: its keys are the bias of the
        # projection and take part in the softmax, as the published weights expect.
        windows = tokens[:, order].index_fill(1, padding, 0).view(-1, self.window**2, dim)
        mixed = self.attn.mix(windows).reshape(batch, order.shape[0], dim)[:, place]
        return self.attn.proj(mixed).unflatten(1, (height, width))


class PatchEmbed(nn.Module):
    """Image (B, 3, S, S) to patches (B, H, W, D)."""

    def __init__(self, patch: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).permute(0, 2, 3, 1)


class VisionTransformer(nn.Module):
    """Patches, learned absolute position, blocks. No norm after the last block."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.position_grid = config.position_grid
        self._position = Constant()
        self.patch_embed = PatchEmbed(config.patch, config.dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.position_grid**2 + 1, config.dim))
        self.blocks = nn.ModuleList(
            Block(
                config.dim, config.heads, config.mlp_ratio, 0 if i in config.global_blocks else config.window
            )
            for i in range(config.depth)
        )

    def position(self, height: int, width: int) -> Tensor:
        """Learned position interpolated to a grid: (1, height, width, D). The class slot is unused."""

        def compute() -> Tensor:
            side = self.position_grid
            grid = self.pos_embed[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
            if (height, width) != (side, side):
                grid = functional.interpolate(grid, (height, width), mode="bicubic", align_corners=False)
            return grid.permute(0, 2, 3, 1)

        return self._position.get([self.pos_embed], (height, width), compute)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patch_embed(image)
        # Channels last in memory too: every norm would copy it otherwise, and every sum walk across it.
        x = x.contiguous() + self.position(*x.shape[1:3]).to(x.dtype)
        for block in self.blocks:
            x = block(x)
        return x


class NeckLevel(nn.Module):
    """1x1 and 3x3 convolutions with norms, the trunk's width to ``hidden`` channels."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.conv_1x1 = nn.Conv2d(dim, hidden, 1, bias=False)
        self.norm_0 = LayerNorm2d(hidden)
        self.conv_3x3 = nn.Conv2d(hidden, hidden, 3, padding=1, bias=False)
        self.norm_1 = LayerNorm2d(hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm_1(self.conv_3x3(self.norm_0(self.conv_1x1(x))))


class Neck(nn.Module):
    """One level: upstream keeps a list of levels, of which EfficientTAM has one."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList([NeckLevel(dim, hidden)])

    def forward(self, x: Tensor) -> Tensor:
        return self.convs[0](x)


class ImageEncoder(nn.Module):
    """Normalised RGB (B, 3, S, S) to an embedding (B, C, H, W), H = W = S / patch."""

    def __init__(self, config: ImageEncoderConfig, hidden: int) -> None:
        super().__init__()
        self.trunk = VisionTransformer(config)
        self.neck = Neck(config.dim, hidden)

    def forward(self, image: Tensor) -> Tensor:
        return self.neck(self.trunk(image).permute(0, 3, 1, 2))
