"""What an embedding depends on, as one key: the network, how it sees a picture, and the picture."""

from __future__ import annotations

import hashlib
import json
import secrets
from weakref import WeakKeyDictionary

from efficienttam.contract.cache_settings import Storage
from efficienttam.model.efficienttam import EfficientTAM

#: Raised when the same picture and weights give another embedding than before: when
#: ``network_input.frame_input`` or the image encoder computes something else.
MEANING = 1

_TOKENS: WeakKeyDictionary[EfficientTAM, str] = WeakKeyDictionary()


def embedding_key(model: EfficientTAM, identity: str, storage: Storage | None) -> str:
    """The key of the frame of that identity (see ``FrameSource``), kept in that storage.

    64 hex digits. Weights that came from no file have no hash: their keys begin with ``memory-``, name
    this one model in this process, and are never written to a disk.
    """
    weights = model.weights_hash or _TOKENS.setdefault(model, secrets.token_hex(16))
    parts = {
        "meaning": MEANING,
        "weights": weights,
        "variant": model.config.name,
        "input_size": model.config.input_size,
        "precision": str(model.precision),
        "storage": storage.value if storage else "",
        "picture": identity,
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return digest if model.weights_hash else f"memory-{digest}"
