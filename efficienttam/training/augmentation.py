"""Flips, affine maps and colour changes of the paper, the same for every frame of a sample.

Pictures are (T, S, S, 3) float32 0..1, mattes (T, n, S, S) float32 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Array = np.ndarray

#: Weights of red, green and blue in grey (Rec.601, as in the published training).
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Augmentation:
    """``flip`` and ``grey`` are chances, ``turn`` and ``shear`` degrees either way; ``brightness``,
    ``contrast`` and ``saturation`` how far their factors may lie from 1."""

    flip: float = 0.5
    turn: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    grey: float = 0.0

    def apply(self, pictures: Array, mattes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """The sample changed; what an affine map brings in from outside is black and no object."""
        if rng.random() < self.flip:
            pictures, mattes = pictures[:, :, ::-1], mattes[..., ::-1]
        if self.turn or self.shear:
            pictures, mattes = self._warped(pictures, mattes, rng)
        return self._recoloured(pictures, rng), np.ascontiguousarray(mattes)

    def _warped(self, pictures: Array, mattes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        side = pictures.shape[1]
        turn, shear = np.radians(rng.uniform(-1, 1, 2) * (self.turn, self.shear))
        cos, sin = np.cos(turn), np.sin(turn)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, np.tan(shear)], [0, 1]])
        middle = np.full(2, (side - 1) / 2)
        matrix = np.column_stack((linear, middle - linear @ middle))

        def warp(image: Array) -> Array:
            return cv2.warpAffine(np.ascontiguousarray(image), matrix, (side, side), flags=cv2.INTER_LINEAR)

        return np.stack([warp(one) for one in pictures]), np.stack(
            [np.stack([warp(one) for one in frame]) for frame in mattes]
        )

    def _recoloured(self, pictures: Array, rng: np.random.Generator) -> Array:
        amounts = np.array([self.brightness, self.contrast, self.saturation])
        bright, contrast, saturation = (1 + rng.uniform(-1, 1, 3) * amounts).astype(np.float32)
        pictures = np.clip(pictures * bright, 0, 1)
        mean = (pictures @ _GREY).mean((1, 2))[:, None, None, None]
        pictures = np.clip(mean + contrast * (pictures - mean), 0, 1)
        grey = (pictures @ _GREY)[..., None]
        share = np.float32(0) if rng.random() < self.grey else saturation
        return np.clip(grey + share * (pictures - grey), 0, 1)
