"""Scores of mattes that are on disk, from the headers of their files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..contract.errors import PlateError
from ..contract.job import Layout, Output
from ..contract.matte_score import MatteScore, parse_score, score_attribute
from ..contract.sequence import SequencePattern
from ..media import channel_name, read_texts


def matte_places(
    output: Output, names: Sequence[str], frame: int, view: str
) -> Iterator[tuple[str, str, str]]:
    """Object, file and channel of every matte of a frame, there or not."""
    pattern = SequencePattern(output.path)
    layered = output.layout is Layout.LAYER_PER_OBJECT
    last = output.layer.rpartition(".")[2]
    for name in names:
        path = pattern.path(frame, view, "" if layered else name)
        yield name, path, channel_name(f"{name}.{last}" if layered else output.layer)


def read_score(path: str, name: str) -> MatteScore | None:
    """The score of an object in a file's header, None where it holds none. Raises PlateError."""
    attribute = score_attribute(name)
    return parse_score(read_texts(path, [attribute])[attribute])


def disk_scores(
    output: Output, names: Sequence[str], frame: int, view: str
) -> Iterator[tuple[str, MatteScore]]:
    """Objects that have a whole file of the frame, with their scores, empty where a header is mute."""
    owners: dict[str, list[str]] = {}
    for name, path, _ in matte_places(output, names, frame, view):
        owners.setdefault(path, []).append(name)
    for path, together in owners.items():
        if os.path.isfile(path):
            try:
                told = read_texts(path, [score_attribute(name) for name in together])
            except PlateError:
                continue
            for name in together:
                yield name, parse_score(told[score_attribute(name)]) or MatteScore()
