"""Where a tracker's frames come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np


class FrameSource(Protocol):
    """Footage by frame number. ``efficienttam.media.FrameSequence`` is one; an array in memory another."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the plate's display window in pixels, the same for all frames."""

    @property
    def frames(self) -> Sequence[int]:
        """The plate's own frame numbers, ascending, without gaps."""

    def read(self, frame: int) -> np.ndarray:
        """RGB (height, width, 3) in display-referred sRGB: uint8, or float32 0 to 1 and finite."""

    def identity(self, frame: int) -> str:
        """What the network sees of a frame depends on nothing else: equal identities mean equal pictures,
        in this process and any other. A source is free in what it makes of it: a hash of the pixels, of
        the file and how it is read, or one that its host gives. Asked often, so it is cheap."""


class ArrayFrames:
    """Frames held in memory: uint8 or float32 (n, height, width, 3), numbered from ``first``; they are
    not changed afterwards."""

    def __init__(self, images: np.ndarray, first: int = 1) -> None:
        self._images = images
        self._first = first
        self._identities: dict[int, str] = {}

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._images.shape[1:3]
        return width, height

    @property
    def frames(self) -> Sequence[int]:
        return range(self._first, self._first + len(self._images))

    def read(self, frame: int) -> np.ndarray:
        return self._images[frame - self._first]

    def identity(self, frame: int) -> str:
        if frame not in self._identities:
            pixels = np.ascontiguousarray(self.read(frame))
            digest = hashlib.sha256(f"{pixels.dtype} {pixels.shape}".encode())
            digest.update(pixels.data)
            self._identities[frame] = digest.hexdigest()
        return self._identities[frame]
