"""Mattes of one frame that are on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..batch.matte_form import matte_form, owners_by_file
from ..batch.matte_score import parse_score, score_attribute
from ..contract.errors import PlateError
from ..contract.job import Output
from ..contract.messages import ObjectMatte
from ..media import read_texts
from .pictures import matte_png


def disk_mattes(
    output: Output, names: Sequence[str], frame: int, view: str, side: int
) -> tuple[ObjectMatte, ...]:
    """Mattes of some objects with pictures and scores; those that are missing or damaged are left out."""
    form, found = matte_form(output), []
    for path, owners in owners_by_file(output, names, frame, view).items():
        for name, matte in form.read(path, owners).items():
            try:
                found.append(_scored(name, path, matte_png(matte, side)))
            except PlateError:
                continue
    return tuple(found)


def disk_scores(output: Output, names: Sequence[str], frame: int, view: str) -> tuple[ObjectMatte, ...]:
    """The same from the files' headers alone, without pictures."""
    found = []
    for path, owners in owners_by_file(output, names, frame, view).items():
        for name in owners if os.path.isfile(path) else ():
            try:
                found.append(_scored(name, path, ""))
            except PlateError:
                continue
    return tuple(found)


def _scored(name: str, path: str, png: str) -> ObjectMatte:
    attribute = score_attribute(name)
    score = parse_score(read_texts(path, [attribute])[attribute])
    if score is None:
        return ObjectMatte(name, png)
    return ObjectMatte(name, png, score.object_score, score.predicted_iou, score.area)
