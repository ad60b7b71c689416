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
from efficienttam.training.attention import written_out_attention
from efficienttam.training.loop import Budget, LoopOptions, Run
from efficienttam.training.pool import Pool, PoolSpec
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

    with written_out_attention():
        run.train(lesson, options.batch)
    return run


def join_processes(rank: int, count: int, port: int = 29511) -> None:
    """Make this process one of ``count`` that share gradients over the loopback interface."""
    if count > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=count)
