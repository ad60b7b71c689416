"""The forms of cross-attention: where they agree, and what pooling means."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from efficienttam.model.config import CrossAttention, MemoryAttentionConfig
from efficienttam.model.memory_attention import Memory, MemoryAttention, MemoryCrossAttention
from efficienttam.model.position_encoding import rotary_table, rotate

HIDDEN, CHANNELS, SIDE = 32, 8, 8
CONFIG = MemoryAttentionConfig(layers=2, feedforward=64)


def attention(form: CrossAttention, window: int = 2) -> MemoryAttention:
    torch.manual_seed(5)
    module = MemoryAttention(replace(CONFIG, cross_attention=form, pool_window=window), HIDDEN, CHANNELS)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module.double().eval()


def memory(maps: int, pointers: int) -> Memory:
    torch.manual_seed(6)
    return Memory(
        maps=torch.randn(1, maps, CHANNELS, SIDE, SIDE).double(),
        map_position=torch.randn(maps, CHANNELS, SIDE, SIDE).double(),
        pointers=torch.randn(1, pointers, CHANNELS).double(),
    )


@torch.inference_mode()
def recall(form: CrossAttention, maps: int, pointers: int, window: int = 2) -> torch.Tensor:
    torch.manual_seed(7)
    embedding, position = (
        torch.randn(1, HIDDEN, SIDE, SIDE).double(),
        torch.randn(HIDDEN, SIDE, SIDE).double(),
    )
    return attention(form, window)(embedding, position, memory(maps, pointers))


def test_one_map_is_never_pooled() -> None:
    full = recall(CrossAttention.FULL, 1, 4)
    assert torch.equal(full, recall(CrossAttention.POOLED_LOGIT_BIAS, 1, 4))
    assert torch.equal(full, recall(CrossAttention.POOLED_KEY_BIAS, 1, 4))


def test_without_pointers_the_pooled_forms_coincide() -> None:
    by_logits = recall(CrossAttention.POOLED_LOGIT_BIAS, 3, 0)
    by_keys = recall(CrossAttention.POOLED_KEY_BIAS, 3, 0)
    assert torch.allclose(by_logits, by_keys, atol=1e-6)
    assert not torch.allclose(by_logits, recall(CrossAttention.FULL, 3, 0), atol=1e-3)


def test_with_pointers_all_three_differ() -> None:
    results = [recall(form, 3, 4) for form in CrossAttention]
    for index, one in enumerate(results):
        for other in results[index + 1 :]:
            assert not torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("window", [2, 4])
@torch.inference_mode()
def test_the_constant_makes_a_pooled_token_count_as_its_window(window: int) -> None:
    """Paper Eq. 5: attention over averaged tokens with ln(window area) on their logits equals attention
    over every averaged token repeated window-area times."""
    torch.manual_seed(8)
    cross = MemoryCrossAttention(HIDDEN, CHANNELS, CrossAttention.POOLED_LOGIT_BIAS, window).double()
    x, table = torch.randn(1, SIDE * SIDE, HIDDEN).double(), rotary_table(SIDE, SIDE, HIDDEN)
    recalled = memory(2, 4)
    got = cross.attend(x, recalled, table)

    values = recalled.maps.flatten(3).transpose(2, 3)[0]
    positions = recalled.map_position.flatten(2).transpose(1, 2)

    def averaged(tokens: torch.Tensor) -> torch.Tensor:
        cells = tokens.unflatten(1, (SIDE // window, window, SIDE // window, window)).mean((2, 4))
        return cells.flatten(0, 2).repeat_interleave(window**2, dim=0)

    key = averaged(rotate(cross.k_proj(values + positions), table))
    value = averaged(cross.v_proj(values))
    key = torch.cat((key, cross.k_proj(recalled.pointers[0])))
    value = torch.cat((value, cross.v_proj(recalled.pointers[0])))
    query = rotate(cross.q_proj(x), table)[0]
    weights = torch.softmax(query @ key.T / math.sqrt(HIDDEN), dim=1)
    assert torch.allclose(got[0], cross.out_proj(weights @ value), atol=1e-6)


@torch.inference_mode()
def test_a_key_bias_shifts_pooled_logits_by_the_query() -> None:
    """Paper Eq. 6: the constant sits on every channel of a pooled key, not on its logit."""
    torch.manual_seed(9)
    cross = MemoryCrossAttention(HIDDEN, CHANNELS, CrossAttention.POOLED_KEY_BIAS, 2).double()
    x, table = torch.randn(1, SIDE * SIDE, HIDDEN).double(), rotary_table(SIDE, SIDE, HIDDEN)
    recalled = memory(2, 4)
    got = cross.attend(x, recalled, table)

    values = recalled.maps.flatten(3).transpose(2, 3)[0]
    positions = recalled.map_position.flatten(2).transpose(1, 2)

    def pooled(tokens: torch.Tensor) -> torch.Tensor:
        return tokens.unflatten(1, (SIDE // 2, 2, SIDE // 2, 2)).mean((2, 4)).flatten(0, 2)

    key = pooled(rotate(cross.k_proj(values + positions), table))
    query = rotate(cross.q_proj(x), table)[0]
    pointer_key = cross.k_proj(recalled.pointers[0])
    scale = 1 / math.sqrt(HIDDEN)
    shift = query.sum(1, keepdim=True) * math.log(4) * scale
    logits = torch.cat((query @ key.T * scale + shift, query @ pointer_key.T * scale), dim=1)
    value = torch.cat((pooled(cross.v_proj(values)), cross.v_proj(recalled.pointers[0])))
    assert torch.allclose(got[0], cross.out_proj(torch.softmax(logits, 1) @ value), atol=1e-6)
