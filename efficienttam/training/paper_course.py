"""The paper's course: stills, then sequences with memory, all parameters, any variant, any data.

A step's batch is that of all processes together: each takes its share of the same samples, one after the
other, and their gradients are averaged. Two processes therefore learn what one learns, but for the order
of sums.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as dist

from efficienttam.contract.errors import JobError
from efficienttam.contract.job import Precision
from efficienttam.model.build import find_config
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.training.clips import CLIPS_PER_SEED, FIRST_EVALUATION_SEED
from efficienttam.training.course import fresh_network
from efficienttam.training.datasets import Mixture, open_data
from efficienttam.training.export import export_weights
from efficienttam.training.layered_adamw import LayeredAdamW
from efficienttam.training.lesson import play, recomputed
from efficienttam.training.loop import Budget, LoopOptions, Run, refuse_stale
from efficienttam.training.paper_recipe import BATCH, CLIP, DECAY, SEQUENCES, STILLS, PaperStage
from efficienttam.training.places import refuse_places
from efficienttam.training.processes import Seat, join_given, seat_given, start_processes
from efficienttam.training.sample_pictures import SamplePictures
from efficienttam.training.samples import SampleDraws, sample_stream
from efficienttam.training.sequences import Listener
from efficienttam.weights.device import choose_device, choose_precision
from efficienttam.weights.load import load_model
from efficienttam.weights.record import sha256_of

#: Apart from the random numbers of batches.
_PICTURE_STREAM = 1000


@dataclass(frozen=True)
class PaperOptions:
    """One run. ``out`` is the weights file; ``work`` keeps checkpoints, logs and pictures, and a run that was
    stopped continues from there exactly.

    ``data`` are sources as ``open_data`` takes them; ``weights`` a file of the variant to start from. A stage
    ends after its steps (0: the paper's) or its share of ``hours`` (0: no limit), its schedule fitted to
    that. ``batch`` is that of all processes. ``drawers`` processes draw samples for each of them.
    ``checkpointing`` saves memory for time. ``picture_minutes`` 0 draws none but at the end of a stage.
    """

    out: Path
    work: Path
    model: str = "efficienttam_demo"
    data: tuple[str, ...] = ("generated",)
    stages: tuple[PaperStage, ...] = (STILLS, SEQUENCES)
    weights: Path | None = None
    rate: float = 1.0
    hours: float = 0.0
    stills_share: float = 0.4
    still_steps: int = 0
    sequence_steps: int = 0
    batch: int = BATCH
    processes: int = 1
    drawers: int = 2
    seed: int = 1
    device: str | None = None
    precision: Precision = Precision.AUTO
    checkpointing: bool = False
    picture_minutes: float = 10.0
    save_every: int = 100
    log_every: int = 10

    def budget(self, stage: PaperStage) -> Budget:
        """When a stage ends."""
        stills = stage.name == STILLS.name
        steps = (self.still_steps if stills else self.sequence_steps) or stage.steps
        share = self.stills_share if stills else 1 - self.stills_share
        alone = len(self.stages) == 1
        return Budget(steps=steps, seconds=3600 * self.hours * (1.0 if alone else share))

    def recipe(self, stage: PaperStage) -> str:
        """What a checkpoint must agree in to be continued."""
        numbers = f"batch {self.batch}, seed {self.seed}, rate {self.rate:g}"
        if self.weights is not None:
            path = Path(self.weights)
            numbers += f", from {sha256_of(path)[:12] if path.is_file() else path}"
        return f"paper {stage.name}, {self.model}, {numbers}, {' '.join(self.data)}"


def train_as_paper(options: PaperOptions) -> Path:
    """Train by the paper's recipe and write the weights; returns their path.

    Under torchrun this is one of several processes, ``processes`` of no account. Raises JobError for options
    that cannot be, PlateError for data with faults, WeightsError for weights that cannot be read, all before
    the first step.
    """
    seat = seat_given()
    count = seat.count if seat is not None else max(1, options.processes)
    seeds = FIRST_EVALUATION_SEED // CLIPS_PER_SEED
    if not 1 <= options.seed <= seeds:
        raise JobError(f"There is no seed {options.seed}.", f"Give a seed of 1 to {seeds}.")
    if options.batch < count or options.batch % count:
        raise JobError(
            f"A batch of {options.batch} cannot be shared by {count} processes.", "Give a multiple of them."
        )
    if seat is None and count > 1 and choose_device(options.device).type != "cpu":
        raise JobError("Processes of its own share a CPU only.", "Start with torchrun, one process per GPU.")
    data = open_data(options.data, find_config(options.model).input_size, options.seed)
    _starting_network(options)
    refuse_places(options.out, options.work, options.weights)
    if seat is not None:
        _learn(seat, options, data)
    elif count > 1:
        start_processes(_learn_beside, count, options, data)
    else:
        _learn(Seat(), options, data)
    return options.out


def _learn_beside(seat: Seat, options: PaperOptions, data: Mixture) -> None:
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // seat.count))
    _learn(seat, options, data)


def _learn(seat: Seat, options: PaperOptions, data: Mixture) -> None:
    """All stages in one of the processes; the first one writes the weights."""
    device = choose_device(options.device)
    if device.type == "cuda":
        device = torch.device("cuda", seat.local_rank if seat.count > 1 else device.index or 0)
        torch.cuda.set_device(device)
    if seat.count > 1 and not dist.is_initialized():
        join_given(seat, device)
    model = _starting_network(options).to(device)
    if dist.is_initialized():
        for value in model.state_dict().values():
            dist.broadcast(value, 0)
    for stage in options.stages:
        _train_stage(stage.scaled(options.rate), model, data, options, seat)
    if seat.rank == 0:
        trained = {name: value.detach().cpu() for name, value in model.state_dict().items()}
        export_weights(model, trained, options.out, buffers=torch.float32)


def _starting_network(options: PaperOptions) -> EfficientTAM:
    """The variant in float32, from nothing or from weights. Raises WeightsError."""
    model = fresh_network(options.model, options.seed)
    if options.weights is not None:
        known = load_model(options.model, device="cpu", weights=options.weights)
        model.load_state_dict(known.state_dict())
    return model


def _train_stage(
    stage: PaperStage, model: EfficientTAM, data: Mixture, options: PaperOptions, seat: Seat
) -> Run:
    """One stage to the end of its budget; ``model`` holds the result."""
    live = {name: p for name, p in model.named_parameters() if not name.startswith(stage.unused)}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in live)
    depth = model.config.image_encoder.depth
    run = Run(
        stage.name,
        options.work,
        live,
        options.budget(stage),
        LoopOptions(
            rate=stage.rates.rest,
            seed=options.seed,
            save_every=options.save_every,
            log_every=options.log_every,
            pooled_log=True,
        ),
        optimizer=LayeredAdamW(live.items(), stage.rates, depth, DECAY, CLIP),
        schedule=stage.schedule,
        recipe=options.recipe(stage),
    )
    share = options.batch // seat.count
    side, places = model.config.input_size, range(seat.rank * share, (seat.rank + 1) * share)
    draws = SampleDraws(data, stage.samples, side, (options.seed, stage.number))
    shown = SampleDraws(data, stage.samples, side, (options.seed, stage.number + _PICTURE_STREAM))
    minutes = options.picture_minutes if seat.rank == 0 else 0
    pictures = SamplePictures(options.work, stage.name, shown, minutes)
    stream, listener = sample_stream(draws, run.step, places, options.drawers), Listener(model)

    def parts() -> Iterator[tuple[Tensor, dict[str, float]]]:
        for _ in places:
            sample = next(stream).to(model.device)
            with _cast(model.device, options.precision):
                played = play(model, listener, sample)
            yield played.loss / share, played.numbers()

    def after_step() -> None:
        if pictures.due():
            pictures.write(model, listener, run.step, _cast(model.device, options.precision))

    later = SEQUENCES.name
    if later in {one.name for one in options.stages} - {stage.name}:
        refuse_stale(run, options.work / f"{later}.pt")
    fresh = not run.finished
    with ExitStack() as around:
        around.callback(stream.close)  # type: ignore[attr-defined]
        around.callback(listener.stop)
        if options.checkpointing:
            around.enter_context(recomputed(model))
        run.train_in_parts(parts, after_step=after_step)
        if fresh and seat.rank == 0:
            pictures.write(model, listener, run.step, _cast(model.device, options.precision))
    return run


def _cast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """bfloat16 autocast where it is asked for, or under AUTO where the device is fast at it."""
    if choose_precision(device, precision) is torch.bfloat16:
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
