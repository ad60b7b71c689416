"""A file of weights: read safely, compared key by key, loaded strictly."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from ..contract.errors import WeightsError
from ..model.build import build_unfilled
from ..model.config import MODELS
from ..model.efficienttam import EfficientTAM
from .content import is_pickle, is_zip, refuse_other_content

Shapes = Mapping[str, tuple[int, ...]]

_FLOATS = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Mismatch:
    """How a file differs from what a model needs.

    ``misshaped`` maps a key to (shape in the file, expected shape). ``resembles`` says which
    variants the file seems to be; empty when it is like none.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    resembles: str

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.misshaped)


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """The tensors of a ``.pt`` file (under its key ``model``) or a ``.safetensors`` file, by key.

    The format is told from the content, not the name; pickled code is never run. Tensors stay as
    stored (float16 and bfloat16 too), possibly mapped from the file. Raises WeightsError.
    """
    place = Path(path)
    refuse_other_content(place)
    with open(place, "rb") as stream:
        head = stream.read(64)
    if is_zip(head) or is_pickle(head):
        tensors = _read_pickle(place, mapped=is_zip(head))
    else:
        tensors = _read_safetensors(place)
    _refuse_bad_values(place, tensors)
    return tensors


def compare(found: Shapes, expected: Shapes) -> Mismatch:
    """Every difference between the keys and shapes of a file and those of a model."""
    return Mismatch(
        missing=tuple(sorted(expected.keys() - found.keys())),
        unexpected=tuple(sorted(found.keys() - expected.keys())),
        misshaped={
            key: (found[key], expected[key])
            for key in sorted(found.keys() & expected.keys())
            if found[key] != expected[key]
        },
        resembles=resembling(found),
    )


def load_checkpoint(model: EfficientTAM, path: str | os.PathLike[str]) -> None:
    """Put the weights of a file into ``model``, as float32, all of them or none.

    Raises WeightsError that names every missing, unexpected and mis-shaped key and says which
    variant the file seems to be.
    """
    tensors = read_checkpoint(path)
    _refuse_misfit(Path(path), tensors, model.config.name, shapes_of(model.state_dict()))
    model.load_state_dict(tensors, strict=True)


def check_checkpoint(name: str, path: str | os.PathLike[str]) -> None:
    """Raises WeightsError, as ``load_checkpoint`` does, for a file that is not the weights of a variant."""
    _refuse_misfit(Path(path), read_checkpoint(path), name, variant_shapes(name))


def shapes_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Key -> shape."""
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}


@cache
def variant_shapes(name: str) -> Shapes:
    """Key -> shape of a variant's state dict, without allocating its weights."""
    return shapes_of(build_unfilled(MODELS[name]).state_dict())


def resembling(found: Shapes) -> str:
    """Which variants a file's keys and shapes fit, or come nearest to; empty for none."""
    items = set(found.items())
    shared = {name: len(items & set(variant_shapes(name).items())) for name in MODELS}
    best = max(shared.values())
    names = [name for name, count in shared.items() if count == best]
    if best < max(len(items), len(variant_shapes(names[0]))) / 2:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    exact = best == len(items) == len(variant_shapes(names[0]))
    return listed if exact else f"{listed}, with changes"


def _refuse_misfit(place: Path, tensors: Mapping[str, torch.Tensor], name: str, expected: Shapes) -> None:
    mismatch = compare(shapes_of(tensors), expected)
    if mismatch:
        raise WeightsError(_explain(place, name, mismatch), _advise(mismatch))


def _read_pickle(place: Path, mapped: bool) -> dict[str, torch.Tensor]:
    try:
        content: Any = torch.load(place, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{place} holds something other than weights, which was not run.",
            "Use only files that hold plain tensors.",
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise WeightsError(
            f"{place} is cut short or damaged: {_first_line(error)}.", "Download the file again."
        ) from error
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict):
        keys = ", ".join(map(str, list(content)[:8])) if isinstance(content, dict) else type(content).__name__
        raise WeightsError(
            f"{place} has no key 'model' with the weights under it; it has: {keys}.",
            "Use an EfficientTAM checkpoint, or wrap the state dict as {'model': ...}.",
        )
    strange = [str(key) for key, value in model.items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise WeightsError(
            f"{place} holds values that are no tensors: {', '.join(strange)}.",
            "Save the state dict of the model alone.",
        )
    return model


def _read_safetensors(place: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(place, device="cpu")
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{place} is cut short or damaged: {_first_line(error)}.", "Download the file again."
        ) from error


def _refuse_bad_values(place: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    other = [f"{key} ({tensor.dtype})" for key, tensor in tensors.items() if tensor.dtype not in _FLOATS]
    if other:
        raise WeightsError(
            f"{place} holds tensors that are not float32, float16 or bfloat16: {', '.join(sorted(other))}.",
            "Convert them to float32.",
        )
    broken = [key for key, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise WeightsError(
            f"{place} holds NaN or infinite values in: {', '.join(sorted(broken))}.",
            "The file is damaged or its training diverged; use another one.",
        )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _explain(place: Path, name: str, mismatch: Mismatch) -> str:
    shaped = [f"{key} is {list(got)}, not {list(want)}" for key, (got, want) in mismatch.misshaped.items()]
    lists = (("missing", mismatch.missing), ("unexpected", mismatch.unexpected), ("of another shape", shaped))
    said = "; ".join(f"{len(keys)} {what} ({', '.join(keys)})" for what, keys in lists if keys)
    guess = f"It seems to be {mismatch.resembles}." if mismatch.resembles else "It is like no known variant."
    return f"{place} does not fit {name}: {said}. {guess}"


def _advise(mismatch: Mismatch) -> str:
    if mismatch.resembles and "with changes" not in mismatch.resembles:
        return "Choose that variant, or the file that belongs to yours."
    return "Use the file that belongs to the variant; `efficienttam models` lists them."
