"""The training loop of one stage: batches, gradients, rate, log, checkpoints.

Several processes may train together; each draws its own batches and all apply the same averaged
gradient. Batches follow from (seed, step, rank) alone, so that a run that was killed continues exactly
as it would have gone on.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist

from efficienttam.training.optimizer import MasterOptimizer, rate_factor

#: Loss of one batch drawn with a generator, and numbers for the log.
Lesson = Callable[[np.random.Generator], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True)
class Budget:
    """A stage ends after ``steps`` or ``seconds`` of training, whichever comes first; 0 is no limit.

    Only a budget of steps makes two runs equal; the learning rate follows whichever is further on.
    """

    steps: int = 0
    seconds: float = 0.0

    def progress(self, step: int, elapsed: float) -> float:
        """0 at the start to 1 at the end."""
        parts = [step / self.steps if self.steps else 0.0, elapsed / self.seconds if self.seconds else 0.0]
        return max(parts)


@dataclass(frozen=True)
class LoopOptions:
    """``rate`` is the peak learning rate, ``save_every`` and ``log_every`` count steps."""

    rate: float = 1e-3
    decay: float = 0.1
    clip: float = 1.0
    warm_up: int = 200
    seed: int = 1
    save_every: int = 100
    log_every: int = 10


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _share_gradients(live: dict[str, nn.Parameter], progress: float, weight: float) -> float:
    """Average gradients over processes in place, by weight; returns the first process's progress."""
    if not dist.is_initialized():
        return progress
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in live.values()]
    mine = torch.tensor([progress if dist.get_rank() == 0 else 0.0, weight])
    flat = torch.cat([*(grad.float().reshape(-1) * weight for grad in grads), mine])
    dist.all_reduce(flat)
    progress = float(flat[-2])
    flat /= float(flat[-1])
    start = 0
    for parameter in live.values():
        stop = start + parameter.numel()
        parameter.grad = flat[start:stop].view_as(parameter).to(parameter.dtype)
        start = stop
    return progress


class Run:
    """One stage in progress: parameters, optimiser, step count, log."""

    def __init__(
        self, name: str, folder: Path, live: dict[str, nn.Parameter], budget: Budget, options: LoopOptions
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder, self.budget, self.options = name, folder, budget, options
        self.live = live
        self.optimizer = MasterOptimizer(live.items(), options.rate, options.decay, options.clip)
        self.step = 0
        self.elapsed = 0.0
        if self.checkpoint.exists():
            self._load()

    @property
    def checkpoint(self) -> Path:
        """Where the state of the stage is kept."""
        return self.folder / f"{self.name}.pt"

    @property
    def progress(self) -> float:
        """0 at the start of the stage, 1 at its end."""
        return self.budget.progress(self.step, self.elapsed)

    @property
    def finished(self) -> bool:
        """True when the budget is spent."""
        return self.progress >= 1

    def train(self, lesson: Lesson, weight: float = 1.0) -> None:
        """Run to the end of the budget; ``weight`` is this process's share of every step."""
        tally: list[dict[str, float]] = []
        progress = self.progress
        while progress < 1:
            started = time.monotonic()
            rng = np.random.default_rng((self.options.seed, self.step, _rank()))
            torch.manual_seed(int(rng.integers(2**31)))
            loss, numbers = lesson(rng)
            loss.backward()
            progress = _share_gradients(self.live, self.progress, weight)
            factor = rate_factor(self.step, progress, self.options.warm_up)
            norm = self.optimizer.step(factor)
            self.step += 1
            self.elapsed += time.monotonic() - started
            tally.append({"loss": float(loss.detach()), "norm": norm, **numbers})
            if self.step % self.options.log_every == 0:
                self._log(tally, factor)
                tally = []
            if self.step % self.options.save_every == 0:
                self._save()
            if not dist.is_initialized():
                progress = self.progress
        self._save()

    def _log(self, tally: list[dict[str, float]], factor: float) -> None:
        if _rank() != 0:
            return
        path = self.folder / f"{self.name}.csv"
        names = sorted({key for row in tally for key in row})
        means = {name: float(np.mean([row[name] for row in tally if name in row])) for name in names}
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["step", "seconds", "rate", *names])
            numbers = [f"{means[name]:.4f}" for name in names]
            writer.writerow([self.step, f"{self.elapsed:.0f}", f"{factor * self.options.rate:.2e}", *numbers])
        told = ", ".join(f"{name} {means[name]:.3f}" for name in names)
        print(f"{self.name}: step {self.step}, {self.progress:.0%} done, {told}", file=sys.stderr, flush=True)

    def _save(self) -> None:
        if _rank() != 0:
            return
        part = self.checkpoint.with_suffix(".part")
        state: dict[str, Any] = {
            "step": self.step,
            "elapsed": self.elapsed,
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, part)
        part.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.step, self.elapsed = state["step"], state["elapsed"]
        self.optimizer.load_state_dict(state["optimizer"])
