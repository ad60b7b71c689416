"""Trials as a table: means over seeds, their spread, and the difference to the base, seed by seed."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from efficienttam.contract.whole_file import write_whole
from efficienttam.experiments.ablations import ABLATIONS, BASE
from efficienttam.experiments.trial import TrialResult

#: Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; the last is kept for more.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclasses.dataclass(frozen=True)
class Row:
    """One ablation over its seeds. ``difference`` is of J&F to the base with the same seed, in hundredths,
    ``spread`` its standard deviation over seeds (NaN for one seed)."""

    name: str
    seeds: int
    j: float
    jf: float
    difference: float
    spread: float
    of_paper: str

    @property
    def told_apart(self) -> bool:
        """True where zero is outside the 95 % interval of the mean difference (Student's t, as seeds are
        few)."""
        if self.seeds < 2:
            return False
        quantile = _STUDENT[min(self.seeds - 2, len(_STUDENT) - 1)]
        return abs(self.difference) > quantile * self.spread / math.sqrt(self.seeds)


def table_rows(results: Sequence[TrialResult]) -> list[Row]:
    """Rows in the order of the ablations; only seeds that the base was tried with, too, are compared."""
    base = {result.seed: result.jf for result in results if result.ablation == BASE}
    rows = []
    for ablation in ABLATIONS:
        mine = [result for result in results if result.ablation == ablation.name]
        if not mine:
            continue
        apart = [100 * (result.jf - base[result.seed]) for result in mine if result.seed in base]
        rows.append(
            Row(
                ablation.name,
                len(mine),
                statistics.fmean(result.j for result in mine),
                statistics.fmean(result.jf for result in mine),
                statistics.fmean(apart) if apart else math.nan,
                statistics.stdev(apart) if len(apart) > 1 else math.nan,
                ablation.of_paper,
            )
        )
    return rows


def to_markdown(rows: Sequence[Row]) -> str:
    """The table, with the paper's figures beside ours."""
    lines = [
        "| ablation | seeds | J | J&F | against the base, hundredths | told apart | paper, J&F |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        spread = "" if math.isnan(row.spread) else f" +- {row.spread:.1f}"
        apart = "" if row.name == BASE else "yes" if row.told_apart else "no"
        told = "base" if row.name == BASE else f"{row.difference:+.1f}{spread}"
        lines.append(
            f"| {row.name} | {row.seeds} | {row.j:.3f} | {row.jf:.3f} | {told} | {apart} | {row.of_paper} |"
        )
    return "\n".join(lines) + "\n"


def to_csv(results: Sequence[TrialResult]) -> str:
    """A line a trial, each with the J of every clip."""
    lines = ["ablation,seed,j,f,loss,seconds,clips"]
    for one in results:
        clips = " ".join(f"{j:.4f}" for j in one.clips)
        lines.append(
            f"{one.ablation},{one.seed},{one.j:.4f},{one.f:.4f},{one.loss:.4f},{one.seconds:.0f},{clips}"
        )
    return "\n".join(lines) + "\n"


def keep(result: TrialResult, folder: Path) -> None:
    """Writes a trial's result, whole or not at all."""
    text = json.dumps(dataclasses.asdict(result), indent=1) + "\n"
    write_whole(str(_place(folder, result.ablation, result.seed)), text.encode("utf-8"), "result")


def kept(folder: Path, ablation: str, seed: int) -> TrialResult | None:
    """The result of a trial that was done before."""
    path = _place(folder, ablation, seed)
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    return TrialResult(**{**told, "clips": tuple(told["clips"])})


def all_kept(folder: Path) -> list[TrialResult]:
    """The results of every trial in a folder, by ablation, then by seed."""
    found = []
    for ablation in ABLATIONS:
        seeds = [path.stem[len(ablation.name) + 1 :] for path in folder.glob(f"{ablation.name}-*.json")]
        numbers = sorted(int(seed) for seed in seeds if seed.isdigit())
        found += [result for seed in numbers if (result := kept(folder, ablation.name, seed))]
    return found


def _place(folder: Path, ablation: str, seed: int) -> Path:
    return folder / f"{ablation}-{seed}.json"
