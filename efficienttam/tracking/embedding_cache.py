"""Embeddings by key: in memory over a folder on disk, both bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from efficienttam.contract.cache_settings import Storage

from .embedding_file import pack, unpack
from .embedding_store import EmbeddingStore

DEFAULT_BUDGET = 512 * 2**20


def _always() -> bool:
    return True


class EmbeddingCache:
    """Embeddings (1, C, H, W) of any number of plates, views and models; see ``embedding_key``.

    ``budget`` bounds the bytes held in memory; at least one embedding is always kept. ``store`` is the
    folder beneath. With a store every embedding is rounded to its storage once, before it is used, also
    where it was just made or cannot be written, so that results do not depend on what the disk held;
    memory holds the rounded numbers in the type the network gave. Without a store nothing is rounded.
    What is read from disk is put on ``device``. May be called from several threads.
    """

    def __init__(
        self,
        budget: int = DEFAULT_BUDGET,
        store: EmbeddingStore | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.budget = budget
        self.store = store
        self._device = device
        self._held: OrderedDict[str, Tensor] = OrderedDict()
        self._bytes = 0
        self._offloaded = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def storage(self) -> Storage | None:
        """What embeddings are rounded to; None for not at all."""
        return None if self.store is None else self.store.storage

    def get(self, key: str, encode: Callable[[], Tensor], unchanged: Callable[[], bool] = _always) -> Tensor:
        """The embedding of a key, from memory, from disk, or by ``encode()``.

        A new one is kept if ``unchanged()`` after it was made: what was encoded is still what the key
        says.
        """
        held = self.load(key)
        if held is not None:
            return held
        embedding = encode()
        lasting = unchanged()
        if self.store is not None:
            packed = pack(embedding, self.store.storage)
            if lasting:
                self.store.write(key, packed, embedding.dtype)
            embedding = unpack(packed, embedding.dtype)
        return self._keep(key, embedding) if lasting else embedding

    def load(self, key: str) -> Tensor | None:
        """The embedding of a key without making it: from memory, else from disk into memory, else None."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                return held
        read = None if self.store is None else self.store.read(key, self._device)
        return None if read is None else self._keep(key, read)

    def offload(self) -> None:
        """From here on embeddings are held in the machine's memory, not on the GPU."""
        with self._lock:
            self._device = torch.device("cpu")
            for key, embedding in self._held.items():
                self._held[key] = embedding.cpu()
            self._offloaded = True

    def holds(self, key: str) -> bool:
        """True when the embedding is in memory or there is a file for it, which is not read."""
        return key in self._held or (self.store is not None and self.store.holds(key))

    def _keep(self, key: str, embedding: Tensor) -> Tensor:
        """Puts an embedding into memory; the one that another thread put there first stays."""
        embedding = embedding.cpu() if self._offloaded else embedding
        with self._lock:
            if key in self._held:
                return self._held[key]
            self._held[key] = embedding
            self._bytes += embedding.nbytes
            while self._bytes > self.budget and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1].nbytes
        return embedding
