"""A finished job as movies for review, one per view: the plate, its mattes as alpha or tinted over it."""

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
from .media import FrameSequence, PlateInfo
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


def movie_files(job: TrackJob, path: str, view: str = "") -> dict[str, str]:
    """The movie of each view, ``%V`` and ``%v`` of ``path`` filled; that of ``view`` alone where it is told.

    The view of a job without any is ``""``. Raises JobError for a view that the job has not, and where
    views would write the same file.
    """
    if view and view not in (job.views or ("",)):
        told = f"Its views: {', '.join(job.views)}." if job.views else "It has no views: leave --view out."
        raise JobError(f"The job has no view {view!r}.", told)
    pattern = SequencePattern(path)
    if not job.views:
        if pattern.has_view:
            raise JobError(f"{path!r} has %V and the job has no views.", "Leave %V out.")
        return {"": path}
    files = {name: pattern.with_view(name) for name in ([view] if view else job.views)}
    if len(set(files.values())) < len(files):
        raise JobError(
            f"The views {', '.join(files)} would write the same movie, {path!r}.",
            "Put %V into the name, or choose a view with --view.",
        )
    return files


def make_movies(
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
) -> list[MadeMovie]:
    """Writes mattes that are on disk over their plate, a movie for each of ``movie_files``: .mov is
    ProRes 4444, .mp4 is H.264.

    ``look`` is ALPHA in .mov and OVERLAY in .mp4 unless told. ``objects`` are some of the job's, all without
    any. The rate is the plate's, else 24. No network is loaded. Raises JobError, PlateError, ColorError;
    IncompleteError where a matte is missing (of any view, before the first movie is begun) or damaged,
    OutputError or Cancelled.
    """
    look = look or (Look.OVERLAY if path.lower().endswith(".mp4") else Look.ALPHA)
    _refuse(job, path, look, objects)
    files = movie_files(job, path, view)
    job, progress = resolve(job, folder), progress or SilentProgress()
    chosen = FrameRange(*(frames or (job.range.first, job.range.last)))
    names = objects or [thing.name for thing in job.objects]
    with plain_failures():
        sources = [_Source(job, name, names, chosen) for name in files]
        progress.begin(sum(len(source.plate.frames) for source in sources), 0, unit="frame")
        made = [
            _write(path, source, look, rate or source.rate, progress, stop)
            for path, source in zip(files.values(), sources, strict=True)
        ]
        rates = dict.fromkeys(f"{float(movie.rate):g}" for movie in made)
        count = sum(len(movie.frames) for movie in made)
        progress.end(f"{count} frames at {' and '.join(rates)} a second.")
    return made


def _write(
    path: str, source: _Source, look: Look, rate: Fraction, progress: Progress, stop: Stop | None
) -> MadeMovie:
    plate, begin = source.plate, source.begin
    with open_movie(
        path,
        plate.size,
        rate,
        first_frame=plate.frames[0],
        timecode=begin.timecode_text,
        pixel_aspect=begin.pixel_aspect,
    ) as movie:
        for frame in plate.frames:
            if stop is not None and stop():
                raise Cancelled("Stopped before it was done.", "Run it again: no part of a movie is kept.")
            picture, mattes = _picture(plate, frame), source.mattes(frame)
            if look is Look.OVERLAY:
                movie.add(overlay(picture, mattes))
            else:
                movie.add(picture, source.together(mattes))
            progress.advance(frame, source.view, 1)
    return MadeMovie(path, plate.frames, rate)


def _picture(plate: FrameSequence, frame: int) -> np.ndarray:
    pixels = plate.read(frame)
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32, copy=False)


def _refuse(job: TrackJob, path: str, look: Look, objects: Sequence[str]) -> None:
    """Raises JobError for a movie that cannot be."""
    if not can_be_movie(path):
        raise JobError(f"{path!r} is no movie that can be written.", "Let the name end with .mov or .mp4.")
    if look is Look.ALPHA and path.lower().endswith(".mp4"):
        raise JobError("H.264 in .mp4 has no alpha.", "Let the name end with .mov, or show the overlay.")
    names = [thing.name for thing in job.objects]
    for name in objects:
        if name not in names:
            raise JobError(f"The job has no object {name!r}.", nearest(name, names))


class _Source:
    """What one movie shows: the plate of a view, and mattes of some objects of a job, on disk.

    Raises IncompleteError for files that are not there, before any work.
    """

    def __init__(self, job: TrackJob, view: str, names: Sequence[str], frames: FrameRange) -> None:
        self.view = view
        self.plate: FrameSequence = open_plate(job.plate, frames, view, cache_settings())
        self.begin: PlateInfo = self.plate.info(self.plate.frames[0])
        self._output = job.output
        self._form: MatteForm = matte_form(job.output)
        self._direction = job.tracking.direction
        self._apart = job.tracking.non_overlapping
        self._prompted = {
            thing.name: [prompt.frame for prompt in thing.prompts]
            for thing in job.objects
            if thing.name in names
        }
        self._refuse_missing()

    @property
    def rate(self) -> Fraction:
        """Pictures a second, the plate's own or 24."""
        return Fraction(*self.begin.frame_rate) if self.begin.frame_rate else RATE

    def _refuse_missing(self) -> None:
        for name in self._prompted:
            there = set(
                SequencePattern(self._output.path.replace("{object}", name)).frames_on_disk(self.view)
            )
            missing = [
                frame for frame in self.plate.frames if self._expected(name, frame) and frame not in there
            ]
            if missing:
                whose = f"{name} in the view {self.view}" if self.view else name
                told = tell_frames(missing, f"has no matte of {whose}", f"have no matte of {whose}")
                raise IncompleteError(f"{told}.", "Track them first, or choose other frames.")

    def mattes(self, frame: int) -> list[np.ndarray]:
        """Mattes (height, width) of a frame, black where tracking does not reach. Raises IncompleteError."""
        names = [name for name in self._prompted if self._expected(name, frame)]
        found: dict[str, np.ndarray] = {}
        for path, owners in owners_by_file(self._output, names, frame, self.view).items():
            held = self._form.read(path, owners)
            for name in owners:
                if name not in held or held[name].shape[::-1] != self.plate.size:
                    raise IncompleteError(
                        f"{path} is damaged, of another size, or holds no {name}.", "Track the frame again."
                    )
            found.update(held)
        black = np.zeros(self.plate.size[::-1], np.float32)
        return [found.get(name, black) for name in self._prompted]

    def together(self, mattes: Sequence[np.ndarray]) -> np.ndarray:
        """Mattes (height, width) of all objects as one: their sum where they share out what they claim, so
        that objects that touch show no seam; where they may overlap the highest."""
        if self._apart:
            return np.minimum(np.sum(mattes, axis=0), 1)
        return np.asarray(np.maximum.reduce(mattes))

    def _expected(self, name: str, frame: int) -> bool:
        return self._direction.reaches(frame, self._prompted[name])
