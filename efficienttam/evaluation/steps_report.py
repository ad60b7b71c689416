"""What each step of shaping gains, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficienttam.evaluation.matte_errors import MatteErrors
from efficienttam.evaluation.report import COLUMNS, mean_errors, told
from efficienttam.evaluation.shaping_steps import StepErrors

#: One frame of a plate: there is none before it to flicker against.
_SHOWN = {name: shown for name, shown in COLUMNS.items() if name != "flicker"}
_KEYS = ("size", "plate", "logits", "step")


@dataclass(frozen=True)
class StepRow:
    """Mean errors, by the names of ``MatteErrors``, of a step on mattes from ``logits`` of a plate; NaN for
    an error that is not defined."""

    size: str
    plate: str
    logits: str
    step: str
    errors: Mapping[str, float]

    @property
    def words(self) -> tuple[str, str, str, str]:
        """What the errors are of."""
        return self.size, self.plate, self.logits, self.step


def rows(found: Sequence[StepErrors]) -> list[StepRow]:
    """Means over seeds, objects and frames, by size, plate, logits and step, in the order they came."""
    together: dict[tuple[str, str, str, str], list[MatteErrors]] = {}
    for one in found:
        key = (f"{one.size[0]}x{one.size[1]}", one.plate, one.logits, one.step)
        together.setdefault(key, []).append(one.errors)
    return [StepRow(*key, errors=mean_errors(errors)) for key, errors in together.items()]


def means(found: Sequence[StepErrors]) -> list[StepRow]:
    """Means of the rows over the plates of a size; none where a size has one plate."""
    together: dict[tuple[str, str, str], list[StepRow]] = {}
    for row in rows(found):
        together.setdefault((row.size, row.logits, row.step), []).append(row)
    return [
        StepRow(
            size,
            f"mean of {len(plates)}",
            logits,
            step,
            {name: _mean([row.errors[name] for row in plates]) for name in _SHOWN},
        )
        for (size, logits, step), plates in together.items()
        if len(plates) > 1
    ]


def to_markdown(found: Sequence[StepErrors]) -> str:
    """The means, where there are any, and a table of every plate."""
    titles = [*_KEYS, *(title for title, _ in _SHOWN.values())]
    head = f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}"
    tables = []
    for table in (means(found), rows(found)):
        lines = []
        for row in table:
            cells = [*row.words, *(told(row.errors[name], digits) for name, (_, digits) in _SHOWN.items())]
            lines.append(f"| {' | '.join(cells)} |")
        if lines:
            tables.append("\n".join([head, *lines]))
    return "\n\n".join(tables) + "\n"


def to_csv(found: Sequence[StepErrors]) -> str:
    """A line per size, plate, logits and step."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow([*_KEYS, *_SHOWN])
    for row in rows(found):
        lines.writerow([*row.words, *(f"{row.errors[name]:.5g}" for name in _SHOWN)])
    return out.getvalue()


def to_json(found: Sequence[StepErrors]) -> str:
    """Means and rows with five digits; an error that is not defined is null."""
    tables = {"means": means(found), "rows": rows(found)}
    return json.dumps({name: [_flat(row) for row in table] for name, table in tables.items()}, indent=1)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _flat(row: StepRow) -> dict[str, str | float | None]:
    errors = {name: row.errors[name] for name in _SHOWN}
    rounded = {name: None if math.isnan(value) else float(f"{value:.5g}") for name, value in errors.items()}
    return {**dict(zip(_KEYS, row.words, strict=True)), **rounded}
