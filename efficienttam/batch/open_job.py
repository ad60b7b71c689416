"""A job with its plates open and its model loaded."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Container, Iterator, Sequence

from ..contract.cache_settings import CacheSettings, cache_settings
from ..contract.document import JobFaults, resolve
from ..contract.errors import Cancelled
from ..contract.fields import Fault
from ..contract.job import TrackJob
from ..contract.prompts import Prompt, RotoFile
from ..contract.rules import prompts_of
from ..contract.sequence import SequencePattern
from ..media import FrameSequence, read_roto
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, EmbeddingStore, ObjectId, TrackerOptions, VideoTracker
from ..weights.load import load_model
from .matte_stamp import matte_stamp
from .preflight import job_faults
from .progress import Progress

Stop = Callable[[], bool]


class OpenJob:
    """One job, checked, with a plate per view and its model.

    ``job`` has its paths resolved against ``folder``; ``stamp`` tells in a matte's header what made
    it; ``embeddings`` serves all views. Without ``cache`` the environment's settings are in force.
    Raises JobFaults, PlateError, ColorError, WeightsError or DeviceError.
    """

    def __init__(
        self,
        job: TrackJob,
        folder: str,
        progress: Progress,
        stop: Stop,
        cache: CacheSettings | None = None,
    ) -> None:
        cache = cache or cache_settings()
        faults = job_faults(job, folder)
        if faults:
            raise JobFaults(faults)
        self.job = resolve(job, folder)
        self.progress = progress
        self.plates = {view: _plate(self.job, view, cache) for view in self.job.views or ("",)}
        self._stop = stop
        self._visited: tuple[str, int] | None = None
        self._refuse_prompts_outside()
        progress.status(f"Loading {job.model.name}.")
        self.model = _model(self.job)
        how = str(self.model.precision).removeprefix("torch.")
        progress.status(f"{job.model.name} runs on {self.model.device} in {how}.")
        self.store = EmbeddingStore(cache.folder, cache.budget, cache.storage)
        self.embeddings = EmbeddingCache(store=self.store, device=self.model.device)
        rotos = _roto_files(self.job, self.job.views or ("",))
        self.stamp = matte_stamp(job, self.model, cache.storage, rotos)

    def tracker(
        self, view: str, made: Container[int] | None = None
    ) -> tuple[VideoTracker, dict[ObjectId, str]]:
        """A tracker of one view with the job's objects and prompts, and the objects' names.

        ``made`` holds the frames that mattes are made of, None for all: others are only passed.
        """
        wish = self.job.tracking
        options = TrackerOptions(
            between=wish.between,
            recall=wish.recall,
            fill_hole_area=wish.fill_hole_area,
            non_overlapping=wish.non_overlapping,
            max_prompted_frames=wish.max_prompted_frames,
            memory_stride=wish.memory_stride,
            dynamic_multimask=wish.dynamic_multimask,
            binarize_prompted=wish.binarize_prompted,
        )
        tracker = self.bare_tracker(view, options, made)
        names = {}
        for thing in self.job.objects:
            id = tracker.add_object(thing.name)
            names[id] = thing.name
            for prompt in thing.prompts:
                tracker.add_prompt(id, _with_mask(prompt, view))
        return tracker, names

    def visit(self, view: str, made: Container[int] | None, frame: int) -> None:
        """Tells that the work is at a frame. Raises Cancelled once the job is to stop."""
        self.end_if_stopped()
        if self._visited != (view, frame):
            self._visited = (view, frame)
            self.progress.visit(frame, view, made is not None and frame not in made)

    def bare_tracker(
        self, view: str, options: TrackerOptions | None = None, made: Container[int] | None = None
    ) -> VideoTracker:
        """A tracker of one view without objects."""
        return VideoTracker(
            self.model,
            self.plates[view],
            options,
            self.embeddings,
            visit=functools.partial(self.visit, view, made),
            tell=self.progress.status,
        )

    def end_if_stopped(self) -> None:
        """Raises Cancelled once the job is to stop."""
        if self._stop():
            raise Cancelled("Stopped before it was done.", "Run it again with --resume to go on.")

    def newest_input(self, view: str) -> float:
        """When the last of the plate's files and roto masks was written, seconds since the epoch."""
        plate = self.plates[view]
        files = {plate.path(frame) for frame in plate.frames}
        files.update(_roto_files(self.job, [view]))
        return max(os.stat(file).st_mtime for file in files)

    def _refuse_prompts_outside(self) -> None:
        """Every prompt outside its plate, now that size and frames are known."""
        faults: list[Fault] = []
        for plate in self.plates.values():
            for place, prompt in prompts_of(self.job):
                faults.extend(_outside(place, prompt, plate))
        if faults:
            raise JobFaults(list(dict.fromkeys(faults)))


def _plate(job: TrackJob, view: str, cache: CacheSettings) -> FrameSequence:
    return FrameSequence(
        job.plate.path,
        job.range.first,
        job.range.last,
        view=view,
        color_space=job.plate.color_space,
        config=job.plate.ocio_config,
        missing=job.plate.missing,
        layer=job.plate.layer,
        part=job.plate.part or None,
        movie_start=job.plate.movie_start,
        identify_by=cache.identity,
    )


def _model(job: TrackJob) -> EfficientTAM:
    wish = job.model
    return load_model(
        wish.name,
        device=wish.device,
        weights=wish.weights or None,
        precision=wish.precision,
        threads=wish.threads or None,
    )


def _with_mask(prompt: Prompt, view: str) -> Prompt:
    if not isinstance(prompt.mask, RotoFile):
        return prompt
    path = SequencePattern(prompt.mask.path).path(prompt.frame, view)
    return dataclasses.replace(prompt, mask=read_roto(path, prompt.mask.channel, view))


def _outside(place: str, prompt: Prompt, plate: FrameSequence) -> Iterator[Fault]:
    first, last = plate.frames[0], plate.frames[-1]
    if not first <= prompt.frame <= last:
        message = f"Frame {prompt.frame} is not in the plate, which has {first} to {last}."
        yield Fault(f"{place}.frame", message, "Prompt a frame of the plate.")
    width, height = plate.size
    remedy = (
        f"From the top left of the display window x is 0 to less than {width}, y 0 to less than {height}."
    )
    for kind in ("include", "exclude"):
        for index, (x, y) in enumerate(getattr(prompt, kind)):
            if not (0 <= x < width and 0 <= y < height):
                yield Fault(f"{place}.{kind}[{index}]", f"{x:g},{y:g} is outside the plate.", remedy)
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        if right <= 0 or bottom <= 0 or left >= width or top >= height:
            message = f"The box {left:g},{top:g},{right:g},{bottom:g} is outside the plate."
            yield Fault(f"{place}.box", message, remedy)


def _roto_files(job: TrackJob, views: Sequence[str]) -> list[str]:
    return [
        SequencePattern(prompt.mask.path).path(prompt.frame, view)
        for _, prompt in prompts_of(job)
        if isinstance(prompt.mask, RotoFile)
        for view in views
    ]
