"""Generated clips as training plates, drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from efficienttam.training.clips import Clip, ClipRecipe, random_aspect, training_seed

Array = np.ndarray

#: Clip seeds of a run's seed that no pool of the demo recipe draws.
FIRST_CLIP = 200_000
FRAMES = 24
#: A share of the clips in which two things cross each other's way.
CROSSINGS = 0.3


class GeneratedPlate:
    """One clip of ``FRAMES`` frames, a square of ``side`` pixels as the network sees it."""

    annotated = range(FRAMES)

    def __init__(self, seed: int, side: int) -> None:
        self.name = f"generated {seed}"
        self._seed, self._side = training_seed(seed), side

    def check(self) -> list[str]:
        """Nothing can be wrong with it."""
        return []

    def picture(self, frame: int) -> Array:
        """A frame, (side, side, 3) uint8 sRGB."""
        return (_rendered(self._seed, self._side, frame)[0] * 255 + 0.5).astype(np.uint8)

    def areas(self, frame: int) -> Array:
        """Shares of the visible mattes."""
        return _rendered(self._seed, self._side, frame)[1].mean((1, 2))

    def mattes(self, frame: int, objects: Sequence[int]) -> Array:
        """Visible mattes (n, side, side)."""
        return _rendered(self._seed, self._side, frame)[1][list(objects)]


@lru_cache(maxsize=2)
def _clip(seed: int, side: int) -> Clip:
    rng = np.random.default_rng((seed, 2))
    crossing = rng.uniform(0.3, 0.7) * FRAMES if rng.random() < CROSSINGS else 0.0
    return Clip(ClipRecipe(seed, FRAMES, side, side, random_aspect(seed), crossing))


@lru_cache(maxsize=16)
def _rendered(seed: int, side: int, frame: int) -> tuple[Array, Array]:
    return _clip(seed, side).render(frame)
