"""One embedding as the bytes of one file.

A safetensors file whose metadata holds a document of its own under ``efficienttam``: format version,
key, storage, the type the embedding is used in, and a sha256 over all of that, the shapes and the
numbers. Nothing in it depends on when or by whom it was written, so that two processes write the same
bytes. What does not agree with itself is refused.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from efficienttam.contract.cache_settings import Storage

#: Raised when the layout of the file changes.
FORMAT = 1
#: A file above this many bytes holds no embedding of ours.
LARGEST_FILE = 1 << 28
_NUMBERS, _SCALE = "embedding", "scale"
_TYPES = {
    Storage.FLOAT16: torch.float16,
    Storage.BFLOAT16: torch.bfloat16,
    Storage.FLOAT32: torch.float32,
    Storage.INT8: torch.int8,
}
_USED_IN = {str(kind).removeprefix("torch."): kind for kind in (torch.float32, torch.float16, torch.bfloat16)}

Packed = dict[str, Tensor]


class DamagedEmbedding(ValueError):
    """A file that is cut short, changed, or not ours; says how."""


def pack(embedding: Tensor, storage: Storage) -> Packed:
    """An embedding (1, C, H, W) as the tensors that are stored, on its own device."""
    if storage is not Storage.INT8:
        return {_NUMBERS: embedding.to(_TYPES[storage])}
    numbers = embedding.float()
    scale = numbers.abs().amax(dim=(0, 2, 3), keepdim=True) / 127
    steps = (numbers / torch.where(scale > 0, scale, 1.0)).round().clamp(-127, 127)
    return {_NUMBERS: steps.to(torch.int8), _SCALE: scale}


def unpack(packed: Packed, kind: torch.dtype) -> Tensor:
    """The embedding (1, C, H, W) of that type; the same numbers before and after a file."""
    numbers = packed[_NUMBERS]
    if _SCALE in packed:
        return (numbers.float() * packed[_SCALE]).to(kind)
    return numbers.to(kind)


def to_bytes(key: str, packed: Packed, storage: Storage, kind: torch.dtype) -> bytes:
    """The file of an embedding that is used in the type ``kind``."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in packed.items()}
    about = {
        "format": FORMAT,
        "key": key,
        "storage": storage.value,
        "used_in": str(kind).removeprefix("torch."),
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
    }
    bare = safetensors.torch.save(tensors)
    about["sha256"] = _digest(about, bare[_start_of_numbers(bare) :])
    return safetensors.torch.save(tensors, {"efficienttam": json.dumps(about, sort_keys=True)})


def from_bytes(key: str, content: bytes, device: torch.device | None = None) -> Tensor:
    """The embedding in a file that is to hold ``key``. Raises DamagedEmbedding."""
    try:
        tensors = safetensors.torch.load(content)
        start = _start_of_numbers(content)
        about = json.loads(json.loads(content[8:start])["__metadata__"]["efficienttam"])
        claimed = about.pop("sha256")
        found = {name: list(tensor.shape) for name, tensor in tensors.items()}
        kind, stored = _USED_IN[about["used_in"]], _TYPES[Storage(about["storage"])]
        shapes = about["shapes"]
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedEmbedding("it is no complete embedding file") from error
    if about.get("format") != FORMAT or about.get("key") != key:
        raise DamagedEmbedding("it was written for another frame, network or version")
    if claimed != _digest(about, content[start:]) or shapes != found:
        raise DamagedEmbedding("its numbers are not those that were written")
    if len(found.get(_NUMBERS, ())) != 4 or tensors[_NUMBERS].dtype != stored:
        raise DamagedEmbedding("it does not hold an embedding")
    if (stored == torch.int8) != (_SCALE in found):
        raise DamagedEmbedding("it does not hold an embedding")
    return unpack({name: tensor.to(device) for name, tensor in tensors.items()}, kind)


def _start_of_numbers(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")


def _digest(about: dict[str, Any], numbers: bytes) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    digest.update(numbers)
    return digest.hexdigest()
