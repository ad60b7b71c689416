"""One fine-tuning from files to a file."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from efficienttam import __version__
from efficienttam.batch.progress import duration
from efficienttam.contract.errors import Cancelled, IncompleteError, JobError, PlateError
from efficienttam.contract.job import Model
from efficienttam.contract.sequence import format_frames
from efficienttam.finetune.course import TuneOutcome, TuneRecipe, TuneReport, tune
from efficienttam.finetune.matted_shot import MattedShot, MatteWish, open_shots, refuse_bad_mattes
from efficienttam.finetune.takes import HELD_EVERY, held_out, make_takes
from efficienttam.finetune.tuned_weights import refuse_place, write_tuned
from efficienttam.weights.load import load_model, weights_file
from efficienttam.weights.record import sha256_of


@dataclass(frozen=True)
class TuneOptions:
    """One call. ``sources`` are folders and job documents; ``model`` and ``weights`` are those of the first
    job unless told. ``keep_anyway`` writes weights that did not help, too."""

    sources: tuple[str, ...]
    out: Path
    wish: MatteWish = MatteWish()
    recipe: TuneRecipe = TuneRecipe()
    model: str = ""
    weights: str = ""
    device: str = "cpu"
    threads: int = 0
    held_every: int = HELD_EVERY
    keep_anyway: bool = False


def finetune(options: TuneOptions, stop: Callable[[], bool], say: Callable[[str], None]) -> TuneOutcome:
    """Tunes and writes ``options.out`` where that helped. ``say`` hears what goes on.

    Nothing is computed before all files are found and fit. Raises JobError, PlateError, ColorError,
    WeightsError, OutputError; IncompleteError where it did not help, Cancelled where it was stopped before it
    did: nothing was written then.
    """
    if options.held_every < 2:
        raise JobError("Every frame would be held out.", "Give --hold-out 2 or more.")
    shots = _shots(options)
    wanted = next((shot.model for shot in shots if shot.model is not None), Model())
    name = options.model or wanted.name
    base, base_hash = weights_file(
        name, options.weights or (wanted.weights if not options.model else "") or None
    )
    refuse_place(options.out, base)
    refuse_bad_mattes(shots, options.wish)
    held = held_out(shots, options.held_every)
    say(_told_split(shots, held))
    model = load_model(name, device=options.device, weights=base, threads=options.threads or None)
    clock = _Clock(say)
    takes = make_takes(model, shots, held, clock.encoded)
    try:
        outcome = tune(model, takes, options.recipe, clock.stepped, stop)
    except ValueError as error:
        raise PlateError(str(error), "Add mattes on frames where the object is seen.") from error
    say(f"{outcome.ended} Held-out J {_told(outcome)}.")
    if sha256_of(base) != base_hash:
        raise IncompleteError(f"{base} changed while it was tuned.", "Tune again; nothing was written.")
    _refuse_no_gain(outcome, options, base.name)
    write_tuned(
        base, outcome.changed, options.out, base_hash, _facts(name, base, options, shots, held, outcome)
    )
    return outcome


def _refuse_no_gain(outcome: TuneOutcome, options: TuneOptions, base: str) -> None:
    """Raises Cancelled or IncompleteError where there is nothing to write."""
    scored = outcome.best_step > 0
    if scored and (outcome.helped or options.keep_anyway):
        return
    if outcome.stopped:
        when = "held-out frames were drawn better" if scored else "any step was scored"
        raise Cancelled(f"It was stopped before {when}; nothing was written.")
    if not scored:
        raise IncompleteError(
            f"The {options.recipe.minutes:g} minutes were over before the first step; nothing was written.",
            "Give more --minutes.",
        )
    raise IncompleteError(
        f"Held-out frames are drawn no better than by {base}; nothing was written.",
        "Give more mattes, of frames that differ, or other --parts; --keep-anyway writes it anyway.",
    )


def _shots(options: TuneOptions) -> list[MattedShot]:
    """All shots. Raises JobError where two have one name."""
    shots = [shot for source in options.sources for shot in open_shots(source, options.wish)]
    names = [shot.name for shot in shots]
    if len(set(names)) == len(names):
        return shots
    apart = [dataclasses.replace(shot, name=f"{index} {shot.name}") for index, shot in enumerate(shots, 1)]
    return apart


def _told_split(shots: Sequence[MattedShot], held: dict[str, tuple[int, ...]]) -> str:
    """Which frames are learned from, and which are held out."""
    lines = []
    for shot in shots:
        learned = [frame for frame in shot.frames if frame not in held[shot.name]]
        kept = format_frames(held[shot.name]) or "none"
        objects = ", ".join(name for name, files in shot.mattes.items() if files)
        lines.append(
            f"{shot.name} ({objects}): learns from {format_frames(learned) or 'none'}, held out {kept}."
        )
    return "\n".join(lines)


def _told(outcome: TuneOutcome) -> str:
    before, best = outcome.before, outcome.best
    return (
        f"{before.mean:.3f} before, {best.mean:.3f} after step {outcome.best_step} "
        f"(clicked {before.clicked:.3f} and {best.clicked:.3f}, "
        f"recalled {before.recalled:.3f} and {best.recalled:.3f})"
    )


def _facts(
    name: str,
    base: Path,
    options: TuneOptions,
    shots: Sequence[MattedShot],
    held: dict[str, tuple[int, ...]],
    outcome: TuneOutcome,
) -> dict[str, object]:
    """What the header of the file tells."""
    return {
        "model": name,
        "efficienttam/version": __version__,
        "efficienttam/base_file": base.name,
        "efficienttam/recipe": dataclasses.asdict(options.recipe),
        "efficienttam/learned_from": {
            shot.name: format_frames(f for f in shot.frames if f not in held[shot.name]) for shot in shots
        },
        "efficienttam/held_out": {shot: format_frames(frames) for shot, frames in held.items()},
        "efficienttam/score_before": dataclasses.asdict(outcome.before),
        "efficienttam/score_after": dataclasses.asdict(outcome.best),
        "efficienttam/steps": {"taken": outcome.steps, "best": outcome.best_step, "ended": outcome.ended},
        "efficienttam/torch": torch.__version__,
    }


class _Clock:
    """Tells how far the work is, every few seconds and at every score."""

    def __init__(self, say: Callable[[str], None], every: float = 5.0) -> None:
        self._say, self._every = say, every
        self._last = self._began = time.monotonic()

    def encoded(self, done: int, of: int) -> None:
        now = time.monotonic()
        if done == of or now - self._last >= self._every:
            self._last = now
            left = (now - self._began) / done * (of - done)
            self._say(f"Encoded {done} of {of} frames" + (f", {duration(left)} left." if done < of else "."))

    def stepped(self, report: TuneReport) -> None:
        now = time.monotonic()
        if report.score is None and now - self._last < self._every:
            return
        self._last = now
        score = f", held-out J {report.score.mean:.3f} (best {report.best.mean:.3f})" if report.score else ""
        left = duration(report.seconds_left)
        self._say(
            f"Step {report.step} of {report.steps}: loss {report.loss:.3f}{score}, {left} left at most."
        )


def tell_stderr(text: str) -> None:
    """Says a line to people."""
    print(text, file=sys.stderr, flush=True)
