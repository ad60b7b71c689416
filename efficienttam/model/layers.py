"""Small layers that several boxes share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of (B, C, H, W), biased variance, eps inside the root.

    Upstream: ``sam2_utils.LayerNorm2d``.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        # Written out, not by layer_norm on permuted axes: the sums then round as in the published code.
        wide = x.float()
        centred = wide - wide.mean(1, keepdim=True)
        spread = centred.pow(2).mean(1, keepdim=True)
        normalised = centred / torch.sqrt(spread + self.eps)
        return (self.weight[:, None, None] * normalised + self.bias[:, None, None]).to(x.dtype)


class MLP(nn.Module):
    """Linear layers with an activation between them (none after the last).

    Upstream: ``sam2_utils.MLP``.
    """

    def __init__(self, widths: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = _activate(self.activation, layer(x))
        return self.layers[-1](x)


def _activate(activation: nn.Module, x: Tensor) -> Tensor:
    """The activation of a tensor that nothing else needs: in its own memory where no gradient is taken."""
    if isinstance(activation, nn.GELU) and activation.approximate == "none" and not torch.is_grad_enabled():
        return torch.ops.aten.gelu_(x)
    return activation(x)
