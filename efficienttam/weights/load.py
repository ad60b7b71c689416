"""A variant with its weights, on its device, ready to use."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from ..contract.errors import DeviceError
from ..contract.fields import member
from ..contract.job import Precision
from ..contract.settings_in_force import setting
from ..model.build import build_unfilled
from ..model.config import MODELS
from ..model.efficienttam import EfficientTAM
from .checkpoint import load_checkpoint
from .device import choose_device, choose_precision
from .download import verify_weights
from .location import find_weights
from .registry import DEMO, find_entry


def load_model(
    name: str = DEMO,
    *,
    device: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision | str = Precision.FLOAT32,
    threads: int | None = None,
    compile: bool = False,
) -> EfficientTAM:
    """A variant in eval mode with checked weights; ``weights_hash`` of the result is their sha256.

    ``device`` is cpu, mps, cuda or cuda:N; None or "auto" takes a GPU where there is one.
    ``weights`` is a file or folder; without it they are looked for as ``find_weights`` says. Nothing
    is downloaded. ``precision`` is what the network computes in but for its heads, ``threads``
    how many CPU threads this whole process uses (None or 0: the site's or PyTorch's choice). ``compile``
    compiles the image encoder when it is first used, as ``torch.compile`` does: that takes up to a
    minute, is kept on disk, and pays in bfloat16 alone (docs/performance.md).

    Raises WeightsError when weights are missing, damaged or of another variant, DeviceError when
    the device is absent or lacks the precision, JobError for a word that is no precision.
    """
    target = choose_device(device)
    dtype = choose_precision(target, member(Precision, precision, "precision"))
    threads = setting("threads", threads).value
    if threads:
        torch.set_num_threads(threads)
    path, digest = weights_file(name, weights)
    model = build_unfilled(MODELS[name])
    model.to_empty(device="cpu")
    load_checkpoint(model, path)
    model.weights_hash = digest
    model.requires_grad_(False)
    if dtype is not torch.float32:
        model.lower(dtype)
    if compile:
        model.image_encoder.compile()
    try:
        return model.to(target).eval()
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{name} does not fit into the free memory of {target}.",
            "Close other programs that use this GPU, choose a smaller variant, or use the CPU.",
        ) from error


def weights_file(name: str, weights: str | os.PathLike[str] | None = None) -> tuple[Path, str]:
    """The file that ``load_model`` takes, and its sha256, checked. Raises WeightsError."""
    entry = find_entry(name)
    path = find_weights(name, weights or None)
    a_file_of_their_own = bool(weights) and path == Path(weights or "").expanduser()
    return path, verify_weights(path, None if a_file_of_their_own else entry.sha256)
