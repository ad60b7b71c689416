"""Scores of a shot read from disk, and what the rule says of them."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..batch.disk_scores import read_scores
from ..batch.matte_form import matte_form
from ..contract.errors import PlateError
from ..contract.frames_to_check import Check, Place, Reason, checks, places
from ..contract.job import Layout
from ..contract.matte_score import MatteScore
from ..contract.sequence import SequencePattern
from ..mattes.extent import extent
from ..media import check_whole, read_roto
from .shot import Shot, Strand

Visit = Callable[[int, str], None]


@dataclass(frozen=True)
class Verdict:
    """One object in one view: its scores by frame, frames without a whole matte, and what to check."""

    name: str
    view: str
    frames: Sequence[int]
    scores: dict[int, MatteScore]
    missing: tuple[int, ...]
    checks: dict[int, Check]
    places: tuple[Place, ...]


def read_verdict(shot: Shot, strand: Strand, visit: Visit) -> Verdict:
    """Reads the header of every matte; its pixels only where the header holds no score.

    ``visit`` is called with every frame and view, and may raise to end the work.
    """
    scores = {}
    for frame in strand.frames:
        visit(frame, strand.view)
        score = _score(shot, strand, frame)
        if score is not None:
            scores[frame] = score
    return judge(strand, scores)


def judge(strand: Strand, scores: dict[int, MatteScore]) -> Verdict:
    """What the rule says of scores; a frame without a matte is to be checked, too."""
    missing = tuple(frame for frame in strand.frames if frame not in scores)
    found = checks(scores)
    found.update((frame, Check((Reason("no matte", "no matte", 2.0),))) for frame in missing)
    found = {frame: found[frame] for frame in sorted(found)}
    return Verdict(strand.name, strand.view, strand.frames, scores, missing, found, places(found))


def matte_file(shot: Shot, name: str, frame: int, view: str) -> str:
    """File of a matte, there or not."""
    return SequencePattern(shot.output.path).path(frame, view, name)


def matte_on_disk(shot: Shot, name: str, frame: int, view: str) -> np.ndarray:
    """A matte (height, width), 0 to 1. Raises PlateError where it is missing or damaged."""
    path = matte_file(shot, name, frame, view)
    if shot.job is None and shot.output.layout is Layout.FILE_PER_OBJECT:
        # Made by anyone: the alpha, else the first channel.
        return read_roto(path)
    held = matte_form(shot.output).read(path, [name])
    if name not in held:
        raise PlateError(f"{path} holds no whole matte of {name}.", "Track the frame again.")
    return held[name]


def kinds(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many mattes there are for each kind of reason, most first."""
    found = Counter(
        reason.kind for verdict in verdicts for check in verdict.checks.values() for reason in check.reasons
    )
    return dict(found.most_common())


def _score(shot: Shot, strand: Strand, frame: int) -> MatteScore | None:
    path = matte_file(shot, strand.name, frame, strand.view)
    if not os.path.isfile(path):
        return None
    try:
        check_whole(path)
        score = read_scores(path, [strand.name])[strand.name]
        if score is not None and (score.center is not None or score.area == 0):
            return score
        seen = extent(matte_on_disk(shot, strand.name, frame, strand.view))
    except PlateError:
        return None
    return dataclasses.replace(score or MatteScore(), area=seen.area, center=seen.center, box=seen.box)
