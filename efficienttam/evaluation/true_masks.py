"""The truth of footage as hard masks: read once, kept packed."""

from __future__ import annotations

import functools

import numpy as np

from efficienttam.contract.errors import PlateError
from efficienttam.evaluation.footage import Footage, void_pixels

Array = np.ndarray


def true_mattes(footage: Footage, frame: int) -> Array:
    """Mattes (objects, height, width) float32 of an annotated frame.

    Raises PlateError where the truth is not of the plate's size.
    """
    width, height = footage.plate.size
    truth = footage.truth(frame)
    if truth.shape[1:] != (height, width):
        raise PlateError(
            f"{footage.name}: the truth of frame {frame} is {truth.shape[2]}x{truth.shape[1]}, the plate "
            f"{width}x{height}.",
            "Give mattes of the plate's size.",
        )
    return truth


class TrueMasks:
    """Hard masks of the annotated frames of footage; a soft matte is cut at one half.

    Each frame is read when first asked for and then kept at a bit per pixel and object.
    """

    def __init__(self, footage: Footage) -> None:
        self.footage = footage
        self.frames = tuple(footage.annotated)
        self._packed: dict[int, Array] = {}
        self._void: dict[int, Array | None] = {}

    def masks(self, frame: int) -> Array:
        """Masks (objects, height, width) bool of an annotated frame.

        Raises PlateError where the truth is not of the plate's size.
        """
        if frame not in self._packed:
            self._packed[frame] = np.packbits(true_mattes(self.footage, frame) >= 0.5, axis=-1)
        width = self.footage.plate.size[0]
        return np.unpackbits(self._packed[frame], axis=-1, count=width).astype(bool)

    def void(self, frame: int) -> Array | None:
        """Pixels (height, width) bool of an annotated frame that are not scored; None where all are."""
        if frame not in self._void:
            void = void_pixels(self.footage, frame)
            self._void[frame] = None if void is None else np.packbits(void, axis=-1)
        packed = self._void[frame]
        width = self.footage.plate.size[0]
        return None if packed is None else np.unpackbits(packed, axis=-1, count=width).astype(bool)

    @functools.cached_property
    def first(self) -> dict[int, int]:
        """The first annotated frame that shows each object, by its number; objects never shown are absent."""
        found: dict[int, int] = {}
        for frame in self.frames:
            shown = self.masks(frame).any((1, 2))
            for index in np.flatnonzero(shown).tolist():
                found.setdefault(index, frame)
            if len(found) == len(self.footage.objects):
                break
        return dict(sorted(found.items()))
