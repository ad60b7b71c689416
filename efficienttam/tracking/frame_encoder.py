"""Embeddings of a plate's frames: from the cache, else read, reduced and encoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from efficienttam.model.efficienttam import EfficientTAM

from .embedding_cache import EmbeddingCache
from .embedding_key import embedding_key
from .frame_source import FrameSource
from .input_ahead import InputAhead
from .network_input import frame_input


@dataclass(frozen=True)
class _Input:
    """What the network takes of a frame (1, 3, S, S), and the frame's key before it was read."""

    key: str
    pixels: Tensor


class FrameEncoder:
    """One plate, one model and the cache of their embeddings.

    Frames are encoded one by one, also where there is memory for several: in a batch sums round
    differently, and the same job would give other mattes when parts of it are cached.
    """

    def __init__(self, model: EfficientTAM, plate: FrameSource, cache: EmbeddingCache) -> None:
        self.model, self.plate, self.cache = model, plate, cache
        self._ahead = InputAhead(self._input, gpu=model.device.type != "cpu")

    def embedding(self, frame: int) -> Tensor:
        """Embedding (1, C, H, W) of a frame, from the cache where it is there."""
        key = self.key(frame)
        embedding = self.cache.get(
            key,
            lambda: self._encode(frame, key),
            # A file that is replaced while it is read must not be known by the old one's name.
            unchanged=lambda: self.key(frame) == key,
        )
        return embedding.to(self.model.device)

    def key(self, frame: int) -> str:
        """What the cache knows the embedding of a frame by."""
        return embedding_key(self.model, self.plate.identity(frame), self.cache.storage)

    def expect(self, frames: Iterable[int]) -> None:
        """The next pass goes through these frames in this order: those not in the cache are read ahead."""
        self._ahead.expect(frames, lambda frame: not self.cache.holds(self.key(frame)))

    def rest(self) -> None:
        """The pass is over: nothing is read ahead any more."""
        self._ahead.close()

    def _input(self, frame: int) -> _Input:
        key = self.key(frame)
        with torch.inference_mode():
            return _Input(key, frame_input(self.plate.read(frame), self.model.config.input_size))

    def _encode(self, frame: int, key: str) -> Tensor:
        taken = self._ahead.take(frame)
        if taken.key != key:  # The file was replaced since it was read ahead.
            taken = self._input(frame)
        # In the order that a file gives it back: sums must not round differently with a warm cache.
        return self.model.encode_image(taken.pixels.to(self.model.device)).contiguous()
