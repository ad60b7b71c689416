"""From a configuration to a module, by plain constructor calls."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from efficienttam.contract.errors import JobError

from .config import MODELS, ModelConfig
from .efficienttam import EfficientTAM


def find_config(name: str) -> ModelConfig:
    """The configuration of a variant by name. Raises JobError that lists the nearest names."""
    if name in MODELS:
        return MODELS[name]
    near = difflib.get_close_matches(name, MODELS, n=3, cutoff=0.3) or list(MODELS)
    raise JobError(f"There is no model {name!r}.", f"Choose one of: {', '.join(near)}.")


def build_model(config: ModelConfig) -> EfficientTAM:
    """A randomly initialised network in eval mode."""
    model = EfficientTAM(config)
    model.apply(_initialise)
    for name in ("maskmem_tpos_enc", "no_mem_embed", "no_mem_pos_enc", "no_obj_ptr"):
        nn.init.trunc_normal_(getattr(model, name), std=0.02)
    nn.init.trunc_normal_(model.image_encoder.trunk.pos_embed, std=0.02)
    return model.eval()


def build_unfilled(config: ModelConfig) -> EfficientTAM:
    """The network without numbers, on the ``meta`` device, for weights to be put into."""
    with torch.device("meta"), _NoRandomNumbers():
        return build_model(config)


class _NoRandomNumbers(TorchFunctionMode):
    """Tensors are not filled: random numbers on ``meta`` take the import of PyTorch's compiler, seconds."""

    _RANDOM = frozenset({"normal_", "uniform_", "kaiming_uniform_", "erfinv_"})

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") in self._RANDOM:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
