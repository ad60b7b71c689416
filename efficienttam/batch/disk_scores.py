"""Scores of mattes that are on disk, from the headers of their files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..contract.errors import PlateError
from ..contract.job import Output
from ..contract.matte_score import MatteScore, parse_score, score_attribute
from ..media import read_texts
from .matte_form import owners_by_file


def read_scores(path: str, names: Sequence[str]) -> dict[str, MatteScore | None]:
    """The scores of objects in a file's header, None where it holds none. Raises PlateError."""
    told = read_texts(path, [score_attribute(name) for name in names])
    return {name: parse_score(told[score_attribute(name)]) for name in names}


def disk_scores(
    output: Output, names: Sequence[str], frame: int, view: str
) -> Iterator[tuple[str, MatteScore]]:
    """Objects that have a whole file of the frame, with their scores, empty where a header is mute."""
    for path, together in owners_by_file(output, names, frame, view).items():
        if os.path.isfile(path):
            try:
                scores = read_scores(path, together)
            except PlateError:
                continue
            for name, score in scores.items():
                yield name, score or MatteScore()
