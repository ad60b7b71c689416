"""The forms of attention that the paper compares, in float64 against what they mean, written out."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from efficienttam.model.attention_forms import attend, attend_in_windows, attend_linearly, grouped
from efficienttam.model.build import build_model, find_config
from efficienttam.model.config import CrossAttention
from efficienttam.model.memory_attention import _pool

SIDE, CHANNELS, MAPS, POINTERS = 8, 16, 3, 5
CELLS = SIDE**2


def drawn(seed: int, tokens: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, tokens, CHANNELS, generator=generator, dtype=torch.float64)


def written_out(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | float = 0.0) -> Tensor:
    return torch.softmax(query @ key.transpose(1, 2) / math.sqrt(CHANNELS) + bias, 2) @ value


def repeat_windows(tokens: Tensor, window: int) -> Tensor:
    """Averages of windows, each as often as its window has cells."""
    return _pool(tokens, SIDE, window).repeat_interleave(window**2, dim=1)


@pytest.mark.parametrize("window", [2, 4])
def test_an_average_with_the_constant_counts_as_its_window(window: int) -> None:
    """Paper Eq. 5, to the rounding of float64."""
    query, key, value = drawn(1, CELLS), drawn(2, CELLS), drawn(3, CELLS)
    told, meant = drawn(4, POINTERS), drawn(5, POINTERS)
    few = SIDE**2 // window**2
    bias = torch.zeros(few + POINTERS, dtype=torch.float64)
    bias[:few] = math.log(window**2)
    got = attend(
        query,
        torch.cat((_pool(key, SIDE, window), told), 1),
        torch.cat((_pool(value, SIDE, window), meant), 1),
        bias,
    )
    whole = written_out(
        query,
        torch.cat((repeat_windows(key, window), told), 1),
        torch.cat((repeat_windows(value, window), meant), 1),
    )
    assert (got - whole).abs().max() < 1e-13


def test_the_smoother_the_tokens_the_nearer_pooling_is_to_full_attention() -> None:
    """Keys and values that differ by e within windows are e^2 away, those that do not are not at all;
    without the constant some of the distance stays."""
    window, query = 2, drawn(1, CELLS)
    told, meant = drawn(4, POINTERS), drawn(5, POINTERS)
    smooth = [repeat_windows(drawn(seed, CELLS), window) for seed in (2, 3)]
    order = torch.arange(CELLS).reshape(1, 1, SIDE, SIDE).double()
    cells = torch.nn.functional.pixel_unshuffle(order, window).flatten(2).transpose(1, 2).flatten().long()
    smooth = [part[:, cells.argsort()] for part in smooth]
    rough = [drawn(seed, CELLS) for seed in (6, 7)]

    def distance(amount: float, constant: float) -> float:
        key, value = (part + amount * noise for part, noise in zip(smooth, rough, strict=True))
        few = CELLS // window**2
        bias = torch.zeros(few + POINTERS, dtype=torch.float64)
        bias[:few] = constant
        pooled = attend(
            query,
            torch.cat((_pool(key, SIDE, window), told), 1),
            torch.cat((_pool(value, SIDE, window), meant), 1),
            bias,
        )
        full = attend(query, torch.cat((key, told), 1), torch.cat((value, meant), 1))
        return float((pooled - full).abs().mean())

    constant = math.log(window**2)
    apart = [distance(amount, constant) for amount in (0.2, 0.1, 0.05, 0.0)]
    assert apart[3] < 1e-13
    assert all(3.4 < one / other < 4.6 for one, other in zip(apart[:2], apart[1:3]))
    assert distance(0.0, 0.0) > 100 * apart[2]


@torch.inference_mode()
def test_windows_see_their_part_of_every_map_and_the_pointers() -> None:
    query = drawn(1, CELLS)
    key, value = drawn(2, MAPS * CELLS + POINTERS), drawn(3, MAPS * CELLS + POINTERS)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    window = (rows // (SIDE // 2) * 2 + columns // (SIDE // 2)).flatten()
    of_keys = torch.cat((window.repeat(MAPS), torch.full((POINTERS,), -1)))
    unseen = (window[:, None] != of_keys) & (of_keys >= 0)
    bias = torch.where(unseen, -math.inf, 0.0).double()
    assert (attend_in_windows(query, key, value) - written_out(query, key, value, bias)).abs().max() < 1e-13


@torch.inference_mode()
def test_linear_attention_weighs_by_products() -> None:
    query, key, value = drawn(1, CELLS), drawn(2, CELLS + POINTERS), drawn(3, CELLS + POINTERS)
    weights = (torch.nn.functional.elu(query) + 1) @ (torch.nn.functional.elu(key) + 1).transpose(1, 2)
    whole = weights / weights.sum(2, keepdim=True) @ value
    assert (attend_linearly(query, key, value) - whole).abs().max() < 1e-13


def test_pointers_are_averaged_in_groups_the_last_of_what_is_left() -> None:
    tokens = drawn(1, 6)
    got = grouped(tokens, 4)
    assert torch.allclose(got[:, 0], tokens[:, :4].mean(1)) and torch.allclose(
        got[:, 1], tokens[:, 4:].mean(1)
    )
    assert grouped(tokens[:, :0], 4).shape == (2, 0, CHANNELS)


@pytest.mark.parametrize("pointers", [0, 16])
@pytest.mark.parametrize("form", CrossAttention)
@torch.inference_mode()
def test_a_network_of_every_form_recalls(form: CrossAttention, pointers: int) -> None:
    """Shapes and pools, with the demo variant; the parameters are the same for all of them."""
    config = find_config("efficienttam_demo")
    attention = dataclasses.replace(config.memory_attention, cross_attention=form)
    config = dataclasses.replace(config, memory_attention=attention, max_pointers=pointers)
    model = build_model(config).eval()
    generator = torch.Generator().manual_seed(2)
    maps = torch.randn(2, 3, config.memory_channels, config.grid, config.grid, generator=generator)
    told = torch.randn(2, pointers, config.hidden, generator=generator)
    embedding = torch.randn(2, config.hidden, config.grid, config.grid, generator=generator)
    memory = model.assemble_memory(maps, [0, 5, 6], told)
    cells = config.grid**2 // (4 if form.pools else 1)
    assert memory.tokens[0].keys.shape[2] == cells
    seen = model.recall(embedding, memory)
    assert seen.shape == embedding.shape and torch.isfinite(seen).all()
