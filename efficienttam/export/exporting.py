"""Parts written, read anew, held against the network, and only then put in their place."""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from efficienttam import __version__
from efficienttam.contract.errors import IncompleteError, JobError, OutputError
from efficienttam.contract.whole_file import refuse_unwritable, write_whole
from efficienttam.export.formats import SUFFIXES, Format, open_part, refuse_missing, write_part
from efficienttam.export.network_parts import NetworkPart, network_parts
from efficienttam.weights.load import load_model

#: Largest difference of an output, as a share of its largest value.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class ExportOptions:
    """``model`` is a variant, ``weights`` a file or folder of it; ``points`` are those of a prompt."""

    out: Path
    format: Format
    model: str
    weights: str = ""
    points: int = 1
    tolerance: float = TOLERANCE
    threads: int = 0


@dataclass(frozen=True)
class OutputCheck:
    """The largest difference between a file and the network in one output, and the output's largest value."""

    output: str
    difference: float
    largest: float

    @property
    def share(self) -> float:
        """The difference as a share of the largest value."""
        return self.difference / max(self.largest, 1e-12)


def export(options: ExportOptions, say: Callable[[str], None]) -> list[Path]:
    """Writes both parts and a description into the folder ``out``; returns the files.

    Raises JobError where a package is missing, WeightsError, OutputError; IncompleteError where a file
    answers otherwise than the network: it is removed then, and an older one of its name stays.
    """
    refuse_missing(options.format)
    if options.points < 1:
        raise JobError(f"A prompt of {options.points} points says nothing.", "Give --points 1 or more.")
    if not 0 <= options.tolerance < math.inf:
        raise JobError(
            f"A tolerance of {options.tolerance:g} tells nothing apart.",
            "Give --tolerance 0 or more, finite.",
        )
    refuse_unwritable(str(options.out))
    model = load_model(
        options.model, device="cpu", weights=options.weights or None, threads=options.threads or None
    )
    written: list[Path] = []
    told = {}
    for part in network_parts(model, options.points):
        path = options.out / f"{options.model}.{part.name}{SUFFIXES[options.format]}"
        checks = _write_checked(part, path, options)
        for check in checks:
            say(
                f"{path.name}: {check.output} differs by {check.difference:.2e} at most, "
                f"{check.share:.1e} of its largest value."
            )
        told[path.name] = _told(part, checks)
        written.append(path)
    description = options.out / f"{options.model}.{options.format.value}.json"
    facts = {
        "model": options.model,
        "weights_sha256": model.weights_hash,
        "format": options.format.value,
        "efficienttam": __version__,
        "torch": torch.__version__,
        "input_size": model.config.input_size,
        "parts": told,
    }
    write_whole(str(description), (json.dumps(facts, indent=2) + "\n").encode(), "description")
    return [*written, description]


def _write_checked(part: NetworkPart, path: Path, options: ExportOptions) -> list[OutputCheck]:
    """Writes a part under a temporary name and renames it once it answers as the network does."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}{path.suffix}")
    try:
        write_part(part, options.format, partial)
        checks = compare(part, open_part(part, options.format, partial))
        for check in checks:
            if not check.share <= options.tolerance:
                raise IncompleteError(
                    f"{path.name} answers otherwise than the network: {check.output} differs by "
                    f"{check.difference:.2e}, {check.share:.1e} of its largest value; at most "
                    f"{options.tolerance:.0e} is allowed. It was removed.",
                    "Export with another PyTorch or another --format, or raise --tolerance.",
                )
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.", "Name another folder with --out."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return checks


def compare(part: NetworkPart, answer: Callable[..., tuple[torch.Tensor, ...]]) -> list[OutputCheck]:
    """The largest differences over all examples, per output. NaN anywhere is an infinite difference."""
    worst = {name: OutputCheck(name, 0.0, 0.0) for name in part.outputs}
    for example in part.examples:
        pairs = zip(part.outputs, part.answer(example), answer(example), strict=True)
        for name, wanted, got in pairs:
            gap = float((got.float() - wanted).abs().max()) if got.shape == wanted.shape else float("inf")
            gap = gap if gap == gap else float("inf")
            known = worst[name]
            largest = max(known.largest, float(wanted.abs().max()))
            worst[name] = OutputCheck(name, max(known.difference, gap), largest)
    return list(worst.values())


def _told(part: NetworkPart, checks: list[OutputCheck]) -> dict[str, object]:
    """What the description says of a part."""
    example = part.examples[0]
    answer = part.answer(example)
    return {
        "inputs": {
            name: {"shape": list(value.shape), "type": str(value.dtype).removeprefix("torch.")}
            for name, value in zip(part.inputs, example, strict=True)
        },
        "outputs": {
            check.output: {"shape": list(value.shape), "difference": check.difference, "share": check.share}
            for check, value in zip(checks, answer, strict=True)
        },
    }
