"""A job's plates and roto masks, opened and held against the job before any network is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ..contract.cache_settings import CacheSettings, cache_settings
from ..contract.document import JobFaults, resolve
from ..contract.errors import ColorError, ExitCode, JobError, OutputError, PlateError
from ..contract.fields import Fault
from ..contract.job import FrameRange, Plate, TrackJob
from ..contract.prompts import Box, Prompt, RotoFile, is_outside
from ..contract.rules import objects_of, prompts_of
from ..contract.sequence import SequencePattern, format_frames, tell_frames
from ..media import FrameSequence, read_roto_info
from .preflight import job_faults

_REMEDY = "From the top left of the display window x is 0 to less than {}, y 0 to less than {}."


class Footage:
    """One job, checked, with a plate per view and the frames to make of each (first, last).

    ``document`` is the job as it was given, ``job`` has its paths resolved against ``folder``.
    ``frames`` are a part of its range; ``view`` is the only one to open of its views. Without
    ``cache`` the environment's settings are in force. ``writes`` is False for work that only reads the
    mattes, whose folder then may be one that cannot be written to.
    Raises JobFaults with all that is wrong, JobError for ``frames`` that the job has not.
    """

    def __init__(
        self,
        job: TrackJob,
        folder: str = "",
        cache: CacheSettings | None = None,
        frames: tuple[int, int] | None = None,
        view: str = "",
        writes: bool = True,
    ) -> None:
        self.cache = cache or cache_settings()
        faults = job_faults(job, folder, writes)
        if faults:
            raise JobFaults(faults)
        self.document = job
        self.job = resolve(job, folder)
        self.plates, faults = _opened(self.job, (view,) if view else self.job.views or ("",), self.cache)
        if faults:
            raise JobFaults(faults)
        self.ranges = {name: _range_of(plate, frames) for name, plate in self.plates.items()}

    def make_folders(self) -> None:
        """Makes the folders that mattes go into. Raises OutputError."""
        pattern = SequencePattern(self.job.output.path)
        for view, (first, _) in self.ranges.items():
            for thing in self.job.objects:
                make_folder(os.path.dirname(pattern.path(first, view, thing.name)))


def header_faults(job: TrackJob, folder: str = "") -> list[Fault]:
    """What the headers of plates and roto masks hold against a job that has no faults otherwise: plates that
    cannot be opened, layers and channels that are not there, prompts outside. No pixel is touched."""
    resolved = resolve(job, folder)
    return _opened(resolved, resolved.views or ("",), cache_settings())[1]


def _opened(
    job: TrackJob, views: Sequence[str], cache: CacheSettings
) -> tuple[dict[str, FrameSequence], list[Fault]]:
    """The plates by view, and all that is wrong with them and with what is said of them."""
    plates: dict[str, FrameSequence] = {}
    faults: list[Fault] = []
    for view in views:
        try:
            plates[view] = open_plate(job.plate, job.range, view, cache)
        except (PlateError, ColorError) as error:
            faults.append(Fault("plate", error.message, error.remedy, error.exit_code))
        faults.extend(_prompt_faults(job, view, plates.get(view)))
    return plates, list(dict.fromkeys(faults))


def _prompt_faults(job: TrackJob, view: str, plate: FrameSequence | None) -> Iterator[Fault]:
    """Every prompt outside its plate, where that could be opened, and every roto mask that cannot be read."""
    for place, prompt in prompts_of(job):
        if plate is not None:
            yield from _outside(place, prompt, plate)
        yield from _unfit_roto(place, prompt, view, plate)
    if plate is None:
        return
    for place, thing in objects_of(job):
        boxes = () if thing.region is None else thing.region.boxes
        for index, drawn in enumerate(boxes):
            yield from _box_outside(f"{place}.region.boxes[{index}].box", drawn.box, plate)


def make_folder(folder: str) -> None:
    """Makes a folder for mattes where there is none. Raises OutputError."""
    try:
        os.makedirs(folder or ".", exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Choose another folder for the mattes."
        ) from error


def _range_of(plate: FrameSequence, frames: tuple[int, int] | None) -> tuple[int, int]:
    """First and last frame to make of a plate. Raises JobError for frames that it has not."""
    first, last = plate.frames[0], plate.frames[-1]
    if frames is None:
        return first, last
    if not first <= frames[0] <= frames[1] <= last:
        runs = ((frames[0], min(frames[1], first - 1)), (max(frames[0], last + 1), frames[1]))
        outside = [frame for begin, end in runs for frame in range(begin, end + 1)]
        asked, beyond = format_frames(range(frames[0], frames[1] + 1)), format_frames(outside)
        of = "" if beyond == asked else f"of {asked} "
        told = tell_frames(outside, f"{of}is not in", f"{of}are not in")
        raise JobError(f"{told} the job's range {first}-{last}.", "Ask for frames of the range.")
    return frames


def open_plate(plate: Plate, range: FrameRange, view: str, cache: CacheSettings) -> FrameSequence:
    """The footage of one view. Raises PlateError, ColorError."""
    return FrameSequence(
        plate.path,
        range.first,
        range.last,
        view=view,
        color_space=plate.color_space,
        config=plate.ocio_config,
        missing=plate.missing,
        layer=plate.layer,
        part=plate.part or None,
        movie_start=plate.movie_start,
        identify_by=cache.identity,
    )


def _outside(place: str, prompt: Prompt, plate: FrameSequence) -> Iterator[Fault]:
    first, last = plate.frames[0], plate.frames[-1]
    if not first <= prompt.frame <= last:
        message = f"Frame {prompt.frame} is not in the plate, which has {first} to {last}."
        yield Fault(f"{place}.frame", message, "Prompt a frame of the plate.")
    elif plate.is_black(prompt.frame) and not prompt.only_mask:
        message = f"Frame {prompt.frame} is not on disk, and black stands in for it: nothing is seen there."
        yield Fault(f"{place}.frame", message, "Prompt a frame that is there.")
    width, height = plate.size
    remedy = _REMEDY.format(width, height)
    for kind in ("include", "exclude"):
        for index, (x, y) in enumerate(getattr(prompt, kind)):
            if not (0 <= x < width and 0 <= y < height):
                yield Fault(f"{place}.{kind}[{index}]", f"{x:g},{y:g} is outside the plate.", remedy)
    if prompt.box is not None:
        yield from _box_outside(f"{place}.box", prompt.box, plate)


def _box_outside(place: str, box: Box, plate: FrameSequence) -> Iterator[Fault]:
    (left, top, right, bottom), (width, height) = box, plate.size
    if is_outside(box, plate.size):
        message = f"The box {left:g},{top:g},{right:g},{bottom:g} is outside the plate."
        yield Fault(place, message, _REMEDY.format(width, height))


def _unfit_roto(place: str, prompt: Prompt, view: str, plate: FrameSequence | None) -> Iterator[Fault]:
    """A roto mask that cannot be read, or is not of the plate's size, where that is known."""
    if not isinstance(prompt.mask, RotoFile):
        return
    path = SequencePattern(prompt.mask.path).path(prompt.frame, view)
    try:
        window = read_roto_info(path, prompt.mask.channel, view).display_window
    except PlateError as error:
        yield Fault(place + ".mask.path", error.message, error.remedy, error.exit_code)
        return
    if plate is not None and (window.width, window.height) != plate.size:
        width, height = plate.size
        message = f"{path} is {window.width}x{window.height} pixels; {width}x{height} was expected."
        remedy = "Render the roto mask in the plate's format, and at full size."
        yield Fault(place + ".mask.path", message, remedy, ExitCode.INPUT)
