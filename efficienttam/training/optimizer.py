"""Optimiser steps on float32 masters of a network that lives in bfloat16, and the rate over a run.

Vectors, convolutions and embeddings take AdamW as in the paper. The matrices of linear layers take
Muon (momentum made orthogonal), scaled to the size of AdamW's steps: from a random start it learns
about as much from half the images, and images are what a CPU lacks.

Keeping the weights themselves in bfloat16 avoids the casts of autocast, which cost a quarter of the
time on CPUs; the masters keep the small steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

#: Orthogonal steps bear a higher rate than AdamW's of equal size.
MUON_RATE = 3.0


class MasterOptimizer:
    """AdamW and Muon over named parameters; ``parameters`` may be of any floating type."""

    def __init__(
        self, named: Iterable[tuple[str, nn.Parameter]], rate: float, decay: float = 0.1, clip: float = 1.0
    ) -> None:
        self._live = dict(named)
        self._masters = {name: live.detach().float().clone() for name, live in self._live.items()}
        matrices = {name: m for name, m in self._masters.items() if m.ndim == 2 and "embed" not in name}
        filters = {name: m for name, m in self._masters.items() if m.ndim > 2 and "embed" not in name}
        rest = [m for name, m in self._masters.items() if name not in matrices and name not in filters]
        groups = [
            {"params": list(filters.values()), "weight_decay": decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        self._rate, self._clip = rate, clip
        self._adam = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), foreach=True)
        self._muon = torch.optim.Muon(
            list(matrices.values()), lr=rate, weight_decay=decay / MUON_RATE, adjust_lr_fn="match_rms_adamw"
        )

    def step(self, factor: float) -> float:
        """One update at ``factor`` times the peak rate; returns the norm of the gradient before clipping."""
        for name, live in self._live.items():
            grad = torch.zeros_like(live) if live.grad is None else live.grad
            self._masters[name].grad = grad.float()
        norm = float(nn.utils.clip_grad_norm_(self._masters.values(), self._clip, foreach=True))
        if math.isfinite(norm):
            for optimizer, scale in ((self._adam, 1.0), (self._muon, MUON_RATE)):
                for group in optimizer.param_groups:
                    group["lr"] = self._rate * factor * scale
                optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(list(self._live.values()), list(self._masters.values()))
        for live in self._live.values():
            live.grad = None
        return norm

    def weights(self) -> dict[str, Tensor]:
        """The float32 masters by name."""
        return self._masters

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs."""
        return {"masters": self._masters, "adam": self._adam.state_dict(), "muon": self._muon.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        with torch.no_grad():
            for name, master in self._masters.items():
                master.copy_(state["masters"][name])
                self._live[name].copy_(master)
        self._adam.load_state_dict(state["adam"])
        self._muon.load_state_dict(state["muon"])


def rate_factor(step: int, progress: float, warm_up: int) -> float:
    """Linear warm-up over ``warm_up`` steps, then a cosine from 1 to 0.02 as ``progress`` goes 0 to 1."""
    rise = min(1.0, (step + 1) / max(warm_up, 1))
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))))
