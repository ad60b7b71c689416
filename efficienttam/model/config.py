"""The variants as data. ``MODELS`` maps a name to its configuration.

Numbers follow the published configurations of EfficientTAM (upstream ``configs/efficienttam/*.yaml``);
``efficienttam_demo`` is our own small variant.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace


class CrossAttention(enum.Enum):
    """How a frame attends to its memory maps."""

    #: Every memory token is a key (upstream: no suffix).
    FULL = "full"
    #: Keys and values averaged over windows, ln(window area) added to their logits
    #: (paper Eq. 5, upstream suffix ``_1``).
    POOLED_LOGIT_BIAS = "pooled_logit_bias"
    #: Keys and values averaged over windows, ln(window area) added to every key channel
    #: (paper Eq. 6, upstream suffix ``_2``).
    POOLED_KEY_BIAS = "pooled_key_bias"
    # No published variant has the forms below: they are what the paper measures its own against.
    #: As Eq. 5 without its constant: an average counts as one token (paper: like Linformer).
    POOLED_PLAIN = "pooled_plain"
    #: Object pointers averaged, too, four tokens at a time; all keys being averages, no constant.
    POOLED_WITH_POINTERS = "pooled_with_pointers"
    #: Frame and maps are cut into 2 x 2 windows, each of which sees its own part and the pointers.
    WINDOWED = "windowed"
    #: Keys and values are summed before the queries see them (linear attention, elu + 1).
    LINEAR = "linear"

    @property
    def pools(self) -> bool:
        """Are keys and values of maps averaged over windows?"""
        return self.value.startswith("pooled")


@dataclass(frozen=True)
class ImageEncoderConfig:
    """Plain ViT. ``position_grid`` is the side of the learned position grid (class slot excluded)."""

    dim: int
    heads: int
    depth: int = 12
    window: int = 14
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    patch: int = 16
    mlp_ratio: int = 4
    position_grid: int = 14


@dataclass(frozen=True)
class MemoryAttentionConfig:
    """``pool_window`` is the side of the pooling window; it matters for the pooled forms only."""

    layers: int = 4
    feedforward: int = 2048
    cross_attention: CrossAttention = CrossAttention.FULL
    pool_window: int = 2


@dataclass(frozen=True)
class MaskDecoderConfig:
    """The two-way transformer of Segment Anything and its heads."""

    depth: int = 2
    heads: int = 8
    feedforward: int = 2048
    multimask_outputs: int = 3


@dataclass(frozen=True)
class ModelConfig:
    """One variant.

    ``input_size`` S is the side of the square network input in pixels, ``hidden`` the channels C of
    embeddings and tokens, ``memory_channels`` those of a memory map. ``memory_maps`` and
    ``max_pointers`` bound what a tracked frame recalls; without pointers the latter is 0.
    """

    name: str
    image_encoder: ImageEncoderConfig
    memory_attention: MemoryAttentionConfig = field(default_factory=MemoryAttentionConfig)
    mask_decoder: MaskDecoderConfig = field(default_factory=MaskDecoderConfig)
    input_size: int = 1024
    hidden: int = 256
    memory_channels: int = 64
    memory_maps: int = 7
    max_pointers: int = 16

    @property
    def grid(self) -> int:
        """Side of the embedding grid: S / patch."""
        return self.input_size // self.image_encoder.patch

    @property
    def mask_side(self) -> int:
        """Side L of the low-res mask logits: four times the embedding grid."""
        return 4 * self.grid


def _family(stem: str, encoder: ImageEncoderConfig) -> list[ModelConfig]:
    full = ModelConfig(name=stem, image_encoder=encoder)
    pooled_logit = replace(full.memory_attention, cross_attention=CrossAttention.POOLED_LOGIT_BIAS)
    pooled_key = replace(full.memory_attention, cross_attention=CrossAttention.POOLED_KEY_BIAS)
    return [
        full,
        replace(full, name=f"{stem}_1", memory_attention=pooled_logit),
        replace(full, name=f"{stem}_2", memory_attention=pooled_key),
        replace(full, name=f"{stem}_512x512", input_size=512),
    ]


_DEMO = ModelConfig(
    name="efficienttam_demo",
    image_encoder=ImageEncoderConfig(
        dim=192, heads=3, depth=6, window=8, global_blocks=(1, 3, 5), position_grid=16
    ),
    memory_attention=MemoryAttentionConfig(
        layers=2, feedforward=512, cross_attention=CrossAttention.POOLED_LOGIT_BIAS
    ),
    mask_decoder=MaskDecoderConfig(heads=4, feedforward=512),
    input_size=256,
    hidden=128,
)

#: Every variant by name, published ones first.
MODELS: dict[str, ModelConfig] = {
    config.name: config
    for config in (
        *_family("efficienttam_s", ImageEncoderConfig(dim=384, heads=6)),
        *_family("efficienttam_ti", ImageEncoderConfig(dim=192, heads=3)),
        _DEMO,
    )
}
