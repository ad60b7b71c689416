"""The forms of cross-attention: where they agree, and what pooling means."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from efficienttam.model.config import CrossAttention, MemoryAttentionConfig
from efficienttam.model.memory_attention import Memory, MemoryAttention
from efficienttam.model.position_encoding import rotary_table, rotate

HIDDEN, CHANNELS, SIDE = 32, 8, 8
PUBLISHED = (CrossAttention.FULL, CrossAttention.POOLED_LOGIT_BIAS, CrossAttention.POOLED_KEY_BIAS)
CONFIG = MemoryAttentionConfig(layers=2, feedforward=64)


def attention(form: CrossAttention, window: int = 2) -> MemoryAttention:
    torch.manual_seed(5)
    module = MemoryAttention(replace(CONFIG, cross_attention=form, pool_window=window), HIDDEN, CHANNELS)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module.double().eval()


def recalled(maps: int, pointers: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Maps (n, M, H, W), their sine code (M, H, W), temporal codes (n, M) and pointers (1, P, M)."""
    torch.manual_seed(6)
    return (
        torch.randn(maps, CHANNELS, SIDE, SIDE).double(),
        torch.randn(CHANNELS, SIDE, SIDE).double(),
        torch.randn(maps, CHANNELS).double(),
        torch.randn(1, pointers, CHANNELS).double(),
    )


def memory(module: MemoryAttention, maps: int, pointers: int) -> Memory:
    given, sine, codes, told = recalled(maps, pointers)
    tokens = [module.project(one[None], sine, pooled=module.pools(maps)) for one in given]
    return Memory(tuple(tokens), tuple(range(maps)), codes, told)


@torch.inference_mode()
def recall(form: CrossAttention, maps: int, pointers: int, window: int = 2) -> torch.Tensor:
    torch.manual_seed(7)
    embedding, position = (
        torch.randn(1, HIDDEN, SIDE, SIDE).double(),
        torch.randn(HIDDEN, SIDE, SIDE).double(),
    )
    module = attention(form, window)
    return module(embedding, position, [memory(module, maps, pointers)])


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
    results = [recall(form, 3, 4) for form in PUBLISHED]
    for index, one in enumerate(results):
        for other in results[index + 1 :]:
            assert not torch.allclose(one, other, atol=1e-4)


def repeated(form: CrossAttention, window: int) -> tuple[torch.Tensor, ...]:
    """Layer 0 attending to two maps and four pointers, as the module does it; and beside it, written out
    token by token, the rotated queries, averaged keys and values, and those of the pointers."""
    module = attention(form, window)
    cross = module.crosses[0]
    table = rotary_table(SIDE, SIDE, HIDDEN)
    torch.manual_seed(8)
    x = torch.randn(1, SIDE * SIDE, HIDDEN).double()
    joined = memory(module, 2, 4)
    got = cross.attend(x, *module._join(joined, 0), module._bias(joined), table)

    maps, sine, codes, pointers = recalled(2, 4)
    values = maps.flatten(2).transpose(1, 2)
    positions = (sine + codes[:, :, None, None]).flatten(2).transpose(1, 2)

    def averaged(tokens: torch.Tensor) -> torch.Tensor:
        return (
            tokens.unflatten(1, (SIDE // window, window, SIDE // window, window)).mean((2, 4)).flatten(0, 2)
        )

    key = averaged(rotate(cross.k_proj(values + positions), table))
    value = averaged(cross.v_proj(values))
    query = rotate(cross.q_proj(x), table)[0]
    return got[0], query, key, value, cross.k_proj(pointers[0]), cross.v_proj(pointers[0]), cross.out_proj


@pytest.mark.parametrize("window", [2, 4])
@torch.inference_mode()
def test_the_constant_makes_a_pooled_token_count_as_its_window(window: int) -> None:
    """Paper Eq. 5: attention over averaged tokens with ln(window area) on their logits equals attention
    over every averaged token repeated window-area times."""
    form = CrossAttention.POOLED_LOGIT_BIAS
    got, query, key, value, pointer_key, pointer_value, out = repeated(form, window)
    key = torch.cat((key.repeat_interleave(window**2, dim=0), pointer_key))
    value = torch.cat((value.repeat_interleave(window**2, dim=0), pointer_value))
    weights = torch.softmax(query @ key.T / math.sqrt(HIDDEN), dim=1)
    assert torch.allclose(got, out(weights @ value), atol=1e-6)


@torch.inference_mode()
def test_a_key_bias_shifts_pooled_logits_by_the_query() -> None:
    """Paper Eq. 6: the constant sits on every channel of a pooled key, not on its logit."""
    form = CrossAttention.POOLED_KEY_BIAS
    got, query, key, value, pointer_key, pointer_value, out = repeated(form, 2)
    scale = 1 / math.sqrt(HIDDEN)
    shift = query.sum(1, keepdim=True) * math.log(4) * scale
    logits = torch.cat((query @ key.T * scale + shift, query @ pointer_key.T * scale), dim=1)
    assert torch.allclose(got, out(torch.softmax(logits, 1) @ torch.cat((value, pointer_value))), atol=1e-6)


@pytest.mark.parametrize("form", CrossAttention)
@torch.inference_mode()
def test_a_map_projected_once_serves_every_slot(form: CrossAttention) -> None:
    """The slot's share of a key, added afterwards, is what projecting with the slot would have given."""
    module = attention(form)
    maps, sine, codes, pointers = recalled(3, 4)
    tokens = [module.project(one[None], sine, pooled=module.pools(3)) for one in maps]
    recalled_keys, _ = module._join(Memory(tuple(tokens), (2, 0, 1), codes, pointers), 0)
    for index, slot in enumerate((2, 0, 1)):
        coded = sine + codes[slot, :, None, None]
        direct = module.project(maps[index][None], coded, pooled=module.pools(3)).keys[0]
        cells = direct.shape[1]
        part = recalled_keys[:, index * cells : (index + 1) * cells]
        assert torch.allclose(part, direct, atol=1e-6)


@torch.inference_mode()
def test_objects_together_recall_what_each_recalls_alone() -> None:
    module = attention(CrossAttention.POOLED_LOGIT_BIAS)
    torch.manual_seed(9)
    embedding = torch.randn(1, HIDDEN, SIDE, SIDE).double()
    position = torch.randn(HIDDEN, SIDE, SIDE).double()
    one = memory(module, 3, 4)
    other = replace(one, tokens=one.tokens[::-1], pointers=one.pointers.flip(1) * 0.5)
    both = module(embedding, position, [one, other])
    assert torch.allclose(both[:1], module(embedding, position, [one]), atol=1e-9)
    assert torch.allclose(both[1:], module(embedding, position, [other]), atol=1e-9)


def test_a_table_of_weights_follows_them_when_they_change() -> None:
    module, changed = attention(CrossAttention.POOLED_KEY_BIAS), attention(CrossAttention.POOLED_KEY_BIAS)
    with torch.inference_mode():
        before, _ = module._join(memory(module, 2, 4), 0)
        assert torch.equal(before, module._join(memory(module, 2, 4), 0)[0])
    with torch.no_grad():
        for one in (module, changed):
            one.crosses[0].k_proj.weight.mul_(2)
    with torch.inference_mode():
        after, _ = module._join(memory(module, 2, 4), 0)
        assert not torch.equal(after, before)
        assert torch.equal(after, changed._join(memory(changed, 2, 4), 0)[0])
