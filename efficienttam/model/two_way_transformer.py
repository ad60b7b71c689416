"""The two-way transformer of Segment Anything: tokens attend to the image and the image to tokens.

Upstream: ``TwoWayTransformer``.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .layers import MLP


class Attention(nn.Module):
    """Multi-head attention over (B, N, C) with an inner width of C / ``reduction``."""

    def __init__(self, hidden: int, heads: int, reduction: int = 1) -> None:
        super().__init__()
        inner = hidden // reduction
        self.heads = heads
        self.q_proj = nn.Linear(hidden, inner)
        self.k_proj = nn.Linear(hidden, inner)
        self.v_proj = nn.Linear(hidden, inner)
        self.out_proj = nn.Linear(inner, hidden)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key, value = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection, x in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Token self-attention, tokens to image, MLP, image to tokens; post-norm.

    The first block's self-attention has neither position nor residual.
    """

    def __init__(self, hidden: int, heads: int, feedforward: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = Attention(hidden, heads)
        self.norm1 = nn.LayerNorm(hidden)
        self.cross_attn_token_to_image = Attention(hidden, heads, reduction=2)
        self.norm2 = nn.LayerNorm(hidden)
        self.mlp = MLP((hidden, feedforward, hidden))
        self.norm3 = nn.LayerNorm(hidden)
        self.norm4 = nn.LayerNorm(hidden)
        self.cross_attn_image_to_token = Attention(hidden, heads, reduction=2)

    def forward(self, tokens: Tensor, image: Tensor, code: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            coded = tokens + code
            tokens = tokens + self.self_attn(coded, coded, tokens)
        tokens = self.norm1(tokens)
        placed = image + position
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + code, placed, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(placed, tokens + code, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """Blocks, then one more attention from tokens to image."""

    def __init__(self, hidden: int, depth: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(hidden, heads, feedforward, i == 0) for i in range(depth))
        self.final_attn_token_to_image = Attention(hidden, heads, reduction=2)
        self.norm_final_attn = nn.LayerNorm(hidden)

    def forward(self, image: Tensor, position: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """``image`` and ``position`` (B, H W, C), ``tokens`` (B, n, C); returns tokens and image.

        The initial tokens serve as their own position code throughout.
        """
        code = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, code, position)
        mixed = self.final_attn_token_to_image(tokens + code, image + position, image)
        return self.norm_final_attn(tokens + mixed), image
