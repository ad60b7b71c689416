"""Weights as the bytes of a .safetensors file, the same for the same weights."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor


def pack_weights(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """The file's bytes, with ``texts`` in its header in the order of their names: safetensors writes them in
    another order every time."""
    packed = save(dict(tensors), dict(texts))
    end = 8 + int.from_bytes(packed[:8], "little")
    header = json.loads(packed[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + packed[end:]
