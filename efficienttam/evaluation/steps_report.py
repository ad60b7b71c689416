"""What each step of shaping gains, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from efficienttam.evaluation.matte_errors import MatteErrors
from efficienttam.evaluation.report import COLUMNS, mean_errors, told
from efficienttam.evaluation.shaping_steps import StepErrors

#: One frame of a plate: there is none before it to flicker against.
_SHOWN = {name: shown for name, shown in COLUMNS.items() if name != "flicker"}
_KEYS = ("size", "plate", "logits", "step")


def rows(found: Sequence[StepErrors]) -> list[dict[str, Any]]:
    """Means over seeds, objects and frames, by size, plate, logits and step, in the order they came."""
    together: dict[tuple[str, str, str, str], list[MatteErrors]] = {}
    for one in found:
        key = (f"{one.size[0]}x{one.size[1]}", one.plate, one.logits, one.step)
        together.setdefault(key, []).append(one.errors)
    return [_row(key, errors) for key, errors in together.items()]


def means(found: Sequence[StepErrors]) -> list[dict[str, Any]]:
    """Means of the rows over the plates of a size; none where a size has one plate."""
    together: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows(found):
        together.setdefault((row["size"], row["logits"], row["step"]), []).append(row)
    return [
        {"size": size, "plate": f"mean of {len(plates)}", "logits": logits, "step": step}
        | {name: _mean([row[name] for row in plates]) for name in _SHOWN}
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
            cells = [str(row[key]) for key in _KEYS]
            cells += [told(row[name], digits) for name, (_, digits) in _SHOWN.items()]
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
        lines.writerow([*(row[key] for key in _KEYS), *(f"{row[name]:.5g}" for name in _SHOWN)])
    return out.getvalue()


def to_json(found: Sequence[StepErrors]) -> str:
    """Means and rows; an error that is not defined is null."""
    tables = {"means": means(found), "rows": rows(found)}
    return json.dumps({name: [_defined(row) for row in table] for name, table in tables.items()}, indent=1)


def _row(key: tuple[str, str, str, str], errors: Sequence[MatteErrors]) -> dict[str, Any]:
    mean = mean_errors(errors)
    return {**dict(zip(_KEYS, key, strict=True)), **{name: mean[name] for name in _SHOWN}}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _defined(row: dict[str, Any]) -> dict[str, Any]:
    """The row with null for NaN and five digits of what is a fraction."""
    return {
        name: (None if math.isnan(value) else float(f"{value:.5g}")) if name in _SHOWN else value
        for name, value in row.items()
    }
