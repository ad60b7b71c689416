"""Small generated plates and jobs on them, for farm tasks that run for real."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from efficienttam.contract.job import Mattes, Output, Plate, Refine, TrackedObject, TrackJob
from efficienttam.contract.job import Model as Network
from efficienttam.contract.prompts import Prompt
from efficienttam.media import write_mattes

WIDTH, HEIGHT = 96, 64
FRAMES = range(1001, 1009)


def write_plate(folder: Path, view: str = "", frames: range = FRAMES) -> None:
    """A disc that goes right and a square that goes left, on a ground with grain."""
    rng = np.random.default_rng(11)
    ground = 0.25 + 0.05 * rng.random((HEIGHT, WIDTH)).astype(np.float32)
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        step = frame - frames[0] + (2 if view == "right" else 0)
        picture = np.stack([ground, ground * 1.1, ground * 0.9])
        picture[:, (xs - 24 - 3 * step) ** 2 + (ys - 30) ** 2 < 12**2] = [[0.9], [0.25], [0.1]]
        picture[:, (abs(xs - 80 + 3 * step) < 8) & (abs(ys - 40) < 9)] = [[0.1], [0.3], [0.9]]
        name = f"plate.{view}.{frame}.exr" if view else f"plate.{frame}.exr"
        write_mattes(folder / name, dict(zip(("red", "green", "blue"), picture.astype(np.float32))))


def small_job(**values: object) -> TrackJob:
    """Two objects that go through the network together, the first corrected; on one thread."""
    disc = (Prompt(1001, box=(12, 18, 36, 42)), Prompt(1006, include=((39, 30),)))
    square = (Prompt(1001, box=(72, 31, 88, 49)), Prompt(1006, box=(57, 31, 73, 49)))
    fields = {
        "plate": Plate("plate.%04d.exr"),
        "objects": (TrackedObject("disc", disc), TrackedObject("square", square)),
        "output": Output("out/{object}.%04d.exr"),
        "model": Network(device="cpu", threads=1),
        **values,
    }
    return TrackJob(**fields)


#: Mattes that cost, and that depend on the frames beside them.
SHAPED = Mattes(refine=Refine.UNMIX, steady_frames=1, fill_holes=4)


def another_place(source: Path, target: Path) -> Path:
    """A copy of a plate's folder, without what was made in it, that kept its times."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file():
            shutil.copy2(path, target)
    return target


def sums(folder: Path) -> dict[str, str]:
    """sha256 by name of every file that is not hidden."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.exr"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
