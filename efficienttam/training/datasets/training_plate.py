"""What every layout of training data gives: a plate with the true mattes of its objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Array = np.ndarray


class TrainingPlate(Protocol):
    """A plate, a clip or a single image. Opening one reads nothing; pixels are read when asked for.

    Every method raises PlateError for files that are damaged or gone.
    """

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def annotated(self) -> Sequence[int]:
        """Frames that have truth, ascending, in the plate's own numbers."""

    def check(self) -> list[str]:
        """What is wrong with it, a sentence per fault; empty when nothing is."""

    def picture(self, frame: int) -> Array:
        """A frame (height, width, 3), sRGB-encoded Rec.709: uint8, or float32 0..1."""

    def areas(self, frame: int) -> Array:
        """Share of the frame that each object covers, (objects,) 0..1; 0 where it is not seen."""

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Visible mattes of some objects, (len(objects), height, width) float32 0..1."""


@dataclass
class Source:
    """The plates of one ``--data``, and what was wrong with the folder itself."""

    plates: list[TrainingPlate] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def size_faults(name: str, picture: tuple[int, int], truth: tuple[int, int]) -> list[str]:
    """A fault when a picture and its truth differ in (width, height)."""
    if picture == truth:
        return []
    return [
        f"{name}: the picture is {picture[0]} x {picture[1]} pixels, its truth {truth[0]} x {truth[1]}; "
        "both must be of one size."
    ]
