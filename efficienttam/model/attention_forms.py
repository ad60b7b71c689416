"""Attention of a frame to what it recalls, in the forms that the paper compares.

All take queries (B, N, C) of a square grid of N cells and keys and values (B, K, C), single-head, and return
(B, N, C).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

#: Windows along each side of the frame: four in all, as in the paper.
WINDOWS = 2


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Every query sees every key; ``bias`` (K,) is added to every row of logits."""
    return functional.scaled_dot_product_attention(
        query[:, None],
        key[:, None].to(query.dtype),
        value[:, None].to(query.dtype),
        attn_mask=None if bias is None else bias[None, None, None].to(query.dtype),
    )[:, 0]


def attend_in_windows(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The queries of a window see that window of every map, and all that follows the last whole map (the
    pointers). Keys are maps of N tokens, then fewer than N others; sides must be even."""
    cells = query.shape[1]
    maps = key.shape[1] // cells * cells

    def seen_by_windows(tokens: Tensor) -> Tensor:
        others = tokens[:, None, maps:].expand(-1, WINDOWS**2, -1, -1)
        return torch.cat((_windows(tokens[:, :maps], cells), others), dim=2).to(query.dtype)

    seen = functional.scaled_dot_product_attention(
        _windows(query, cells), seen_by_windows(key), seen_by_windows(value)
    )
    side = math.isqrt(cells)
    grid = seen.unflatten(2, (side // WINDOWS, -1)).unflatten(1, (WINDOWS, WINDOWS))
    return grid.transpose(2, 3).flatten(1, 4)


def _windows(tokens: Tensor, cells: int) -> Tensor:
    """Maps of ``cells`` tokens each (B, n * cells, C) by window: (B, WINDOWS^2, n * cells / WINDOWS^2, C)."""
    side = math.isqrt(cells)
    step = side // WINDOWS
    maps = tokens.unflatten(1, (-1, WINDOWS, step, WINDOWS, step))
    return maps.permute(0, 2, 4, 1, 3, 5, 6).flatten(3, 5).flatten(1, 2)


def attend_linearly(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Weights are products of ``elu(x) + 1`` of query and key, so that keys and values are summed once for
    all queries (Katharopoulos et al., Transformers are RNNs, 2020)."""
    weight = functional.elu(query) + 1
    told = functional.elu(key.to(query.dtype)) + 1
    gathered = weight @ (told.transpose(1, 2) @ value.to(query.dtype))
    return gathered / (weight @ told.sum(1)[..., None])


def grouped(tokens: Tensor, size: int) -> Tensor:
    """Averages of ``size`` tokens at a time, fewer in the last group: (B, P, C) to (B, ceil(P / size), C)."""
    if not tokens.shape[1]:
        return tokens
    return functional.avg_pool1d(tokens.transpose(1, 2), size, ceil_mode=True).transpose(1, 2)
