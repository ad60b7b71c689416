"""The course of a run as one small picture."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from efficienttam.contract.whole_file import write_whole

_STAGES = {
    "stills": ("click", "box", "correction"),
    "sequences": ("first", "tracked", "last"),
}


def read_log(path: Path) -> dict[str, np.ndarray]:
    """Columns of a stage's CSV by name. Steps that a resumed run repeated count once, the later."""
    with path.open(newline="") as file:
        rows = {int(row["step"]): row for row in csv.DictReader(file)}
    ordered = [rows[step] for step in sorted(rows)]
    return {name: np.array([float(row[name]) for row in ordered]) for name in ordered[0]}


def draw_curve(folder: Path, path: Path, dpi: int = 80) -> None:
    """IoU of every kind of prompt and the loss over steps, the stages that have a log side by side.

    Needs matplotlib; without it nothing is drawn and the CSV files are the record. Nor is there before a log.
    """
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    stages = [stage for stage in _STAGES if (folder / f"{stage}.csv").exists()]
    if not stages:
        return
    figure, axes = pyplot.subplots(1, len(stages), figsize=(4.5 * len(stages), 3.4), squeeze=False)
    for axis, stage in zip(axes[0], stages, strict=True):
        log = read_log(folder / f"{stage}.csv")
        for name in _STAGES[stage]:
            if name not in log or np.isnan(log[name]).all():
                continue
            axis.plot(log["step"], log[name], linewidth=1, label=name)
        axis.plot(log["step"], log["loss"] / log["loss"].max(), color="0.7", linewidth=1, label="loss / max")
        axis.set(title=stage, xlabel="step", ylim=(0, 1))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0, 0].set_ylabel("IoU of training batches")
    figure.tight_layout()
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi, format="png")
    pyplot.close(figure)
    write_whole(str(path), drawn.getvalue(), "curve")
