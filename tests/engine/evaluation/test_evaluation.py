"""Evaluation end to end: prompts from truth, the flow baseline, reports, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from efficienttam.cli import main as command
from efficienttam.contract.errors import ExitCode, PlateError
from efficienttam.evaluation import EvaluateOptions, evaluate
from efficienttam.evaluation.cli import main
from efficienttam.evaluation.flow_baseline import carry_masks
from efficienttam.evaluation.footage import DavisFootage, GeneratedFootage, generated_footage
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth, score
from efficienttam.media import FrameSequence, write_mattes
from efficienttam.tracking.frame_source import ArrayFrames


def _sliding_disc(frames: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (90, 120, 3), np.uint8), (0, 0), 3)
    cloth = cv2.GaussianBlur(rng.integers(0, 255, (90, 240, 3), np.uint8), (0, 0), 2)
    pictures, masks = [], []
    ys, xs = np.mgrid[0:90, 0:120]
    for t in range(frames):
        mask = (xs - 40 - 3 * t) ** 2 + (ys - 45) ** 2 < 20**2
        shifted = cloth[:, 60 - 3 * t : 180 - 3 * t]
        pictures.append(np.where(mask[..., None], shifted, ground))
        masks.append(mask)
    return np.stack(pictures), np.stack(masks)


def test_flow_carries_a_sliding_disc() -> None:
    pictures, masks = _sliding_disc()
    plate = ArrayFrames(pictures, first=11)
    carried = list(carry_masks(plate, list(plate.frames), masks[0][None].astype(np.float32)))
    np.testing.assert_array_equal(carried[0][0] > 0.5, masks[0])
    last = carried[-1][0] > 0.5
    assert (last & masks[-1]).sum() / (last | masks[-1]).sum() > 0.8


def test_prompts_say_where_the_object_is() -> None:
    matte = np.zeros((40, 60), np.float32)
    matte[10:21, 30:51] = 1
    assert prompt_from_truth(PromptKind.BOX, 7, matte).box == (30, 10, 51, 21)
    ((x, y),) = prompt_from_truth(PromptKind.CLICK, 7, matte).include
    assert 35 < x < 46 and y == 15.5
    np.testing.assert_array_equal(prompt_from_truth(PromptKind.MASK, 7, matte).mask, matte)


def test_generated_footage_is_drawn_once_and_shows_its_hero() -> None:
    first, second = generated_footage(2, 4, (96, 64))
    assert first.name != second.name and first.share >= 0.01
    assert first.read(2) is first.read(2)
    assert first.truth(1).shape == (1, 64, 96) and first.truth(1).mean() >= 0.01
    again = GeneratedFootage(int(first.name.split()[1]), 4, (96, 64))
    np.testing.assert_array_equal(first.read(3), again.read(3))


def _write_davis(folder: Path) -> None:
    pictures, masks = _sliding_disc(3)
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True)
    for index, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        cv2.imwrite(str(folder / "JPEGImages" / f"{index:05d}.jpg"), picture)
        label = np.zeros((*mask.shape, 3), np.uint8)
        label[mask] = (0, 0, 128)
        label[:5, :5] = (0, 128, 0)
        cv2.imwrite(str(folder / "Annotations" / f"{index:05d}.png"), label)


def test_a_davis_folder_is_read(tmp_path: Path) -> None:
    _write_davis(tmp_path)
    footage = DavisFootage(tmp_path)
    assert footage.objects == ("object1", "object2") and footage.size == (120, 90)
    truth = footage.truth(2)
    assert sorted(truth.sum((1, 2)).astype(int).tolist())[0] == 25
    with pytest.raises(PlateError, match="JPEGImages"):
        DavisFootage(tmp_path / "nowhere")


def test_a_void_ring_is_not_held_against_a_mask(tmp_path: Path) -> None:
    """Truth with a ring of 255 around it, and a mask that covers both on every frame."""
    ring, inside = np.zeros((90, 120), np.uint8), slice(30, 60)
    ring[25:65, 25:65], ring[inside, inside] = 255, 1
    for name in ("JPEGImages", "Annotations"):
        (tmp_path / name).mkdir()
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8), (0, 0), 2)
    for frame in range(2):
        cv2.imwrite(str(tmp_path / "JPEGImages" / f"{frame:05d}.jpg"), picture)
        # The first frame says that all of it is the object; flow carries that along.
        label = np.minimum(ring, 1) if frame == 0 else ring
        Image.fromarray(label).save(tmp_path / "Annotations" / f"{frame:05d}.png")
    (only,) = score(None, DavisFootage(tmp_path), PromptKind.FLOW)
    assert only.object == "object1" and (only.j, only.f) == (1, 1)


def test_objects_are_numbered_as_in_the_palette(tmp_path: Path) -> None:
    _write_davis(tmp_path)
    for path in (tmp_path / "Annotations").glob("*.png"):
        _, green, red = cv2.imread(str(path)).transpose(2, 0, 1)
        image = Image.fromarray(np.where(red > 0, 1, np.where(green > 0, 2, 0)).astype(np.uint8))
        # The colour of the first object stands behind that of the second one.
        image.putpalette([0, 0, 0, 236, 95, 103, 9, 145, 87])
        image.save(path)
    truth = DavisFootage(tmp_path).truth(2)
    assert truth[1].sum() == 25 < truth[0].sum()


def test_the_command_scores_flow_and_writes_its_report(tmp_path: Path, capsys) -> None:
    _write_davis(tmp_path / "clip")
    report = tmp_path / "report.json"
    arguments = ["--davis", str(tmp_path / "clip"), "--prompt", "flow", "--report", str(report)]
    assert main(arguments) == 0
    assert "flow" in capsys.readouterr().out
    told = json.loads(report.read_text())
    assert told["summary"][0]["objects"] == 2
    assert all(len(row["j_by_frame"]) == 2 for row in told["scores"])


def test_every_prompt_kind_goes_through_the_tracker(random_weights: Path) -> None:
    options = EvaluateOptions(weights=str(random_weights), device="cpu", clips=1, frames=3, size=(96, 64))
    scores = evaluate(options, tell=lambda line: None)
    assert [one.prompt for one in scores] == list(PromptKind)
    by_kind = {one.prompt: one for one in scores}
    assert by_kind[PromptKind.MASK].first_region == 1
    assert all(0 <= one.j <= 1 and len(one.region) == 2 for one in scores)


def test_soft_plates_are_scored_and_told_in_every_form(tmp_path: Path, capsys) -> None:
    arguments = ["--edges", "hard", "--edges", "defocus", "--size", "192x108", "--frames", "3"]
    for suffix in ("md", "csv", "json"):
        assert main([*arguments, "--prompt", "flow", "--report", str(tmp_path / f"report.{suffix}")]) == 0
    assert "edge px" in capsys.readouterr().out
    rows = (tmp_path / "report.md").read_text().splitlines()
    assert rows[0].startswith("| footage | object | prompt | J | F | SAD") and len(rows) == 4
    assert rows[2].startswith("| hard 192x108 | hero | flow |")
    lines = (tmp_path / "report.csv").read_text().splitlines()
    assert len(lines) == 5 and lines[0].split(",")[-1] == "flicker"
    report = json.loads((tmp_path / "report.json").read_text())
    errors = report["scores"][0]["errors_by_frame"][0]
    assert 0 < errors["boundary"] < 2 and errors["width_ratio"] > 0.5 and errors["flicker"] >= 0
    assert report["summary"][0]["sad"] > 0


def _without_first_object(folder: Path) -> None:
    Image.fromarray(np.zeros((90, 120), np.uint8)).save(folder / "Annotations" / "00000.png")


def _small_truth(folder: Path) -> None:
    Image.fromarray(np.ones((45, 60), np.uint8)).save(folder / "Annotations" / "00000.png")


def _no_truth(folder: Path) -> None:
    (folder / "Annotations" / "00002.png").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_first_object, "frame 1, the first one, does not show any object"),
        (_small_truth, "truth of frame 1 is 60x45, the plate 120x90"),
        (_no_truth, "Frame 3 has no true matte"),
    ],
)
def test_truth_that_does_not_serve_is_told_before_work(
    spoil, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_davis(tmp_path)
    spoil(tmp_path)
    assert command(["eval", "--davis", str(tmp_path), "--weights", "none"]) == ExitCode.INPUT
    assert said in capsys.readouterr().err


def test_truth_of_another_size_later_on_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_davis(tmp_path)
    Image.fromarray(np.ones((45, 60), np.uint8)).save(tmp_path / "Annotations" / "00001.png")
    assert command(["eval", "--davis", str(tmp_path), "--prompt", "flow"]) == ExitCode.INPUT
    assert "truth of frame 2 is 60x45" in capsys.readouterr().err


def test_an_object_that_comes_later_is_named(
    tiny_plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for frame in FrameSequence(str(tiny_plate / "plate.%04d.exr")).frames:
        matte = np.zeros((54, 96), np.float32)
        matte[15:35, 20:44] = 1
        late = matte if frame > 1001 else np.zeros_like(matte)
        write_mattes(tmp_path / f"truth.{frame}.exr", {"hero": matte, "late": late})
    arguments = [
        "eval",
        "--plate",
        str(tiny_plate / "plate.%04d.exr"),
        "--channel",
        "hero",
        "--channel",
        "late",
    ]
    assert command([*arguments, "--truth", str(tmp_path / "truth.%04d.exr")]) == ExitCode.INPUT
    assert "frame 1001, the first one, does not show late" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("--size", "0x0"), ("--size", "-5x20"), ("--size", "64"), ("--frames", "1")]
)
def test_numbers_that_draw_nothing_are_refused(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["eval", *words])
    assert ended.value.code == ExitCode.USAGE and words[0] in capsys.readouterr().err


@pytest.mark.parametrize("also", [(), ("steps",)])
@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ("x.pdf", ExitCode.USAGE, "ends in none of .json, .md, .csv"),
        ("a_file/x.json", ExitCode.OUTPUT, "a_file cannot be made"),
        ("folder.md", ExitCode.OUTPUT, "is a folder"),
        ("/proc/x.md", ExitCode.OUTPUT, "Nothing can be written to /proc"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_work(
    also: tuple[str, ...], report: str, code: ExitCode, said: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    if report.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()
    (tmp_path / "folder.md").mkdir()
    assert command(["eval", *also, "--weights", "none", "--report", report]) == code
    assert said in capsys.readouterr().err
