"""Which objects one tracker tracks, and in which part of the plate: one group per region."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.job import Tracking
from ..contract.prompts import Prompt
from ..contract.region import Follow, Region
from ..mattes.small_parts import Window
from ..tracking.frame_source import FrameSource
from ..tracking.region_boxes import from_prompts, outward, prompted, without_slips
from ..tracking.region_path import PathShape, PixelBox, RegionPath, region_path, still_path
from ..tracking.region_plate import RegionPlate, into_region, onto_plate, overlap

#: How far a region reaches beyond the plate at most, as a share of its own side.
OVERHANG = 0.125

Boxes = Mapping[int, PixelBox]


@dataclass(frozen=True)
class ObjectGroup:
    """Objects by name that are tracked together; ``path`` is their region's, None for the plate itself."""

    names: tuple[str, ...]
    whole: FrameSource
    path: RegionPath | None

    @property
    def plate(self) -> FrameSource:
        """What the tracker sees."""
        return self.whole if self.path is None else RegionPlate(self.whole, self.path)

    def corner(self, frame: int) -> tuple[int, int]:
        """Where in the plate the tracker's top-left pixel lies."""
        return (0, 0) if self.path is None else self.path.corner(frame)

    def on_plate(self, frame: int) -> Window | None:
        """The rows and columns of what the tracker sees that lie on the plate; None for all of them."""
        if self.path is None:
            return None
        (x, y), (left, top, right, bottom) = (
            self.path.corner(frame),
            overlap(self.path, frame, self.whole.size),
        )
        return slice(top - y, bottom - y), slice(left - x, right - x)

    def prompt(self, prompt: Prompt) -> Prompt:
        """A prompt as the tracker takes it; its mask is an array, if any."""
        return prompt if self.path is None else into_region(prompt, self.path, self.whole.size)

    def matte(self, matte: np.ndarray, frame: int) -> np.ndarray:
        """A matte (height, width) that the tracker gave, at plate size."""
        return matte if self.path is None else onto_plate(matte, self.path, frame, self.whole.size)


@dataclass(frozen=True)
class Regional:
    """An object for whom a region is to be found. ``prompts`` have arrays for masks; ``found`` are the
    boxes in which a first pass over the whole frame found it, None where there was none yet."""

    name: str
    region: Region | None
    prompts: Sequence[Prompt]
    found: Boxes | None = None


def object_groups(
    plate: FrameSource, things: Sequence[Regional], wish: Tracking, least_side: int
) -> tuple[ObjectGroup, ...]:
    """The groups of a job's objects. An object whose first pass is not done is tracked in the whole frame.

    ``least_side``: no region is shorter, in pixels: the side of the network's mask.
    """
    paths = {thing.name: border_path(plate, wish.border) for thing in things}
    for together in _sharing(things):
        region = together[0].region
        courses = [_course(thing) for thing in together]
        if region is None or any(course is None for course in courses):
            continue
        padding = 0.0 if region.follow is Follow.DRAWN else region.padding
        shape = PathShape(padding, region.smoothing, OVERHANG, least_side)
        known = [course for course in courses if course is not None]
        found = _unless_whole(region_path(known, plate.frames, plate.size, shape), plate)
        paths.update((thing.name, found) for thing in together)
    names: dict[RegionPath | None, list[str]] = {}
    for name, path in paths.items():
        names.setdefault(path, []).append(name)
    return tuple(ObjectGroup(tuple(held), plate, path) for path, held in names.items())


def of_objects(groups: Iterable[ObjectGroup], names: Collection[str]) -> tuple[ObjectGroup, ...]:
    """The groups with these objects alone; without those that have none of them."""
    some = (replace(group, names=tuple(name for name in group.names if name in names)) for group in groups)
    return tuple(group for group in some if group.names)


def border_path(plate: FrameSource, border: float) -> RegionPath | None:
    """The plate with a margin of ``border`` of its sides all around; None for no margin."""
    width, height = plate.size
    x, y = round(border * width), round(border * height)
    return _unless_whole(still_path(plate.frames, (width + 2 * x, height + 2 * y), (-x, -y)), plate)


def border_plate(plate: FrameSource, border: float) -> FrameSource:
    """What a tracker of the whole frame sees."""
    return ObjectGroup((), plate, border_path(plate, border)).plate


def _unless_whole(path: RegionPath, plate: FrameSource) -> RegionPath | None:
    whole = path.size == plate.size and set(path.corners) == {(0, 0)}
    return None if whole else path


def _sharing(things: Iterable[Regional]) -> list[list[Regional]]:
    """Objects with a region, those that share one together."""
    together: dict[str, list[Regional]] = {}
    for thing in things:
        if thing.region is not None:
            key = f"shared {thing.region.name}" if thing.region.name else f"of {thing.name}"
            together.setdefault(key, []).append(thing)
    return list(together.values())


def _course(thing: Regional) -> Boxes | None:
    """Where an object is, by frame; None while nobody looked."""
    region = thing.region
    if region is None or (region.follow is Follow.TRACK and thing.found is None):
        return None
    if region.follow is Follow.PROMPTS:
        return from_prompts(thing.prompts)
    if region.follow is Follow.TRACK:
        return prompted(thing.prompts, without_slips(thing.found or {}))
    # A prompt that lies beside what was drawn makes the region larger: it must not be lost.
    return prompted(thing.prompts, {key.frame: outward(*key.box) for key in region.boxes})
