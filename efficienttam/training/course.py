"""The whole course: generated pools, stage one on stills, stage two on clips, the weights written out."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist

from efficienttam.contract.errors import JobError
from efficienttam.model.build import build_model, find_config
from efficienttam.model.config import ModelConfig
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.training.clips import CLIPS_PER_SEED, FIRST_EVALUATION_SEED
from efficienttam.training.cpu_kernels import fast_on_cpu
from efficienttam.training.curve import draw_curve
from efficienttam.training.export import export_weights
from efficienttam.training.loop import Budget, LoopOptions, Run, refuse_stale
from efficienttam.training.places import refuse_places
from efficienttam.training.pool import Pool, PoolSpec, start_filling
from efficienttam.training.processes import Seat, join_given, seat_given, sees_disk_of_first, start_processes
from efficienttam.training.sequences import EmbeddingShelf, Listener, draw_sequences, sequence_loss
from efficienttam.training.stills import Scaffold, draw_batch, still_loss
from efficienttam.weights.load import load_model
from efficienttam.weights.record import sha256_of

#: The picture of a run, in its work folder, and how often it is drawn while it runs.
CURVE, SECONDS_BETWEEN_CURVES = "curve.png", 300.0

#: Names of the two stages, of their checkpoints and their logs.
_STILLS, _SEQUENCES = "stills", "sequences"


@dataclass(frozen=True)
class StillOptions:
    """Stage one: ``batch`` images a step and process, ``aid`` the scaffold's weight."""

    pool: PoolSpec = PoolSpec(clips=8000, frames=4, strides=(5, 7))
    batch: int = 24
    aid: float = 0.5
    loop: LoopOptions = LoopOptions()


class _Curve:
    """The first process draws the curve again every some minutes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._drawn = folder, time.monotonic()

    def keep(self) -> None:
        """After a step: draw it where it is old."""
        first = not dist.is_initialized() or dist.get_rank() == 0
        if first and time.monotonic() - self._drawn > SECONDS_BETWEEN_CURVES:
            draw_curve(self._folder, self._folder / CURVE)
            self._drawn = time.monotonic()


def fresh_network(name: str, seed: int) -> EfficientTAM:
    """A variant initialised for training from nothing, the same for the same seed."""
    return initialised(find_config(name), seed)


def initialised(config: ModelConfig, seed: int) -> EfficientTAM:
    """A network of a configuration, initialised so."""
    torch.manual_seed(seed)
    model = build_model(config)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
    for layer in model.memory_encoder.fuser.layers:
        nn.init.constant_(layer.get_parameter("gamma"), 0.1)
    return model.train()


def stills_stage(
    name: str,
    folder: Path,
    budget: Budget,
    options: StillOptions,
    seed: int,
    weights: dict[str, Tensor] | None = None,
    recipe: str = "",
) -> Run:
    """Train stage one to the end of its budget, from ``weights`` where given; the run holds the result.

    Refused are a checkpoint of another ``recipe``, and one that would go on though stage two was begun on it.
    """
    model = fresh_network(name, seed)
    scaffold = Scaffold(model.config.hidden)
    if weights is not None:
        model.load_state_dict({n: w for n, w in weights.items() if "scaffold." not in n}, strict=False)
        prefix = "scaffold."
        helped = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
        scaffold.load_state_dict(helped, strict=False)
    model, scaffold = model.to(torch.bfloat16), scaffold.to(torch.bfloat16)
    unused = ("memory_", "maskmem", "no_mem_pos", "no_obj_ptr", "obj_ptr_proj", "mask_downsample")
    live = {n: p for n, p in model.named_parameters() if not n.startswith(unused)}
    live |= {f"scaffold.{n}": p for n, p in scaffold.named_parameters()}
    run = Run(_STILLS, folder, live, budget, options.loop, recipe=recipe)
    refuse_stale(run, folder / f"{_SEQUENCES}.pt")
    pool = Pool(folder / "stills", options.pool)
    side = model.config.mask_side

    def lesson(rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = draw_batch(pool, options.batch, side, rng)
        return still_loss(model, scaffold, batch, options.aid * max(0.1, 1 - run.step / 2000))

    with fast_on_cpu():
        run.train(lesson, options.batch, _Curve(folder).keep)
    return run


@dataclass(frozen=True)
class SequenceOptions:
    """Stage two: ``kinds`` are clicked, boxed and masked sequences a step and process.

    ``courses`` are (share of the stage, frames of a sequence): short sequences teach to remember,
    long ones to live with one's own mistakes. ``corrections`` is the chance of a corrective click.
    """

    pool: PoolSpec = PoolSpec(clips=3000, frames=10, strides=(1, 1, 2), first_clip=100_000, crossings=0.3)
    kinds: tuple[int, int, int] = (5, 4, 5)
    courses: tuple[tuple[float, int], ...] = ((0.2, 2), (0.2, 3), (0.2, 5), (0.4, 8))
    corrections: float = 0.25
    loop: LoopOptions = LoopOptions(rate=6e-4, warm_up=60)


def sequence_length(courses: tuple[tuple[float, int], ...], progress: float) -> int:
    """Frames of a sequence at a progress of 0 to 1."""
    for share, frames in courses:
        progress -= share
        if progress < 0:
            return frames
    return courses[-1][1]


def sequences_stage(
    name: str,
    folder: Path,
    budget: Budget,
    options: SequenceOptions,
    seed: int,
    weights: dict[str, Tensor],
    recipe: str = "",
) -> Run:
    """Train stage two from stage one's ``weights`` (float32); the run holds everything it changed.

    A checkpoint of another ``recipe`` is refused.
    """
    model = fresh_network(name, seed)
    model.load_state_dict({n: w for n, w in weights.items() if not n.startswith("scaffold.")}, strict=False)
    model = model.to(torch.bfloat16)
    model.image_encoder.requires_grad_(False)
    unused = ("image_encoder", "no_mem_pos")
    live = {n: p for n, p in model.named_parameters() if not n.startswith(unused)}
    run = Run(_SEQUENCES, folder, live, budget, options.loop, recipe=recipe)
    pool = Pool(folder / "clips", options.pool)
    shelf, listener = EmbeddingShelf(model, pool), Listener(model)
    share = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    side = model.config.mask_side

    def lesson(rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        frames = sequence_length(options.courses, run.progress)
        corrected = int(rng.integers(1, frames)) if rng.random() < options.corrections else 0
        batch = draw_sequences(shelf, pool, options.kinds, frames, side, rng, share)
        return sequence_loss(model, listener, batch, corrected)

    with fast_on_cpu():
        run.train(lesson, sum(options.kinds), _Curve(folder).keep)
    return run


@dataclass(frozen=True)
class TrainOptions:
    """One training run. ``out`` is the weights file, ``work`` keeps pools and checkpoints: a run that
    was stopped continues from there.

    With ``weights`` a file of the same variant is trained on, at ``rate`` times the recipe's peak rates;
    another ``seed`` then gives it other clips.

    ``hours`` is the time for both stages, of which ``stills_share`` goes to the first. With
    ``still_steps`` and ``sequence_steps`` the stages end after so many steps instead, and two runs are
    equal. ``processes`` share every step's gradient, one thread each; ``drawers`` fill the pools, which have
    ``pools`` times the recipe's clips.
    """

    out: Path
    work: Path
    model: str = "efficienttam_demo"
    weights: Path | None = None
    rate: float = 1.0
    hours: float = 1.75
    stills_share: float = 0.6
    still_steps: int = 0
    sequence_steps: int = 0
    processes: int = 2
    drawers: int = 2
    pools: float = 1.0
    seed: int = 1
    stills: StillOptions = StillOptions()
    sequences: SequenceOptions = SequenceOptions()

    @property
    def recipe(self) -> str:
        """What a checkpoint must agree in to be continued."""
        start = "" if self.weights is None else f", from {sha256_of(self.weights)[:12]}"
        return f"demo {self.model}, seed {self.seed}, rate {self.rate:g}, pools {self.pools:g}{start}"


def train(options: TrainOptions) -> Path:
    """Train from nothing, or from ``weights``, and write the result; returns its path.

    Under torchrun this is one process of several, ``processes`` of no account, and each batch is theirs
    together. Raises JobError for a seed without clips, a work folder of another run or fewer clips than
    processes, OutputError for places that cannot be written, WeightsError for weights that cannot be read.
    """
    options = _prepared(options)
    seat = seat_given()
    _refuse_few_clips(options, options.processes if seat is None else seat.count)
    _start_weights(options)
    refuse_places(options.out, options.work, options.weights)
    if seat is not None:
        join_given(seat, torch.device("cpu"))
    drawing = _start_drawing(options, seat)
    try:
        if seat is not None:
            dist.barrier()  # Nobody opens a pool that another is making.
            _learn(seat, replace(options, processes=0))
        elif options.processes > 1:
            # glibc would hand every large block back and fetch it zeroed again: a third of the time.
            os.environ.setdefault("MALLOC_MMAP_MAX_", "0")
            os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**34))
            start_processes(_learn, options.processes, options)
        else:
            _learn(Seat(), options)
    finally:
        for process in drawing:
            process.terminate()
            process.join()
    return options.out


def _refuse_few_clips(options: TrainOptions, count: int) -> None:
    """Raises JobError where processes, each with clips of its own, would have none."""
    clips = min(options.stills.pool.clips, options.sequences.pool.clips)
    if clips < count:
        raise JobError(f"{clips} clips cannot be shared by {count} processes.", "Draw more: --pools.")


def _start_drawing(options: TrainOptions, seat: Seat | None) -> list[BaseProcess]:
    """Fill the pools, once per disk: the first process does, and the first of a machine with its own."""
    if seat is not None:
        shared = sees_disk_of_first(options.work)
        if seat.rank and (shared or seat.local_rank):
            return []
    specs = {"stills": options.stills.pool, "clips": options.sequences.pool}
    return [
        process
        for name, spec in specs.items()
        for process in start_filling(options.work / name, spec, options.drawers)
    ]


def _prepared(options: TrainOptions) -> TrainOptions:
    """Pools moved to the clips of the seed, their sizes and the rates scaled. Raises JobError."""
    seeds = FIRST_EVALUATION_SEED // CLIPS_PER_SEED
    if not 1 <= options.seed <= seeds:
        raise JobError(f"There are no clips for the seed {options.seed}.", f"Give a seed of 1 to {seeds}.")
    first = CLIPS_PER_SEED * (options.seed - 1)

    def moved(pool: PoolSpec) -> PoolSpec:
        clips = max(1, round(pool.clips * options.pools))
        return replace(pool, clips=clips, first_clip=pool.first_clip + first)

    def scaled(loop: LoopOptions) -> LoopOptions:
        return replace(loop, rate=loop.rate * options.rate, seed=options.seed)

    stills, sequences = options.stills, options.sequences
    return replace(
        options,
        stills=replace(stills, pool=moved(stills.pool), loop=scaled(stills.loop)),
        sequences=replace(sequences, pool=moved(sequences.pool), loop=scaled(sequences.loop)),
    )


def _start_weights(options: TrainOptions) -> dict[str, Tensor] | None:
    """The float32 weights to start from, the fixed tables among them; None to start from nothing."""
    if options.weights is None:
        return None
    model = load_model(options.model, device="cpu", weights=options.weights)
    return {name: value.detach().float() for name, value in model.state_dict().items()}


def _learn(seat: Seat, options: TrainOptions) -> None:
    """Both stages in one of the processes; the first one writes the weights."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    seconds = 3600 * options.hours
    budgets = [
        Budget(steps=steps) if steps else Budget(seconds=seconds * share)
        for steps, share in (
            (options.still_steps, options.stills_share),
            (options.sequence_steps, 1 - options.stills_share),
        )
    ]
    # What is drawn depends on what is there: a run that counts steps waits for all, to be the same again.
    _wait_for(options.work / "stills", options.stills.pool, 1.0 if options.still_steps else 0.1)
    start = _start_weights(options)
    name, work, seed, recipe = options.model, options.work, options.seed, options.recipe
    stills = stills_stage(name, work, budgets[0], options.stills, seed, start, recipe)
    _wait_for(options.work / "clips", options.sequences.pool, 1.0 if options.sequence_steps else 0.1)
    weights = {**(start or {}), **stills.optimizer.weights()}
    sequences = sequences_stage(name, work, budgets[1], options.sequences, seed, weights, recipe)
    if seat.rank == 0:
        model = fresh_network(options.model, options.seed)
        export_weights(model, {**weights, **sequences.optimizer.weights()}, options.out)
        draw_curve(options.work, options.work / CURVE)


#: How often waiting for a pool is told.
SECONDS_BETWEEN_WORDS = 10.0


def _wait_for(folder: Path, spec: PoolSpec, share: float) -> None:
    """Wait until a share of a pool is drawn, some of it for each process, and say how far it is."""
    pool = Pool(folder, spec)
    enough = max(1, round(share * spec.clips))
    count = dist.get_world_size() if dist.is_initialized() else 1
    told = -math.inf
    while (drawn := len(found := pool.available())) < enough or len(np.unique(found % count)) < count:
        if time.monotonic() - told > SECONDS_BETWEEN_WORDS and not (
            dist.is_initialized() and dist.get_rank()
        ):
            told = time.monotonic()
            print(
                f"{folder.name}: {drawn} of {enough} clips drawn to begin with", file=sys.stderr, flush=True
            )
        time.sleep(0.2)
