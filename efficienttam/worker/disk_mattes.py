"""Mattes of one frame that are on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from ..batch.matte_score import parse_score, score_attribute
from ..contract.errors import PlateError
from ..contract.job import Layout, Output
from ..contract.messages import ObjectMatte
from ..contract.sequence import SequencePattern
from ..media import channel_name, read_roto_and_texts, read_texts
from .pictures import matte_png


def disk_mattes(
    output: Output, names: Sequence[str], frame: int, view: str, side: int
) -> tuple[ObjectMatte, ...]:
    """Mattes of some objects with pictures and scores; those that are missing or damaged are left out."""
    found = []
    for name, path, channel in _places(output, names, frame, view):
        try:
            matte, texts = read_roto_and_texts(path, [score_attribute(name)], channel)
        except PlateError:
            continue
        found.append(_scored(name, texts, matte_png(matte, side)))
    return tuple(found)


def disk_scores(output: Output, names: Sequence[str], frame: int, view: str) -> tuple[ObjectMatte, ...]:
    """The same from the files' headers alone, without pictures."""
    found = []
    for name, path, _ in _places(output, names, frame, view):
        if os.path.isfile(path):
            try:
                texts = read_texts(path, [score_attribute(name)])
            except PlateError:
                continue
            found.append(_scored(name, texts, ""))
    return tuple(found)


def _places(output: Output, names: Sequence[str], frame: int, view: str) -> Iterator[tuple[str, str, str]]:
    """Object, file and channel of every matte of a frame."""
    pattern = SequencePattern(output.path)
    layered = output.layout is Layout.LAYER_PER_OBJECT
    last = output.layer.rpartition(".")[2]
    for name in names:
        path = pattern.path(frame, view, "" if layered else name)
        yield name, path, channel_name(f"{name}.{last}" if layered else output.layer)


def _scored(name: str, texts: Mapping[str, str], png: str) -> ObjectMatte:
    score = parse_score(texts[score_attribute(name)])
    if score is None:
        return ObjectMatte(name, png)
    return ObjectMatte(name, png, score.object_score, score.predicted_iou, score.area)
