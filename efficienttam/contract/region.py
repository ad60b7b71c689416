"""A region of interest: the crop that an object is tracked in, which follows it.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Iterator

from .fields import REFUSED, Choice, Fault, Many, Number, Record, Text, Whole, field
from .prompts import BOX, FRAME, Box

#: What a remedy says of fields; who fills them in another way says it in its own words.
FOLLOW_TRACK = 'set "follow": "track"'
FOLLOW_DRAWN = 'set "follow": "drawn"'


class Follow(enum.Enum):
    """What tells where an object's region lies."""

    #: The object as tracking the whole frame finds it, in a pass of its own before mattes are made.
    TRACK = "track"
    #: The boxes and masks of the object's prompts; in between it moves evenly.
    PROMPTS = "prompts"
    #: Boxes that were drawn for it; in between it moves evenly.
    DRAWN = "drawn"


@dataclasses.dataclass(frozen=True)
class RegionBox:
    """Where a drawn region lies on one frame."""

    frame: int = field(FRAME, "Frame it was drawn on.")
    box: Box = field(BOX, "[left, top, right, bottom] in plate pixels.")


@dataclasses.dataclass(frozen=True)
class Region:
    """The crop that an object is tracked in: of one size on all frames, on a smooth path."""

    follow: Follow = field(Choice(Follow), "What tells where it lies.", Follow.TRACK)
    padding: float = field(
        Number("a share of 0 or more", least=0),
        "Room on every side as a share of the object's longer side; a drawn region has none.",
        0.5,
    )
    smoothing: int = field(
        Whole("a number of frames", least=0, most=10**4),
        "Its place is averaged over so many frames before and after.",
        8,
    )
    boxes: tuple[RegionBox, ...] = field(
        Many(Record(RegionBox), "a list of boxes on frames"), "The region as drawn.", (), hide_default=True
    )
    name: str = field(
        Text("a name"), "Objects whose regions have one name share one region.", "", hide_default=True
    )


def region_faults(place: str, region: Any, prompts: Any) -> Iterator[Fault]:
    """What is wrong with the region of an object at ``place``; ``prompts`` are the object's."""
    follow, boxes = region.follow, region.boxes
    if follow is Follow.DRAWN and boxes == ():
        yield Fault(
            place + ".boxes",
            "The region is drawn, and there is no box.",
            f"Give a box on one frame or more, or {FOLLOW_TRACK}.",
        )
    if boxes is REFUSED or follow is REFUSED:
        return
    if boxes and follow is not Follow.DRAWN:
        yield Fault(
            place + ".boxes",
            f"Boxes are given for a region that goes by {follow.value}.",
            f"Leave them out, or {FOLLOW_DRAWN}.",
        )
    seen: set[int] = set()
    for index, drawn in enumerate(boxes):
        if drawn.frame in seen:
            message = f"Frame {drawn.frame} has a box already."
            yield Fault(f"{place}.boxes[{index}].frame", message, "Give one box per frame.")
        seen.add(drawn.frame)
    tells = prompts is REFUSED or any(prompt is REFUSED or not prompt.only_points for prompt in prompts)
    if follow is Follow.PROMPTS and not tells:
        yield Fault(
            place + ".follow",
            "The region goes by prompts, and none has a box or a mask to tell the object's size.",
            f"Give one of them a box, or {FOLLOW_TRACK}.",
        )


def shared_region_faults(regions: Iterator[tuple[str, Any]]) -> Iterator[Fault]:
    """Regions (place, region) of one name that are not the same."""
    known: dict[str, tuple[str, Any]] = {}
    for place, region in regions:
        if not region.name or region.name is REFUSED:
            continue
        first, other = known.setdefault(region.name, (place, region))
        if other != region:
            message = f"It shares the name {region.name!r} with {first} and is not the same."
            yield Fault(place, message, "Write both alike, or name them apart.")
