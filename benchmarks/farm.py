"""How the embed step scales over workers here, and how a show would run on a farm.

Scale: embeddings per second of one worker and of two, each a process of one thread that does what
``efficienttam farm task --step embed`` does (reads a half-float EXR of 1920x1080, encodes, writes into one
shared cache), beside one and two processes of the bare image encoder on a picture in memory, pinned to a core
each. All begin at once after loading; a rate counts until the last is done. Rounds alternate; medians.
Efficiency is the gain from the second worker, as a share of the bare encoder's gain. On a machine that others
use, too, go by the seconds of a core that an embedding takes, which others change little.

Show: a simulation (``efficienttam.farm.simulation``) of shots with 1 to 4 objects and 1 to 5 prompted frames,
half of the later ones corrections by points, some refined, some with regions; by the rates that are given.
Run from the root:

    python benchmarks/farm.py scale [--model efficienttam_ti] [--frames 12] [--rounds 5]
    python benchmarks/farm.py show [--shots 500] [--frames 200] [--machines 50] [--embeddings 1] [--tracked 1]
                                   [--no-shared-cache]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from efficienttam.batch.progress import SilentProgress
from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.job import Mattes, Model, Output, Plate, Refine, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Region
from efficienttam.contract.site_settings import FarmSettings
from efficienttam.contract.sizes import format_size
from efficienttam.farm.shot_job import ShotJob
from efficienttam.farm.simulation import simulate

SIZE = (1920, 1080)
BOX = (100.0, 100.0, 400.0, 400.0)


class Together(SilentProgress):
    """Waits at the start for all others, and takes the time from there."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self.took = 0.0, 0.0

    def begin(self, mattes: int, kept: int, unit: str = "matte") -> None:
        self._barrier.wait()
        self._began = time.perf_counter(), time.process_time()

    def end(self, text: str) -> None:
        self.took = time.perf_counter() - self._began[0], time.process_time() - self._began[1]


def embed(
    job: TrackJob, frames: tuple[int, int], cache: str, barrier: Barrier, out: multiprocessing.Queue
) -> None:
    """One worker of the embed step."""
    from efficienttam.embed import embed_job

    progress = Together(barrier)
    embed_job(job, progress, frames=frames, cache=CacheSettings(cache, 2**40))
    out.put(progress.took)


def encode(
    job: TrackJob, frames: tuple[int, int], core: int, barrier: Barrier, out: multiprocessing.Queue
) -> None:
    """The bare image encoder on one core, as often as there are frames."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    import torch

    from efficienttam.batch.open_job import load_wanted

    model = load_wanted(job.model, lambda text: None)
    side = model.config.input_size
    picture = torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(1))
    with model.inference():
        model.encode_image(picture)
        barrier.wait()
        began = time.perf_counter(), time.process_time()
        for _ in range(frames[0], frames[1] + 1):
            model.encode_image(picture)
    out.put((time.perf_counter() - began[0], time.process_time() - began[1]))


def rate(
    target: object, job: TrackJob, workers: int, frames: int, places: list[object]
) -> tuple[float, float]:
    """Of so many workers at once, each with ``frames`` of its own: frames per second of all, and seconds of
    a core per frame."""
    context = multiprocessing.get_context("spawn")
    barrier, out = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(
            target=target,
            args=(job, (1001 + number * frames, 1000 + (number + 1) * frames), places[number], barrier, out),
        )
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    seconds, cores = zip(*(out.get() for _ in processes))
    for process in processes:
        process.join()
    return workers * frames / max(seconds), sum(cores) / workers / frames


def write_plate(folder: pathlib.Path, count: int) -> None:
    """Frames of noise over a gradient, which pack badly, as footage does."""
    from efficienttam.media import write_mattes

    rng = np.random.default_rng(5)
    width, height = SIZE
    ground = np.linspace(0, 1, width, dtype=np.float32) * np.ones((height, 1), np.float32)
    for frame in range(1001, 1001 + count):
        picture = ground + 0.05 * rng.standard_normal((3, height, width), np.float32)
        write_mattes(folder / f"plate.{frame}.exr", dict(zip(("red", "green", "blue"), picture)))


def random_weights(folder: pathlib.Path, name: str) -> str:
    """A weights file of a variant from its random start: as fast as trained ones."""
    import safetensors.torch
    import torch

    from efficienttam.model.build import build_model
    from efficienttam.model.config import MODELS

    torch.manual_seed(3)
    state = {key: value.contiguous() for key, value in build_model(MODELS[name]).state_dict().items()}
    path = folder / f"{name}.safetensors"
    safetensors.torch.save_file(state, path)
    return str(path)


def scale(arguments: argparse.Namespace) -> None:
    """Rates of one and of two workers and encoders, alternating."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        folder = pathlib.Path(place)
        write_plate(folder, 2 * arguments.frames)
        job = TrackJob(
            Plate(str(folder / "plate.%04d.exr")),
            (TrackedObject("hero", (Prompt(1001, box=BOX),)),),
            Output(str(folder / "out" / "{object}.%04d.exr")),
            model=Model(arguments.model, random_weights(folder, arguments.model), device="cpu", threads=1),
        )
        rates: dict[tuple[str, int], list[float]] = {}
        costs: dict[tuple[str, int], list[float]] = {}
        for number in range(arguments.rounds):
            for workers in (1, 2):
                cache = str(folder / f"cache{number}{workers}")
                for kind, target, places in (("embed", embed, [cache] * 2), ("bare", encode, [0, 1])):
                    per_second, cores = rate(target, job, workers, arguments.frames, places)
                    rates.setdefault((kind, workers), []).append(per_second)
                    costs.setdefault((kind, workers), []).append(cores)
                    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
                    told = f"{kind} {per_second:.3f}/s, {cores:.3f} core seconds each, load {load:.1f}"
                    print(f"round {number + 1}, {workers}: {told}", flush=True)
    rate_of = {key: statistics.median(values) for key, values in rates.items()}
    cost_of = {key: statistics.median(values) for key, values in costs.items()}
    for kind, workers in rate_of:
        told = f"{rate_of[kind, workers]:.3f}/s, {cost_of[kind, workers]:.3f} core seconds each"
        print(f"{kind}, {workers}: {told}")
    gains = {kind: rate_of[kind, 2] / rate_of[kind, 1] for kind in ("embed", "bare")}
    print(f"gain from the second: embed {gains['embed']:.2f}, bare {gains['bare']:.2f}")
    print(f"efficiency by rates {gains['embed'] / gains['bare']:.2f}")
    slower = {kind: cost_of[kind, 2] / cost_of[kind, 1] for kind in ("embed", "bare")}
    print(f"efficiency by core seconds {slower['bare'] / slower['embed']:.2f}")
    for workers in (1, 2):
        share = rate_of["embed", workers] / rate_of["bare", workers]
        cores_share = cost_of["bare", workers] / cost_of["embed", workers]
        told = f"{share:.2f} of the bare encoder's rate, {cores_share:.2f} by core seconds"
        print(f"{workers} worker(s) embed at {told}")


def shots_of_a_show(count: int, frames: int, model: str) -> list[ShotJob]:
    """Shots as a show has them, always the same."""
    rng = random.Random(6)
    last = 1000 + frames
    shots = []
    for number in range(count):
        keys = sorted({1001, *rng.sample(range(1002, last), rng.choice([0, 1, 1, 2, 4]))})
        region = Region() if rng.random() < 0.2 else None
        things = tuple(
            TrackedObject(f"object{one}", tuple(Prompt(key, **_word(rng, key)) for key in keys), region)
            for one in range(rng.choice([1, 1, 2, 4]))
        )
        mattes = Mattes(refine=Refine.UNMIX if rng.random() < 0.3 else Refine.NONE)
        name = f"sh{number:04d}"
        job = TrackJob(
            Plate(f"{name}.%04d.exr"),
            things,
            Output(f"{name}/{{object}}.%04d.exr"),
            model=Model(model),
            mattes=mattes,
        )
        shots.append(ShotJob(name, name, job, {"": (1001, last)}, SIZE))
    return shots


def _word(rng: random.Random, key: int) -> dict[str, object]:
    """A box on the first frame; later as often points, which correct what tracking shows."""
    return {"box": BOX} if key == 1001 or rng.random() < 0.5 else {"include": ((200.0, 200.0),)}


def show(arguments: argparse.Namespace) -> None:
    """Plays a show through on several numbers of machines."""
    settings = FarmSettings(
        embeddings_per_second=arguments.embeddings,
        frames_per_second=arguments.tracked,
        mattes_per_second=arguments.mattes,
        embed_chunk=arguments.chunk,
        shared_cache=not arguments.no_shared_cache,
    )
    began = time.perf_counter()
    jobs = shots_of_a_show(arguments.shots, arguments.frames, arguments.model)
    shots = [job.shot(job.name, settings) for job in jobs]
    planned = time.perf_counter() - began
    print(f"{arguments.shots} shots of {arguments.frames} frames planned in {planned:.1f} s")
    for machines in arguments.machines:
        found = simulate(jobs, shots, settings, machines, arguments.startup)
        size, one = format_size, found
        written, read = size(one.cache_written), size(one.cache_read)
        most = size(round(one.most_written_per_second)), size(round(one.most_read_per_second))
        records = size(one.records_written), size(one.records_read)
        lines = (
            f"{machines} machines: {one.tasks} tasks, {one.work_hours:.0f} machine hours",
            f"  done in {one.hours:.2f} h, longest chain {one.critical_hours:.2f} h, busy {one.busy:.1%}",
            f"  at most {one.waiting} wait; {one.mean_wait:.2f} h on average, up to {one.longest_wait:.2f} h",
            f"  first shot done after {one.first_shot:.2f} h",
            f"  cache: {written} written, at most {most[0]}/s; {read} read, at most {most[1]}/s",
            f"  records: {records[0]} written, {records[1]} read",
        )
        print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True)
    one = kinds.add_parser("scale")
    one.add_argument("--model", default="efficienttam_ti")
    one.add_argument("--frames", type=int, default=12)
    one.add_argument("--rounds", type=int, default=5)
    one.add_argument("--folder", default=None)
    one.set_defaults(does=scale)
    other = kinds.add_parser("show")
    other.add_argument("--shots", type=int, default=500)
    other.add_argument("--frames", type=int, default=200)
    other.add_argument("--machines", type=int, nargs="+", default=[10, 50, 200])
    other.add_argument("--model", default="efficienttam_s_2")
    other.add_argument("--embeddings", type=float, default=1.0)
    other.add_argument("--tracked", type=float, default=1.0)
    other.add_argument("--mattes", type=float, default=4.0)
    other.add_argument("--chunk", type=int, default=50)
    other.add_argument("--no-shared-cache", action="store_true")
    other.add_argument("--startup", type=float, default=10.0)
    other.set_defaults(does=show)
    arguments = parser.parse_args()
    arguments.does(arguments)


if __name__ == "__main__":
    main()
