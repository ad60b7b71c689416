"""Embeddings by frame, least recently used dropped first, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

DEFAULT_BUDGET = 512 * 2**20


class EmbeddingCache:
    """Embeddings (1, C, H, W) of one plate and one model, in memory.

    ``budget`` bounds the bytes held; at least one embedding is always kept.
    """

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self._held: OrderedDict[int, Tensor] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, frame: int, encode: Callable[[int], Tensor]) -> Tensor:
        """The embedding of a frame, from memory or by ``encode(frame)``."""
        held = self._held.get(frame)
        if held is not None:
            self._held.move_to_end(frame)
            return held
        embedding = encode(frame)
        self._held[frame] = embedding
        self._bytes += embedding.nbytes
        while self._bytes > self.budget and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1].nbytes
        return embedding
