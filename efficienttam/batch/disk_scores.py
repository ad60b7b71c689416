"""Scores of mattes that are on disk, from the headers of their files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..contract.errors import PlateError
from ..contract.job import Output
from ..contract.matte_score import MatteScore, parse_score, score_attribute
from ..media import read_texts
from .matte_form import owners_by_file


def read_score(path: str, name: str) -> MatteScore | None:
    """The score of an object in a file's header, None where it holds none. Raises PlateError."""
    attribute = score_attribute(name)
    return parse_score(read_texts(path, [attribute])[attribute])


def disk_scores(
    output: Output, names: Sequence[str], frame: int, view: str
) -> Iterator[tuple[str, MatteScore]]:
    """Objects that have a whole file of the frame, with their scores, empty where a header is mute."""
    for path, together in owners_by_file(output, names, frame, view).items():
        if os.path.isfile(path):
            try:
                told = read_texts(path, [score_attribute(name) for name in together])
            except PlateError:
                continue
            for name in together:
                yield name, parse_score(told[score_attribute(name)]) or MatteScore()
