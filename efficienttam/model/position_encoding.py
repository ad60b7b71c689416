"""Where a token is: sine codes, random Fourier codes and axial rotary tables.

All functions return float32 and depend on sizes alone; the last few tables are kept. Do not write into
one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def _kept(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A table is made outside of inference mode, so that training can use it too, and made once."""

    @functools.lru_cache(maxsize=8)
    @functools.wraps(compute)
    def table(*sizes: Any) -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            return compute(*sizes)

    return table


@_kept
def sine_position(height: int, width: int, channels: int, device: torch.device | None = None) -> Tensor:
    """Sine code of a grid: (channels, height, width), the first half for y, the second for x.

    Rows and columns count from 1 and are divided by (length + 1e-6), times 2 pi; base 10000.
    Upstream: ``PositionEmbeddingSine`` with ``normalize=True``.
    """
    per_axis = channels // 2
    index = torch.arange(per_axis, dtype=torch.float32, device=device)
    frequency = 10000 ** (2 * torch.div(index, 2, rounding_mode="floor") / per_axis)

    def axis(length: int) -> Tensor:
        position = torch.arange(1, length + 1, dtype=torch.float32, device=device)
        angle = (position / (length + 1e-6) * (2 * math.pi))[:, None] / frequency
        return torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=2).flatten(1)

    y = axis(height)[:, None].expand(height, width, per_axis)
    x = axis(width)[None].expand(height, width, per_axis)
    return torch.cat((y, x), dim=2).permute(2, 0, 1).contiguous()


class RandomPosition(nn.Module):
    """Random Fourier code of points. Upstream: ``PositionEmbeddingRandom``.

    The Gaussian matrix (2, channels / 2) is a buffer of the checkpoint.
    """

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, channels // 2))

    def forward(self, points: Tensor) -> Tensor:
        """Code of points (..., 2), x then y, each 0 to 1: (..., channels)."""
        # Sines of angles up to tens of radians: half precision would lose the position.
        matrix = self.positional_encoding_gaussian_matrix.float()
        angle = 2 * math.pi * ((2 * points.float() - 1) @ matrix)
        return torch.cat((angle.sin(), angle.cos()), dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Code of the cell centres of a grid: (channels, height, width)."""
        device = self.positional_encoding_gaussian_matrix.device
        y = (torch.arange(height, dtype=torch.float32, device=device) + 0.5) / height
        x = (torch.arange(width, dtype=torch.float32, device=device) + 0.5) / width
        points = torch.stack((x[None].expand(height, width), y[:, None].expand(height, width)), dim=-1)
        return self(points).permute(2, 0, 1)


@_kept
def rotary_table(height: int, width: int, channels: int, device: torch.device | None = None) -> Tensor:
    """Axial rotary table of a row-major grid: unit complex numbers, (height * width, channels / 2).

    Pair j turns by x * f_j in the first half of the pairs and by y * f_j in the second, with
    f_j = 10000 ** (-4 j / channels), x and y integers from 0. Upstream: ``compute_axial_cis``.
    """
    frequency = 10000 ** (-torch.arange(0, channels, 4, dtype=torch.float32, device=device) / channels)
    token = torch.arange(height * width, dtype=torch.float32, device=device)
    x = token % width
    y = torch.div(token, width, rounding_mode="floor")
    angle = torch.cat((torch.outer(x, frequency), torch.outer(y, frequency)), dim=1)
    return torch.complex(angle.cos(), angle.sin())


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotates adjacent channel pairs of tokens (B, N, C) by a table (N, C / 2), in float32.

    Returns the type of ``x``. Upstream: ``apply_rotary_enc``.
    """
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * table).flatten(-2).to(x.dtype)
