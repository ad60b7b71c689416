"""The loop: rate, resume to the last bit, and two short real stages that learn and ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file
from torch import nn

from efficienttam.contract.errors import JobError, OutputError, WeightsError
from efficienttam.model.position_encoding import rotary_table, rotate
from efficienttam.training import course, cpu_kernels
from efficienttam.training.course import (
    SequenceOptions,
    StillOptions,
    TrainOptions,
    fresh_network,
    train,
)
from efficienttam.training.curve import read_log
from efficienttam.training.loop import Budget, LoopOptions, Run
from efficienttam.training.optimizer import rate_factor
from efficienttam.training.pool import PoolSpec
from efficienttam.weights.load import load_model
from efficienttam.weights.location import find_weights
from efficienttam.weights.packing import pack_weights


def test_the_rate_warms_up_and_decays() -> None:
    assert rate_factor(0, 0.0, 100) == pytest.approx(0.01)
    assert rate_factor(99, 0.0, 100) == pytest.approx(1.0)
    assert rate_factor(5000, 0.5, 100) == pytest.approx(0.51)
    assert rate_factor(9999, 1.0, 100) == pytest.approx(0.02)


def test_a_budget_ends_at_whichever_comes_first() -> None:
    assert Budget(steps=10).progress(5, 1e9) == 0.5
    assert Budget(seconds=100).progress(10**9, 25) == 0.25
    assert Budget(steps=10, seconds=100).progress(5, 90) == 0.9


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1)).to(torch.bfloat16)


def _run(folder: Path, stop_after: int = 0) -> Run:
    network = _network()
    run = Run("toy", folder, dict(network.named_parameters()), Budget(steps=8), LoopOptions(save_every=3))

    def lesson(rng: np.random.Generator):
        if stop_after and run.step == stop_after:
            raise KeyboardInterrupt
        x = torch.as_tensor(rng.normal(size=(32, 8))).to(torch.bfloat16)
        noise = torch.randn(32, 1).to(torch.bfloat16)
        loss = (network(x) - x[:, :1] - 0.1 * noise).float().square().mean()
        return loss, {}

    run.train(lesson)
    return run


def test_a_killed_run_continues_exactly(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "killed", stop_after=5)
    resumed = _run(tmp_path / "killed")
    assert resumed.step == whole.step == 8
    for name, weight in whole.optimizer.weights().items():
        assert torch.equal(weight, resumed.optimizer.weights()[name]), name


def test_a_finished_run_does_nothing_more(tmp_path: Path) -> None:
    before = {name: w.clone() for name, w in _run(tmp_path).optimizer.weights().items()}
    after = _run(tmp_path).optimizer.weights()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_run_shorter_than_a_line_of_the_log_is_in_it(tmp_path: Path) -> None:
    run = _run(tmp_path)
    assert run.step < run.options.log_every
    assert list(read_log(tmp_path / "toy.csv")["step"]) == [8]
    _run(tmp_path)
    assert list(read_log(tmp_path / "toy.csv")["step"]) == [8], "told once"


def test_the_same_weights_are_the_same_bytes() -> None:
    tensors = {"weight": torch.arange(6.0)}
    texts = {name: name for name in ("format", "model", "made", "with", "what")}
    packed = {pack_weights(tensors, texts) for _ in range(8)}
    assert len(packed) == 1
    assert torch.equal(load(packed.pop())["weight"], tensors["weight"])


def test_the_fast_forms_are_the_same_mathematics() -> None:
    model = fresh_network("efficienttam_demo", 1).eval()
    torch.manual_seed(0)
    image = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        slow = model.encode_image(image)
        with cpu_kernels.fast_on_cpu():
            fast = model.encode_image(image)
        again = model.encode_image(image)
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4)
    assert torch.equal(again, slow)
    tokens, table = torch.randn(2, 256, 128), rotary_table(16, 16, 128)
    torch.testing.assert_close(cpu_kernels.rotate(tokens, table), rotate(tokens, table))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainOptions:
    """A real run from nothing: a few clips, a few steps of both stages, the weights written."""
    folder = tmp_path_factory.mktemp("training")
    loop = LoopOptions(warm_up=2, log_every=1, save_every=5)
    options = TrainOptions(
        out=folder / "efficienttam_demo.safetensors",
        work=folder / "work",
        still_steps=8,
        sequence_steps=2,
        processes=1,
        drawers=1,
        stills=StillOptions(pool=PoolSpec(clips=4, frames=2), batch=3, loop=loop),
        sequences=SequenceOptions(
            pool=PoolSpec(clips=2, frames=3, first_clip=100),
            kinds=(1, 1, 1),
            courses=((0.4, 2), (0.6, 3)),
            corrections=1.0,
            loop=replace(loop, rate=1e-4),
        ),
    )
    threads = torch.get_num_threads()
    train(options)
    torch.set_num_threads(threads)
    return options


def test_a_short_run_learns(trained: TrainOptions) -> None:
    loss = read_log(trained.work / "stills.csv")["loss"]
    assert len(loss) == 8
    assert loss[-2:].mean() < 0.9 * loss[:2].mean()
    tracked = read_log(trained.work / "sequences.csv")
    assert np.isfinite(tracked["loss"]).all() and len(tracked["loss"]) == 2


def test_a_short_run_ships_weights_that_load(trained: TrainOptions) -> None:
    assert trained.out.stat().st_size < 12e6
    beside = trained.out.with_name("beside")
    beside.touch()
    assert trained.out.stat().st_mode == beside.stat().st_mode, "as readable as any other file"
    model = load_model("efficienttam_demo", device="cpu", weights=trained.out)
    fresh = fresh_network("efficienttam_demo", trained.seed)
    for name in ("image_encoder.trunk.blocks.0.attn.qkv.weight", "memory_encoder.out_proj.weight"):
        assert not torch.allclose(model.state_dict()[name], fresh.state_dict()[name], atol=1e-4), name


def test_training_further_starts_from_the_weights_given(trained: TrainOptions, tmp_path: Path) -> None:
    """At a rate of nothing the weights come out as they went in but for the rounding to bfloat16, whatever
    the seed draws."""
    shipped = find_weights("efficienttam_demo", None)
    options = replace(
        trained,
        out=tmp_path / "further.safetensors",
        work=tmp_path / "work",
        weights=shipped,
        rate=0.0,
        seed=2,
        still_steps=1,
        sequence_steps=1,
    )
    threads = torch.get_num_threads()
    train(options)
    torch.set_num_threads(threads)
    before, after = load_file(shipped), load_file(options.out)
    assert before.keys() == after.keys()
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=2**-8, atol=0, msg=name)


@pytest.mark.long
def test_a_killed_course_continues_exactly(
    trained: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo recipe, killed in the seventh step of the stills and in the second of the sequences."""
    options = replace(trained, out=tmp_path / "killed.safetensors", work=tmp_path / "work")
    threads = torch.get_num_threads()
    for name, fatal in (("still_loss", 6), ("sequence_loss", 1)):
        whole, calls = getattr(course, name), iter(range(1000))

        def deadly(*given, whole=whole, calls=calls, fatal=fatal):
            if next(calls) == fatal:
                raise KeyboardInterrupt
            return whole(*given)

        monkeypatch.setattr(course, name, deadly)
        with pytest.raises(KeyboardInterrupt):
            train(options)
        monkeypatch.setattr(course, name, whole)
    train(options)
    torch.set_num_threads(threads)
    assert options.out.read_bytes() == trained.out.read_bytes()
    for stage in ("stills", "sequences"):
        first, second = (read_log(run.work / f"{stage}.csv") for run in (trained, options))
        np.testing.assert_array_equal(first["loss"], second["loss"])


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"seed": 0}, JobError, "seed 0"),
        ({"seed": 1001}, JobError, "seed 1001"),
        ({"pools": 0.0001}, JobError, "1 clips cannot be shared by 2 processes"),
        ({"out": Path("/proc/nope/x.safetensors")}, OutputError, "/proc/nope cannot be made"),
        ({"work": Path(__file__)}, OutputError, r"test_loop\.py cannot be made"),
        ({"weights": Path("none.safetensors")}, WeightsError, "no weights at"),
    ],
)
def test_what_cannot_work_is_refused_before_a_clip_is_drawn(
    wrong: dict, error: type, said: str, tmp_path: Path
) -> None:
    places = {"out": tmp_path / "o.safetensors", "work": tmp_path / "work"}
    options = TrainOptions(**{**places, **wrong})
    with pytest.raises(error, match=said):
        train(options)
    assert not (tmp_path / "work").exists()


def test_weights_are_not_trained_over_themselves(tmp_path: Path) -> None:
    shipped = find_weights("efficienttam_demo", None)
    before = shipped.read_bytes()
    with pytest.raises(JobError, match="what is trained on from"):
        train(TrainOptions(out=shipped, work=tmp_path / "work", weights=shipped))
    assert shipped.read_bytes() == before and not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"seed": 2}, "holds other clips"),
        ({"rate": 0.5}, "is of another run .*rate 1.*rate 0.5"),
        ({"weights": find_weights("efficienttam_demo", None)}, "is of another run .*from "),
        ({"still_steps": 9}, "sequences.pt was begun on what .* holds after 8 steps"),
    ],
)
def test_the_folder_of_another_run_is_refused(trained: TrainOptions, other: dict, said: str) -> None:
    stamp = {path: path.read_bytes() for path in trained.work.glob("*.pt")}
    before = trained.out.read_bytes()
    threads = torch.get_num_threads()
    with pytest.raises(JobError, match=said):
        train(replace(trained, **other))
    torch.set_num_threads(threads)
    assert trained.out.read_bytes() == before
    assert {path: path.read_bytes() for path in trained.work.glob("*.pt")} == stamp


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    _run(tmp_path)
    checkpoint = tmp_path / "toy.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(JobError, match=r"toy\.pt is damaged.*Remove it"):
        _run(tmp_path)
