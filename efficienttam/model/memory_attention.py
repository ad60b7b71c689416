"""Memory attention: the current frame recalls its memory maps and object pointers.

Four pre-norm layers of rotary self-attention, cross-attention to memory and an MLP. The forms of
cross-attention are those of the paper: all tokens, or tokens averaged over windows with the constant
ln(window area) on the logits (Eq. 5) or on the keys (Eq. 6). Upstream: ``MemoryAttention``,
``RoPEAttention``, ``EfficientRoPEAttention1`` and ``2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import CrossAttention, MemoryAttentionConfig
from .position_encoding import rotary_table, rotate


@dataclass(frozen=True)
class Memory:
    """What one frame recalls.

    ``maps`` (B, n, M, H, W) memory maps; ``map_position`` (n, M, H, W) their sine code plus the code
    of their temporal slot, added to keys but not to values; ``pointers`` (B, P, M) object pointer
    tokens, which have no position (P may be 0).
    """

    maps: Tensor
    map_position: Tensor
    pointers: Tensor


class RotaryAttention(nn.Module):
    """Single-head attention with a rotary position on queries and keys."""

    def __init__(self, hidden: int, key_channels: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(hidden, hidden)
        self.k_proj = nn.Linear(key_channels, hidden)
        self.v_proj = nn.Linear(key_channels, hidden)
        self.out_proj = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        """Self-attention over (B, N, C)."""
        query = rotate(self.q_proj(x), table)
        key = rotate(self.k_proj(x), table)
        return self.out_proj(_attend(query, key, self.v_proj(x)))


class MemoryCrossAttention(RotaryAttention):
    """Queries from the frame, keys and values from memory maps and pointers."""

    def __init__(self, hidden: int, memory_channels: int, form: CrossAttention, window: int) -> None:
        super().__init__(hidden, memory_channels)
        self.form = form
        self.window = window

    def attend(self, x: Tensor, memory: Memory, table: Tensor) -> Tensor:
        """``x`` (B, N, C) attends to ``memory``; returns (B, N, C)."""
        count, height, width = memory.maps.shape[1], *memory.maps.shape[3:]
        values = memory.maps.flatten(3).transpose(2, 3).flatten(1, 2)
        positions = memory.map_position.flatten(2).transpose(1, 2).flatten(0, 1)
        query = rotate(self.q_proj(x), table)
        key = rotate(self.k_proj(values + positions), table.repeat(1, count, 1))
        value = self.v_proj(values)
        bias = None
        # One map alone is never pooled: the published classes pool from the second map on.
        if self.form is not CrossAttention.FULL and count > 1:
            key = _pool(key, height, width, self.window)
            value = _pool(value, height, width, self.window)
            constant = math.log(self.window**2)
            if self.form is CrossAttention.POOLED_KEY_BIAS:
                key = key + constant
            else:
                bias = key.new_zeros(key.shape[1] + memory.pointers.shape[1])
                bias[: key.shape[1]] = constant
        key = torch.cat((key, self.k_proj(memory.pointers).to(key.dtype)), dim=1)
        value = torch.cat((value, self.v_proj(memory.pointers).to(value.dtype)), dim=1)
        return self.out_proj(_attend(query, key, value, bias))


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to memory, MLP."""

    def __init__(self, config: MemoryAttentionConfig, hidden: int, memory_channels: int) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(hidden, hidden)
        self.cross_attn_image = MemoryCrossAttention(
            hidden, memory_channels, config.cross_attention, config.pool_window
        )
        self.linear1 = nn.Linear(hidden, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, hidden)
        self.norm1 = nn.LayerNorm(hidden)
        self.norm2 = nn.LayerNorm(hidden)
        self.norm3 = nn.LayerNorm(hidden)

    def forward(self, x: Tensor, memory: Memory, table: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm1(x), table)
        x = x + self.cross_attn_image.attend(self.norm2(x), memory, table)
        return x + self.linear2(functional.relu(self.linear1(self.norm3(x))))


class MemoryAttention(nn.Module):
    """Embedding and memory to a memory-conditioned embedding."""

    def __init__(self, config: MemoryAttentionConfig, hidden: int, memory_channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(config, hidden, memory_channels) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(hidden)

    def forward(self, embedding: Tensor, position: Tensor, memory: Memory) -> Tensor:
        """``embedding`` (B, C, H, W) and its sine ``position`` (C, H, W); returns (B, C, H, W)."""
        _, channels, height, width = embedding.shape
        table = rotary_table(height, width, channels, embedding.device)
        x = (embedding + 0.1 * position.to(embedding.dtype)).flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memory, table)
        return self.norm(x).transpose(1, 2).unflatten(2, (height, width))


def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Single-head attention over (B, N, C); ``bias`` (K,) is added to every row of logits."""
    return functional.scaled_dot_product_attention(
        query[:, None],
        key[:, None].to(query.dtype),
        value[:, None].to(query.dtype),
        attn_mask=None if bias is None else bias[None, None, None].to(query.dtype),
    )[:, 0]


def _pool(tokens: Tensor, height: int, width: int, window: int) -> Tensor:
    """Averages tokens (B, n H W, C) over window x window cells of each map."""
    batch, _, channels = tokens.shape
    maps = tokens.view(-1, height, width, channels).permute(0, 3, 1, 2)
    return functional.avg_pool2d(maps, window).flatten(2).transpose(1, 2).reshape(batch, -1, channels)
