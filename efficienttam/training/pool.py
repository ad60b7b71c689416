"""A pool of generated frames on disk, written by its own processes while training already reads.

A pool is two flat arrays: ``images`` (clips, frames, side, side, 3) uint8 sRGB and ``labels``
(clips, frames, side, side) uint8, 0 for ground and occluders, i + 1 for object i. ``ready`` (clips,)
says which clips are complete.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import multiprocessing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import numpy as np

from efficienttam.contract.errors import JobError
from efficienttam.contract.whole_file import write_whole
from efficienttam.training.clips import Clip, ClipRecipe, random_aspect, training_seed
from efficienttam.training.parent_process import end_with_parent

Array = np.ndarray


@dataclass(frozen=True)
class PoolSpec:
    """``clips`` clips of ``frames`` frames, ``strides`` the time steps drawn between them.

    ``first_clip`` is the training seed of clip 0; two pools with disjoint seeds share no clip. In a
    share of ``crossings`` of the clips two things cross each other's way.
    """

    clips: int
    frames: int
    side: int = 256
    strides: tuple[int, ...] = (1,)
    first_clip: int = 0
    crossings: float = 0.0


class Pool:
    """The arrays of a pool folder, created when absent. Raises JobError for a folder with other clips."""

    def __init__(self, folder: Path, spec: PoolSpec) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _stamp(folder, spec)
        square = (spec.clips, spec.frames, spec.side, spec.side)
        self.spec = spec
        self.images = _array(folder / "images.npy", (*square, 3))
        self.labels = _array(folder / "labels.npy", square)
        self.ready = _array(folder / "ready.npy", (spec.clips,))

    def available(self) -> Array:
        """Indices of complete clips, ascending."""
        # Others write meanwhile, and numpy refuses to search what changes.
        return np.flatnonzero(np.array(self.ready))

    def shrunk(self, side: int) -> Pool:
        """The clips in memory with a shorter side, of which this one's is a multiple: the means of pixels, of
        labels one in the middle."""
        step = self.spec.side // side
        other = copy.copy(self)
        other.spec = dataclasses.replace(self.spec, side=side)
        other.images = np.stack([_shrunk(clip, side) for clip in self.images])
        other.labels = self.labels[..., step // 2 :: step, step // 2 :: step].copy()
        return other


def _shrunk(clip: Array, side: int) -> Array:
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in clip])


def _stamp(folder: Path, spec: PoolSpec) -> None:
    """Write down what clips a new folder is for. Raises JobError where it is for others."""
    stamp, told = folder / "spec.json", json.dumps(dataclasses.asdict(spec))
    if not stamp.exists() and not (folder / "images.npy").exists():
        write_whole(str(stamp), told.encode(), "pool's stamp")
    held = stamp.read_text() if stamp.exists() else "without a stamp"
    if held != told:
        raise JobError(
            f"{folder} holds other clips ({held}; now {told}).",
            "Give another work folder, or the seed and the pools of that run.",
        )


def _array(path: Path, shape: tuple[int, ...]) -> Array:
    if not path.exists():
        part = path.with_suffix(".part")
        fresh = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        fresh.flush()
        part.replace(path)
    array = np.load(path, mmap_mode="r+")
    return array


def label_map(mattes: Array) -> Array:
    """Visible mattes (objects, h, w) to one label image (h, w) uint8: the object that covers half."""
    if len(mattes) == 0:
        return np.zeros(mattes.shape[1:], np.uint8)
    best = mattes.argmax(0)
    covered = np.take_along_axis(mattes, best[None], 0)[0] >= 0.5
    return np.where(covered, best + 1, 0).astype(np.uint8)


def draw_clip(spec: PoolSpec, index: int) -> tuple[Array, Array]:
    """Clip ``index`` of a pool: images (frames, side, side, 3) and labels (frames, side, side)."""
    seed = training_seed(spec.first_clip + index)
    rng = np.random.default_rng((seed, 2))
    stride = int(rng.choice(spec.strides))
    start = int(rng.integers(0, 16))
    crossing = start + stride * rng.uniform(0.3, 0.7) * spec.frames if rng.random() < spec.crossings else 0.0
    clip = Clip(ClipRecipe(seed, spec.frames, spec.side, spec.side, random_aspect(seed), crossing))
    images, labels = [], []
    for step in range(spec.frames):
        image, mattes = clip.render(start + stride * step)
        images.append((image * 255 + 0.5).astype(np.uint8))
        labels.append(label_map(mattes))
    return np.stack(images), np.stack(labels)


def fill(folder: Path, spec: PoolSpec, worker: int = 0, workers: int = 1) -> None:
    """Draw the clips worker, worker + workers, ... that are not there yet."""
    cv2.setNumThreads(1)
    pool = Pool(folder, spec)
    for index in range(worker, spec.clips, workers):
        if not pool.ready[index]:
            pool.images[index], pool.labels[index] = draw_clip(spec, index)
            pool.ready[index] = 1


def _fill_for_parent(folder: Path, spec: PoolSpec, worker: int, workers: int) -> None:
    end_with_parent()
    fill(folder, spec, worker, workers)


def start_filling(folder: Path, spec: PoolSpec, workers: int) -> list[BaseProcess]:
    """Fill a pool in ``workers`` processes; they end with the caller."""
    Pool(folder, spec)
    context = multiprocessing.get_context("spawn")
    started: list[BaseProcess] = []
    for worker in range(workers):
        process = context.Process(target=_fill_for_parent, args=(folder, spec, worker, workers), daemon=True)
        process.start()
        started.append(process)
    return started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fill a pool of generated clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", type=int)
    parser.add_argument("frames", type=int)
    parser.add_argument("--strides", type=int, nargs="+", default=[1])
    parser.add_argument("--first-clip", type=int, default=0)
    parser.add_argument("--crossings", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    wanted = PoolSpec(given.clips, given.frames, 256, tuple(given.strides), given.first_clip, given.crossings)
    for child in start_filling(given.folder, wanted, given.workers):
        child.join()
