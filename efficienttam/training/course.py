"""The whole course: generated pools, stage one on stills, stage two on clips, the weights written out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist

from efficienttam.model.build import build_model, find_config
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.training.cpu_kernels import fast_on_cpu
from efficienttam.training.loop import Budget, LoopOptions, Run
from efficienttam.training.pool import Pool, PoolSpec
from efficienttam.training.sequences import EmbeddingShelf, Listener, draw_sequences, sequence_loss
from efficienttam.training.stills import Scaffold, draw_batch, still_loss


@dataclass(frozen=True)
class StillOptions:
    """Stage one: ``batch`` images a step and process, ``aid`` the scaffold's weight."""

    pool: PoolSpec = PoolSpec(clips=8000, frames=4, strides=(5, 7))
    batch: int = 24
    aid: float = 0.5
    loop: LoopOptions = LoopOptions()


def fresh_network(name: str, seed: int) -> EfficientTAM:
    """A network initialised for training from nothing, the same for the same seed."""
    torch.manual_seed(seed)
    model = build_model(find_config(name))
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
    for layer in model.memory_encoder.fuser.layers:
        nn.init.constant_(layer.gamma, 0.1)
    return model.train()


def stills_stage(name: str, folder: Path, budget: Budget, options: StillOptions, seed: int) -> Run:
    """Train stage one to the end of its budget; the run holds the weights."""
    model = fresh_network(name, seed).to(torch.bfloat16)
    scaffold = Scaffold(model.config.hidden).to(torch.bfloat16)
    unused = ("memory_", "maskmem", "no_mem_pos", "no_obj_ptr", "obj_ptr_proj", "mask_downsample")
    live = {n: p for n, p in model.named_parameters() if not n.startswith(unused)}
    live |= {f"scaffold.{n}": p for n, p in scaffold.named_parameters()}
    run = Run("stills", folder, live, budget, options.loop)
    pool = Pool(folder / "stills", options.pool)
    side = model.config.mask_side

    def lesson(rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = draw_batch(pool, options.batch, side, rng)
        return still_loss(model, scaffold, batch, options.aid * max(0.1, 1 - run.step / 2000))

    with fast_on_cpu():
        run.train(lesson, options.batch)
    return run


@dataclass(frozen=True)
class SequenceOptions:
    """Stage two: ``kinds`` are clicked, boxed and masked sequences a step and process.

    ``lengths`` are the sequence lengths drawn, ``corrections`` the chance of a corrective click.
    """

    pool: PoolSpec = PoolSpec(clips=3000, frames=10, strides=(1, 1, 2), first_clip=100_000)
    kinds: tuple[int, int, int] = (5, 4, 5)
    lengths: tuple[int, ...] = (4, 8, 8)
    corrections: float = 0.25
    loop: LoopOptions = LoopOptions(rate=6e-4, warm_up=60)


def sequences_stage(
    name: str, folder: Path, budget: Budget, options: SequenceOptions, seed: int, weights: dict[str, Tensor]
) -> Run:
    """Train stage two from stage one's ``weights`` (float32); the run holds everything it changed."""
    model = fresh_network(name, seed)
    model.load_state_dict({n: w for n, w in weights.items() if not n.startswith("scaffold.")}, strict=False)
    model = model.to(torch.bfloat16)
    model.image_encoder.requires_grad_(False)
    unused = ("image_encoder", "no_mem_pos")
    live = {n: p for n, p in model.named_parameters() if not n.startswith(unused)}
    run = Run("sequences", folder, live, budget, options.loop)
    pool = Pool(folder / "clips", options.pool)
    shelf, listener = EmbeddingShelf(model, pool), Listener(model)
    side = model.config.mask_side

    def lesson(rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        # Short sequences first: every second batch of the first tenth has two frames.
        short = run.budget.progress(run.step, run.elapsed) < 0.1 and rng.random() < 0.5
        frames = 2 if short else int(rng.choice(options.lengths))
        corrected = int(rng.integers(1, frames)) if rng.random() < options.corrections else 0
        batch = draw_sequences(shelf, pool, options.kinds, frames, side, rng)
        return sequence_loss(model, listener, batch, corrected)

    with fast_on_cpu():
        run.train(lesson, sum(options.kinds))
    return run


def join_processes(rank: int, count: int, port: int = 29511) -> None:
    """Make this process one of ``count`` that share gradients over the loopback interface."""
    if count > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=count)
