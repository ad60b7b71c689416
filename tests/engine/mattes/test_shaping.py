"""Shaping of known pictures: edges move to where the plate has them and keep their width."""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.contract.job import Mattes, Refine
from efficienttam.mattes.matte import matte_from_logits
from efficienttam.mattes.refine import linear_light, refine_edges
from efficienttam.mattes.shaping import band_of, shaped_matte
from efficienttam.mattes.softness import EdgeSoftness

SIZE = (256, 192)
CELLS = 32
REFINED = Mattes(softness=2, refine=Refine.UNMIX)


def truth(width: float) -> np.ndarray:
    """A disc whose edge is a ramp of ``width`` pixels."""
    ys, xs = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    away = 55.3 - np.hypot(xs - 128.4, ys - 95.2)
    return np.clip(away / width + 0.5, 0, 1).astype(np.float32)


def picture(matte: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Orange over blue, mixed in light and encoded as sRGB, float 0 to 1."""
    inside, outside = np.array([0.7, 0.3, 0.05]), np.array([0.03, 0.1, 0.35])
    light = matte[..., None] * inside + (1 - matte[..., None]) * outside
    display = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    display += np.random.default_rng(0).normal(0, noise, display.shape)
    return display.clip(0, 1).astype(np.float32)


def logits(matte: np.ndarray) -> np.ndarray:
    low = cv2.resize(matte, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return (20 * low - 10).astype(np.float32)


def edge_width(matte: np.ndarray) -> float:
    return float(6 * (matte * (1 - matte)).sum() / (2 * np.pi * 55.3))


@pytest.mark.parametrize("depth", [np.uint8, np.float32])
def test_light_is_linear(depth: type) -> None:
    picture = np.array([[[0, 0.5, 1]]], np.float32)
    if depth is np.uint8:
        picture = (picture * 255 + 0.5).astype(np.uint8)
    np.testing.assert_allclose(linear_light(picture)[0, 0], [0, 0.214, 1], atol=2e-3)


@pytest.mark.parametrize("width", [1.0, 6.0, 14.0])
def test_refined_edges_are_where_and_as_wide_as_in_the_plate(width: float) -> None:
    true = truth(width)
    off = logits(np.roll(true, 5, axis=1))
    wish = Mattes(softness=2, refine=Refine.UNMIX, refine_band=14)
    refined = shaped_matte(off, SIZE, wish, lambda: picture(true))
    before = shaped_matte(off, SIZE, Mattes(softness=2))
    assert np.abs(refined - true).sum() < 0.2 * np.abs(before - true).sum()
    assert edge_width(refined) == pytest.approx(edge_width(true), rel=0.2, abs=0.7)


@pytest.mark.parametrize("width", [20.0, 32.0, 48.0])
def test_blur_wider_than_the_band_keeps_its_width(width: float) -> None:
    true = truth(width)
    refined = shaped_matte(logits(true), SIZE, REFINED, lambda: picture(true))
    assert band_of(REFINED, SIZE, CELLS) == 8
    assert edge_width(refined) == pytest.approx(edge_width(true), rel=0.08)
    told = dataclasses.replace(REFINED, refine_band=8)
    narrow = shaped_matte(logits(true), SIZE, told, lambda: picture(true))
    assert edge_width(narrow) < 0.88 * edge_width(true), "A band that is told is kept."


def test_where_the_edge_is_sharp_the_band_is_not_widened() -> None:
    true = truth(1.0)
    true[:, 128:] = truth(32.0)[:, 128:]
    told = dataclasses.replace(REFINED, refine_band=8)
    wide, narrow = (shaped_matte(logits(true), SIZE, wish, lambda: picture(true)) for wish in (REFINED, told))
    np.testing.assert_array_equal(wide[:, :96], narrow[:, :96])
    assert np.abs(wide - true)[:, 160:].sum() < 0.3 * np.abs(narrow - true)[:, 160:].sum()
    for width in (1.0, 6.0, 14.0):
        low, shown = logits(truth(width)), picture(truth(width))
        both = [shaped_matte(low, SIZE, wish, functools.partial(np.copy, shown)) for wish in (REFINED, told)]
        np.testing.assert_array_equal(*both)


def test_colours_that_do_not_tell_leave_the_edge_alone() -> None:
    low = logits(truth(2.0))
    grain = np.random.default_rng(1).uniform(0.3, 0.6, (SIZE[1], SIZE[0], 3)).astype(np.float32)
    plain = shaped_matte(low, SIZE, Mattes(softness=2))
    refined = shaped_matte(low, SIZE, Mattes(softness=2, refine=Refine.UNMIX), lambda: grain)
    assert np.abs(refined - plain).max() < 0.1


def test_outside_the_band_nothing_is_grey() -> None:
    true = truth(2.0)
    distance = np.clip((true - 0.5) * 1000, -30, 30).astype(np.float32)
    refined = refine_edges(true, distance, picture(true), 5)
    assert set(np.unique(refined[np.abs(distance) >= 5])) == {0, 1}


def test_where_there_is_no_object_there_is_no_matte() -> None:
    empty = np.full((CELLS, CELLS), -10, np.float32)
    wish = Mattes(softness=3, refine=Refine.UNMIX, fill_holes=9, remove_specks=9, keep_largest=True)
    assert shaped_matte(empty, SIZE, wish, lambda: picture(truth(2.0))).max() == 0


@settings(max_examples=25)
@given(
    st.none() | st.floats(0, 40),
    st.sampled_from(Refine),
    st.integers(0, 500),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_mattes_stay_within_0_and_1(
    softness: float | None, refine: Refine, area: int, largest: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    low = cv2.GaussianBlur(rng.normal(0, 30, (16, 16)), (0, 0), 1.2).astype(np.float32)
    wish = Mattes(softness=softness, refine=refine, fill_holes=area, remove_specks=area, keep_largest=largest)
    shown = rng.integers(0, 256, (54, 96, 3), np.uint8)
    matte = shaped_matte(low, (96, 54), wish, lambda: shown)
    assert matte.shape == (54, 96) and matte.dtype == np.float32
    assert np.isfinite(matte).all() and matte.min() >= 0 and matte.max() <= 1
    if softness == 0:
        assert set(np.unique(matte)) <= {0, 1}


def test_without_wishes_the_matte_is_as_drawn() -> None:
    low = logits(truth(5.0))
    np.testing.assert_array_equal(shaped_matte(low, SIZE, Mattes()), matte_from_logits(low, SIZE))


def test_without_a_picture_nothing_is_refined() -> None:
    low = logits(truth(5.0))
    wish = Mattes(softness=4, refine=Refine.UNMIX)
    np.testing.assert_array_equal(shaped_matte(low, SIZE, wish), shaped_matte(low, SIZE, Mattes(softness=4)))


def test_the_band_is_a_cell_unless_told() -> None:
    assert band_of(Mattes(refine=Refine.UNMIX), (4096, 2160), 64) == 64
    assert band_of(Mattes(refine=Refine.UNMIX), (4096, 2160), 256) == pytest.approx(0.008 * 2160)
    assert band_of(Mattes(refine=Refine.UNMIX, refine_band=30), (4096, 2160), 64) == 30


def test_the_softness_of_a_roto_goes_over_to_another_edge() -> None:
    roto = truth(12.0)
    hard = np.roll((truth(1.0) >= 0.5).astype(np.float32), 20, axis=1)
    soft = EdgeSoftness(roto).on(hard)
    assert edge_width(soft) == pytest.approx(12, rel=0.1)
    assert ((soft >= 0.5) != (hard >= 0.5)).mean() < 0.001
    whole = shaped_matte(logits(roto), SIZE, Mattes(softness=2), rotos={EdgeSoftness(roto): 0.5})
    assert 2 < edge_width(whole) < 12


def test_the_softness_of_a_roto_differs_along_its_edge() -> None:
    roto = truth(1.0)
    roto[:, 128:] = truth(16.0)[:, 128:]
    soft = EdgeSoftness(roto).on((truth(1.0) >= 0.5).astype(np.float32))
    left, right = (side * (1 - side) for side in (soft[60:130, :90], soft[60:130, 166:]))
    assert right.sum() > 5 * left.sum()
