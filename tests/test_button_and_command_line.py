"""The button and the command line write the same bytes for the same words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from efficienttam.cli import main
from efficienttam.contract.document import to_json
from efficienttam.contract.job import Mattes, Plate, Refine
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.contract.region import Region
from efficienttam.media import write_png

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nuke_plugin"))

from efficienttam_nuke import job_document, sheet_edits


def run(words: list[str]) -> None:
    assert main(words) in (0, None)


def words_of(sheet: PromptSheet, mattes: str, **more: object) -> job_document.Words:
    return job_document.Words(sheet, mattes, 1001, 1003, **more)  # type: ignore[arg-type]


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    for frame in (1001, 1002, 1003):
        write_png(str(tmp_path / f"plate.{frame}.png"), np.full((40, 60, 3), 0.5, np.float32))
    return tmp_path / "plate.%04d.png"


@pytest.mark.parametrize("beside", [True, False], ids=["beside the mattes", "elsewhere"])
def test_equal_bytes(plate: Path, tmp_path: Path, beside: bool) -> None:
    mattes = str(tmp_path / "mattes" / "all.%04d.exr")
    written = Path(job_document.document_path(mattes)) if beside else tmp_path / "x" / "hero.json"
    said = ["--object", "hero", "--point", "1001:10,20", "--exclude", "1002:3.5,4", "--object", "stone"]
    said += ["--box", "1001:1,2,30,32", "--region", "1001:0,1,40,36", "--region", "1003:5,1,45,36"]
    said += ["--frames", "1001-1003", "--layers", "--out", mattes]
    run(["matte", str(plate), *said, "--save-job", str(written), "--no-track"])

    sheet = PromptSheet().with_object("hero", "a").with_object("stone", "b")
    sheet = sheet.with_point("a", 1001, (10.0, 20.0), True)
    sheet = sheet.with_point("a", 1002, (3.5, 4.0), False)
    sheet = sheet.with_box("b", 1001, (1.0, 2.0, 30.0, 32.0))
    sheet = sheet_edits.with_region_box(sheet, "b", 1001, (0.0, 1.0, 40.0, 36.0))
    sheet = sheet_edits.with_region_box(sheet, "b", 1003, (5.0, 1.0, 45.0, 36.0))
    job = job_document.build_job(words_of(sheet, mattes), Plate(str(plate)))
    assert to_json(job) == written.read_text(encoding="utf-8")


def test_options_say_the_same(plate: Path, tmp_path: Path) -> None:
    mattes, written = str(tmp_path / "m.%04d.exr"), tmp_path / "m.job.json"
    options = ["--region", "track", "--region-padding", "0.75", "--border", "0.0625"]
    options += ["--softness", "2", "--refine", "unmix", "--refine-band", "40", "--fill-holes", "400"]
    options += ["--remove-specks", "90", "--keep-largest", "--steady", "1", "--roto-blend", "3"]
    options += ["--device", "cpu", "--precision", "float32", "--between", "blend", "--non-overlapping"]
    said = ["--point", "1001:10,20", "--frames", "1001-1003", "--layers", "--out", mattes, *options]
    run(["matte", str(plate), *said, "--save-job", str(written), "--no-track"])
    sheet = PromptSheet().with_object("object1", "a")
    sheet = sheet.with_point("a", 1001, (10.0, 20.0), True).in_region("a", Region(padding=0.75))
    more = {
        "border": 0.0625,
        "device": "cpu",
        "precision": "float32",
        "between": "blend",
        "non_overlapping": True,
    }
    form = Mattes(2.0, Refine.UNMIX, 40.0, 400, 90, True, 1, 3)
    job = job_document.build_job(words_of(sheet, mattes, form=form, **more), Plate(str(plate)))
    assert to_json(job) == written.read_text(encoding="utf-8")
