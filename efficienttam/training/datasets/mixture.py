"""Several sources of training data with weights, checked before a run begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from efficienttam.contract.errors import JobError, PlateError
from efficienttam.training.clips import CLIPS_PER_SEED

from .folder_clips import open_folders
from .generated import FIRST_CLIP, GeneratedPlate
from .segment_anything import open_sa1b, open_sav
from .studio import open_studio
from .training_plate import Source, TrainingPlate

_OPENERS: dict[str, Callable[[Path], Source]] = {
    "davis": open_folders,
    "youtube-vos": open_folders,
    "mose": open_folders,
    "sav": open_sav,
    "sa1b": open_sa1b,
    "studio": open_studio,
}
KINDS = ("generated", *_OPENERS)
#: Plates of a source whose files are opened by the check, spread evenly; of the others the names must do.
CHECKED_PLATES = 100
#: Clips that ``generated`` without a number draws from.
GENERATED_CLIPS = 10_000
_MOST_FAULTS = 20
_WEIGHTED = re.compile(r"^(.*)@([0-9]*\.?[0-9]+)$")


@dataclass(frozen=True)
class Mixture:
    """Sources with the share of the samples that each gives, which add up to 1."""

    sources: tuple[tuple[TrainingPlate, ...], ...]
    shares: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> TrainingPlate:
        """A plate: its source by the shares, then any of it."""
        source = self.sources[int(rng.choice(len(self.sources), p=self.shares))]
        return source[int(rng.integers(len(source)))]


def open_data(told: Sequence[str], side: int, seed: int = 1) -> Mixture:
    """The data of ``--data KIND:PATH[@WEIGHT]``, checked; ``side`` is the network's, for generated clips.

    Raises JobError for words that are no source, PlateError that lists every fault found.
    """
    sources, weights, faults = [], [], []
    for text in told:
        source, weight = _open(text, side, seed)
        step = max(1, len(source.plates) // CHECKED_PLATES)
        found = source.faults + [fault for plate in source.plates[::step] for fault in plate.check()]
        faults += [f"{text}: {fault}" for fault in found]
        sources.append(tuple(source.plates))
        weights.append(weight)
    if faults:
        more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        listed = "".join(f"\n  {fault}" for fault in [*faults[:_MOST_FAULTS], *more])
        raise PlateError(f"The data cannot be trained on:{listed}", "Mend the files, or leave them out.")
    total = sum(weights)
    return Mixture(tuple(sources), tuple(weight / total for weight in weights))


def _open(text: str, side: int, seed: int) -> tuple[Source, float]:
    match = _WEIGHTED.match(text)
    named, weight = (match.group(1), float(match.group(2))) if match else (text, 1.0)
    kind, _, path = named.partition(":")
    if kind not in KINDS or weight <= 0:
        raise JobError(
            f"{text!r} is no training data.",
            f"Write KIND:PATH or KIND:PATH@WEIGHT with a weight above 0; kinds are {', '.join(KINDS)}.",
        )
    if kind == "generated":
        return _generated(text, path, side, seed), weight
    if not path or not Path(path).exists():
        return Source(faults=[f"there is nothing at {path!r}."]), weight
    return _OPENERS[kind](Path(path)), weight


def _generated(text: str, count: str, side: int, seed: int) -> Source:
    if count and not count.isdigit():
        raise JobError(f"{text!r} is no training data.", "Write generated, or generated:CLIPS.")
    first = CLIPS_PER_SEED * (seed - 1) + FIRST_CLIP
    clips = min(int(count or GENERATED_CLIPS), CLIPS_PER_SEED - FIRST_CLIP)
    return Source([GeneratedPlate(first + index, side) for index in range(max(1, clips))])
