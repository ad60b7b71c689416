"""The same mathematics, written so that training on CPUs is fast.

Three pieces of the network have slow backward passes there: fused attention ignores the bf16 matrix
units, layer norm over a handful of channels works row by row, rotary position strides over pairs.
Within ``fast_on_cpu`` they run as plain matrix products and sums instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional

from efficienttam.model import memory_attention
from efficienttam.model.layers import LayerNorm2d


def attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """``functional.scaled_dot_product_attention`` of (..., N, D), (..., K, D), (..., K, D)."""
    logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if attn_mask is not None:
        logits = logits + attn_mask
    return logits.softmax(-1) @ value


def channel_norm(norm: LayerNorm2d, x: Tensor) -> Tensor:
    """``LayerNorm2d`` of (B, C, H, W) for few channels."""
    centred = x.float() - x.float().mean(1, keepdim=True)
    scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + norm.eps)
    weight, bias = norm.weight[:, None, None].float(), norm.bias[:, None, None].float()
    return (centred * scale * weight + bias).to(x.dtype)


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """``position_encoding.rotate`` of (B, N, C) by (N, C / 2) in the type of ``x``."""
    channels = x.shape[-1]
    swap = torch.zeros(channels, channels, dtype=x.dtype, device=x.device)
    even = torch.arange(0, channels, 2)
    swap[even + 1, even] = -1
    swap[even, even + 1] = 1
    cos, sin = (part.repeat_interleave(2, dim=1).to(x.dtype) for part in (table.real, table.imag))
    return x * cos + (x @ swap) * sin


@contextmanager
def fast_on_cpu() -> Iterator[None]:
    """Within the block the network runs with the pieces above."""
    fused, norm, turn = functional.scaled_dot_product_attention, LayerNorm2d.forward, memory_attention.rotate

    def forward(self: LayerNorm2d, x: Tensor) -> Tensor:
        return channel_norm(self, x) if x.shape[1] <= 16 else norm(self, x)

    functional.scaled_dot_product_attention = attention  # type: ignore[assignment]
    LayerNorm2d.forward = forward  # type: ignore[method-assign]
    memory_attention.rotate = rotate
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = fused
        LayerNorm2d.forward = norm  # type: ignore[method-assign]
        memory_attention.rotate = turn
