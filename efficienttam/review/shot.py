"""What is to be reviewed: mattes of a job, or files that match a name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..batch.footage import open_plate
from ..contract.cache_settings import cache_settings
from ..contract.document import resolve
from ..contract.errors import JobError, PlateError
from ..contract.job import FrameRange, Layout, Output, Plate, TrackJob
from ..contract.sequence import SequencePattern
from ..mattes.cryptomatte import header_key
from ..media import FrameSequence, channel_name, read_roto_info, read_texts

_OBJECTS = "efficienttam/object"
#: A frame number in a name.
_NUMBER = re.compile(r"%(?:0?\d+)?d|\$F\d*|#+")
#: The first channel of a Cryptomatte's first level.
_LEVEL = re.compile(r"(.+)00\.[rR](?:ed)?")


@dataclass(frozen=True)
class Strand:
    """One object in one view: the frames that should have a matte, ascending."""

    name: str
    view: str
    frames: Sequence[int]


@dataclass(frozen=True)
class Shot:
    """Where mattes are, whose they are, and the plates under them by view (none where there is no plate).

    ``job`` has its paths resolved; None for files without a job.
    """

    title: str
    output: Output
    strands: Sequence[Strand]
    plates: dict[str, FrameSequence]
    job: TrackJob | None = None


def shot_of_job(job: TrackJob, folder: str, title: str, frames: tuple[int, int] | None = None) -> Shot:
    """The mattes that a job makes; ``frames`` a part of its range. Raises PlateError, JobError."""
    placed = resolve(job, folder)
    cache = cache_settings()
    plates = {view: open_plate(placed.plate, placed.range, view, cache) for view in placed.views or ("",)}
    strands = []
    for view, plate in plates.items():
        for thing in placed.objects:
            prompted = [prompt.frame for prompt in thing.prompts]
            reached = [
                frame
                for frame in plate.frames
                if placed.tracking.direction.reaches(frame, prompted) and _within(frame, frames)
            ]
            if reached:
                strands.append(Strand(thing.name, view, reached))
    if not strands:
        raise JobError("No frame of the job is among those asked for.", "Ask for frames of its range.")
    return Shot(title, placed.output, strands, plates, placed)


def shot_of_files(
    path: str,
    plate: str = "",
    color_space: str = "",
    view: str = "",
    frames: tuple[int, int] | None = None,
) -> Shot:
    """The mattes on disk that match a name like ``mattes/{object}.%04d.exr``; ``plate`` lies under them.

    A frame between an object's first and last that has no file should have one. Raises PlateError where
    there are none.
    """
    path = os.path.abspath(path)
    pattern = SequencePattern(path)
    if pattern.has_view and not view:
        raise JobError(f"{path} asks for a view (%V).", "Name it with --view.")
    names = _names(pattern, view) if pattern.has_object else [""]
    on_disk = {name: _frames(pattern, view, name) for name in names}
    spans = [(name, _span(there, frames)) for name, there in on_disk.items()]
    found = [(name, span) for name, span in spans if span]
    if not found:
        raise PlateError(f"There are no mattes named {path}.", "Check the folder, the name and the digits.")
    one = found[0][0]
    seen = next((frame for frame in on_disk[one] if _within(frame, frames)), on_disk[one][0])
    output, owners = _layout(path, pattern.path(seen, view, one), one)
    if not pattern.has_object:
        found = [(name, found[0][1]) for name in owners]
    strands = [Strand(name, view, there) for name, there in found]
    plates = {}
    if plate:
        low = min(strand.frames[0] for strand in strands)
        high = max(strand.frames[-1] for strand in strands)
        wish = Plate(os.path.abspath(plate), color_space=color_space)
        plates[view] = _plate_under(wish, FrameRange(low, high), view)
    return Shot(os.path.basename(path), output, strands, plates)


def _plate_under(wish: Plate, range: FrameRange, view: str) -> FrameSequence:
    """The plate in the mattes' view; one of a single view, named without %V, lies under any. Raises
    PlateError, ColorError."""
    if view and not SequencePattern(wish.path).has_view:
        plate = open_plate(wish, range, "", cache_settings())
        if not plate.info(plate.frames[0]).views:
            return plate
    return open_plate(wish, range, view, cache_settings())


def _within(frame: int, frames: tuple[int, int] | None) -> bool:
    return frames is None or frames[0] <= frame <= frames[1]


def _span(there: Sequence[int], frames: tuple[int, int] | None) -> list[int]:
    """All of ``frames`` from the first that is there to the last."""
    return [frame for frame in range(there[0], there[-1] + 1) if _within(frame, frames)] if there else []


def _frames(pattern: SequencePattern, view: str, name: str) -> list[int]:
    if not pattern.is_sequence:
        return [pattern.still_frame()] if os.path.isfile(pattern.path(1, view, name)) else []
    return SequencePattern(pattern.text.replace("{object}", name)).frames_on_disk(view)


def _names(pattern: SequencePattern, view: str) -> list[str]:
    """Names that stand in the place of {object} on disk, ascending."""
    parts = pattern.text.replace(os.sep, "/").replace("%V", view).replace("%v", view[:1]).split("/")
    place = next(index for index, part in enumerate(parts) if "{object}" in part)
    pieces = [re.escape(piece) for piece in _NUMBER.split(parts[place])]
    wanted = r"-?\d+".join(pieces).replace(re.escape("{object}"), r"(\w+?)", 1)
    wanted = wanted.replace(re.escape("{object}"), r"\w+?")
    try:
        entries = os.listdir("/".join(parts[:place]) or "/")
    except OSError:
        return []
    matches = (re.fullmatch(wanted, entry) for entry in entries)
    return sorted({match.group(1) for match in matches if match})


def _layout(path: str, file: str, name: str) -> tuple[Output, tuple[str, ...]]:
    """How mattes lie in files like ``file``, as its header tells; and whose they are. Raises PlateError for
    a file of several objects that holds no layer of one of them."""
    owners = tuple(owner for owner in read_texts(file, [_OBJECTS])[_OBJECTS].split(",") if owner)
    owners = owners or (name or os.path.basename(file).split(".")[0],)
    channels = read_roto_info(file).channels
    cryptomatte = _cryptomatte(file, channels)
    if cryptomatte:
        return Output(path, Layout.CRYPTOMATTE, cryptomatte), owners
    held = {owner: _lasts(owner, channels) for owner in owners}
    if len(owners) == 1 and not held[owners[0]]:
        return Output(path), owners
    common = [last for last in held[owners[0]] if all(last in lasts for lasts in held.values())]
    if not common:
        found = ", ".join(channels[:12]) + (" ..." if len(channels) > 12 else "")
        lacking = ", ".join(owner for owner in owners if not held[owner]) or "all, of one kind"
        raise PlateError(
            f"{file} tells of mattes of {', '.join(owners)} and has no layer of {lacking}; it has {found}.",
            "Review the job, or mattes with a layer per object as they were written.",
        )
    last = "A" if "A" in common else common[0]
    return Output(path, Layout.LAYER_PER_OBJECT, f"matte.{last}"), owners


def _cryptomatte(file: str, channels: Sequence[str]) -> str:
    """The name of a file's first Cryptomatte; empty where there is none."""
    found = dict.fromkeys(match.group(1) for match in map(_LEVEL.fullmatch, channels) if match)
    keys = {name: f"{header_key(name)}/name" for name in found}
    texts = read_texts(file, list(keys.values()))
    return next((name for name, key in keys.items() if texts[key]), "")


def _lasts(owner: str, channels: Sequence[str]) -> list[str]:
    """The last parts of the channels of an object's layer."""
    layer = channel_name(f"{owner}.alpha").rpartition(".")[0]
    parts = [channel.rpartition(".") for channel in channels]
    return [last for name, _, last in parts if name and name.lower() == layer.lower()]
