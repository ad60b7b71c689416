"""Mattes of one frame that are on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..batch.disk_scores import disk_scores, read_scores
from ..batch.matte_form import matte_form, owners_by_file
from ..contract.errors import PlateError
from ..contract.job import Output
from ..contract.matte_score import MatteScore
from ..contract.messages import FrameReview, ObjectMatte
from .pictures import matte_png


def disk_mattes(
    output: Output, names: Sequence[str], frame: int, view: str, side: int
) -> tuple[ObjectMatte, ...]:
    """Mattes of some objects with pictures and scores; those that are missing or damaged are left out."""
    form, found = matte_form(output), []
    for path, owners in owners_by_file(output, names, frame, view).items():
        mattes = form.read(path, owners)
        try:
            scores = read_scores(path, list(mattes)) if mattes else {}
        except PlateError:
            continue
        for name, matte in mattes.items():
            found.append(ObjectMatte(name, matte_png(matte, side), scores[name] or MatteScore()))
    return tuple(found)


def scored_mattes(output: Output, names: Sequence[str], frame: int, view: str) -> tuple[ObjectMatte, ...]:
    """The same from the files' headers alone, without pictures."""
    return tuple(ObjectMatte(name, "", score) for name, score in disk_scores(output, names, frame, view))


def reviewed(output: Output, names: Sequence[str], frames: Iterable[int], view: str) -> Iterator[FrameReview]:
    """Frames that have mattes, with their scores."""
    for frame in frames:
        found = scored_mattes(output, names, frame, view)
        if found:
            yield FrameReview(frame, found)
