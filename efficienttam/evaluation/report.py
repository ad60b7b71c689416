"""Scores as a table to read and as JSON to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from efficienttam.evaluation.scoring import ObjectScore, PromptKind


def summary(scores: Sequence[ObjectScore]) -> list[dict[str, Any]]:
    """One row per prompt kind: mean J, F and J&F over objects, and J on the prompted frame."""
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
    lines.append(f"{'prompt':8s}{'objects':>8s}{'first J':>9s}{'J':>7s}{'F':>7s}{'J&F':>7s}")
    lines += [
        f"{row['prompt']:8s}{row['objects']:8d}{row['first_j']:9.3f}{row['j']:7.3f}"
        f"{row['f']:7.3f}{row['j_and_f']:7.3f}"
        for row in summary(scores)
    ]
    return "\n".join(lines)


def to_json(scores: Sequence[ObjectScore]) -> str:
    """Everything, frame by frame."""
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
        }
        for s in scores
    ]
    return json.dumps({"summary": summary(scores), "scores": rows}, indent=1)
