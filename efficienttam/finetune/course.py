"""The course of a fine-tuning: mattes read, frames encoded, steps until held-out frames get no better."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from efficienttam.finetune.held_out_score import HeldOutScore, score_held_out
from efficienttam.finetune.lesson import draw_lesson
from efficienttam.finetune.parts import DEFAULT_PARTS, live_parameters
from efficienttam.finetune.takes import Take
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.training.cpu_kernels import fast_on_cpu
from efficienttam.training.optimizer import rate_factor
from efficienttam.training.sequences import Listener, sequence_loss

#: An improvement of J that counts.
LEAST_GAIN = 0.0005


@dataclass(frozen=True)
class TuneRecipe:
    """``rate`` is the peak learning rate of AdamW, ``pull`` the share of the way back to the original that
    weights go at a step of that rate. It ends after ``steps`` or ``minutes``, or when ``patience`` scores,
    one every ``score_every`` steps and one at the end, brought nothing. Only steps make two runs equal.
    """

    parts: tuple[str, ...] = DEFAULT_PARTS
    steps: int = 200
    minutes: float = 20.0
    rate: float = 2e-4
    pull: float = 0.002
    warm_up: int = 20
    score_every: int = 20
    patience: int = 4
    seed: int = 1


@dataclass
class TuneOutcome:
    """``before`` and ``best`` are scores on frames held out, of the original and of the best step that was
    scored; ``best_step`` is 0 where none was. ``changed`` are the weights of what was tuned, as they were at
    that step. ``ended`` says in a sentence why; ``stopped`` where somebody asked for it."""

    before: HeldOutScore
    best: HeldOutScore
    best_step: int = 0
    steps: int = 0
    seconds: float = 0.0
    ended: str = ""
    stopped: bool = False
    changed: dict[str, Tensor] = field(default_factory=dict)

    @property
    def helped(self) -> bool:
        """True where held-out frames are drawn better than by the original."""
        return self.best.mean > self.before.mean + LEAST_GAIN


@dataclass(frozen=True)
class TuneReport:
    """How far a tuning is: ``score`` where this step was scored, ``seconds_left`` at most."""

    step: int
    steps: int
    loss: float
    score: HeldOutScore | None
    best: HeldOutScore
    seconds_left: float


def tune(
    model: EfficientTAM,
    takes: Sequence[Take],
    recipe: TuneRecipe,
    tell: Callable[[TuneReport], None],
    stop: Callable[[], bool],
) -> TuneOutcome:
    """Tunes ``model`` in place and leaves it as it was best; ``stop`` is asked before every step.

    Raises JobError for unknown parts, ValueError where no object is seen on the frames.
    """
    live = live_parameters(model, recipe.parts)
    with fast_on_cpu():
        before = score_held_out(model, takes)
        outcome = TuneOutcome(before, before, changed=_copy(live))
        _steps(model, live, takes, recipe, outcome, tell, stop)
    with torch.no_grad():
        for name, parameter in live.items():
            parameter.copy_(outcome.changed[name])
    model.requires_grad_(False)
    return outcome


def _steps(
    model: EfficientTAM,
    live: dict[str, nn.Parameter],
    takes: Sequence[Take],
    recipe: TuneRecipe,
    outcome: TuneOutcome,
    tell: Callable[[TuneReport], None],
    stop: Callable[[], bool],
) -> None:
    """Steps to an end, which ``outcome`` tells; the last step is scored unless it was stopped."""
    origin = _copy(live)
    optimizer = torch.optim.AdamW(live.values(), lr=recipe.rate, weight_decay=0.0, foreach=True)
    listener = Listener(model)
    started = time.monotonic()
    worse = scored = 0
    while not outcome.ended:
        outcome.seconds = time.monotonic() - started
        if stop():
            outcome.ended, outcome.stopped = "It was stopped.", True
        elif outcome.steps >= recipe.steps:
            outcome.ended = f"All {recipe.steps} steps are done."
        elif outcome.seconds >= recipe.minutes * 60:
            outcome.ended = f"The {recipe.minutes:g} minutes are over."
        elif worse >= recipe.patience:
            outcome.ended = "Held-out frames got no better."
        if outcome.ended:
            break
        factor = rate_factor(outcome.steps, outcome.steps / recipe.steps, recipe.warm_up)
        loss = _step(model, listener, takes, recipe.seed, outcome.steps, optimizer, recipe.rate * factor)
        with torch.no_grad():
            for name, parameter in live.items():
                parameter.lerp_(origin[name], recipe.pull * factor)
        outcome.steps += 1
        score = None
        if outcome.steps % recipe.score_every == 0 or outcome.steps == recipe.steps:
            score = score_held_out(model, takes)
            better = _keep_better(outcome, score, live)
            worse, scored = (0 if better and outcome.helped else worse + 1), outcome.steps
        outcome.seconds = time.monotonic() - started
        pace = outcome.seconds / outcome.steps
        left = min((recipe.steps - outcome.steps) * pace, recipe.minutes * 60 - outcome.seconds)
        tell(TuneReport(outcome.steps, recipe.steps, loss, score, outcome.best, max(0.0, left)))
    if scored < outcome.steps and not outcome.stopped:
        _keep_better(outcome, score_held_out(model, takes), live)


def _keep_better(outcome: TuneOutcome, score: HeldOutScore, live: dict[str, nn.Parameter]) -> bool:
    """True where ``score`` is the first one or better than the best; weights are kept as they are then."""
    better = outcome.best_step == 0 or score.mean > outcome.best.mean + LEAST_GAIN
    if better:
        outcome.best, outcome.best_step, outcome.changed = score, outcome.steps, _copy(live)
    return better


def _step(
    model: EfficientTAM,
    listener: Listener,
    takes: Sequence[Take],
    seed: int,
    step: int,
    optimizer: torch.optim.Optimizer,
    rate: float,
) -> float:
    """One step, which follows from (seed, step) and the weights; returns its loss."""
    rng = np.random.default_rng((seed, step))
    torch.manual_seed(int(rng.integers(2**31)))
    batch, corrected = draw_lesson(takes, rng)
    loss, _ = sequence_loss(model, listener, batch, corrected)
    optimizer.zero_grad()
    loss.backward()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    norm = float(nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True))
    if math.isfinite(norm):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return float(loss.detach())


def _copy(live: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in live.items()}
