"""What a tracker says of one object on one frame, as the bytes of one file.

A safetensors file with the logits as they are, whose metadata holds a document under ``efficienttam``: format
version, what the result was made of, the numbers beside the logits, and a sha256 over all of that and the
logits. Nothing in it depends on when or by whom it was written. What does not agree with itself is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

#: Raised when the layout of the file changes.
FORMAT = 1
#: A file above this many bytes holds no result of ours.
LARGEST_FILE = 1 << 26
_LOGITS = "logits"


class DamagedResult(ValueError):
    """A file that is cut short, changed, or not ours; says how."""


@dataclasses.dataclass(frozen=True)
class ObjectResult:
    """One object on one frame; fields as in ``TrackResult``. ``made_of`` tells all that it depends on."""

    made_of: Mapping[str, str]
    logits: np.ndarray
    object_score: float
    predicted_iou: float
    agreement: float | None = None


def to_bytes(result: ObjectResult) -> bytes:
    """The file of a result."""
    tensors = {_LOGITS: np.ascontiguousarray(result.logits, np.float32)}
    about: dict[str, Any] = {
        "format": FORMAT,
        "made_of": dict(result.made_of),
        "object_score": result.object_score,
        "predicted_iou": result.predicted_iou,
        "agreement": result.agreement,
        "shape": list(result.logits.shape),
    }
    about["sha256"] = _digest(about, tensors[_LOGITS])
    return safetensors.numpy.save(tensors, {"efficienttam": json.dumps(about, sort_keys=True)})


def from_bytes(content: bytes) -> ObjectResult:
    """The result in a file. Raises DamagedResult."""
    try:
        logits = safetensors.numpy.load(content)[_LOGITS]
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header["__metadata__"]["efficienttam"])
        claimed = about.pop("sha256")
        made_of = {str(name): str(told) for name, told in about["made_of"].items()}
        agreement = about["agreement"]
        numbers = [float(about["object_score"]), float(about["predicted_iou"])]
        numbers += [] if agreement is None else [float(agreement)]
        whole = about["format"] == FORMAT and about["shape"] == list(logits.shape)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedResult("it is no complete record") from error
    if not whole or logits.ndim != 2 or logits.dtype != np.float32:
        raise DamagedResult("it is no record of this version")
    if claimed != _digest(about, logits):
        raise DamagedResult("its numbers are not those that were written")
    return ObjectResult(made_of, logits, *numbers)


def _digest(about: Mapping[str, Any], logits: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    digest.update(logits.tobytes())
    return digest.hexdigest()
