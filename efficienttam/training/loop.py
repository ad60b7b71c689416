"""The training loop of one stage: batches, gradients, rate, log, checkpoints.

Several processes may train together; each draws its own batches and all apply the same averaged
gradient. Batches follow from (seed, step, rank) alone, so that a run that was killed continues exactly
as it would have gone on: weights, moments of the optimiser, place in the schedule, order of the data and
random numbers are those of the run that was not.
"""

from __future__ import annotations

import csv
import io
import math
import pickle
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist

from efficienttam.contract.errors import JobError
from efficienttam.contract.whole_file import write_whole
from efficienttam.training.optimizer import MasterOptimizer, rate_factor

#: Loss of one batch drawn with a generator, and numbers for the log.
Lesson = Callable[[np.random.Generator], tuple[Tensor, dict[str, float]]]
#: The same in parts whose losses add up to the batch's; each part's graph is let go before the next.
Parts = Callable[[], Iterable[tuple[Tensor, dict[str, float]]]]
#: Factor of the peak rates from (step, progress 0..1).
Schedule = Callable[[int, float], float]


class Optimizer(Protocol):
    """What a run needs of an optimiser over its parameters."""

    def step(self, factor: float) -> float:
        """One update at ``factor`` times the peak rates; returns the norm of the gradient."""

    def weights(self) -> dict[str, Tensor]:
        """The float32 weights by name."""

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""


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
    """``rate`` is the peak learning rate, ``save_every`` and ``log_every`` count steps.

    With ``pooled_log`` the log has the means over all processes, not the first one's, without what is
    not a number, in seven digits; every part must then give the same names.
    """

    rate: float = 1e-3
    decay: float = 0.1
    clip: float = 1.0
    warm_up: int = 200
    seed: int = 1
    save_every: int = 100
    log_every: int = 10
    pooled_log: bool = False


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _share_gradients(live: dict[str, nn.Parameter], progress: float, weight: float) -> float:
    """Average gradients over processes in place, by weight; returns the first process's progress."""
    if not dist.is_initialized():
        return progress
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in live.values()]
    mine = torch.tensor([progress if dist.get_rank() == 0 else 0.0, weight], device=grads[0].device)
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
    """One stage in progress: parameters, optimiser, step count, log.

    ``optimizer`` is over ``live``; without one it is a ``MasterOptimizer``. A checkpoint in ``folder`` is
    continued; it must have been made with the same ``recipe``, any text. Raises JobError where it was not.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        live: dict[str, nn.Parameter],
        budget: Budget,
        options: LoopOptions,
        *,
        optimizer: Optimizer | None = None,
        schedule: Schedule | None = None,
        recipe: str = "",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder, self.budget, self.options = name, folder, budget, options
        self.live = live
        self.optimizer: Optimizer = optimizer or MasterOptimizer(
            live.items(), options.rate, options.decay, options.clip
        )
        self.schedule = schedule or (lambda step, progress: rate_factor(step, progress, options.warm_up))
        self.recipe = recipe
        self.step = 0
        self.elapsed = 0.0
        self._tally: list[dict[str, list[float]]] = []
        state = self._stored()
        if state is not None:
            self._continue(state)

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

    def train(
        self, lesson: Lesson, weight: float = 1.0, after_step: Callable[[], None] | None = None
    ) -> None:
        """Run to the end of the budget; ``weight`` is this process's share of every step, and ``after_step``
        is called after each."""

        def whole() -> Iterable[tuple[Tensor, dict[str, float]]]:
            rng = np.random.default_rng((self.options.seed, self.step, _rank()))
            torch.manual_seed(int(rng.integers(2**31)))
            yield lesson(rng)

        self.train_in_parts(whole, weight, after_step)

    def train_in_parts(
        self, parts: Parts, weight: float = 1.0, after_step: Callable[[], None] | None = None
    ) -> None:
        """The same with batches in parts; ``after_step`` is called after every step."""
        progress = self.progress
        while progress < 1:
            started = time.monotonic()
            row: dict[str, list[float]] = {"loss": [0.0]}
            for loss, numbers in parts():
                loss.backward()
                row["loss"][0] += float(loss.detach())
                for name, number in numbers.items():
                    row.setdefault(name, []).append(number)
            progress = _share_gradients(self.live, self.progress, weight)
            factor = self.schedule(self.step, progress)
            row["norm"] = [self.optimizer.step(factor)]
            self.step += 1
            self.elapsed += time.monotonic() - started
            self._tally.append(row)
            if self.step % self.options.log_every == 0:
                self._log(factor)
            if self.step % self.options.save_every == 0:
                self._save()
            if after_step is not None:
                after_step()
            # Clocks differ from process to process, counts of steps do not.
            alone = not dist.is_initialized()
            progress = self.progress if alone else max(progress, self.budget.progress(self.step, 0.0))
        if self._tally:
            # A run may end between two lines of its log, a short one before the first.
            self._log(self.schedule(self.step, 1.0))
        self._save()

    def _log(self, factor: float) -> None:
        tally, self._tally = self._tally, []
        names = sorted({key for row in tally for key in row})
        if self.options.pooled_log:
            means = _pooled(tally, names, next(iter(self.live.values())).device)
        else:
            means = {name: float(np.mean([row[name] for row in tally if name in row])) for name in names}
        if _rank() != 0:
            return
        path = self.folder / f"{self.name}.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["step", "seconds", "rate", *names])
            digits = ".7g" if self.options.pooled_log else ".4f"
            numbers = [f"{means[name]:{digits}}" for name in names]
            writer.writerow([self.step, f"{self.elapsed:.0f}", f"{factor * self.options.rate:.2e}", *numbers])
        told = ", ".join(f"{name} {means[name]:.3f}" for name in names)
        print(f"{self.name}: step {self.step}, {self.progress:.0%} done, {told}", file=sys.stderr, flush=True)

    def _save(self) -> None:
        if _rank() != 0:
            return
        state: dict[str, Any] = {
            "recipe": self.recipe,
            "step": self.step,
            "elapsed": self.elapsed,
            "tally": self._tally,
            "optimizer": self.optimizer.state_dict(),
        }
        packed = io.BytesIO()
        torch.save(state, packed)
        write_whole(str(self.checkpoint), packed.getbuffer(), "checkpoint")

    def _stored(self) -> dict[str, Any] | None:
        """The checkpoint, None where there is none; the first process's, whose disk others need not see."""
        state = None
        if _rank() == 0 and self.checkpoint.exists():
            try:
                state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            except (RuntimeError, OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
                raise JobError(
                    f"{self.checkpoint} is damaged: {str(error).splitlines()[0]}.",
                    "Remove it: its stage begins again.",
                ) from error
        if dist.is_initialized():
            box = [state]
            dist.broadcast_object_list(box)
            state = box[0]
        return state

    def _continue(self, state: dict[str, Any]) -> None:
        if state.get("recipe", "") != self.recipe:
            raise JobError(
                f"{self.checkpoint} is of another run ({state.get('recipe', '')}; this one: {self.recipe}).",
                "Give another work folder, or the options of that run.",
            )
        self.step, self.elapsed, self._tally = state["step"], state["elapsed"], state.get("tally", [])
        self.optimizer.load_state_dict(state["optimizer"])


def refuse_stale(run: Run, later: Path) -> None:
    """Raises JobError where a ``later`` stage has a checkpoint, begun on what ``run`` would change."""
    if not run.finished and later.exists():
        raise JobError(
            f"{later} was begun on what {run.checkpoint} holds after {run.step} steps; now that is to go on.",
            "Give the hours and steps of that run, or another work folder.",
        )


def _pooled(tally: list[dict[str, list[float]]], names: list[str], device: torch.device) -> dict[str, float]:
    """Means over steps, parts and processes of what is a number; NaN where nothing is."""
    sums = torch.zeros(len(names), 2, dtype=torch.float32, device=device)
    for index, name in enumerate(names):
        known = [number for row in tally for number in row[name] if not math.isnan(number)]
        sums[index, 0], sums[index, 1] = float(np.sum(known)), len(known)
    if dist.is_initialized():
        dist.all_reduce(sums)
    means = zip(names, sums.tolist(), strict=True)
    return {name: total / count if count else math.nan for name, (total, count) in means}
