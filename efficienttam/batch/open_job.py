"""A job with its footage open and its model loaded."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Container, Sequence

from ..contract.errors import Cancelled
from ..contract.job import TrackJob
from ..contract.prompts import Prompt, RotoFile
from ..contract.rules import prompts_of
from ..contract.sequence import SequencePattern
from ..media import read_roto
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, EmbeddingStore, ObjectId, TrackerOptions, VideoTracker
from ..tracking.frame_encoder import FrameEncoder
from ..weights.load import load_model
from .footage import Footage
from .matte_stamp import matte_stamp
from .progress import Progress

Stop = Callable[[], bool]


class OpenJob:
    """One job with its footage open and its model loaded.

    ``job`` has its paths resolved; ``stamp`` tells in a matte's header what made it; ``embeddings``
    serves all views. Raises WeightsError, DeviceError or Cancelled.
    """

    def __init__(self, footage: Footage, progress: Progress, stop: Stop) -> None:
        self.job = footage.job
        self.progress = progress
        self.plates = footage.plates
        self.ranges = footage.ranges
        self._stop = stop
        self._visited: tuple[str, int] | None = None
        progress.status(f"Loading {self.job.model.name}.")
        self.model = _model(self.job)
        how = str(self.model.precision).removeprefix("torch.")
        progress.status(f"{self.job.model.name} runs on {self.model.device} in {how}.")
        cache = footage.cache
        self.store = EmbeddingStore(cache.folder, cache.budget, cache.storage)
        self.embeddings = EmbeddingCache(store=self.store, device=self.model.device)
        rotos = _roto_files(self.job, self.job.views or ("",))
        self.stamp = matte_stamp(footage.document, self.model, cache.storage, rotos)

    def frame_encoder(self, view: str) -> FrameEncoder:
        """The embeddings of one view's frames."""
        return FrameEncoder(self.model, self.plates[view], self.embeddings)

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
        tracker = VideoTracker(
            self.model,
            self.plates[view],
            options,
            self.embeddings,
            visit=functools.partial(self.visit, view, made),
            tell=self.progress.status,
        )
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


def _roto_files(job: TrackJob, views: Sequence[str]) -> list[str]:
    return [
        SequencePattern(prompt.mask.path).path(prompt.frame, view)
        for _, prompt in prompts_of(job)
        if isinstance(prompt.mask, RotoFile)
        for view in views
    ]
