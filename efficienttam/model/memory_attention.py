"""Memory attention: the current frame recalls its memory maps and object pointers.

Four pre-norm layers of rotary self-attention, cross-attention to memory and an MLP. The forms of
cross-attention are those of the paper: all tokens, or tokens averaged over windows with the constant
ln(window area) on the logits (Eq. 5) or on the keys (Eq. 6). Upstream: ``MemoryAttention``,
``RoPEAttention``, ``EfficientRoPEAttention1`` and ``2``.

A memory map is paid for once: ``project`` gives its keys and values for every layer, rotated and
pooled. Only its temporal slot changes from frame to frame, and projection, rotation and pooling are
linear, so that the slot's share of a key is a constant, added when the frame is recalled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention_forms import attend, attend_in_windows, attend_linearly, grouped
from .config import CrossAttention, MemoryAttentionConfig
from .constant import Constant
from .position_encoding import rotary_table, rotate


@dataclass(frozen=True)
class MapTokens:
    """One memory map of B objects as keys and values (layers, B, K, C), without its temporal slot.

    ``pooled`` tells whether they are averages over windows.
    """

    keys: Tensor
    values: Tensor
    pooled: bool


@dataclass(frozen=True)
class Memory:
    """What a frame recalls for B objects.

    ``tokens`` of n maps, for each its row ``slots[i]`` of the temporal ``codes`` (slots, M), and object
    pointer tokens ``pointers`` (B, P, M), which have no position (P may be 0).
    """

    tokens: tuple[MapTokens, ...]
    slots: tuple[int, ...]
    codes: Tensor
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
        return self.out_proj(attend(query, key, self.v_proj(x)))


class MemoryCrossAttention(RotaryAttention):
    """Queries from the frame, keys and values from memory maps and pointers."""

    def __init__(self, hidden: int, memory_channels: int, form: CrossAttention, window: int) -> None:
        super().__init__(hidden, memory_channels)
        self.form = form
        self.window = window

    def project(
        self, values: Tensor, position: Tensor, table: Tensor, side: int, pooled: bool
    ) -> tuple[Tensor, Tensor]:
        """Keys and values (B, K, C) of map tokens (B, N, M) with the code ``position`` (N, M), on a grid
        of ``side`` rows."""
        key = rotate(self.k_proj(values + position), table)
        value = self.v_proj(values)
        if pooled:
            key, value = _pool(key, side, self.window), _pool(value, side, self.window)
            if self.form is CrossAttention.POOLED_KEY_BIAS:
                key = key + math.log(self.window**2)
        return key, value

    def slot_keys(self, codes: Tensor, table: Tensor, side: int, pooled: bool) -> Tensor:
        """What temporal codes (n, M) add to the keys of a map: (n, K, C)."""
        key = functional.linear(codes, self.k_proj.weight)[:, None].expand(-1, table.shape[0], -1)
        key = rotate(key, table)
        return _pool(key, side, self.window) if pooled else key

    def attend(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, table: Tensor) -> Tensor:
        """``x`` (B or 1, N, C) attends to keys and values (B, K, C); returns (B, N, C)."""
        query = rotate(self.q_proj(x), table).expand(key.shape[0], -1, -1)
        if self.form is CrossAttention.WINDOWED:
            return self.out_proj(attend_in_windows(query, key, value))
        if self.form is CrossAttention.LINEAR:
            return self.out_proj(attend_linearly(query, key, value))
        return self.out_proj(attend(query, key, value, bias))

    def project_pointers(self, pointers: Tensor, pooled: bool) -> tuple[Tensor, Tensor]:
        """Keys and values (B, K, C) of pointer tokens (B, P, M)."""
        key, value = self.k_proj(pointers), self.v_proj(pointers)
        if pooled and self.form is CrossAttention.POOLED_WITH_POINTERS:
            return grouped(key, self.window**2), grouped(value, self.window**2)
        return key, value


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to memory, MLP."""

    cross_attn_image: MemoryCrossAttention

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

    def forward(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, table: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm1(x), table)
        x = x + self.cross_attn_image.attend(self.norm2(x), key, value, bias, table)
        return x + self.linear2(self.linear1(self.norm3(x)).relu_())


class MemoryAttention(nn.Module):
    """Embedding and memory to a memory-conditioned embedding."""

    def __init__(self, config: MemoryAttentionConfig, hidden: int, memory_channels: int) -> None:
        super().__init__()
        self.form = config.cross_attention
        self.window = config.pool_window
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(config, hidden, memory_channels) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(hidden)
        self._slots = Constant()

    @property
    def crosses(self) -> list[MemoryCrossAttention]:
        """The cross-attention of every layer."""
        return [layer.cross_attn_image for layer in self.layers]  # type: ignore[misc]

    def pools(self, maps: int) -> bool:
        """Are so many maps pooled? One alone never is: the published classes pool from the second on."""
        return self.form.pools and maps > 1

    def project(self, maps: Tensor, position: Tensor, *, pooled: bool) -> MapTokens:
        """Memory maps (B, M, H, W) with their sine code (M, H, W) as tokens of every layer."""
        height, width = maps.shape[2:]
        table = rotary_table(height, width, self.norm.weight.shape[0], maps.device)
        values, codes = maps.flatten(2).transpose(1, 2), position.flatten(1).T.to(maps.dtype)
        pairs = [cross.project(values, codes, table, height, pooled) for cross in self.crosses]
        keys, projected = (torch.stack(part) for part in zip(*pairs, strict=True))
        return MapTokens(keys, projected, pooled)

    def forward(self, embedding: Tensor, position: Tensor, memories: Sequence[Memory]) -> Tensor:
        """``embedding`` (1, C, H, W), or (B, C, H, W) for memories of B objects in all, and its sine
        ``position`` (C, H, W); returns (B, C, H, W).

        The memories have as many tokens each. What their objects have in common, up to the first
        attention to memory, is computed once.
        """
        _, channels, height, width = embedding.shape
        table = rotary_table(height, width, channels, embedding.device)
        x = (embedding + 0.1 * position.to(embedding.dtype)).flatten(2).transpose(1, 2).contiguous()
        bias = self._bias(memories[0])
        for index, layer in enumerate(self.layers):
            pairs = [self._join(memory, index) for memory in memories]
            key, value = (torch.cat(part) for part in zip(*pairs, strict=True))
            x = layer(x, key, value, bias, table)
        return self.norm(x).transpose(1, 2).unflatten(2, (height, width))

    def _join(self, memory: Memory, layer: int) -> tuple[Tensor, Tensor]:
        """Keys and values (B, K, C) of one layer; joined when they are needed, one layer at a time."""
        cross = self.crosses[layer]
        shares = self._slot_keys(memory)[layer]
        keys = [
            held.keys[layer] + shares[slot] for held, slot in zip(memory.tokens, memory.slots, strict=True)
        ]
        values = [held.values[layer] for held in memory.tokens]
        told, meant = cross.project_pointers(memory.pointers, memory.tokens[0].pooled)
        return torch.cat([*keys, told], dim=1), torch.cat([*values, meant], dim=1)

    def _bias(self, memory: Memory) -> Tensor | None:
        """What is added to the logits of a memory's tokens: (K,), None for nothing."""
        if not memory.tokens[0].pooled or self.form is not CrossAttention.POOLED_LOGIT_BIAS:
            return None
        cells = sum(held.keys.shape[2] for held in memory.tokens)
        bias = memory.pointers.new_zeros(cells + memory.pointers.shape[1])
        bias[:cells] = math.log(self.window**2)
        return bias

    def _slot_keys(self, memory: Memory) -> Tensor:
        """Share of every temporal code in the keys of every layer: (layers, slots, K, C)."""
        codes, pooled = memory.codes, memory.tokens[0].pooled
        tokens = memory.tokens[0].keys.shape[2] * (self.window**2 if pooled else 1)

        def compute() -> Tensor:
            side = math.isqrt(tokens)
            table = rotary_table(side, side, self.norm.weight.shape[0], codes.device)
            return torch.stack([cross.slot_keys(codes, table, side, pooled) for cross in self.crosses])

        weights = [codes, *(cross.k_proj.weight for cross in self.crosses)]
        return self._slots.get(weights, (tokens, pooled), compute)


def _pool(tokens: Tensor, side: int, window: int) -> Tensor:
    """Averages tokens (n, side * W, C) over window x window cells: (n, K, C)."""
    maps = tokens.unflatten(1, (side, -1)).permute(0, 3, 1, 2)
    return functional.avg_pool2d(maps, window).flatten(2).transpose(1, 2)
