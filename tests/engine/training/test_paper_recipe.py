"""The paper's recipe: rates, schedules, clicks, losses, memory saved, runs that were killed or shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from efficienttam.contract.errors import JobError, OutputError, PlateError
from efficienttam.model.build import find_config
from efficienttam.model.config import MODELS, CrossAttention
from efficienttam.training import paper_course
from efficienttam.training.augmentation import Augmentation
from efficienttam.training.cli import build_parser
from efficienttam.training.course import fresh_network
from efficienttam.training.curve import read_log
from efficienttam.training.datasets import open_data
from efficienttam.training.layered_adamw import LayeredAdamW
from efficienttam.training.lesson import NUMBERS, play, recomputed
from efficienttam.training.paper_course import PaperOptions, train_as_paper
from efficienttam.training.paper_recipe import CLIP, DECAY, SEQUENCES, STILLS
from efficienttam.training.processes import free_port, seat_given
from efficienttam.training.prompt_sampling import place_correction
from efficienttam.training.samples import Sample, draw_sample
from efficienttam.training.sequences import Listener


def test_every_parameter_has_its_rate(tiny) -> None:
    model = fresh_network("tiny", 1)
    rates = LayeredAdamW(model.named_parameters(), SEQUENCES.rates, 3, DECAY, CLIP).peak_rates()
    assert rates.keys() == dict(model.named_parameters()).keys()
    exponents = {"patch_embed": 4, "pos_embed": 4, "blocks.0.": 3, "blocks.1.": 2, "blocks.2.": 1}
    for name, (rate, decay) in rates.items():
        if name.startswith("image_encoder.trunk."):
            power = next(power for part, power in exponents.items() if part in name)
            assert rate == pytest.approx(6e-5 * 0.8**power), name
        else:
            assert rate == (6e-5 if name.startswith("image_encoder.neck.") else 3e-4), name
        if name.endswith(("bias", "norm1.weight", "pos_embed", "no_obj_ptr", "iou_token.weight")):
            assert decay == 0, name
        if name.endswith(("qkv.weight", "conv_3x3.weight", "patch_embed.proj.weight", "q_proj.weight")):
            assert decay == 0.1, name


def test_adamw_steps_by_those_rates(tiny) -> None:
    """The first step of AdamW is the rate times the sign of the gradient, after the decay."""
    model = fresh_network("tiny", 1)
    named = dict(model.named_parameters())
    optimizer = LayeredAdamW(named.items(), SEQUENCES.rates, 3, DECAY, clip=1e9)
    before = {name: p.detach().clone() for name, p in named.items()}
    for parameter in named.values():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(0.5)
    for name, (rate, decay) in optimizer.peak_rates().items():
        expected = before[name] * (1 - 0.5 * rate * decay) - 0.5 * rate
        torch.testing.assert_close(named[name].detach(), expected, rtol=1e-5, atol=1e-8, msg=name)


def test_the_first_schedule_rises_falls_by_the_root_and_cools_down() -> None:
    at = lambda step: STILLS.schedule(step, step / STILLS.steps)  # noqa: E731
    assert at(0) == pytest.approx(1 / 1000) and at(999) == pytest.approx(1)
    assert at(11_000) == pytest.approx(2**-0.5)
    assert at(85_000) == pytest.approx((1 + 8.4) ** -0.5)
    assert at(87_500) == pytest.approx(0.5 * (1 + 8.65) ** -0.5) and at(90_000) == 0


def test_the_second_schedule_is_a_cosine() -> None:
    at = lambda step: SEQUENCES.schedule(step, step / SEQUENCES.steps)  # noqa: E731
    assert at(0) == pytest.approx(1 / 15_000) and at(15_000) == pytest.approx(1)
    assert at(157_500) == pytest.approx(0.5) and at(300_000) == pytest.approx(0)


def test_the_paper_s_numbers() -> None:
    assert (STILLS.steps, STILLS.rates.encoder, STILLS.rates.rest) == (90_000, 4e-4, 4e-4)
    assert (SEQUENCES.steps, SEQUENCES.rates.encoder, SEQUENCES.rates.rest) == (300_000, 6e-5, 3e-4)
    assert (STILLS.samples.most_in_image, SEQUENCES.samples.most_objects) == (64, 3)
    assert SEQUENCES.samples.frames == 8
    change = SEQUENCES.samples.augmentation
    assert (change.turn, change.shear, change.grey) == (25, 20, 0.05)
    assert (change.brightness, change.contrast, change.saturation) == (0.1, 0.03, 0.03)


def test_clicks_fall_evenly_on_what_is_wrong() -> None:
    target = torch.zeros(1, 8, 8)
    target[0, 2, 2:6] = 1
    logits = torch.full((1, 8, 8), -1.0)
    places = {
        tuple(place_correction(logits, target, 8, torch.tensor([c]))[0][0, 0].tolist())
        for c in (0, 0.26, 0.6, 0.999999)
    }
    assert places == {(2.0, 2.0), (3.0, 2.0), (4.0, 2.0), (5.0, 2.0)}
    logits[0, 7, 7] = 1
    points, tags = place_correction(logits, target, 32, torch.tensor([0.99]))
    assert points.tolist() == [[[29.5, 29.5]]] and tags.tolist() == [[0]]
    right = target * 2 - 1
    points, tags = place_correction(right, target, 8, torch.tensor([0.0]))
    assert tags.tolist() == [[1]] and points.tolist() == [[[2.0, 2.0]]]


def test_augmentation_moves_picture_and_matte_alike() -> None:
    matte = np.zeros((2, 1, 32, 32), np.float32)
    matte[:, :, 8:20, 6:14] = 1
    pictures = np.repeat(matte[:, 0, :, :, None], 3, 3)
    changed, mattes = Augmentation(flip=1.0, turn=25, shear=20).apply(
        pictures, matte, np.random.default_rng(1)
    )
    np.testing.assert_allclose(changed[..., 0], mattes[:, 0], atol=1e-6)
    np.testing.assert_array_equal(changed[0], changed[1])
    assert abs(mattes - matte).max() > 0.5
    grey, _ = Augmentation(grey=1.0).apply(
        np.random.default_rng(0).random((1, 8, 8, 3), np.float32), matte[:1], np.random.default_rng(0)
    )
    np.testing.assert_allclose(grey[..., 0], grey[..., 2], atol=1e-6)


def _sample(kind: str, seed: int = 0) -> Sample:
    chances = tuple(float(kind == one) for one in ("click", "box", "mask"))
    recipe = replace(SEQUENCES.samples, frames=3, clicks=2, kinds=chances)
    drawn = draw_sample(open_data(["generated:20"], 64), recipe, 64, np.random.default_rng(seed))
    return replace(drawn, corrected=(1,))


@pytest.mark.parametrize("kind", ["click", "box", "mask"])
def test_a_sample_has_a_loss_for_every_pass(kind: str, tiny) -> None:
    model = fresh_network("tiny", 1)
    sample = _sample(kind)
    played = play(model, Listener(model), sample)
    assert len(played.losses) == 3 + 2, "three frames, and two clicks on the second"
    assert len(played.logits) == 3 and played.logits[0].shape == sample.targets[0].shape
    numbers = played.numbers()
    assert tuple(numbers) == NUMBERS
    assert np.isnan(numbers["click"]) == (kind != "click") and np.isfinite(numbers["last"])
    played.loss.backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    assert "no_mem_pos_enc" in without and not any("trunk" in name for name in without)


@pytest.mark.parametrize("form", list(CrossAttention))
def test_every_form_of_attention_learns(form: CrossAttention, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = replace(tiny.memory_attention, cross_attention=form)
    monkeypatch.setitem(MODELS, "tiny", replace(tiny, memory_attention=memory))
    model = fresh_network("tiny", 1)
    play(model, Listener(model), _sample("mask")).loss.backward()
    assert model.memory_attention.crosses[0].k_proj.weight.grad.abs().sum() > 0
    assert model.image_encoder.trunk.patch_embed.proj.weight.grad.abs().sum() > 0


def test_a_frame_without_the_object_has_no_mask_loss(tiny) -> None:
    model = fresh_network("tiny", 1)
    drawn = _sample("mask")
    gone = drawn.masks.clone()
    gone[1:] = False
    sample = replace(
        drawn, masks=gone, targets=drawn.targets * gone[:, :, ::4, ::4].amax((2, 3), True), corrected=()
    )
    listener = Listener(model)
    scores = []
    model.sam_mask_decoder.register_forward_hook(
        lambda module, given, result: scores.append(result.object_score)
    )
    losses = play(model, listener, sample).losses
    for loss, score in zip(losses[1:], scores[1:], strict=True):
        expected = torch.nn.functional.binary_cross_entropy_with_logits(score, torch.zeros_like(score))
        torch.testing.assert_close(loss, expected)


def test_layers_that_run_again_have_the_same_gradients(tiny) -> None:
    model, sample = fresh_network("tiny", 1), _sample("click")
    listener = Listener(model)
    play(model, listener, sample).loss.backward()
    kept = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    with recomputed(model):
        play(model, listener, sample).loss.backward()
    assert all("forward" not in vars(block) for block in model.image_encoder.trunk.blocks)
    for name, gradient in kept.items():
        torch.testing.assert_close(model.get_parameter(name).grad, gradient, rtol=0, atol=0, msg=name)


def _options(folder: Path, **more: object) -> PaperOptions:
    given = PaperOptions(
        out=folder / "tiny.safetensors",
        work=folder / "work",
        model="tiny",
        data=("generated:20",),
        still_steps=3,
        sequence_steps=3,
        batch=2,
        drawers=0,
        device="cpu",
        picture_minutes=0,
        save_every=2,
        log_every=1,
    )
    return replace(given, **more)  # type: ignore[arg-type]


def _same_course(one: Path, other: Path) -> None:
    for stage in ("stills", "sequences"):
        first, second = read_log(one / "work" / f"{stage}.csv"), read_log(other / "work" / f"{stage}.csv")
        for name in first.keys() - {"seconds"}:
            np.testing.assert_array_equal(first[name], second[name], f"{stage} {name}")
    first, second = load_file(one / "tiny.safetensors"), load_file(other / "tiny.safetensors")
    assert all(torch.equal(first[name], second[name]) for name in first)
    for stage in ("stills", "sequences"):
        states = [torch.load(at / "work" / f"{stage}.pt")["optimizer"] for at in (one, other)]
        for name, weight in states[0]["weights"].items():
            assert torch.equal(weight, states[1]["weights"][name]), name
        for index, moments in states[0]["adam"]["state"].items():
            assert all(
                torch.equal(value, states[1]["adam"]["state"][index][key]) for key, value in moments.items()
            )


def test_a_killed_run_continues_to_the_bit(
    tmp_path: Path, tiny, light_stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of the third step of either stage, past the checkpoint of the second."""
    train_as_paper(_options(tmp_path / "whole", stages=light_stages))
    whole_play = paper_course.play
    for fatal in (2 * 2 + 1, 2 + 2 * 2 + 1):
        calls = iter(range(10**6))

        def deadly(*given: object, fatal: int = fatal, calls: object = calls) -> object:
            if next(calls) == fatal:  # type: ignore[call-overload]
                raise KeyboardInterrupt
            return whole_play(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(paper_course, "play", deadly)
        with pytest.raises(KeyboardInterrupt):
            train_as_paper(_options(tmp_path / "killed", stages=light_stages))
    monkeypatch.setattr(paper_course, "play", whole_play)
    assert (tmp_path / "killed/work/sequences.pt").exists()
    train_as_paper(_options(tmp_path / "killed", stages=light_stages))
    _same_course(tmp_path / "whole", tmp_path / "killed")
    with pytest.raises(JobError, match="another run"):
        train_as_paper(_options(tmp_path / "killed", stages=light_stages, seed=2))


@pytest.mark.parametrize(
    "name", ["efficienttam_s", "efficienttam_ti_1", "efficienttam_ti_2", "efficienttam_s_512x512"]
)
def test_variants_have_rates_for_all_they_have(name: str) -> None:
    """By name alone, without the memory that weights take."""
    config = find_config(name)
    depth = config.image_encoder.depth
    assert SEQUENCES.rates.of("image_encoder.trunk.blocks.0.attn.qkv.weight", depth) == pytest.approx(
        6e-5 * 0.8**12
    )
    assert SEQUENCES.rates.of(f"image_encoder.trunk.blocks.{depth - 1}.x", depth) == pytest.approx(6e-5 * 0.8)


def test_what_cannot_work_is_refused_first(tmp_path: Path, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong, error, said in (
        ({"batch": 3, "processes": 2}, JobError, "cannot be shared"),
        ({"model": "tinny"}, JobError, "no model"),
        ({"seed": 0}, JobError, "no seed"),
        ({"data": ("davis:/nowhere",)}, PlateError, "nothing at"),
        ({"out": tmp_path}, OutputError, "cannot be written"),
    ):
        with pytest.raises(error, match=said):
            train_as_paper(_options(tmp_path, **wrong))
    assert not (tmp_path / "work").exists()
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    with pytest.raises(JobError, match="RANK 2 of 2"):
        seat_given()


def _command(program: Path, folder: Path, *more: str) -> list[str]:
    words = "--recipe paper --model tiny --data generated:20 --batch 4 --still-steps 3 --sequence-steps 3"
    words += (
        f" --log-every 1 --save-every 1 --drawers 1 --device cpu --picture-minutes 0 --work {folder}/work"
    )
    return [str(program), *words.split(), "--out", f"{folder}/tiny.safetensors", *more]


def _environment() -> dict[str, str]:
    here = str(Path(__file__).resolve().parents[3])
    return {**os.environ, "PYTHONPATH": here, "OMP_NUM_THREADS": "1"}


@pytest.mark.long
@pytest.mark.usefixtures("loopback")
def test_two_processes_of_torchrun_learn_what_one_learns(tmp_path: Path, tiny_program: Path) -> None:
    """Equal but for the order in which gradients are summed: losses to 1e-4 of themselves."""
    subprocess.run(
        [sys.executable, *_command(tiny_program, tmp_path / "one")], check=True, env=_environment()
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    torchrun += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    subprocess.run([*torchrun, *_command(tiny_program, tmp_path / "two")], check=True, env=_environment())
    beside = _command(tiny_program, tmp_path / "own", "--processes", "2")
    subprocess.run([sys.executable, *beside], check=True, env=_environment())
    for other in ("two", "own"):
        for stage in ("stills", "sequences"):
            first, second = (read_log(tmp_path / run / "work" / f"{stage}.csv") for run in ("one", other))
            np.testing.assert_allclose(second["loss"], first["loss"], rtol=1e-4)
            np.testing.assert_allclose(second["norm"], first["norm"], rtol=1e-3)
    # To the bit: the same two processes, however they were started.
    first, second = (load_file(tmp_path / run / "tiny.safetensors") for run in ("two", "own"))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.long
def test_a_run_killed_by_the_system_continues_to_the_bit(tmp_path: Path, tiny_program: Path) -> None:
    subprocess.run(
        [sys.executable, *_command(tiny_program, tmp_path / "whole")], check=True, env=_environment()
    )
    command = [sys.executable, *_command(tiny_program, tmp_path / "killed")]
    running = subprocess.Popen(command, env=_environment())
    while not (tmp_path / "killed/work/stills.csv").exists():
        time.sleep(0.01)
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    subprocess.run(command, check=True, env=_environment())
    _same_course(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize("minutes", ["nan", "inf", "-1"])
def test_minutes_that_never_pass_are_refused(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["--recipe", "paper", "--picture-minutes", minutes])
    assert ended.value.code == 2 and "below 0, or not finite" in capsys.readouterr().err
