"""Which of several training processes this one is, and how they find each other.

``torchrun`` tells by its environment (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT); nothing is
started then. Else a run starts its own processes on one machine.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import distributed as dist
from torch import multiprocessing

from efficienttam.contract.errors import EfficientTAMError, JobError
from efficienttam.training.parent_process import end_with_parent


@dataclass(frozen=True)
class Seat:
    """Process ``rank`` of ``count``, the ``local_rank``-th of its machine."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0


def seat_given() -> Seat | None:
    """The seat that torchrun, or whoever sets its variables, gave this process; None without one.

    Raises JobError where the variables are no numbers or incomplete.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return None
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    try:
        seat = Seat(*(int(os.environ.get(name, "0")) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))
    except ValueError as error:
        said = f"RANK, WORLD_SIZE or LOCAL_RANK is no number: {error}."
        raise JobError(said, "Start with torchrun.") from error
    if missing or not 0 <= seat.rank < seat.count:
        told = f"{', '.join(missing)} is not set" if missing else f"RANK {seat.rank} of {seat.count}"
        raise JobError(f"The environment names a process of several, but {told}.", "Start with torchrun.")
    return seat


def start_processes(work: Callable[..., None], count: int, *words: Any) -> None:
    """Call ``work(seat, *words)`` in ``count`` processes that share gradients over the loopback interface.

    What one of them raises for a user is raised here; anything else as RuntimeError with its last line. The
    port is one that is free: several trainings may run on one machine.
    """
    told = multiprocessing.get_context("spawn").SimpleQueue()
    try:
        multiprocessing.spawn(_take_part, args=(count, free_port(), work, words, told), nprocs=count)
    except (multiprocessing.ProcessRaisedException, multiprocessing.ProcessExitedException) as error:
        if not told.empty():
            raise told.get() from None
        raise RuntimeError(str(error).rstrip().rsplit("\n", 1)[-1]) from error


def _take_part(
    rank: int, count: int, port: int, work: Callable[..., None], words: tuple[Any, ...], told: Any
) -> None:
    end_with_parent()
    _join_beside(rank, count, port)
    try:
        work(Seat(rank, count, rank), *words)
    except EfficientTAMError as error:
        told.put(error)
        raise
    if dist.is_initialized():
        # One that went while another still held a line to it would take that one along (gloo aborts).
        dist.barrier()
        dist.destroy_process_group()


def _join_beside(rank: int, count: int, port: int) -> None:
    if count > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=count)


def join_given(seat: Seat, device: torch.device) -> None:
    """Join the processes that torchrun started: NCCL for CUDA, else gloo."""
    if os.environ["MASTER_ADDR"] in ("127.0.0.1", "localhost"):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, rank=seat.rank, world_size=seat.count)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sees_disk_of_first(folder: Path) -> bool:
    """Does this process see what the first one writes in ``folder``? Every process must ask."""
    box = [secrets.token_hex(8)]
    dist.broadcast_object_list(box)
    token = folder / f".{box[0]}.first"
    if dist.get_rank() == 0:
        token.touch()
    dist.barrier()
    seen = token.exists()
    dist.barrier()
    if dist.get_rank() == 0:
        token.unlink()
    return seen
