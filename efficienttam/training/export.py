"""Trained weights as the file that ships: safetensors, float16."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from efficienttam.contract.whole_file import write_whole
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.weights.packing import pack_weights


def export_weights(
    model: EfficientTAM, trained: dict[str, Tensor], path: Path, buffers: torch.dtype = torch.bfloat16
) -> None:
    """Write every key of ``model``'s state, ``trained`` values where there are any.

    Names that are not the model's (the scaffold of stage one) stay behind. Buffers are rounded to
    ``buffers`` first, which is how training saw them: the demo recipe keeps its network in bfloat16.
    """
    named = {name for name, _ in model.named_buffers()}
    state = {}
    for name, value in model.state_dict().items():
        value = trained.get(name, value).detach()
        if name in named:
            value = value.to(buffers)
        state[name] = value.to(torch.float16).cpu().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = pack_weights(state, {"format": "pt", "model": model.config.name})
    # Not save_file, whose files nobody but their owner may read.
    write_whole(str(path), packed, "weights file")
