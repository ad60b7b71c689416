"""What a matte's header tells of its making, and how much of it must agree on resuming."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Iterable, Mapping

from .. import __version__
from ..contract.cache_settings import Storage
from ..contract.document import job_hash
from ..contract.job import Mattes, Output, Precision, TrackJob
from ..contract.passes import Recall
from ..contract.prompts import RotoFile
from ..contract.sequence import SequencePattern
from ..media import FrameSequence
from ..tracking.region_path import RegionPath
from ..tracking.spans import heard, words_of
from .network_facts import NetworkFacts

_PRECISION = "efficienttam/precision"
#: Objects, the prompted frames that each is made from, and the view.
_Heard = tuple[tuple[str, ...], tuple[tuple[int, ...], ...], str]


class MatteStamp:
    """What the headers of one job's mattes hold. Of files only names count, and what is in them.

    Files of plates and roto masks count as they are now: make it before any of them is used. A job that
    leaves the precision to the machine keeps mattes made in another one.
    """

    def __init__(
        self,
        given: TrackJob,
        resolved: TrackJob,
        plates: Mapping[str, FrameSequence],
        network: NetworkFacts,
        embeddings: Storage,
    ) -> None:
        self._job = given
        self._resolved = {thing.name: thing for thing in resolved.objects}
        self._things = {thing.name: thing for thing in given.objects}
        self._precision = network.precision
        self._found_precision: dict[tuple[str, int, str], str] = {}
        self._any_precision = given.model.precision is Precision.AUTO
        self._common = {
            "efficienttam/version": __version__,
            "efficienttam/model": given.model.name,
            "efficienttam/weights": network.weights_hash,
            "efficienttam/embeddings": embeddings.value,
        }
        self._whole = job_hash(given)
        self._plates = {
            view: _FrameSums(plate.frames[0], map(plate.version, plate.frames))
            for view, plate in plates.items()
        }
        self._regions: dict[tuple[str, str], _FrameSums] = {}
        self._rotos = {
            (name, prompt.frame, view): _digest(prompt.mask, prompt.frame, view)
            for name, thing in self._resolved.items()
            for prompt in thing.prompts
            if isinstance(prompt.mask, RotoFile)
            for view in plates
        }
        # One per span between prompted frames, however long the shot is.
        self._recipes: dict[_Heard, str] = {}

    def place(self, view: str, paths: Mapping[str, RegionPath | None]) -> None:
        """Lets the recipes of a view know the regions of its objects, None for none."""
        for name, path in paths.items():
            if path is not None:
                corners = (f"{path.size} {corner}" for corner in path.corners)
                self._regions[view, name] = _FrameSums(path.first, corners)

    def tell_precision(self, view: str, frame: int, name: str, made_of: Mapping[str, str]) -> None:
        """Lets headers tell the precision of a result that another process made, ``made_of`` that."""
        self._found_precision[view, frame, name] = made_of.get(_PRECISION, "")

    def of_first_pass(self) -> MatteStamp:
        """The stamp of what the whole frame shows of each object by itself: neither its region, nor the form
        of mattes, nor where they go, nor another object decides that."""
        other = self.of_tracking()
        things = tuple(dataclasses.replace(thing, region=None) for thing in self._job.objects)
        other._job = dataclasses.replace(other._job, objects=things)
        other._things = {thing.name: thing for thing in things}
        other._regions = {}
        return other

    def of_tracking(self) -> MatteStamp:
        """The stamp of what tracking gives of each object by itself, before it is a matte."""
        other = copy.copy(self)
        other._job = dataclasses.replace(
            self._job,
            output=Output("boxes.%04d.exr"),
            tracking=dataclasses.replace(self._job.tracking, non_overlapping=False),
            mattes=Mattes(),
        )
        other._recipes = {}
        return other

    def header(self, frame: int, names: tuple[str, ...], view: str) -> dict[str, str]:
        """The attributes of a file with the mattes of some objects on a frame."""
        found = (self._found_precision.get((view, frame, name)) for name in names)
        return {
            **self._fixed(frame, names, view),
            "efficienttam/job": self._whole,
            _PRECISION: next(filter(None, found), self._precision),
        }

    def expected(self, frame: int, names: tuple[str, ...], view: str) -> dict[str, str]:
        """Those of them that a file must have to be kept."""
        fixed = self._fixed(frame, names, view)
        return fixed if self._any_precision else {**fixed, _PRECISION: self._precision}

    def _fixed(self, frame: int, names: tuple[str, ...], view: str) -> dict[str, str]:
        place = {"efficienttam/object": ",".join(names), "efficienttam/frame": str(frame)}
        recipe = {"efficienttam/recipe": self._recipe(frame, names, view)}
        return {**self._common, **place, **({"efficienttam/view": view} if view else {}), **recipe}

    def _recipe(self, frame: int, names: tuple[str, ...], view: str) -> str:
        """sha256 of all in the job that decides how these mattes come out, and of nothing else."""
        reach, plate = self._job.mattes.steady_frames, self._plates[view]
        span = range(max(plate.first, frame - reach), min(plate.last, frame + reach) + 1)
        recipes = [self._own_recipe(one, names, view) for one in span]
        return hashlib.sha256(" ".join(recipes).encode()).hexdigest() if reach else recipes[0]

    def _own_recipe(self, frame: int, names: tuple[str, ...], view: str) -> str:
        """The same of mattes that no other frame steadies."""
        wish, plate = self._job.tracking, self._plates[view]
        names = tuple(self._things) if wish.non_overlapping else names
        every = wish.recall is Recall.ALL
        frames = []
        for name in names:
            prompts = self._things[name].prompts
            frames.append(
                tuple(prompt.frame for prompt in prompts) if every else tuple(heard(frame, words_of(prompts)))
            )
        key = (names, tuple(frames), view)
        if key not in self._recipes:
            self._recipes[key] = self._hash(*key)
        used = [frame, *(one for kept in frames for one in kept)]
        seen = plate.whole if every else plate.between(min(used), max(used))
        for name in names:
            region = self._regions.get((view, name))
            if region is not None:
                seen += " " + (region.whole if every else region.between(min(used), max(used)))
        # Steps of more than one frame are counted from the plate's first.
        start = plate.first if every or wish.memory_stride > 1 else ""
        return hashlib.sha256(f"{self._recipes[key]} {seen} {start}".encode()).hexdigest()

    def _hash(self, names: tuple[str, ...], frames: tuple[tuple[int, ...], ...], view: str) -> str:
        things, rotos = [], []
        for name, kept in zip(names, frames, strict=True):
            words = self._things[name].prompts
            told = tuple(word for word in words if word.frame in kept)
            things.append(dataclasses.replace(self._things[name], prompts=told))
            rotos += [
                self._rotos[name, prompt.frame, view]
                for prompt in words
                if prompt.frame in kept and isinstance(prompt.mask, RotoFile)
            ]
        # Mattes may be moved: where they are says nothing of how they came out.
        output = dataclasses.replace(self._job.output, path="")
        part = dataclasses.replace(self._job, objects=tuple(things), output=output)
        return hashlib.sha256("\n".join([job_hash(part), *rotos]).encode()).hexdigest()


class _FrameSums:
    """What a range of frames is known by, at once for any range; ``texts`` tell of each from ``first`` on."""

    def __init__(self, first: int, texts: Iterable[str]) -> None:
        self.first = first
        self._sums = [0]
        for frame, text in enumerate(texts, first):
            digest = hashlib.sha256(f"{frame} {text}".encode()).digest()
            self._sums.append((self._sums[-1] + int.from_bytes(digest, "big")) % 2**256)

    @property
    def last(self) -> int:
        """The last frame."""
        return self.first + len(self._sums) - 2

    @property
    def whole(self) -> str:
        """Of all frames."""
        return self.between(self.first, self.last)

    def between(self, first: int, last: int) -> str:
        """Of the frames from ``first`` to ``last``, both included."""
        difference = self._sums[last + 1 - self.first] - self._sums[first - self.first]
        return f"{difference % 2**256:x}"


def _digest(roto: RotoFile, frame: int, view: str) -> str:
    with open(SequencePattern(roto.path).path(frame, view), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
