"""Golden files: those in the repository, and any others that a folder beside it or a variable names.

``EFFICIENTTAM_GOLDENS`` may name a folder with ``<variant>.npz`` files, for example ``s_2.npz``. The
1024-pixel variants take minutes each; they run with ``EFFICIENTTAM_PARITY=all``.
"""

from __future__ import annotations

import functools
import os
import pathlib

import numpy as np
import pytest
import synthetic_weights
import torch

from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking import ArrayFrames, EmbeddingCache

HERE = pathlib.Path(__file__).parent
NAMED = os.environ.get("EFFICIENTTAM_GOLDENS", "")
FOLDERS = [
    *([pathlib.Path(NAMED)] if NAMED else []),
    HERE / "goldens",
    HERE.parents[2] / "shared" / "goldens",
]


def _files() -> dict[str, pathlib.Path]:
    found: dict[str, pathlib.Path] = {}
    for folder in FOLDERS:
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob("*.npz")):
            if f"efficienttam_{path.stem}" in MODELS:
                found.setdefault(path.stem, path)
    return found


def _params() -> list[object]:
    everything = os.environ.get("EFFICIENTTAM_PARITY") == "all"
    skip = pytest.mark.skip(reason="a 1024-pixel variant takes minutes: set EFFICIENTTAM_PARITY=all")
    return [
        pytest.param(stem, id=stem, marks=[] if everything or stem.endswith("512x512") else [skip])
        for stem in _files()
    ]


class Golden:
    """One variant with synthetic weights, its golden arrays and the clip with shared embeddings."""

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.arrays = np.load(_files()[stem])
        torch.manual_seed(0)
        self.model: EfficientTAM = build_model(MODELS[f"efficienttam_{stem}"])
        synthetic_weights.load_synthetic(self.model)
        self.clip = ArrayFrames(synthetic_weights.clip(), first=0)
        self.embeddings = EmbeddingCache(budget=2**30)

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self.arrays:
            pytest.skip(f"The golden file of {self.stem} has no {key}.")
        return self.arrays[key]


@functools.lru_cache(maxsize=1)
def _golden(stem: str) -> Golden:
    return Golden(stem)


@pytest.fixture(params=_params(), scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    return _golden(request.param)
