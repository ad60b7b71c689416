"""Results as one picture: J&F over annotated frames, over prompts, over time; IoU over clicks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from efficienttam.evaluation.marks import Marks
from efficienttam.evaluation.marks_report import Results, mean_and_error, still_summary, summary


def draw_results(results: Results, path: Path, dpi: int = 110) -> bool:
    """Writes a PNG with a panel per kind of protocol; False where matplotlib is absent and nothing was drawn.

    Shades and bars are standard errors over objects.
    """
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    protocols = {one.protocol for one in results.counted}
    panels: list[Callable[[Any, Results], None]] = []
    if protocols & {"offline", "online"}:
        panels.append(_annotated_frames)
    if "clicks" in protocols:
        panels.append(_prompts)
    if "semi" in protocols:
        panels.append(_time)
    if results.stills:
        panels.append(_clicks)
    if not panels:
        return True
    figure, axes = pyplot.subplots(1, len(panels), figsize=(5.2 * len(panels), 3.8), squeeze=False)
    for axis, draw in zip(axes[0], panels, strict=True):
        draw(axis, results)
        axis.set_ylim(0, 1.03)
        axis.set_axisbelow(True)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=dpi)
    pyplot.close(figure)
    return True


def _annotated_frames(axis: Any, results: Results) -> None:
    """J&F over the frames that could be annotated."""
    marks = results.counted
    for protocol in ("offline", "online"):
        budgets = sorted({one.budget for one in marks if one.protocol == protocol})
        if not budgets:
            continue
        found = [
            mean_and_error(one.j_and_f for one in marks if one.protocol == protocol and one.budget == budget)
            for budget in budgets
        ]
        mean, error = (np.array(part) for part in zip(*found, strict=True))
        axis.plot(budgets, mean, marker="o", markersize=3, label=protocol)
        axis.fill_between(budgets, mean - error, mean + error, alpha=0.2)
        axis.set_xticks(budgets)
    objects = len({(one.footage, one.object) for one in marks if one.protocol in ("offline", "online")})
    axis.set(xlabel="annotated frames", ylabel="J&F", title=f"promptable, objects: {objects}")
    axis.legend(loc="lower right")


def _prompts(axis: Any, results: Results) -> None:
    """J&F by what was said on the first frame."""
    rows = [row for row in summary(results) if row["protocol"] == "clicks"]
    places = range(len(rows))
    axis.bar(
        places, [row["j_and_f"] for row in rows], yerr=[row["error"] for row in rows], width=0.6, capsize=3
    )
    axis.set_xticks(places, [row["setting"] for row in rows])
    axis.set(
        xlabel="prompt on the first frame", ylabel="J&F", title=f"one prompt, objects: {rows[0]['objects']}"
    )


def _time(axis: Any, results: Results) -> None:
    """J and F over the frames since the prompt, the mean of the objects that have so many."""
    marks = [one for one in results.counted if one.protocol == "semi"]
    for name in ("j", "f"):
        since = _since_prompt(marks, name)
        axis.plot(list(since), list(since.values()), label=name.upper(), linewidth=1.2)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set(xlabel="frames since the prompt", ylabel="mean", title=f"semi-supervised, objects: {len(marks)}")
    axis.legend(loc="lower left")


def _since_prompt(marks: list[Marks], name: str) -> dict[int, float]:
    """Mean J or F by frames since the prompt."""
    found: dict[int, list[float]] = {}
    for one in marks:
        for frame, value in zip(one.frames, getattr(one, name), strict=True):
            if frame > one.prompted[0]:
                found.setdefault(frame - one.prompted[0], []).append(value)
    return {since: float(np.mean(values)) for since, values in sorted(found.items())}


def _clicks(axis: Any, results: Results) -> None:
    """Mean IoU over clicks on stills."""
    rows = still_summary(results)
    clicks = [row["clicks"] for row in rows]
    axis.errorbar(
        clicks, [row["miou"] for row in rows], yerr=[row["error"] for row in rows], marker="o", capsize=3
    )
    axis.set_xticks(clicks)
    axis.set(xlabel="clicks", ylabel="mIoU", title=f"stills, objects: {rows[0]['objects']}")
