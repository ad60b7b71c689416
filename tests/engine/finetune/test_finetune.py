"""Fine-tuning from files to a file: what is refused, what is learned, what the file holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from efficienttam.cli import main as command
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import Cancelled, IncompleteError, JobError, OutputError, PlateError
from efficienttam.contract.job import FrameRange, Model, Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt
from efficienttam.finetune import course, takes
from efficienttam.finetune.cli import main
from efficienttam.finetune.course import TuneRecipe
from efficienttam.finetune.held_out_score import HeldOutScore
from efficienttam.finetune.lesson import draw_lesson
from efficienttam.finetune.matted_shot import MatteWish, open_shots, refuse_bad_mattes
from efficienttam.finetune.parts import PARTS, live_parameters, parts_told
from efficienttam.finetune.takes import Take, held_out
from efficienttam.finetune.tuned_weights import MARK, metadata_of
from efficienttam.finetune.tuning import TuneOptions, finetune
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.weights.load import load_model
from efficienttam.weights.location import find_weights
from efficienttam.weights.record import sha256_of

BASE = find_weights("efficienttam_demo")
FRAMES = range(1, 7)
QUICK = TuneRecipe(parts=("heads",), steps=1, score_every=1, warm_up=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bright disc that moves over grey, with its mattes: six frames of 64 x 48."""
    place = tmp_path / "shot"
    (place / "mattes").mkdir(parents=True)
    for frame in FRAMES:
        matte = np.zeros((48, 64), np.uint8)
        cv2.circle(matte, (10 + 6 * frame, 24), 9, 255, -1)
        picture = np.full((48, 64, 3), 60, np.uint8)
        picture[matte > 0] = (200, 220, 90)
        cv2.imwrite(str(place / f"plate.{frame:04d}.png"), picture)
        cv2.imwrite(str(place / "mattes" / f"disc.{frame:04d}.png"), matte)
    return place


def options(folder: Path, **more: object) -> TuneOptions:
    told = {"sources": (str(folder),), "out": folder.parent / "show.safetensors", "recipe": QUICK}
    return TuneOptions(**{**told, "threads": 1, **more})  # type: ignore[arg-type]


def run(wanted: TuneOptions) -> list[str]:
    said: list[str] = []
    finetune(wanted, lambda: False, said.append)
    return said


@pytest.fixture
def quick_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image encoder that only makes pictures small."""

    def encode(model: EfficientTAM, image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(image, 16).repeat(1, 43, 1, 1)[:, : model.config.hidden]

    monkeypatch.setattr(EfficientTAM, "encode_image", encode)


@pytest.fixture
def quick_scores(quick_encoder: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Scores to come; the last one stays. Pictures are not really encoded."""
    scores = [0.5, 0.7]

    def score(model: object, takes: object) -> HeldOutScore:
        value = scores.pop(0) if len(scores) > 1 else scores[0]
        return HeldOutScore(value, value, 2)

    monkeypatch.setattr(course, "score_held_out", score)
    return scores


def test_it_writes_weights_that_load_and_leaves_the_original_alone(
    folder: Path, quick_scores: list[float]
) -> None:
    before = sha256_of(BASE)
    said = run(options(folder))
    assert sha256_of(BASE) == before
    assert "learns from 1-2,4-6, held out 3" in said[0]
    out = folder.parent / "show.safetensors"
    first, base = load_file(out), load_file(BASE)
    assert first.keys() == base.keys()
    differ = {name for name in base if not torch.equal(first[name].float(), base[name].float())}
    assert differ and all(name.startswith(PARTS["heads"]) for name in differ)
    facts = metadata_of(out)
    assert facts[MARK] == before and facts["model"] == "efficienttam_demo"
    assert json.loads(facts["efficienttam/score_after"])["clicked"] == 0.7
    assert json.loads(facts["efficienttam/learned_from"]) == {"shot": "1-2,4-6"}
    assert load_model(weights=out, device="cpu").weights_hash == sha256_of(out)

    # The same again, over the file of our own, is the same file to the bit.
    digest, quick_scores[:] = sha256_of(out), [0.5, 0.7]
    run(options(folder))
    assert sha256_of(out) == digest


def test_what_does_not_help_is_not_written(folder: Path, quick_scores: list[float]) -> None:
    quick_scores[:] = [0.7, 0.7]
    with pytest.raises(IncompleteError, match="no better than by efficienttam_demo"):
        run(options(folder))
    assert not (folder.parent / "show.safetensors").exists()
    quick_scores[:] = [0.7, 0.6]
    run(options(folder, keep_anyway=True))
    kept = metadata_of(folder.parent / "show.safetensors")
    assert json.loads(kept["efficienttam/score_after"])["clicked"] == 0.6


def test_a_stop_before_any_score_writes_nothing(folder: Path, quick_scores: list[float]) -> None:
    with pytest.raises(Cancelled):
        finetune(options(folder, keep_anyway=True), lambda: True, lambda text: None)
    assert not (folder.parent / "show.safetensors").exists()


def test_a_stop_keeps_the_best_so_far(folder: Path, quick_scores: list[float]) -> None:
    quick_scores[:] = [0.5, 0.7]
    asked = iter([False, True])
    outcome = finetune(
        options(folder, recipe=replace(QUICK, steps=50)), lambda: next(asked), lambda text: None
    )
    assert (outcome.ended, outcome.best_step) == ("It was stopped.", 1)
    assert (folder.parent / "show.safetensors").exists()


def test_what_was_learned_is_scored_when_the_time_is_over(
    folder: Path, quick_scores: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(course, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    # The clock is looked at once at the start and twice a step: three steps are six seconds.
    recipe = replace(QUICK, steps=50, score_every=20, minutes=0.1)
    outcome = finetune(options(folder, recipe=recipe), lambda: False, lambda text: None)
    assert outcome.ended == "The 0.1 minutes are over." and not outcome.stopped
    assert outcome.best_step == outcome.steps == 3
    kept = metadata_of(folder.parent / "show.safetensors")
    assert json.loads(kept["efficienttam/steps"])["best"] == 3


def test_a_stop_and_an_end_of_time_are_told_apart(
    folder: Path,
    quick_scores: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["finetune", str(folder), "--out", str(folder.parent / "show.safetensors"), "--threads", "1"]
    quick_scores[:] = [0.7, 0.6]
    assert command([*arguments, "--parts", "heads", "--minutes", "1e-9"]) == 7
    assert "The 1e-09 minutes were over before the first step" in capsys.readouterr().err
    quick_scores[:] = [0.7, 0.6]
    assert command([*arguments, "--parts", "heads", "--minutes", "0.0001"]) == 7
    quick_scores[:] = [0.7, 0.6]
    asked = iter([False, False, True])
    with pytest.raises(Cancelled, match="stopped before held-out frames were drawn better"):
        finetune(options(folder, recipe=replace(QUICK, steps=50)), lambda: next(asked), lambda text: None)
    assert not (folder.parent / "show.safetensors").exists()


@pytest.mark.parametrize("token", ["%04d", "####", "$F4"])
def test_mattes_are_found_by_any_token_and_name(folder: Path, token: str) -> None:
    for path in (folder / "mattes").iterdir():
        path.rename(path.with_name(path.name.replace("disc", "disc-left")))
    wish = MatteWish("", "mattes/{object}." + token + ".png", (), "", "")
    (shot,) = open_shots(str(folder), wish)
    assert list(shot.mattes) == ["disc-left"] and shot.frames == tuple(FRAMES)


def test_a_hold_out_that_holds_none_is_refused_before_any_work(folder: Path) -> None:
    with pytest.raises(PlateError, match="nothing would be held out"):
        run(options(folder, held_every=100))


@pytest.mark.parametrize(
    "words", [("--rate", "nan"), ("--minutes", "0"), ("--threads", "-1"), ("--hold-out", "1")]
)
def test_numbers_that_cannot_be_are_refused(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["shot", "--out", "show.safetensors", *words])
    assert ended.value.code == 2 and words[0] in capsys.readouterr().err


def test_the_original_is_never_written_to(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(BASE.read_bytes())
    (tmp_path / "link.safetensors").symlink_to(own)
    for out in (own, tmp_path / "link.safetensors"):
        with pytest.raises(JobError, match="never written to"):
            run(options(folder, weights=str(own), out=out))
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(JobError, match="not made by fine-tuning"):
        run(options(folder, out=other))
    with pytest.raises(OutputError):
        run(options(folder, out=tmp_path / "nowhere" / "show.safetensors"))
    with pytest.raises(JobError, match="is no name of"):
        run(options(folder, out=tmp_path / "show.pt"))
    assert own.read_bytes() == BASE.read_bytes()


def test_bad_mattes_are_refused_before_any_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takes, "frame_input", lambda *_: pytest.fail("A frame was encoded."))
    matte = folder / "mattes" / "disc.0002.png"
    good = matte.read_bytes()
    cv2.imwrite(str(matte), np.zeros((48, 64), np.uint8))
    with pytest.raises(PlateError, match=r"shot, disc: Frame 2 has an empty matte\. .*--absent"):
        run(options(folder))
    cv2.imwrite(str(matte), np.full((24, 32), 255, np.uint8))
    with pytest.raises(PlateError, match="is 32 x 24, not 64 x 48"):
        run(options(folder))
    matte.write_bytes(good)
    with pytest.raises(PlateError, match="Frames with mattes: 5; at least 6"):
        run(options(folder, wish=MatteWish(frames="1-5")))
    with pytest.raises(PlateError, match="Frame 9 has no matte"):
        run(options(folder, wish=MatteWish(frames="1-6,9")))
    (folder / "plate.0004.png").unlink()
    with pytest.raises(PlateError, match="Frame 4 has no picture in the plate"):
        run(options(folder))
    with pytest.raises(PlateError, match="holds no plate"):
        run(options(folder / "mattes"))
    with pytest.raises(JobError, match="no part of the network"):
        parts_told("decoder,brain")
    with pytest.raises(PlateError, match=r"There is no .*nowhere"):
        run(options(folder / "nowhere"))
    with pytest.raises(JobError, match="no such file is named"):
        run(options(folder, wish=MatteWish(channels=("ball.A",))))


def test_mattes_in_channels_of_one_file(shared_data: Path) -> None:
    wish = MatteWish(
        "plate_exr/plate.%04d.exr", "matte_exr/matte.%04d.exr", ("ball1.A", "ball2.A"), frames="1001,1003"
    )
    (shot,) = open_shots(str(shared_data / "open_twoballs"), wish)
    refuse_bad_mattes([shot], wish)
    assert shot.frames == (1001, 1003) and list(shot.mattes) == ["ball1.A", "ball2.A"]
    assert shot.matte("ball1.A", 1001).shape == (360, 640)


def test_a_job_teaches_its_key_frames_or_those_named(folder: Path) -> None:
    job = TrackJob(
        plate=Plate(str(folder / "plate.%04d.png")),
        objects=(
            TrackedObject(
                "disc", (Prompt(frame=1, include=((16, 24),)), Prompt(frame=5, include=((40, 24),)))
            ),
        ),
        output=Output("mattes/{object}.%04d.png", layer="rgba"),
        range=FrameRange(1, 6),
        model=Model(weights=str(BASE)),
    )
    path = folder / "job.json"
    write_job(job, str(path))
    (shot,) = open_shots(str(path), MatteWish())
    assert shot.frames == (1, 5) and shot.model is not None and shot.model.weights == str(BASE)
    assert shot.matte("disc", 1).max() == 1
    (shot,) = open_shots(str(path), MatteWish(frames="all"))
    assert shot.frames == tuple(FRAMES)
    (folder / "mattes" / "disc.0005.png").unlink()
    with pytest.raises(PlateError, match=r"disc\.0005\.png is missing"):
        open_shots(str(path), MatteWish())


def test_held_out_frames_are_spread_over_all_shots(folder: Path) -> None:
    (shot,) = open_shots(str(folder), MatteWish())
    shutil.copytree(folder, folder.parent / "other")
    (other,) = open_shots(str(folder.parent / "other"), MatteWish())
    assert held_out([shot, other]) == {"shot": (3,), "other": (1, 5)}


def test_a_frame_is_held_out_of_every_shot_of_its_plate(folder: Path) -> None:
    """Both eyes of a stereo plate, and two jobs on one plate, whatever their frames are."""
    for frame in range(7, 11):
        for path in ("plate.{:04d}.png", "mattes/disc.{:04d}.png"):
            shutil.copy(folder / path.format(6), folder / path.format(frame))
    (folder / "left").mkdir()
    (folder / "right").mkdir()
    for path in folder.glob("plate.*.png"):
        for eye in ("left", "right"):
            shutil.copy(path, folder / eye / path.name)
            matte = path.name.replace("plate", "disc")
            shutil.copy(folder / "mattes" / matte, folder / eye / matte)
    job = TrackJob(
        plate=Plate(str(folder / "%V/plate.%04d.png")),
        objects=(TrackedObject("disc", (Prompt(frame=1, include=((16, 24),)),)),),
        output=Output("%V/{object}.%04d.png", layer="rgba"),
        range=FrameRange(1, 10),
        views=("left", "right"),
    )
    write_job(job, str(folder / "stereo.json"))
    left, right = open_shots(str(folder / "stereo.json"), MatteWish(frames="all"))
    assert held_out([left, right]) == {left.name: (3, 7), right.name: (3, 7)}
    # Another job on the same eyes, with some of the frames.
    write_job(replace(job, views=("left",)), str(folder / "again.json"))
    (again,) = open_shots(str(folder / "again.json"), MatteWish(frames="3-6"))
    assert held_out([left, again, right])[again.name] == (3,)
    for name, token in (("a.json", "####"), ("b.json", "%04d")):
        plate, output = (
            Plate(str(folder / f"left/plate.{token}.png")),
            Output("left/{object}.%04d.png", layer="rgba"),
        )
        write_job(replace(job, plate=plate, output=output, views=()), str(folder / name))
    ones = [open_shots(str(folder / name), MatteWish(frames="all"))[0] for name in ("a.json", "b.json")]
    assert held_out(ones) == {"a.json": (3, 7), "b.json": (3, 7)}


def test_no_held_out_frame_is_learned_from() -> None:
    frames = 8
    masks = torch.zeros(frames, 256, 256, dtype=torch.bool)
    masks[:, 80:120, 60:140] = True
    held = np.arange(frames) % 4 == 2
    embeddings = torch.arange(frames, dtype=torch.float32)[:, None, None, None].expand(-1, 128, 16, 16)
    take = Take("shot", "disc", tuple(range(frames)), held, embeddings, masks, torch.zeros(frames, 64, 64))
    used = set()
    for step in range(60):
        batch, _ = draw_lesson([take], np.random.default_rng(step))
        used |= {int(place) for place in batch.embeddings[:, :, 0, 0, 0].flatten().tolist()}
    assert used == {0, 1, 3, 4, 5, 7}


def test_parts_never_hold_the_image_encoder() -> None:
    model = load_model(device="cpu")
    counts = {}
    for part in PARTS:
        live = live_parameters(model, (part,))
        assert live and not any(name.startswith("image_encoder") for name in live)
        counts[part] = sum(parameter.numel() for parameter in live.values())
    assert counts["norms"] < counts["heads"] < counts["decoder"]


@pytest.mark.long
def test_a_few_steps_teach_a_disc(folder: Path) -> None:
    recipe = TuneRecipe(steps=20, score_every=10)
    outcome = finetune(options(folder, recipe=recipe, keep_anyway=True), lambda: False, lambda text: None)
    assert outcome.best.mean >= outcome.before.mean
    assert load_model(weights=folder.parent / "show.safetensors", device="cpu")


@pytest.mark.long
def test_a_signal_writes_the_best_so_far(folder: Path) -> None:
    out = folder.parent / "show.safetensors"
    command = [sys.executable, "-m", "efficienttam", "finetune", str(folder), "--out", str(out)]
    command += ["--steps", "10000", "--patience", "10000", "--keep-anyway", "--threads", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "held-out J" in line:
            break
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(300) == 143
    assert MARK in metadata_of(out)
