"""Shots with mattes that are taken for true: those of a track job, or a folder of frames and mattes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from efficienttam.batch.matte_form import matte_form
from efficienttam.contract.document import read_job, resolve
from efficienttam.contract.errors import JobError, PlateError
from efficienttam.contract.job import Model, Output, TrackJob
from efficienttam.contract.sequence import MissingFrames, SequencePattern, parse_frames, tell_frames
from efficienttam.media import FrameSequence, read_roto

#: Looked for in a folder where nothing is said.
PLATES = tuple(f"plate.%04d.{kind}" for kind in ("exr", "png", "tif", "jpg", "dpx"))
MATTES = tuple(f"mattes/{{object}}.%04d.{kind}" for kind in ("exr", "png", "tif"))
#: Frames of ``MatteWish.frames`` by name.
KEY, ALL = "key", "all"


@dataclass(frozen=True)
class MatteWish:
    """Which files of a source are plate and mattes; what is empty is found.

    ``plate`` and ``mattes`` are patterns relative to the folder, or to the job's; ``channels`` are the
    objects where all share a file. ``frames`` is ``key`` (a job's prompted frames), ``all`` (all that have
    mattes) or a range; empty for ``key`` of a job and ``all`` of a folder. ``absent``: an empty matte says
    that the object is not there.
    """

    plate: str = ""
    mattes: str = ""
    channels: tuple[str, ...] = ()
    color_space: str = ""
    frames: str = ""
    absent: bool = False


@dataclass(frozen=True)
class MatteFile:
    """One matte on disk: the ``channel``, the alpha or the only one where that is empty; or what a job
    wrote of an object, in the form of its ``output``."""

    path: str
    channel: str = ""
    view: str = ""
    output: Output | None = None
    owner: str = ""

    def read(self) -> np.ndarray:
        """(height, width) float32, 0 to 1. Raises PlateError."""
        if self.output is None:
            return read_roto(self.path, self.channel, self.view)
        found = matte_form(self.output).read(self.path, [self.owner])
        if self.owner not in found:
            raise PlateError(f"{self.path} holds no matte of {self.owner}.", "Track the job again.")
        return found[self.owner]


@dataclass(frozen=True)
class MattedShot:
    """A plate, and mattes by object and frame."""

    name: str
    plate: FrameSequence
    mattes: Mapping[str, Mapping[int, MatteFile]]
    model: Model | None = None

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames with a matte of any object, ascending."""
        return tuple(sorted({frame for files in self.mattes.values() for frame in files}))

    def matte(self, thing: str, frame: int) -> np.ndarray:
        """(height, width) float32, 0 to 1. Raises PlateError."""
        return self.mattes[thing][frame].read()


def open_shots(source: str, wish: MatteWish) -> list[MattedShot]:
    """The shots of a folder or a job document: one, or one per view of a job.

    Raises PlateError, ColorError, JobError or JobFaults where plate, mattes or frames are missing.
    """
    if os.path.isdir(source):
        return [_folder_shot(Path(source), wish)]
    if not os.path.exists(source):
        raise PlateError(
            f"There is no {source}.",
            "Name a folder of frames and mattes, or the JSON document of a track job.",
        )
    return _job_shots(source, wish)


def refuse_bad_mattes(shots: Sequence[MattedShot], wish: MatteWish) -> None:
    """Reads every matte. Raises PlateError for sizes that differ from the plate's, and for empty mattes."""
    odd: list[str] = []
    empty: dict[str, list[int]] = {}
    for shot in shots:
        width, height = shot.plate.size
        for thing, files in shot.mattes.items():
            for frame, file in files.items():
                matte = shot.matte(thing, frame)
                if matte.shape != (height, width):
                    odd.append(f"{file.path} is {matte.shape[1]} x {matte.shape[0]}, not {width} x {height}")
                elif not (matte > 0.5).any():
                    empty.setdefault(f"{shot.name}, {thing}", []).append(frame)
    if odd:
        more = f", and {len(odd) - 1} others differ too" if len(odd) > 1 else ""
        raise PlateError(
            f"Mattes must be as large as their plate: {odd[0]}{more}.", "Render them at the plate's size."
        )
    if empty and not wish.absent:
        name, frames = next(iter(empty.items()))
        told = tell_frames(frames, "has an empty matte", "have empty mattes")
        more = f", and {len(empty) - 1} other objects have some" if len(empty) > 1 else ""
        raise PlateError(
            f"{name}: {told}{more}.",
            "Leave such frames out with --frames, or say --absent where the object is truly not there.",
        )


def _folder_shot(folder: Path, wish: MatteWish) -> MattedShot:
    plate = _first_there(folder, (wish.plate,) if wish.plate else PLATES, "plate", "--plate")
    patterns = (wish.mattes,) if wish.mattes else MATTES
    if wish.mattes and SequencePattern(wish.mattes).has_object is bool(wish.channels):
        raise JobError(
            "Mattes are told apart by {object} in their names, or by --channel where they share a file.",
            "Give one of the two.",
        )
    if wish.channels and not wish.mattes:
        raise JobError(
            "--channel names objects of a file that they share, and no such file is named.",
            "Name it with --mattes, as in --mattes mattes.%04d.exr.",
        )
    if wish.channels or not SequencePattern(patterns[0]).has_object:
        pattern = SequencePattern(_first_there(folder, patterns, "mattes", "--mattes"))
        on_disk = pattern.frames_on_disk()
        found = {
            name: {frame: MatteFile(pattern.path(frame), name) for frame in on_disk} for name in wish.channels
        }
    else:
        found = _by_name(folder, patterns)
    if not found:
        raise PlateError(
            f"{folder} holds no mattes: looked for {' and '.join(patterns)}.", "Name them with --mattes."
        )
    sequence = FrameSequence(plate, missing=MissingFrames.HOLD, color_space=wish.color_space)
    present = set(SequencePattern(plate).frames_on_disk())
    return _chosen(MattedShot(folder.name, sequence, found), present, wish, ALL)


def _first_there(folder: Path, patterns: Sequence[str], what: str, option: str) -> str:
    """The first pattern that has files. Raises PlateError."""
    for pattern in patterns:
        path = str(folder / pattern)
        if SequencePattern(path).frames_on_disk():
            return path
    raise PlateError(
        f"{folder} holds no {what}: looked for {' and '.join(patterns)}.", f"Name them with {option}."
    )


#: A frame token of a pattern, as ``re.escape`` writes it.
_FRAME_TOKEN = re.compile(r"%0?\d*d|(?:\\#)+|\\\$F\d*")


def _by_name(folder: Path, patterns: Sequence[str]) -> dict[str, dict[int, MatteFile]]:
    """Mattes of the first pattern that has some, by what stands for ``{object}``."""
    for text in patterns:
        path = str(folder / text).replace(os.sep, "/")
        places = path.split("/")
        at = next(index for index, place in enumerate(places) if "{object}" in place)
        parent = Path("/".join(places[:at]) or "/")
        pieces = [re.escape(piece) for piece in places[at].split("{object}")]
        again = r"(?P=name)".join(pieces[1:])
        name_of = re.compile(_FRAME_TOKEN.sub(r"-?\\d+", rf"{pieces[0]}(?P<name>[^/.]+?){again}"))
        names = sorted(
            {
                m["name"]
                for entry in (parent.iterdir() if parent.is_dir() else ())
                if (m := name_of.fullmatch(entry.name))
            }
        )
        found: dict[str, dict[int, MatteFile]] = {}
        for name in names:
            pattern = SequencePattern(path.replace("{object}", name))
            found[name] = {frame: MatteFile(pattern.path(frame)) for frame in pattern.frames_on_disk()}
        if found:
            return found
    return {}


def _job_shots(source: str, wish: MatteWish) -> list[MattedShot]:
    folder = os.path.dirname(os.path.abspath(source))
    job = resolve(read_job(source), folder)
    shots = []
    for view in job.views or ("",):
        plate = FrameSequence(
            job.plate.path,
            job.range.first,
            job.range.last,
            view=view,
            color_space=wish.color_space or job.plate.color_space,
            config=job.plate.ocio_config,
            missing=job.plate.missing,
            layer=job.plate.layer,
            part=job.plate.part or None,
            movie_start=job.plate.movie_start,
        )
        found = _written(job, plate, view, wish, folder)
        name = Path(source).name + (f" {view}" if view else "")
        shots.append(_chosen(MattedShot(name, plate, found, job.model), set(plate.frames), wish, KEY))
    return shots


def _written(
    job: TrackJob, plate: FrameSequence, view: str, wish: MatteWish, folder: str
) -> dict[str, dict[int, MatteFile]]:
    """A job's mattes of one view, there or not on key frames, there on others."""
    text = os.path.join(folder, wish.mattes) if wish.mattes else job.output.path
    found = {}
    for thing in job.objects:
        pattern = SequencePattern(text.replace("{object}", thing.name))
        if wish.frames in ("", KEY):
            frames = sorted({prompt.frame for prompt in thing.prompts})
        else:
            frames = [frame for frame in pattern.frames_on_disk(view) if frame in plate.frames]
        paths = {frame: pattern.path(frame, view) for frame in frames}
        if wish.mattes:
            found[thing.name] = {frame: MatteFile(path, view=view) for frame, path in paths.items()}
        else:
            found[thing.name] = {
                frame: MatteFile(path, output=job.output, owner=thing.name) for frame, path in paths.items()
            }
    return found


def _chosen(shot: MattedShot, plate: set[int], wish: MatteWish, default: str) -> MattedShot:
    """The shot with the frames that are wished. Raises PlateError for those without plate or matte."""
    asked = wish.frames or default
    if asked not in (KEY, ALL):
        frames = parse_frames(asked)
        have = {frame for files in shot.mattes.values() for frame in files}
        _refuse_missing([frame for frame in frames if frame not in have], shot.name, "no matte")
        kept = {
            name: {frame: file for frame, file in files.items() if frame in frames}
            for name, files in shot.mattes.items()
        }
        shot = MattedShot(shot.name, shot.plate, kept, shot.model)
    _refuse_missing(
        [frame for frame in shot.frames if frame not in plate], shot.name, "no picture in the plate"
    )
    gone = [f.path for files in shot.mattes.values() for f in files.values() if not os.path.isfile(f.path)]
    if gone:
        more = f" and {len(gone) - 1} others are" if len(gone) > 1 else " is"
        raise PlateError(
            f"{shot.name}: the matte {gone[0]}{more} missing.",
            "Track the job first, paint the mattes, or name other frames with --frames.",
        )
    return shot


def _refuse_missing(frames: Sequence[int], name: str, what: str) -> None:
    if frames:
        told = tell_frames(frames, f"has {what}", f"have {what}")
        raise PlateError(f"{name}: {told}.", "Bring what is missing, or name other frames with --frames.")
