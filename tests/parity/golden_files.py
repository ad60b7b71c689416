"""Where golden numbers lie, and which of them a run of the tests holds the network to.

``goldens/<variant>.npz`` hold all of a variant: its parts, image prompts and video cases. The 1024-pixel ones
take minutes each and are not in this repository; they are looked for beside the checkout and in the folder
that ``EFFICIENTTAM_GOLDENS`` names, and run with ``EFFICIENTTAM_PARITY=all``. ``goldens/alone/<variant>.npz``
hold what of these takes seconds, and is not the same in another variant: the pooled memory attention of
``ti_2``, the memory encoder and both image encoders at 1024 pixels. They always run.

Of the form of ``_1`` (``CrossAttention.POOLED_LOGIT_BIAS``) upstream's numbers are in no file here;
``tests/engine/model/test_memory_attention.py`` holds it to its definition instead.
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
EVERYTHING = os.environ.get("EFFICIENTTAM_PARITY") == "all"


def _whole() -> dict[str, pathlib.Path]:
    found: dict[str, pathlib.Path] = {}
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.npz")):
            if f"efficienttam_{path.stem}" in MODELS:
                found.setdefault(path.stem, path)
    return found


def _quick(stem: str) -> bool:
    return EVERYTHING or stem.endswith("512x512")


def _files() -> dict[str, pathlib.Path]:
    """The file that each variant is held to: the whole one where it runs, else what stands alone."""
    alone = {path.stem: path for path in sorted((HERE / "goldens" / "alone").glob("*.npz"))}
    return alone | {stem: path for stem, path in _whole().items() if _quick(stem)}


def whole() -> list[object]:
    """Parameters: variants with all of their numbers."""
    skip = pytest.mark.skip(reason="a 1024-pixel variant takes minutes: set EFFICIENTTAM_PARITY=all")
    return [pytest.param(stem, id=stem, marks=[] if _quick(stem) else [skip]) for stem in _whole()]


def holding(key: str) -> list[object]:
    """Parameters: variants whose file holds an array."""
    return [pytest.param(stem, id=stem) for stem, path in _files().items() if key in np.load(path)]


class Golden:
    """One variant with synthetic weights, its golden arrays and the clip with shared embeddings."""

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.arrays = dict(np.load(_files()[stem]))
        torch.manual_seed(0)
        self.model: EfficientTAM = build_model(MODELS[f"efficienttam_{stem}"])
        synthetic_weights.load_synthetic(self.model)
        self.clip = ArrayFrames(synthetic_weights.clip(), first=0)
        self.embeddings = EmbeddingCache(budget=2**30)

    def __getitem__(self, key: str) -> np.ndarray:
        """Raises KeyError where the file has no such array: a comparison that is not made must be seen."""
        return self.arrays[key]

    def require(self, key: str) -> None:
        """Skips a test whose case was not run for this variant."""
        if key not in self.arrays:
            pytest.skip(f"The golden file of {self.stem} has no {key}.")


@functools.lru_cache(maxsize=2)
def golden_of(stem: str) -> Golden:
    """The variant, built once for all tests that come to it in a row."""
    return Golden(stem)


def statistics(values: np.ndarray) -> list[float]:
    """Mean, deviation, least, greatest, mean size and share above zero, as golden files hold them."""
    values = values.astype(np.float64)
    around = values.mean(), values.std(), values.min(), values.max()
    return [*map(float, around), float(np.abs(values).mean()), float((values > 0).mean())]
