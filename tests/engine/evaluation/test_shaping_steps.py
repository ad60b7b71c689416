"""What each step of shaping gains, as ``efficienttam eval steps`` reports it."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.errors import PlateError
from efficienttam.contract.job import Mattes
from efficienttam.evaluation.cli import main
from efficienttam.evaluation.matte_errors import MatteErrors, matte_errors
from efficienttam.evaluation.shaping_steps import STEPS, WAYS, StepErrors, ideal, step_errors, tracked
from efficienttam.evaluation.soft_plates import EdgeCase, SoftPlate, SoftRecipe
from efficienttam.evaluation.steps_report import means, rows, to_markdown
from efficienttam.weights.load import load_model

SMALL = (256, 144)


@pytest.fixture(scope="module")
def network():
    """The demo network, loaded once."""
    return load_model("efficienttam_demo", device="cpu")


def test_the_command_tells_every_step_of_every_size(tmp_path: Path, capsys) -> None:
    arguments = ["steps", "--device", "cpu", "--size", "256x144", "--size", "192x108", "--edges", "hard"]
    assert main([*arguments, "--report", str(tmp_path / "out" / "steps.json")]) == 0
    out, told = capsys.readouterr()
    assert [line for line in told.splitlines() if "seed" in line] == [
        "hard 256x144, seed 0",
        "hard 192x108, seed 0",
    ]
    report = json.loads((tmp_path / "out" / "steps.json").read_text())
    found = [(row["size"], row["plate"], row["logits"], row["step"]) for row in report["rows"]]
    assert found == [
        (size, "hard", logits, step)
        for size in ("256x144", "192x108")
        for logits, steps in (("ideal", STEPS), ("tracked", [*STEPS, *WAYS]))
        for step in steps
    ]
    assert report["means"] == []
    lines = out.splitlines()
    assert lines[0] == "| size | plate | logits | step | SAD | MSE | grad | edge px | width |"
    assert len(lines) == 2 + len(found)
    large = {(row["logits"], row["step"]): row for row in report["rows"][: len(found) // 2]}
    assert large["ideal", "refine"]["sad"] < 0.8 * large["ideal", "as drawn"]["sad"]
    assert large["tracked", "refine"]["boundary"] < 0.5 * large["tracked", "as drawn"]["boundary"]
    assert large["tracked", "softness 2"]["width_ratio"] == pytest.approx(2, abs=0.3)


def test_rendered_mattes_are_measured_by_object(tmp_path: Path, capsys) -> None:
    plate, truth = SoftPlate(SoftRecipe(EdgeCase.HARD, SMALL, 3)).write(tmp_path)
    report = tmp_path / "steps.csv"
    arguments = ["steps", "--device", "cpu", "--plate", plate, "--truth", truth, "--channel", "A"]
    assert main([*arguments, "--report", str(report)]) == 0
    assert "| 256x144 | plate.%04d.exr | tracked | refine, region |" in capsys.readouterr().out
    lines = list(csv.DictReader(report.read_text().splitlines()))
    assert len(lines) == 2 * len(STEPS) + len(WAYS)
    as_drawn, refined = (next(one for one in lines if one["step"] == name) for name in ("as drawn", "refine"))
    assert 0 < float(refined["sad"]) < float(as_drawn["sad"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--plate", "p.%04d.exr"],
        ["--truth", "t.%04d.exr", "--channel", "A"],
        ["--plate", "p.%04d.exr", "--truth", "t.%04d.exr", "--channel", "A", "--size", "640x360"],
        ["--plate", "p.%04d.exr", "--truth", "t.%04d.exr", "--channel", "A", "--edges", "hard"],
        ["--color-space", "sRGB"],
        ["--size", "640"],
        ["--prompt", "click"],
    ],
)
def test_arguments_that_do_not_fit_are_told_before_anything_is_read(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["steps", *arguments])
    assert end.value.code == 2 and "efficienttam eval steps: " in capsys.readouterr().err


def test_what_is_measured_is_the_matte_of_the_step(network) -> None:
    footage = SoftPlate(SoftRecipe(EdgeCase.HARD, SMALL, 4))
    found = {(one.logits, one.step): one for one in step_errors(network, footage, [1003], 64)}
    whole, perfect = tracked(network, footage, 0), ideal(footage, 0, 64)
    truth = footage.truth(1003)[0]
    for source, name in ((whole, "tracked"), (perfect, "ideal")):
        for step in ("as drawn", "softness 2", "refine", "refine, holes and specks"):
            assert found[name, step].errors == matte_errors(source.matte(1003, STEPS[step]), truth)
        wish = STEPS["refine, steady 1"]
        steady = source.steady(1003, wish, [1002, 1004])
        assert found[name, "refine, steady 1"].errors == matte_errors(steady, truth)
        assert np.abs(steady - source.matte(1003, wish)).max() > 0.01
    cells = perfect.logits(1003)
    assert cells.shape == (64, 64) and (cells.min(), cells.max()) == (-10, 10)
    region, tracking = WAYS["refine, region"]
    inside = tracked(network, footage, 0, region, tracking, whole)
    assert inside.group.plate.size < footage.size and inside.matte(1003, Mattes()).shape == SMALL[::-1]
    assert found["tracked", "refine, region"].errors == matte_errors(
        inside.matte(1003, STEPS["refine"]), truth
    )
    wide = tracked(network, footage, 0, *WAYS["refine, border 0.06"])
    assert wide.group.plate.size == (256 + 2 * 15, 144 + 2 * 9)


def test_the_prompted_frame_steadies_no_other(network) -> None:
    footage = SoftPlate(SoftRecipe(EdgeCase.HARD, SMALL, 2))
    found = {(one.logits, one.step): one.errors for one in step_errors(network, footage, [1002])}
    assert found["tracked", "refine, steady 1"] == found["tracked", "refine"]


def test_an_object_that_the_first_frame_does_not_show_is_refused(network) -> None:
    footage = SoftPlate(SoftRecipe(EdgeCase.HARD, SMALL, 2))
    footage.truth = lambda frame: np.zeros((1, *SMALL[::-1]), np.float32)
    with pytest.raises(PlateError, match="does not show hero"):
        tracked(network, footage, 0)


def test_means_are_over_plates_and_undefined_errors_are_left_out() -> None:
    def one(plate, sad, boundary, seed=0):
        errors = MatteErrors(sad, 1.0, 1.0, boundary, 1.0)
        return StepErrors(plate, (64, 32), "ideal", "refine", errors, 0.1)

    found = [one("hard", 1.0, math.nan), one("hard", 3.0, math.nan), one("small", 6.0, 2.0)]
    assert [row.errors["sad"] for row in rows(found)] == [2.0, 6.0]
    (mean,) = means(found)
    assert (mean.plate, mean.errors["sad"], mean.errors["boundary"]) == ("mean of 2", 4.0, 2.0)
    assert "| 64x32 | hard | ideal | refine | 2.00 | 1.00 | 1.00 | - | 1.00 |" in to_markdown(found)
