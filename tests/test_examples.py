"""Every example on a generated plate, and the README's Python and shell on the plate of the demo."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from efficienttam.demo import COLOR_SPACE
from efficienttam.evaluation.metrics import boundary_accuracy
from efficienttam.media import FrameSequence
from efficienttam.media.animation import animation_suffix

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))
SIZE = (1280, 720)
FRAMES = range(1001, 1004)
HERO, CAR = (812, 430), (300, 200)


def draw(frame: int) -> np.ndarray:
    """Two discs on a gradient, scene-linear: (height, width, 3)."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.stack([0.1 + 0.1 * x / width, 0.15 + 0.1 * y / height, 0.2 + 0 * x], axis=2)
    for (cx, cy), color in ((HERO, (0.8, 0.1, 0.05)), (CAR, (0.05, 0.2, 0.9))):
        picture[(x - cx - 4 * (frame - 1001)) ** 2 + (y - cy) ** 2 < 90**2] = color
    return picture


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ab010_plate.1001.exr to .1003.exr."""
    folder = tmp_path_factory.mktemp("shot")
    spec = oiio.ImageSpec(*SIZE, 3, "half")
    for frame in FRAMES:
        path = str(folder / f"ab010_plate.{frame}.exr")
        output = oiio.ImageOutput.create(path)
        assert output.open(path, spec) and output.write_image(draw(frame)), output.geterror()
        output.close()
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This process's variables; with random weights in reach where the demo's are not there yet."""
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    from efficienttam.weights.registry import DEMO, find_entry

    if not find_entry(DEMO).embedded_path.is_file():
        import safetensors.torch
        import torch

        from efficienttam.model.build import build_model
        from efficienttam.model.config import MODELS

        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp("weights")
        safetensors.torch.save_file(build_model(MODELS[DEMO]).state_dict(), folder / find_entry(DEMO).file)
        variables["EFFICIENTTAM_WEIGHTS"] = str(folder)
    return variables


def words(point: tuple[int, int]) -> list[str]:
    return [str(value) for value in point]


@pytest.fixture
def at_the_shot(shot: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process stands in the shot's folder."""
    monkeypatch.chdir(shot)
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    if "EFFICIENTTAM_WEIGHTS" in environment:
        monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", environment["EFFICIENTTAM_WEIGHTS"])
    return shot


ARGUMENTS = {
    "postcard": ["ab010_plate.%04d.exr", "1001", *words(HERO), "postcard.%04d.exr"],
    "correct_a_frame": ["ab010_plate.%04d.exr", *words(HERO), "corrected.%04d.exr"],
    "one_image": ["ab010_plate.1001.exr", *words(HERO), "mask_%d.png"],
    "own_frames": [],
    "farm_with_openjd": ["ab010_plate.%04d.exr", "1001", *words(HERO), *words(CAR), "farm"],
    "job_from_python": ["ab010_plate.%04d.exr", "1001", *words(HERO), *words(CAR), "mattes.%04d.exr"],
}


#: Those that start sessions of a scheduler, which take long.
LONG = ("farm_with_openjd",)


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.long] if path.stem in LONG else [])
        for path in EXAMPLES
    ],
)
def test_example(
    example: Path, at_the_shot: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 60
    monkeypatch.setattr(sys, "argv", [str(example), *ARGUMENTS[example.stem]])
    try:
        runpy.run_path(str(example), run_name="__main__")
    except SystemExit as end:
        assert not end.code
    assert capsys.readouterr().out
    pattern = ARGUMENTS[example.stem][-1] if ARGUMENTS[example.stem] else ""
    if "%04d" in pattern:
        assert all((at_the_shot / (pattern % frame)).is_file() for frame in FRAMES)
    elif "%d" in pattern:
        assert len(list(at_the_shot.glob("mask_*.png"))) == 3
    elif pattern:
        assert (at_the_shot / pattern / "hero" / "template.json").is_file()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> tuple[Path, str]:
    """A folder in which the README's first step was taken, with three frames instead of 48, and what that
    printed."""
    folder = tmp_path_factory.mktemp("readme")
    command = [sys.executable, "-m", "efficienttam", "demo", "--count", "3"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stdout


@pytest.fixture(scope="module")
def demo_folder(demo: tuple[Path, str]) -> Path:
    return demo[0]


def alpha(path: Path) -> np.ndarray:
    """The matte of a file, (height, width)."""
    image = oiio.ImageInput.open(str(path))
    assert image and image.spec().channelnames == ("A",), path
    picture = image.read_image("float")[..., 0]
    image.close()
    return picture


def test_the_demo_leaves_pictures_to_look_at(demo: tuple[Path, str]) -> None:
    folder, told = demo[0] / "efficienttam_demo", dict(re.findall(r"^(.*?)  +(.*)$", demo[1], re.MULTILINE))
    movie, sheet = folder / f"overlay{animation_suffix()}", folder / "contact_sheet.png"
    printed = {place: demo[0] / told[place] for place in ("job", "contact sheet", "to look at")}
    assert printed == {"job": folder / "hero.job.json", "contact sheet": sheet, "to look at": movie}
    picture = oiio.ImageBuf(str(sheet)).get_pixels("uint8")
    assert picture.shape[1] >= 4 * 320 and len(np.unique(picture)) > 50
    if movie.suffix == ".mp4":
        shown = FrameSequence(str(movie))
        plate = FrameSequence(str(folder / "plate" / "plate.%04d.exr"), color_space=COLOR_SPACE)
        assert (len(shown.frames), shown.size) == (len(FRAMES), plate.size)
        tint = np.abs(shown.read(3) / 255 - plate.read(1003)).mean(axis=2)
        matte = alpha(folder / "matte" / "hero.1003.exr")
        assert tint[matte > 0.9].mean() > 3 * tint[matte < 0.1].mean()


def test_the_demo_tells_the_score_of_its_mattes(demo: tuple[Path, str]) -> None:
    """Against its truth, over the frames after the clicked one."""
    folder = demo[0] / "efficienttam_demo"
    regions, boundaries = {}, {}
    for frame in FRAMES:
        mask, truth = (alpha(folder / name / f"hero.{frame}.exr") >= 0.5 for name in ("matte", "truth"))
        assert truth.any()
        regions[frame] = (mask & truth).sum() / (mask | truth).sum()
        boundaries[frame] = boundary_accuracy(mask, truth)
    j, f = (np.mean([values[1002], values[1003]]) for values in (regions, boundaries))
    worst = min(regions, key=regions.__getitem__)
    assert demo[1].splitlines()[-1].split(maxsplit=1) == [
        "score",
        f"J {j:.3f}  F {f:.3f}  J&F {(j + f) / 2:.3f} over 3 frames from one click; "
        f"lowest J {regions[worst]:.3f} on frame {worst}",
    ]


def readme_blocks(language: str) -> list[str]:
    """The blocks of a language after the first step, for a plate that ends at 1003."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8").partition("## Five steps")[2]
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block.replace("1048", "1003").replace("1030", "1003") for block in found]


def test_the_readme_python_runs(
    demo_folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo_folder)
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", environment.get("EFFICIENTTAM_WEIGHTS", ""))
    (block,) = readme_blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    image = oiio.ImageInput.open(str(demo_folder / "hero.1003.exr"))
    assert image.spec().channelnames == ("A",)
    image.close()


def test_the_readme_shell_runs(demo_folder: Path, environment: dict[str, str]) -> None:
    """Steps 3 to 5 and what follows, in order, but for weights that must be fetched and the window, which
    stays open (tests/window opens it)."""
    lines = "".join(readme_blocks("sh")).replace("\\\n", " ").splitlines()
    ran = [
        line
        for line in lines
        if line.startswith("efficienttam ")
        and "efficienttam_s" not in line
        and not line.startswith("efficienttam ui ")
    ]
    for line in ran:
        command = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(command, cwd=demo_folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
        assert "--resume" not in line or "0 mattes to make, 3 kept." in done.stderr
    assert len(ran) == 7
    assert sorted(os.listdir(demo_folder / "mattes")) == [
        f"{name}.{frame}.exr" for name in ("all", "hero") for frame in FRAMES
    ]
    assert (demo_folder / "preview.png").is_file() and (demo_folder / "hero.mov").is_file()
