"""Many soft mattes of one frame that lie over each other, each kept as small as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patch:
    """What one thing covers of a frame: ``coverage`` (h, w) float16, 0 to 1, whose top left pixel is at
    ``left``, ``top`` of the frame; 0 everywhere else."""

    left: int
    top: int
    coverage: np.ndarray

    def rows(self, first: int, stop: int, width: int) -> np.ndarray | None:
        """Rows from ``first`` to before ``stop`` of the frame, float32; None where all are 0."""
        begin, end = max(first, self.top), min(stop, self.top + self.coverage.shape[0])
        if begin >= end or not self.coverage.shape[1]:
            return None
        band = np.zeros((stop - first, width), np.float32)
        across = slice(self.left, self.left + self.coverage.shape[1])
        band[begin - first : end - first, across] = self.coverage[begin - self.top : end - self.top]
        return band


def stacked(mattes: Iterable[np.ndarray], size: tuple[int, int]) -> list[Patch]:
    """Mattes (height, width) float32, 0 to 1, of a frame of ``size`` (width, height), the foremost first.

    Each covers what those before it have left free, so that the sum is 1 at most. One is held at a time.
    """
    free = np.ones(size[::-1], np.float32)
    patches = []
    for matte in mattes:
        rows, columns = np.flatnonzero(matte.any(axis=1)), np.flatnonzero(matte.any(axis=0))
        if not rows.size:
            patches.append(Patch(0, 0, np.zeros((0, 0), np.float16)))
            continue
        window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        covered = matte[window] * free[window]
        free[window] -= covered
        # Rounding to half must not take the sum above 1.
        patches.append(Patch(window[1].start, window[0].start, np.minimum(covered, 1).astype(np.float16)))
    return patches
