"""The paper's ablations: their table from made-up trials, and small trials for real."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from efficienttam.contract.errors import JobError
from efficienttam.experiments.ablation_table import all_kept, keep, kept, table_rows, to_csv, to_markdown
from efficienttam.experiments.ablations import ABLATIONS, BASE, find_ablations
from efficienttam.experiments.cli import main
from efficienttam.experiments.trial import TrialRecipe, TrialResult, run_trial, starting_network
from efficienttam.model.build import find_config
from efficienttam.training.pool import PoolSpec, fill
from efficienttam.weights.load import load_model


def result(name: str, seed: int, jf: float) -> TrialResult:
    return TrialResult(name, seed, jf + 0.01, jf - 0.01, (jf,), 1.0, 2.0)


def test_differences_are_taken_seed_by_seed() -> None:
    """Seeds differ more than ablations do: what each seed says of both is what counts."""
    results = [result(BASE, 1, 0.70), result(BASE, 2, 0.60), result(BASE, 3, 0.65)]
    results += [result("linear", 1, 0.60), result("linear", 2, 0.51), result("linear", 3, 0.56)]
    results += [result("full", 1, 0.71), result("full", 2, 0.59)]
    base, full, linear = table_rows(results)
    assert (base.name, full.name, linear.name) == (BASE, "full", "linear")
    assert math.isclose(linear.difference, -28 / 3) and math.isclose(linear.spread, 1 / math.sqrt(3))
    assert linear.told_apart
    assert full.seeds == 2 and abs(full.difference) < 1e-9 and not full.told_apart
    table = to_markdown([base, full, linear])
    assert "| linear | 3 | 0.567 | 0.557 | -9.3 +- 0.6 | yes | more than -10 |" in table
    assert to_csv(results).splitlines()[1] == f"{BASE},1,0.7100,0.6900,1.0000,2,0.7000"


def test_one_seed_tells_nothing_apart() -> None:
    (_, row) = table_rows([result(BASE, 1, 0.7), result("linear", 1, 0.2)])
    assert not row.told_apart and math.isnan(row.spread)


def test_few_seeds_need_a_large_difference() -> None:
    """Three seeds: the interval is 4.3 standard errors wide to each side, not two."""
    base = [result(BASE, seed, 0.5) for seed in (1, 2, 3)]
    near = [result("full", seed, 0.5 + shift) for seed, shift in ((1, 0.01), (2, 0.02), (3, 0.03))]
    far = [result("linear", seed, 0.5 + shift) for seed, shift in ((1, 0.05), (2, 0.06), (3, 0.07))]
    _, full, linear = table_rows([*base, *near, *far])
    # Two hundredths with a standard error of 0.58: 3.46 of them; six hundredths: 10.4.
    assert not full.told_apart and linear.told_apart


def test_a_folder_tells_all_that_it_holds(tmp_path: Path) -> None:
    results = [result(BASE, 1, 0.5), result(BASE, 10, 0.6), result("full", 2, 0.4)]
    for one in reversed(results):
        keep(one, tmp_path)
    (tmp_path / "full-clips.json").write_text("{}")
    assert all_kept(tmp_path) == results


def test_a_result_is_kept_whole(tmp_path: Path) -> None:
    one = dataclasses.replace(result("full", 4, 0.3), clips=(0.1, 0.5))
    keep(one, tmp_path)
    assert kept(tmp_path, "full", 4) == one and kept(tmp_path, "full", 5) is None


def test_names_that_are_none_are_told() -> None:
    assert [one.name for one in find_ablations("linear,full")] == [BASE, "full", "linear"]
    assert find_ablations("") == ABLATIONS
    with pytest.raises(JobError, match="no ablation quadratic"):
        find_ablations("linear, quadratic")


def test_every_ablation_begins_with_the_same_numbers() -> None:
    model = load_model("efficienttam_demo", device="cpu")
    weights = {name: value.float() for name, value in model.state_dict().items()}
    demo = find_config("efficienttam_demo")
    starts = [starting_network(one.changed(demo), 7, weights).state_dict() for one in ABLATIONS]
    assert all((start[name] == value).all() for start in starts[1:] for name, value in starts[0].items())
    assert (
        starts[0]["sam_prompt_encoder.no_mask_embed.weight"]
        == weights["sam_prompt_encoder.no_mask_embed.weight"]
    ).all()
    anew = "memory_attention.layers.0.linear1.weight"
    assert not (starts[0][anew] == weights[anew]).all()


@pytest.mark.parametrize("name", ["linear", "half-input"])
def test_a_trial_learns_and_tracks(tmp_path: Path, name: str) -> None:
    pool = PoolSpec(clips=2, frames=3, first_clip=500_000)
    fill(tmp_path / "clips", pool)
    recipe = TrialRecipe(
        steps=1,
        kinds=(0, 1, 1),
        courses=((1.0, 2),),
        pool=pool,
        test_clips=1,
        test_frames=2,
        test_size=(96, 54),
    )
    weights = {
        name: value.float()
        for name, value in load_model("efficienttam_demo", device="cpu").state_dict().items()
    }
    config = find_ablations(name)[1].changed(find_config("efficienttam_demo"))
    one = run_trial(name, config, 3, recipe, weights, tmp_path)
    assert one.ablation == name and len(one.clips) == 1 and one.j == one.clips[0] and one.loss > 0
    # What is trained to its end is scored again and not trained again.
    assert run_trial(name, config, 3, recipe, weights, tmp_path).clips == one.clips


@pytest.mark.long
def test_trials_run_resume_and_repeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--seeds", "1", "--steps", "2", "--clips", "3", "--test-clips", "1", "--test-frames", "3"]
    words += ["--threads", "1"]
    assert main([*words, "--only", "no-pointers", "--work", str(tmp_path / "one")]) == 0
    first = capsys.readouterr()
    assert "| no-pointers | 1 |" in first.out and f"| {BASE} | 1 |" in first.out
    one = kept(tmp_path / "one", "no-pointers", 1)
    base = kept(tmp_path / "one", BASE, 1)
    assert one is not None and base is not None and one.j != base.j
    # What is there is not made again; what is missing is.
    (tmp_path / "one" / "no-pointers-1.json").unlink()
    before = (tmp_path / "one" / f"{BASE}-1.json").stat().st_mtime_ns
    (tmp_path / "one" / "no-pointers-1.pt").unlink()
    assert main([*words, "--only", "no-pointers,linear", "--work", str(tmp_path / "one")]) == 0
    assert "| linear | 1 |" in capsys.readouterr().out
    # A run of some rewrites the tables with all.
    assert main([*words, "--only", "linear", "--work", str(tmp_path / "one")]) == 0
    assert "| no-pointers | 1 |" in capsys.readouterr().out
    assert "\nno-pointers,1," in (tmp_path / "one" / "ablations.csv").read_text()
    assert (tmp_path / "one" / f"{BASE}-1.json").stat().st_mtime_ns == before
    again = kept(tmp_path / "one", "no-pointers", 1)
    assert again is not None and (again.j, again.clips, again.loss) == (one.j, one.clips, one.loss)
    with pytest.raises(JobError, match="another recipe"):
        main([*words, "--steps", "3", "--work", str(tmp_path / "one")])
