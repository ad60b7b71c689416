"""A finished job as a movie for review: the plate with its mattes as alpha, or tinted with them."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from .batch.failures import plain_failures
from .batch.footage import open_plate
from .batch.matte_form import MatteForm, matte_form, owners_by_file
from .batch.open_job import Stop
from .batch.progress import Progress, SilentProgress
from .contract.cache_settings import cache_settings
from .contract.document import resolve
from .contract.errors import Cancelled, IncompleteError, JobError
from .contract.fields import nearest
from .contract.job import FrameRange, TrackJob
from .contract.sequence import SequencePattern, tell_frames
from .mattes.overlay import overlay
from .media import FrameSequence
from .media.movie_writer import can_be_movie, open_movie

#: Pictures per second of a plate that tells none.
RATE = Fraction(24)


class Look(enum.Enum):
    """What a movie shows."""

    #: The plate as it is, the mattes of all its objects together as alpha.
    ALPHA = "alpha"
    #: The plate with every matte tinted.
    OVERLAY = "overlay"


@dataclasses.dataclass(frozen=True)
class MadeMovie:
    """The file, its frames and its rate."""

    path: str
    frames: Sequence[int]
    rate: Fraction


def make_movie(
    job: TrackJob,
    path: str,
    *,
    folder: str = "",
    look: Look | None = None,
    objects: Sequence[str] = (),
    frames: tuple[int, int] | None = None,
    view: str = "",
    rate: Fraction | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> MadeMovie:
    """Writes mattes that are on disk over their plate: .mov is ProRes 4444, .mp4 is H.264.

    ``look`` is ALPHA in .mov and OVERLAY in .mp4 unless told. ``objects`` are some of the job's, all without
    any. The rate is the plate's, else 24. No network is loaded. Raises JobError, PlateError, ColorError;
    IncompleteError where a matte is missing or damaged, OutputError or Cancelled.
    """
    look = look or (Look.OVERLAY if path.lower().endswith(".mp4") else Look.ALPHA)
    _refuse(job, path, look, objects, view)
    job, progress = resolve(job, folder), progress or SilentProgress()
    first, last = frames or (job.range.first, job.range.last)
    view = view or (job.views[0] if job.views else "")
    with plain_failures():
        plate = open_plate(job.plate, FrameRange(first, last), view, cache_settings())
        source = _Mattes(job, view, objects or [thing.name for thing in job.objects])
        source.refuse_missing(plate.frames)
        begin = plate.info(plate.frames[0])
        told = Fraction(*begin.frame_rate) if begin.frame_rate else RATE
        progress.begin(len(plate.frames), 0, unit="frame")
        with open_movie(
            path,
            plate.size,
            rate or told,
            first_frame=plate.frames[0],
            timecode=begin.timecode_text,
            pixel_aspect=begin.pixel_aspect,
        ) as movie:
            for frame in plate.frames:
                if stop is not None and stop():
                    raise Cancelled("Stopped before it was done.", "Run it again: nothing was kept.")
                picture, mattes = _picture(plate, frame), source.read(frame, plate.size)
                if look is Look.OVERLAY:
                    movie.add(overlay(picture, mattes))
                else:
                    movie.add(picture, np.maximum.reduce(mattes))
                progress.advance(frame, view, 1)
        progress.end(f"{len(plate.frames)} frames at {float(rate or told):g} a second.")
    return MadeMovie(path, plate.frames, rate or told)


def _picture(plate: FrameSequence, frame: int) -> np.ndarray:
    pixels = plate.read(frame)
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32, copy=False)


def _refuse(job: TrackJob, path: str, look: Look, objects: Sequence[str], view: str) -> None:
    """Raises JobError for a movie that cannot be."""
    if not can_be_movie(path):
        raise JobError(f"{path!r} is no movie that can be written.", "Let the name end with .mov or .mp4.")
    if look is Look.ALPHA and path.lower().endswith(".mp4"):
        raise JobError("H.264 in .mp4 has no alpha.", "Let the name end with .mov, or show the overlay.")
    names = [thing.name for thing in job.objects]
    for name in objects:
        if name not in names:
            raise JobError(f"The job has no object {name!r}.", nearest(name, names))
    if view and view not in (job.views or ("",)):
        told = f"Its views: {', '.join(job.views)}." if job.views else "It has no views: leave --view out."
        raise JobError(f"The job has no view {view!r}.", told)


class _Mattes:
    """Mattes of some objects of a job, on disk."""

    def __init__(self, job: TrackJob, view: str, names: Sequence[str]) -> None:
        self._output = job.output
        self._form: MatteForm = matte_form(job.output)
        self._view = view
        self._direction = job.tracking.direction
        self._prompted = {
            thing.name: [prompt.frame for prompt in thing.prompts]
            for thing in job.objects
            if thing.name in names
        }

    def refuse_missing(self, frames: Sequence[int]) -> None:
        """Raises IncompleteError for files that are not there, before any work."""
        for name in self._prompted:
            there = set(
                SequencePattern(self._output.path.replace("{object}", name)).frames_on_disk(self._view)
            )
            missing = [frame for frame in frames if self._expected(name, frame) and frame not in there]
            if missing:
                told = tell_frames(missing, f"has no matte of {name}", f"have no matte of {name}")
                raise IncompleteError(f"{told}.", "Track them first, or choose other frames.")

    def read(self, frame: int, size: tuple[int, int]) -> list[np.ndarray]:
        """Mattes (height, width) of a frame, black where tracking does not reach. Raises IncompleteError."""
        names = [name for name in self._prompted if self._expected(name, frame)]
        found: dict[str, np.ndarray] = {}
        for path, owners in owners_by_file(self._output, names, frame, self._view).items():
            held = self._form.read(path, owners)
            for name in owners:
                if name not in held or held[name].shape[::-1] != size:
                    raise IncompleteError(
                        f"{path} is damaged, of another size, or holds no {name}.", "Track the frame again."
                    )
            found.update(held)
        black = np.zeros(size[::-1], np.float32)
        return [found.get(name, black) for name in self._prompted]

    def _expected(self, name: str, frame: int) -> bool:
        return self._direction.reaches(frame, self._prompted[name])
