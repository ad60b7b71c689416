"""Marks as tables: Markdown to read, CSV to reckon with, JSON to keep."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from efficienttam.evaluation.marks import Marks
from efficienttam.evaluation.report import told
from efficienttam.evaluation.still_clicks import STILL_CLICKS, StillMarks


@dataclass(frozen=True)
class Results:
    """What an evaluation found, and what it was, in words, for the head of the tables."""

    facts: dict[str, str]
    marks: Sequence[Marks] = ()
    stills: Sequence[StillMarks] = ()

    @property
    def counted(self) -> list[Marks]:
        """Marks of objects that have a frame that counts."""
        return [one for one in self.marks if one.counted]


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Mean and its standard error; NaN for what there are too few values for."""
    array = np.array([value for value in values if math.isfinite(value)])
    if not len(array):
        return math.nan, math.nan
    error = float(array.std(ddof=1) / math.sqrt(len(array))) if len(array) > 1 else math.nan
    return float(array.mean()), error


def summary(results: Results) -> list[dict[str, Any]]:
    """A row per protocol and setting, in their order: means over objects, as DAVIS takes them, and the
    standard error of J&F over objects."""
    groups: dict[tuple[str, str], list[Marks]] = {}
    for one in results.counted:
        groups.setdefault((one.protocol, one.setting), []).append(one)
    rows = []
    for (protocol, setting), group in groups.items():
        row: dict[str, Any] = {
            "protocol": protocol,
            "setting": setting,
            "objects": len(group),
            "frames": sum(len(one.counted) for one in group),
            "first_j": mean_and_error(one.first_j for one in group)[0],
        }
        for name, of in (("j", _region), ("f", _boundary)):
            courses = [of(one) for one in group]
            for part in ("mean", "recall", "decay"):
                row[f"{name}_{part}"] = float(np.mean([getattr(course, part) for course in courses]))
        row["j_and_f"], row["error"] = mean_and_error(one.j_and_f for one in group)
        row["prompted"] = float(np.mean([len(one.prompted) for one in group]))
        row["clicks"] = float(np.mean([one.clicks for one in group]))
        rows.append(row)
    return rows


def still_summary(results: Results) -> list[dict[str, Any]]:
    """A row per number of clicks: mean IoU over objects, its standard error, and the share above 0.75."""
    rows = []
    for clicks in range(1, STILL_CLICKS + 1) if results.stills else ():
        reached = [one.iou[clicks - 1] for one in results.stills]
        mean, error = mean_and_error(reached)
        share = float(np.mean(np.array(reached) > 0.75))
        rows.append(
            {"clicks": clicks, "objects": len(reached), "miou": mean, "error": error, "above_075": share}
        )
    return rows


#: Columns of the summary: title, key, and how a value is told.
_SUMMARY: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("protocol", "protocol", str),
    ("prompt", "setting", str),
    ("objects", "objects", str),
    ("frames", "frames", str),
    ("first J", "first_j", lambda value: told(value, 3)),
    ("J", "j_mean", lambda value: told(value, 3)),
    ("J recall", "j_recall", lambda value: told(value, 3)),
    ("J decay", "j_decay", lambda value: told(value, 3)),
    ("F", "f_mean", lambda value: told(value, 3)),
    ("F recall", "f_recall", lambda value: told(value, 3)),
    ("F decay", "f_decay", lambda value: told(value, 3)),
    ("J&F", "j_and_f", lambda value: told(value, 3)),
    ("±", "error", lambda value: told(value, 3)),
    ("prompted", "prompted", lambda value: told(value, 1)),
    ("clicks", "clicks", lambda value: told(value, 1)),
)


def to_markdown(results: Results) -> str:
    """The facts, the summaries, and a row per object with J&F under every setting."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in results.facts.items())]
    rows = summary(results)
    if rows:
        parts.append(_markdown([[column[0] for column in _SUMMARY], *(_cells(row) for row in rows)]))
        parts += [
            _by_object(results, protocol) for protocol in dict.fromkeys(row["protocol"] for row in rows)
        ]
    clicked = still_summary(results)
    if clicked:
        head = ["clicks", "objects", "mIoU", "±", "IoU > 0.75"]
        lines = [
            [
                str(row["clicks"]),
                str(row["objects"]),
                *(told(row[key], 3) for key in ("miou", "error", "above_075")),
            ]
            for row in clicked
        ]
        parts.append(_markdown([head, *lines]))
    left_out = len(results.marks) - len(results.counted)
    if left_out:
        parts.append(f"{left_out} rows left out: no frame of theirs counts.")
    return "\n\n".join(parts) + "\n"


def _by_object(results: Results, protocol: str) -> str:
    """J&F of every object under every setting of a protocol."""
    chosen = [one for one in results.counted if one.protocol == protocol]
    settings = list(dict.fromkeys(one.setting for one in chosen))
    table: dict[tuple[str, str], dict[str, str]] = {}
    for one in chosen:
        table.setdefault((one.footage, one.object), {})[one.setting] = told(one.j_and_f, 3)
    lines = [
        [footage, name, *(found.get(setting, "-") for setting in settings)]
        for (footage, name), found in table.items()
    ]
    return f"J&F, {protocol}:\n\n" + _markdown([["footage", "object", *settings], *lines])


def to_csv(results: Results) -> str:
    """A line per object, setting and frame; stills a line per object and click."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(
        ["protocol", "setting", "footage", "object", "frame", "counted", "prompted", "clicks", "j", "f"]
    )
    for one in results.marks:
        counted, prompted = set(one.counted), set(one.prompted)
        for frame, j, f in zip(one.frames, one.j, one.f, strict=True):
            place = [one.protocol, one.setting, one.footage, one.object, frame]
            lines.writerow(
                [*place, int(frame in counted), int(frame in prompted), one.clicks, f"{j:.5g}", f"{f:.5g}"]
            )
    for still in results.stills:
        for clicks, iou in enumerate(still.iou, start=1):
            setting = f"{clicks} click{'s' if clicks > 1 else ''}"
            place = ["images", setting, still.footage, still.object, still.frame]
            lines.writerow([*place, 1, 1, clicks, f"{iou:.5g}", ""])
    return out.getvalue()


def to_json(results: Results) -> str:
    """The facts, the summaries, and everything frame by frame; what is not defined is null."""
    marks = [
        {
            "protocol": one.protocol,
            "setting": one.setting,
            "footage": one.footage,
            "object": one.object,
            "prompted": list(one.prompted),
            "clicks": one.clicks,
            "frames": list(one.frames),
            "counted": list(one.counted),
            "j_by_frame": [round(value, 4) for value in one.j],
            "f_by_frame": [round(value, 4) for value in one.f],
        }
        for one in results.marks
    ]
    stills = [
        {"footage": s.footage, "object": s.object, "frame": s.frame, "iou": [round(v, 4) for v in s.iou]}
        for s in results.stills
    ]
    document = {
        "facts": results.facts,
        "summary": [_defined(row) for row in summary(results)],
        "still_summary": [_defined(row) for row in still_summary(results)],
        "marks": marks,
        "stills": stills,
    }
    return json.dumps(document, indent=1) + "\n"


def _region(one: Marks) -> Any:
    return one.region


def _boundary(one: Marks) -> Any:
    return one.boundary


def _cells(row: dict[str, Any]) -> list[str]:
    return [tell(row[key]) for _, key, tell in _SUMMARY]


def _defined(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()
    }


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, columns aligned for the eye; the first row is the head."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
