"""Generated plates with soft truth: exact coverage, true composites, every case as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe, coverage
from efficienttam.media import FrameSequence, read_roto
from efficienttam.training.shapes import ellipse

SIZE = (192, 108)


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


@pytest.mark.parametrize("step", [1, -1])
def test_coverage_of_a_box_between_pixels(step: int) -> None:
    matte = coverage([_box(2.25, 2.5, 6.7, 5.125)[::step]], (10, 8))
    np.testing.assert_allclose(matte[3], [0, 0, 0.75, 1, 1, 1, 0.7, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(matte[:, 4], [0, 0, 0.5, 1, 1, 0.125, 0, 0], atol=1e-6)


def test_coverage_is_cut_by_the_window() -> None:
    np.testing.assert_array_equal(coverage([_box(-5, -5, 30, 4.5)], (10, 8)).sum(1), [10] * 4 + [5, 0, 0, 0])


def test_a_disc_with_a_hole_has_its_area() -> None:
    disc, hole = ellipse(1.0, 2048) * 50 + 64.3, ellipse(1.0, 2048) * 20 + 70.1
    assert coverage([disc, hole], (128, 128)).sum() == pytest.approx(np.pi * (2500 - 400), rel=1e-4)


@pytest.mark.parametrize("case", list(EdgeCase))
def test_every_case_has_soft_truth_and_is_the_same_again(case: EdgeCase) -> None:
    plate = SoftPlate(SoftRecipe(case, SIZE, frames=3))
    first = plate.read(1001).copy()
    truth = plate.truth(1001)
    assert first.shape == (108, 192, 3) and first.dtype == np.uint8
    assert truth.shape == (1, 108, 192) and truth.min() >= 0 and truth.max() == pytest.approx(1, abs=1e-5)
    assert 0.0005 < truth.mean() < 0.2 and ((truth > 0.1) & (truth < 0.9)).any()
    again = SoftPlate(SoftRecipe(case, SIZE, frames=3))
    again.read(1003)
    np.testing.assert_array_equal(again.read(1001), first)
    assert plate.identity(1001) == again.identity(1001) != plate.identity(1002)


def test_blur_keeps_the_area_and_widens_the_edge() -> None:
    area, grey = {}, {}
    for case in (EdgeCase.HARD, EdgeCase.DEFOCUS):
        truth = SoftPlate(SoftRecipe(case, (960, 540), frames=1)).truth(1001)
        area[case], grey[case] = truth.sum(), (truth * (1 - truth)).sum()
    assert area[EdgeCase.HARD] == pytest.approx(area[EdgeCase.DEFOCUS], rel=1e-4)
    assert grey[EdgeCase.DEFOCUS] > 2 * grey[EdgeCase.HARD]


def test_the_border_cuts_and_only_the_still_one_stands() -> None:
    cut = SoftPlate(SoftRecipe(EdgeCase.BORDER, SIZE)).truth(1001)[0]
    assert cut[:, 0].max() == 1 and cut[-1].max() == 1
    still = SoftPlate(SoftRecipe(EdgeCase.STILL, SIZE))
    np.testing.assert_array_equal(still.truth(1001), still.truth(1004))
    assert 0 < np.abs(still.read(1001).astype(int) - still.read(1004)).max() <= 20
    small = SoftPlate(SoftRecipe(EdgeCase.SMALL, (1024, 540))).truth(1001)[0]
    assert np.ptp(np.flatnonzero(small.any(0))) == pytest.approx(50, abs=8)


def test_files_hold_the_same_pictures(tmp_path: Path) -> None:
    made = SoftPlate(SoftRecipe(EdgeCase.DEFOCUS, SIZE, frames=2))
    plate, truth = made.write(tmp_path)
    read = FrameSequence(plate)
    assert read.size == SIZE and list(read.frames) == [1001, 1002]
    picture = read.read(1002)
    assert np.abs(picture * 255 - made.read(1002)).max() < 1
    np.testing.assert_allclose(read_roto(truth % 1002, ""), made.truth(1002)[0], atol=5e-4)
