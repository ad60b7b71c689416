"""A variant small enough that a step takes milliseconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from efficienttam.model.config import (
    MODELS,
    CrossAttention,
    ImageEncoderConfig,
    MaskDecoderConfig,
    MemoryAttentionConfig,
    ModelConfig,
)
from efficienttam.training.paper_recipe import SEQUENCES, STILLS, PaperStage

TINY = ModelConfig(
    name="tiny",
    image_encoder=ImageEncoderConfig(dim=32, heads=2, depth=3, window=3, global_blocks=(2,), position_grid=4),
    memory_attention=MemoryAttentionConfig(
        layers=1, feedforward=32, cross_attention=CrossAttention.POOLED_LOGIT_BIAS
    ),
    mask_decoder=MaskDecoderConfig(heads=2, feedforward=32),
    input_size=64,
    hidden=32,
    memory_channels=16,
)

#: The paper's stages with fewer clicks and frames.
STAGES = (
    replace(STILLS, samples=replace(STILLS.samples, clicks=1, most_in_image=2)),
    replace(SEQUENCES, samples=replace(SEQUENCES.samples, clicks=2, frames=3, most_objects=1)),
)

#: ``efficienttam train`` with the variant ``tiny``, as a program of its own.
PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from conftest import MODELS, TINY
MODELS["tiny"] = TINY
if __name__ == "__main__":
    from efficienttam.cli import main
    sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> ModelConfig:
    """The variant ``tiny``, known by its name."""
    monkeypatch.setitem(MODELS, "tiny", TINY)
    return TINY


@pytest.fixture
def light_stages() -> tuple[PaperStage, PaperStage]:
    """The paper's stages with fewer clicks and frames."""
    return STAGES


@pytest.fixture
def tiny_program(tmp_path: Path) -> Path:
    """A program that trains ``tiny``."""
    path = tmp_path / "train_tiny.py"
    path.write_text(PROGRAM.format(folder=str(Path(__file__).parent)))
    return path
