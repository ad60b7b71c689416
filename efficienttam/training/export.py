"""Trained weights as the file that ships: safetensors, float16."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from efficienttam.model.efficienttam import EfficientTAM


def export_weights(model: EfficientTAM, trained: dict[str, Tensor], path: Path) -> None:
    """Write every key of ``model``'s state, ``trained`` values where there are any.

    Names that are not the model's (the scaffold of stage one) stay behind. Buffers are rounded to
    bfloat16 first, which is how training saw them.
    """
    buffers = {name for name, _ in model.named_buffers()}
    state = {}
    for name, value in model.state_dict().items():
        value = trained.get(name, value).detach()
        if name in buffers:
            value = value.to(torch.bfloat16)
        state[name] = value.to(torch.float16).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    # Not save_file, whose files nobody but their owner may read.
    part.write_bytes(save(state, metadata={"format": "pt", "model": model.config.name}))
    part.replace(path)
