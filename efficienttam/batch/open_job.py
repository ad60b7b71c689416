"""A job with its footage open and its model loaded."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Container

from ..contract.errors import Cancelled
from ..contract.job import Model, Tracking
from ..contract.prompts import Prompt, RotoFile
from ..contract.sequence import SequencePattern
from ..media import read_roto
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, EmbeddingStore, ObjectId, TrackerOptions, VideoTracker
from ..tracking.frame_encoder import FrameEncoder
from ..weights.load import load_model
from .footage import Footage
from .matte_stamp import MatteStamp
from .progress import Progress

Stop = Callable[[], bool]
#: Gives the network that a job asks for; tells in a sentence what takes time.
LoadModel = Callable[[Model, Callable[[str], None]], EfficientTAM]


def load_wanted(wish: Model, tell: Callable[[str], None]) -> EfficientTAM:
    """The network that a job asks for. Raises WeightsError, DeviceError."""
    tell(f"Loading {wish.name}.")
    return load_model(
        wish.name,
        device=wish.device,
        weights=wish.weights or None,
        precision=wish.precision,
        threads=wish.threads or None,
        compile=wish.compile,
    )


class OpenJob:
    """One job with its footage open and its model loaded.

    ``job`` has its paths resolved; ``stamp`` tells in a matte's header what made it; ``embeddings``
    serves all views, ``load`` gives the network. Raises WeightsError, DeviceError or Cancelled.
    """

    def __init__(
        self, footage: Footage, progress: Progress, stop: Stop, load: LoadModel = load_wanted
    ) -> None:
        self.job = footage.job
        self.progress = progress
        self.plates = footage.plates
        self.ranges = footage.ranges
        self._stop = stop
        self._visited: tuple[str, int] | None = None
        self.model = load(self.job.model, progress.status)
        how = str(self.model.precision).removeprefix("torch.")
        progress.status(f"{self.job.model.name} runs on {self.model.device} in {how}.")
        cache = footage.cache
        self.store = EmbeddingStore(cache.folder, cache.budget, cache.storage)
        self.embeddings = EmbeddingCache(store=self.store, device=self.model.device)
        self.stamp = MatteStamp(footage.document, self.job, self.plates, self.model, cache.storage)

    def frame_encoder(self, view: str) -> FrameEncoder:
        """The embeddings of one view's frames."""
        return FrameEncoder(self.model, self.plates[view], self.embeddings)

    def tracker(
        self, view: str, made: Container[int] | None = None
    ) -> tuple[VideoTracker, dict[ObjectId, str]]:
        """A tracker of one view with the job's objects and prompts, and the objects' names.

        ``made`` holds the frames that mattes are made of, None for all: others are only passed.
        """
        tracker = VideoTracker(
            self.model,
            self.plates[view],
            tracker_options(self.job.tracking),
            self.embeddings,
            visit=functools.partial(self.visit, view, made),
            tell=self.progress.status,
        )
        names = {}
        for thing in self.job.objects:
            id = tracker.add_object(thing.name)
            names[id] = thing.name
            for prompt in thing.prompts:
                tracker.add_prompt(id, with_mask(prompt, view))
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


def tracker_options(wish: Tracking) -> TrackerOptions:
    """How a job wants to be tracked, as the tracker takes it."""
    return TrackerOptions(
        between=wish.between,
        recall=wish.recall,
        fill_hole_area=wish.fill_hole_area,
        non_overlapping=wish.non_overlapping,
        max_prompted_frames=wish.max_prompted_frames,
        memory_stride=wish.memory_stride,
        dynamic_multimask=wish.dynamic_multimask,
        binarize_prompted=wish.binarize_prompted,
    )


def with_mask(prompt: Prompt, view: str) -> Prompt:
    """The prompt with its roto mask read from disk. Raises PlateError."""
    if not isinstance(prompt.mask, RotoFile):
        return prompt
    path = SequencePattern(prompt.mask.path).path(prompt.frame, view)
    return dataclasses.replace(prompt, mask=read_roto(path, prompt.mask.channel, view))
