"""The formats a part is written in, and how a file of each is run again."""

from __future__ import annotations

import contextlib
import enum
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from efficienttam.contract.errors import JobError
from efficienttam.export.network_parts import NetworkPart

#: What a file answers to an example.
Answer = Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]


class Format(enum.Enum):
    """A file format."""

    #: Traced; needs no Python to run.
    TORCHSCRIPT = "torchscript"
    #: A program of ``torch.export``.
    TORCH_EXPORT = "torch-export"
    ONNX = "onnx"


SUFFIXES = {Format.TORCHSCRIPT: ".pt", Format.TORCH_EXPORT: ".pt2", Format.ONNX: ".onnx"}
#: Packages that writing and checking ONNX takes.
ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def refuse_missing(format: Format) -> None:
    """Raises JobError where a package is missing."""
    if format is not Format.ONNX:
        return
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise JobError(
            f"ONNX is written and checked with packages that are not installed: {', '.join(missing)}.",
            f"Install them into the engine's Python: pip install {' '.join(missing)}.",
        )


def write_part(part: NetworkPart, format: Format, path: Path) -> None:
    """Writes a part with the sizes of its first example. Raises OSError where the file cannot be written."""
    example = part.examples[0]
    with warnings.catch_warnings():
        # Of the tracer's: sizes become numbers of the file, which is what is wanted.
        warnings.simplefilter("ignore")
        if format is Format.TORCHSCRIPT:
            with torch.no_grad():
                traced = torch.jit.trace(part.module, example, check_trace=False)
            with _writing():
                torch.jit.save(traced, str(path))
        elif format is Format.TORCH_EXPORT:
            program = torch.export.export(part.module, example)
            with _writing():
                torch.export.save(program, path)
        else:
            torch.onnx.export(
                part.module,
                example,
                path,
                input_names=list(part.inputs),
                output_names=list(part.outputs),
                dynamo=True,
                external_data=False,
                verbose=False,
            )


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Turns what PyTorch's writer raises for a full disk or a folder that is gone into an OSError."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(str(error).partition("\n")[0]) from error


def open_part(part: NetworkPart, format: Format, path: Path) -> Answer:
    """The written file, read anew, ready to answer."""
    if format is Format.ONNX:
        return _onnx(part, path)
    loaded: Any
    if format is Format.TORCHSCRIPT:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.jit.load(str(path))
    else:
        loaded = torch.export.load(path).module()

    def answer(example: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        with torch.no_grad():
            said = loaded(*example)
        return tuple(said) if isinstance(said, (tuple, list)) else (said,)

    return answer


def _onnx(part: NetworkPart, path: Path) -> Answer:
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def answer(example: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        given = {name: value.numpy() for name, value in zip(part.inputs, example, strict=True)}
        return tuple(torch.from_numpy(value) for value in session.run(list(part.outputs), given))

    return answer
