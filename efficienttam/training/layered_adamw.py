"""AdamW as the paper uses it: rates that fall from layer to layer of the ViT, schedules of both stages.

Upstream: ``layer_decay_param_modifier`` of SAM 2's training, ``InvSquareRootParamScheduler``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_TRUNK = "image_encoder.trunk."
#: Positions, tokens and other learned codes, which are vectors whatever their shape.
_CODE = re.compile(
    r"(^|\.)(pos_embed|no_mem_embed|no_mem_pos_enc|maskmem_tpos_enc|no_obj_ptr|point_embeddings\.\d+\.weight"
    r"|(not_a_point_embed|no_mask_embed|iou_token|mask_tokens|obj_score_token)\.weight)$"
)
_BLOCK = re.compile(r"image_encoder\.trunk\.blocks\.(\d+)\.")


@dataclass(frozen=True)
class Rates:
    """Peak rates: ``encoder`` for the image encoder (trunk and neck), ``rest`` for all else.

    Block i of n has ``layer_decay`` ** (n - i) of the encoder's, patches and positions ** (n + 1).
    """

    encoder: float
    rest: float
    layer_decay: float = 0.8

    def of(self, name: str, depth: int) -> float:
        """Peak rate of a parameter of a network with ``depth`` blocks."""
        if not name.startswith("image_encoder."):
            return self.rest
        if not name.startswith(_TRUNK):
            return self.encoder
        block = _BLOCK.match(name)
        below_top = depth - int(block.group(1)) if block else depth + 1
        return self.encoder * self.layer_decay**below_top


def decays(name: str, parameter: Tensor) -> bool:
    """Is a parameter subject to weight decay? Matrices and filters are; biases, norms and codes are not."""
    return parameter.ndim >= 2 and _CODE.search(name) is None


class LayeredAdamW:
    """AdamW on float32 parameters with a rate each; computation in bfloat16 is autocast's affair.

    A parameter without gradient is stepped as if it were zero, so that it fares alike however many
    processes share the work. ``clip`` bounds the norm of the whole gradient (0.1 in SAM 2, whose recipe the
    paper follows).
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        rates: Rates,
        depth: int,
        decay: float = 0.1,
        clip: float = 0.1,
    ) -> None:
        self._live = dict(named)
        self._clip = clip
        grouped: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self._live.items():
            key = (rates.of(name, depth), decay if decays(name, parameter) else 0.0)
            grouped.setdefault(key, []).append(parameter)
        groups = [
            {"params": members, "lr": rate, "peak": rate, "weight_decay": weight_decay}
            for (rate, weight_decay), members in grouped.items()
        ]
        self._adam = torch.optim.AdamW(groups, lr=rates.rest, betas=(0.9, 0.999))

    def peak_rates(self) -> dict[str, tuple[float, float]]:
        """Peak rate and weight decay of every parameter by name."""
        told = {
            id(member): (group["peak"], group["weight_decay"])
            for group in self._adam.param_groups
            for member in group["params"]
        }
        return {name: told[id(parameter)] for name, parameter in self._live.items()}

    def step(self, factor: float) -> float:
        """One update at ``factor`` times the peak rates; returns the norm of the gradient before clipping.

        A gradient that is not finite changes nothing.
        """
        for parameter in self._live.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        norm = float(nn.utils.clip_grad_norm_(self._live.values(), self._clip))
        if math.isfinite(norm):
            for group in self._adam.param_groups:
                group["lr"] = group["peak"] * factor
            self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        return norm

    def weights(self) -> dict[str, Tensor]:
        """The float32 weights by name, on the CPU."""
        return {name: parameter.detach().cpu() for name, parameter in self._live.items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs."""
        return {"weights": self.weights(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        with torch.no_grad():
            for name, parameter in self._live.items():
                parameter.copy_(state["weights"][name])
        self._adam.load_state_dict(state["adam"])


@dataclass(frozen=True)
class RootSchedule:
    """Linear warm-up, then 1 / sqrt(1 + steps since / ``timescale``), and a linear cool-down (stage one).

    Numbers are steps of a whole run of ``steps``; a shorter one passes through the same curve sooner.
    """

    steps: int
    warm_up: int
    cool_down: int
    timescale: int = 10_000

    def __call__(self, step: int, progress: float) -> float:
        at = min(max(progress, 0.0), 1.0) * self.steps
        rise = min(1.0, (at + 1) / max(self.warm_up, 1))
        fall = min(1.0, (self.steps - at) / max(self.cool_down, 1))
        return rise * fall / math.sqrt(1 + max(0.0, at - self.warm_up) / self.timescale)


@dataclass(frozen=True)
class CosineSchedule:
    """Linear warm-up, then a cosine from 1 to 0 (stage two). Steps as in ``RootSchedule``."""

    steps: int
    warm_up: int

    def __call__(self, step: int, progress: float) -> float:
        at = min(max(progress, 0.0), 1.0) * self.steps
        if at < self.warm_up:
            return (at + 1) / self.warm_up
        done = (at - self.warm_up) / max(self.steps - self.warm_up, 1)
        return 0.5 * (1 + math.cos(math.pi * done))
