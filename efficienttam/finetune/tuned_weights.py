"""The weights file of a fine-tuning: what was tuned in float32, all else as in the original, to the bit."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
from torch import Tensor

from efficienttam.contract.errors import JobError, OutputError, WeightsError
from efficienttam.contract.whole_file import write_whole
from efficienttam.weights.checkpoint import read_checkpoint
from efficienttam.weights.packing import pack_weights
from efficienttam.weights.record import record_path, sha256_of

#: The entry of a file's metadata that tells it was made here.
MARK = "efficienttam/finetuned_from"


def refuse_place(out: Path, base: Path) -> None:
    """Raises JobError or OutputError where ``out`` may not be written: the original, or weights that were not
    made by fine-tuning."""
    if out.suffix != ".safetensors":
        raise JobError(f"{out} is no name of a .safetensors file.", "Name one, as in --out show.safetensors.")
    if out.is_dir() or not out.parent.is_dir():
        raise OutputError(f"{out} cannot be written: its folder is not there, or it is one.", "Name a file.")
    if not os.access(out.parent, os.W_OK):
        raise OutputError(f"The folder {out.parent} cannot be written to.", "Name another file with --out.")
    if out.exists() or out.is_symlink():
        if out.resolve() == base.resolve() or (out.exists() and os.path.samefile(out, base)):
            raise JobError(
                f"{out} is the original, which is never written to.", "Name another file with --out."
            )
        if MARK not in metadata_of(out):
            raise JobError(
                f"{out} is there already and was not made by fine-tuning.", "Name another file with --out."
            )
    if record_path(out).exists():
        raise JobError(
            f"{record_path(out)} holds the sum of another file.",
            "Remove it, or name another file with --out.",
        )


def metadata_of(path: Path) -> dict[str, str]:
    """What the header of a .safetensors file tells; empty for another file."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (safetensors.SafetensorError, OSError):
        return {}


def write_tuned(
    base: Path, changed: Mapping[str, Tensor], out: Path, base_hash: str, told: Mapping[str, Any]
) -> None:
    """Writes ``base`` with the ``changed`` tensors to ``out``, whole or not at all. ``told`` goes into the
    header, as JSON where it is no text.

    Raises OutputError; WeightsError where the file of ``base`` is no longer of the sum ``base_hash``.
    """
    tensors = {name: tensor.clone() for name, tensor in read_checkpoint(base).items()}
    if sha256_of(base) != base_hash:
        raise WeightsError(f"{base} was changed while it was tuned.", "Leave it alone and tune again.")
    for name, tensor in changed.items():
        tensors[name] = tensor.detach().float().cpu().contiguous()
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
    metadata = {"format": "pt", MARK: base_hash, **texts}
    packed = pack_weights({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    write_whole(str(out), packed, "weights file")
