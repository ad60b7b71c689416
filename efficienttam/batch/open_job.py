"""A job with its footage open and its model loaded."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Container

from ..contract.errors import Cancelled, IncompleteError
from ..contract.job import Model, TrackedObject, Tracking
from ..contract.prompts import Prompt, RotoFile
from ..contract.region import Follow
from ..contract.sequence import SequencePattern
from ..media import read_roto
from ..model.efficienttam import EfficientTAM
from ..tracking import EmbeddingCache, EmbeddingStore, FrameSource, ObjectId, TrackerOptions, VideoTracker
from ..tracking.frame_encoder import FrameEncoder
from ..weights.load import load_model
from .first_look import FirstLook
from .first_pass import FirstPass
from .footage import Footage
from .matte_stamp import MatteStamp
from .network_facts import facts_of, facts_of_wish
from .object_groups import ObjectGroup, Regional, border_plate, object_groups
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
    serves all views, ``load`` gives the network, None for work that runs none. ``exact``: objects go through
    the network in the very batches of a whole run, whatever of it is done already.
    Raises WeightsError, DeviceError or Cancelled.
    """

    def __init__(
        self,
        footage: Footage,
        progress: Progress,
        stop: Stop,
        load: LoadModel | None = load_wanted,
        exact: bool = False,
    ) -> None:
        self.job = footage.job
        self.exact = exact
        self.progress = progress
        self.plates = footage.plates
        self.ranges = footage.ranges
        self._stop = stop
        self._visited: tuple[str, int] | None = None
        self._groups: dict[str, tuple[ObjectGroup, ...]] = {}
        self._model = None if load is None else load(self.job.model, progress.status)
        cache = footage.cache
        self.store = EmbeddingStore(cache.folder, cache.budget, cache.storage)
        device = None if self._model is None else self._model.device
        self.embeddings = EmbeddingCache(store=self.store, device=device)
        self.network = facts_of_wish(self.job.model) if self._model is None else facts_of(self._model)
        if self._model is not None:
            name, how = self.job.model.name, self.network.precision
            progress.status(f"{name} runs on {self._model.device} in {how}.")
        self.stamp = MatteStamp(footage.document, self.job, self.plates, self.network, cache.storage)

    @property
    def model(self) -> EfficientTAM:
        """The network. Raises IncompleteError where none was loaded: what it gives should be on disk."""
        if self._model is None:
            raise IncompleteError(
                "What a first pass over the whole frame gives is not there.",
                "Do the farm task again that finds the regions: --step regions.",
            )
        return self._model

    def groups(self, view: str, look: bool = True) -> tuple[ObjectGroup, ...]:
        """The objects by the region that they are tracked in. Where regions go by a first pass over the
        whole frame, and it was not done yet, that is done here, unless ``look`` is False: then such objects
        are in the whole frame. Raises Cancelled, PlateError.
        """
        if view not in self._groups:
            found = self._first_pass(view, look)
            things = []
            for thing in self.job.objects:
                prompts = [with_mask(prompt, view) for prompt in thing.prompts] if thing.region else ()
                boxes = found.boxes(thing.name) if _by_tracking(thing) else None
                things.append(Regional(thing.name, thing.region, prompts, boxes))
            side = self.network.mask_side
            groups = object_groups(self.plates[view], things, self.job.tracking, side)
            self.stamp.place(view, {name: group.path for group in groups for name in group.names})
            self._groups[view] = groups
        return self._groups[view]

    def first_pass(self, view: str) -> FirstPass:
        """What is known of the first pass of a view, read from disk."""
        things = [thing for thing in self.job.objects if _by_tracking(thing)]
        return FirstPass(things, self.plates[view], view, self.job.tracking, self.stamp, self.job.output.path)

    def _first_pass(self, view: str, look: bool) -> FirstPass:
        """The first pass of a view, done where that is wanted."""
        things = [thing for thing in self.job.objects if _by_tracking(thing)]
        found, wish = self.first_pass(view), self.job.tracking
        if found.missing and look:
            model = self.model
            names = ", ".join(thing.name for thing in things)
            count = f"{found.missing} frames" if found.missing > 1 else "1 frame"
            self.progress.status(
                f"Looking for {names} on {count} of the whole plate, to place the regions; no mattes yet."
            )
            prompts = {thing.name: [with_mask(prompt, view) for prompt in thing.prompts] for thing in things}
            visit = functools.partial(self.visit, view, ())
            tell = self.progress.status
            found.run(model, self.embeddings, tracker_options(wish), prompts, visit, tell, self.exact)
            self.progress.status(f"Found {names}; the regions are placed.")
        return found

    def frame_encoders(self, view: str) -> list[FrameEncoder]:
        """The embeddings of one view's frames, for each part of the plate that is tracked in."""
        plates: list[FrameSource] = [group.plate for group in self.groups(view)]
        if any(_by_tracking(thing) for thing in self.job.objects):
            plates.append(border_plate(self.plates[view], self.job.tracking.border))
        first = self.plates[view].frames[0]
        apart = {plate.identity(first): plate for plate in plates}
        return [FrameEncoder(self.model, plate, self.embeddings) for plate in apart.values()]

    def tracker(
        self, view: str, group: ObjectGroup, made: Container[int] | None = None
    ) -> tuple[VideoTracker, dict[ObjectId, str]]:
        """A tracker of one group of a view with its objects and prompts, and the objects' names.

        ``made`` holds the frames that mattes are made of, None for all: others are only passed.
        """
        options = tracker_options(self.job.tracking)
        tracker = VideoTracker(
            self.model,
            group.plate,
            options,
            self.embeddings,
            visit=functools.partial(self.visit, view, made),
            tell=self.progress.status,
            corner=group.corner,
        )
        border = self.job.tracking.border
        look = FirstLook(self.model, self.plates[view], border, options, self.embeddings)
        names = {}
        for thing in self.job.objects:
            if thing.name in group.names:
                id = tracker.add_object(thing.name)
                names[id] = thing.name
                for prompt in look.prompts([with_mask(prompt, view) for prompt in thing.prompts], group):
                    tracker.add_prompt(id, prompt)
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
            raise Cancelled("Stopped before it was done.")


def _by_tracking(thing: TrackedObject) -> bool:
    """True when a first pass tells where the object's region lies."""
    return thing.region is not None and thing.region.follow is Follow.TRACK


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
