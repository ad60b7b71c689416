"""One ablation with one seed: the memory is learned anew in it, and the result tracks unseen clips."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from efficienttam.evaluation.footage import GeneratedFootage
from efficienttam.evaluation.scoring import PromptKind, score
from efficienttam.model.build import build_model
from efficienttam.model.config import ModelConfig
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.training.course import initialised, sequence_length
from efficienttam.training.cpu_kernels import fast_on_cpu
from efficienttam.training.loop import Budget, LoopOptions, Run
from efficienttam.training.pool import Pool, PoolSpec
from efficienttam.training.sequences import EmbeddingShelf, Listener, draw_sequences, sequence_loss

#: Weights of these parts begin anew in every trial; the others are those of the network it begins with.
LEARNED_ANEW = ("memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "obj_ptr_proj.", "no_obj_ptr")


@dataclass(frozen=True)
class TrialRecipe:
    """The same for all ablations of a table, so that they differ in nothing else.

    ``steps`` steps of ``kinds`` (clicked, boxed, masked) sequences, of ``courses`` (share of the steps,
    frames); the clips are ``pool``. Scored are ``test_clips`` clips of the evaluation's seeds.
    """

    steps: int = 200
    kinds: tuple[int, int, int] = (1, 1, 4)
    courses: tuple[tuple[float, int], ...] = ((0.3, 2), (0.3, 3), (0.4, 5))
    loop: LoopOptions = LoopOptions(rate=1e-3, warm_up=20, save_every=50)
    pool: PoolSpec = PoolSpec(clips=240, frames=8, strides=(1, 1, 2), first_clip=500_000, crossings=0.3)
    test_clips: int = 20
    test_frames: int = 16
    test_size: tuple[int, int] = (320, 180)


@dataclass(frozen=True)
class TrialResult:
    """Mean J and F of the test clips, 0..1, and each clip's J; ``loss`` is the mean of the last tenth."""

    ablation: str
    seed: int
    j: float
    f: float
    clips: tuple[float, ...]
    loss: float
    seconds: float

    @property
    def jf(self) -> float:
        """J&F."""
        return (self.j + self.f) / 2


def starting_network(config: ModelConfig, seed: int, weights: dict[str, Tensor]) -> EfficientTAM:
    """A network that sees and draws as ``weights`` do and has never remembered; the same for the same seed,
    whatever the ablation (the forms have the same parameters)."""
    model = initialised(config, seed)
    kept = {name: value for name, value in weights.items() if not name.startswith(LEARNED_ANEW)}
    model.load_state_dict(kept, strict=False)
    return model


def run_trial(
    name: str, config: ModelConfig, seed: int, recipe: TrialRecipe, weights: dict[str, Tensor], work: Path
) -> TrialResult:
    """Trains and scores; a trial that was stopped goes on from its last checkpoint in ``work``.

    The clips in ``work`` / "clips" must be drawn. Raises JobError for a checkpoint of another recipe.
    """
    started = time.monotonic()
    model = starting_network(config, seed, weights).to(torch.bfloat16)
    model.image_encoder.requires_grad_(False)
    live = {n: p for n, p in model.named_parameters() if not n.startswith(("image_encoder", "no_mem_pos"))}
    loop = dataclasses.replace(recipe.loop, seed=seed)
    run = Run(f"{name}-{seed}", work, live, Budget(steps=recipe.steps), loop, recipe=repr((config, recipe)))
    pool = Pool(work / "clips", recipe.pool)
    if config.input_size < pool.spec.side:
        pool = pool.shrunk(config.input_size)
    shelf, listener = EmbeddingShelf(model, pool), Listener(model)
    losses: list[float] = []

    def lesson(rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        frames = sequence_length(recipe.courses, run.progress)
        batch = draw_sequences(shelf, pool, recipe.kinds, frames, config.mask_side, rng)
        loss, numbers = sequence_loss(model, listener, batch)
        losses.append(float(loss.detach()))
        return loss, numbers

    with fast_on_cpu():
        run.train(lesson)
    trained = build_model(config).eval()
    trained.load_state_dict({**weights, **run.optimizer.weights()}, strict=False)
    scores = _scores(trained, recipe)
    last = losses[-max(1, recipe.steps // 10) :]
    return TrialResult(
        name,
        seed,
        j=float(np.mean([j for j, _ in scores])),
        f=float(np.mean([f for _, f in scores])),
        clips=tuple(j for j, _ in scores),
        loss=float(np.mean(last)) if last else float("nan"),
        seconds=time.monotonic() - started,
    )


def _scores(model: EfficientTAM, recipe: TrialRecipe) -> list[tuple[float, float]]:
    """J and F of every test clip, tracked from the true mask of its first frame."""
    scores = []
    for index in range(recipe.test_clips):
        footage = GeneratedFootage(index, recipe.test_frames, recipe.test_size)
        (found,) = score(model, footage, PromptKind.MASK)
        scores.append((found.j, found.f))
    return scores
