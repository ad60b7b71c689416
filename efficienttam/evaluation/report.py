"""Scores as a table to read, as Markdown and CSV, and as JSON to keep."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from efficienttam.evaluation.matte_errors import MatteErrors
from efficienttam.evaluation.scoring import ObjectScore, PromptKind

#: How matte errors are called in a table, and with how many decimals they are told.
COLUMNS = {
    "sad": ("SAD", 2),
    "mse": ("MSE", 2),
    "gradient": ("grad", 2),
    "boundary": ("edge px", 2),
    "width_ratio": ("width", 2),
    "flicker": ("flicker", 3),
}


def mean_errors(errors: Iterable[MatteErrors]) -> dict[str, float]:
    """The mean of each error over the frames where it is defined; NaN where it never is."""
    rows = np.array([dataclasses.astuple(one) for one in errors]).reshape(-1, len(COLUMNS))
    known = np.isfinite(rows)
    counts = known.sum(axis=0)
    sums = np.where(known, rows, 0).sum(axis=0)
    return {
        name: float(total / count) if count else math.nan for name, total, count in zip(COLUMNS, sums, counts)
    }


def summary(scores: Sequence[ObjectScore]) -> list[dict[str, Any]]:
    """One row per prompt kind: mean J, F and J&F over objects, J on the prompted frame, and matte errors over
    all frames after it."""
    rows = []
    for kind in PromptKind:
        chosen = [score for score in scores if score.prompt is kind]
        if chosen:
            region, boundary = (float(np.mean([getattr(s, name) for s in chosen])) for name in ("j", "f"))
            rows.append(
                {
                    "prompt": kind.value,
                    "objects": len(chosen),
                    "first_j": float(np.mean([s.first_region for s in chosen])),
                    "j": region,
                    "f": boundary,
                    "j_and_f": (region + boundary) / 2,
                    **mean_errors(one for score in chosen for one in score.errors),
                }
            )
    return rows


def table(scores: Sequence[ObjectScore], each: bool = False) -> str:
    """The summary as text; with ``each`` a line per object before it."""
    lines = []
    if each:
        lines.append(f"{'footage':28s}{'object':12s}{'prompt':8s}{'J':>7s}{'F':>7s}")
        lines += [
            f"{s.footage[:27]:28s}{s.object[:11]:12s}{s.prompt.value:8s}{s.j:7.3f}{s.f:7.3f}" for s in scores
        ]
        lines.append("")
    titles = "".join(f"{title:>9s}" for title, _ in COLUMNS.values())
    lines.append(f"{'prompt':8s}{'objects':>8s}{'first J':>9s}{'J':>7s}{'F':>7s}{'J&F':>7s}{titles}")
    lines += [
        f"{row['prompt']:8s}{row['objects']:8d}{row['first_j']:9.3f}{row['j']:7.3f}"
        f"{row['f']:7.3f}{row['j_and_f']:7.3f}"
        + "".join(f"{told(row[name], digits):>9s}" for name, (_, digits) in COLUMNS.items())
        for row in summary(scores)
    ]
    return "\n".join(lines)


def told(value: float, digits: int) -> str:
    """A number, a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def to_markdown(scores: Sequence[ObjectScore]) -> str:
    """A row per object and prompt, with the summary's columns."""
    head = ["footage", "object", "prompt", "J", "F", *(title for title, _ in COLUMNS.values())]
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for score in scores:
        means = mean_errors(score.errors)
        cells = [score.footage, score.object, score.prompt.value, f"{score.j:.3f}", f"{score.f:.3f}"]
        cells += [told(means[name], digits) for name, (_, digits) in COLUMNS.items()]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def to_csv(scores: Sequence[ObjectScore]) -> str:
    """A line per object, prompt and frame after the prompted one, which is frame 0."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["footage", "object", "prompt", "frame", "j", "f", *COLUMNS])
    for s in scores:
        for frame, (j, f, errors) in enumerate(zip(s.region, s.boundary, s.errors, strict=True), start=1):
            numbers = [f"{value:.5g}" for value in (j, f, *dataclasses.astuple(errors))]
            lines.writerow([s.footage, s.object, s.prompt.value, frame, *numbers])
    return out.getvalue()


def to_json(scores: Sequence[ObjectScore]) -> str:
    """Everything, frame by frame; an error that is not defined is null."""
    rows = [
        {
            "footage": s.footage,
            "object": s.object,
            "prompt": s.prompt.value,
            "first_j": round(s.first_region, 4),
            "j": round(s.j, 4),
            "f": round(s.f, 4),
            "j_by_frame": [round(value, 4) for value in s.region],
            "f_by_frame": [round(value, 4) for value in s.boundary],
            "errors_by_frame": [_defined(dataclasses.asdict(one)) for one in s.errors],
        }
        for s in scores
    ]
    return json.dumps({"summary": [_defined(row) for row in summary(scores)], "scores": rows}, indent=1)


def _defined(row: dict[str, Any]) -> dict[str, Any]:
    """The row with null for NaN and five digits of what is a fraction."""
    shown = {}
    for name, value in row.items():
        if isinstance(value, float):
            shown[name] = None if math.isnan(value) else float(f"{value:.5g}")
        else:
            shown[name] = value
    return shown
