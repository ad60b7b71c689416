"""Words on the command line: ``--object``, ``--point``, ``--exclude``, ``--box``, ``--mask``, ``--region``.

Also what is wrong with the job they make, said in the words of the command line.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..contract.document import JobFaults
from ..contract.errors import JobError
from ..contract.fields import Fault
from ..contract.job import TrackedObject
from ..contract.output_form import CHOOSE_FILES, CHOOSE_LAYERS
from ..contract.prompts import Prompt, RotoFile
from ..contract.region import FOLLOW_TRACK, Follow, Region, RegionBox
from ..contract.rules import LET_STAND_IN, REFINE_EDGES

#: Places of the document that one option fills, and that option.
OPTIONS = {
    "plate": "PLATE",
    "plate.color_space": "--color-space",
    "plate.ocio_config": "--ocio",
    "plate.missing": "--missing",
    "plate.layer": "--plate-layer",
    "output": "--out",
    "output.layer": "--layer",
    "output.compression": "--compression",
    "output.depth": "--depth",
    "output.data_window": "--data-window",
    "range": "--frames",
    "views": "--views",
    "model": "--model",
    "model.weights": "--weights",
    "model.device": "--device",
    "model.threads": "--threads",
    "model.precision": "--precision",
    "tracking.border": "--border",
    "mattes.softness": "--softness",
    "mattes.refine": "--refine",
    "mattes.refine_band": "--refine-band",
    "mattes.fill_holes": "--fill-holes",
    "mattes.remove_specks": "--remove-specks",
    "mattes.steady_frames": "--steady",
    "mattes.roto_blend": "--roto-blend",
}
#: Remedies that name a field of the document, and what does the same here.
REMEDIES = {
    CHOOSE_FILES: "leave --layers and --cryptomatte out",
    CHOOSE_LAYERS: "give --layers",
    LET_STAND_IN: "give --missing hold or --missing black",
    FOLLOW_TRACK: "say --region track",
    REFINE_EDGES: "give --refine unmix",
}


class Word(argparse.Action):
    """Keeps ``--object`` and what is said of objects in the order it was given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        words = list(getattr(namespace, self.dest) or [])
        words.append(((option_string or "").lstrip("-"), values))
        setattr(namespace, self.dest, words)


@dataclasses.dataclass(frozen=True)
class Spoken:
    """The objects, and which word made which place of the document (``objects[0].prompts[0].box``)."""

    objects: tuple[TrackedObject, ...]
    places: Mapping[str, str]


@contextmanager
def in_words(places: Mapping[str, str], remedies: Mapping[str, str]) -> Iterator[None]:
    """Faults that come by name these words for the places of the document, and for its remedies."""
    try:
        yield
    except JobFaults as faults:
        spoken = [_in_words(fault, places, remedies) for fault in faults.faults]
        raise JobFaults(spoken, faults.source) from faults


def _in_words(fault: Fault, places: Mapping[str, str], remedies: Mapping[str, str]) -> Fault:
    place, remedy = fault.place, fault.remedy
    while place and place not in places:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    for told, said in remedies.items():
        remedy = remedy.replace(told, said)
    return fault._replace(place=places.get(place, fault.place), remedy=remedy)


def objects_from(words: Sequence[tuple[str, str]], padding: float | None = None) -> Spoken:
    """Objects with their prompts from (``point``, ``1001:812,430``) and the like, in order.

    What is said about one frame of one object becomes one prompt, placed where the frame was first
    named. Without ``object`` in front the first object is ``object1``. ``padding`` is that of all regions,
    None for the usual. Raises JobError.
    """
    objects: dict[str, dict[int, dict[str, Any]]] = {}
    regions: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    name = ""
    for kind, text in words:
        if kind == "object":
            name = _new_name(text, objects)
            objects[name] = {}
            places[f"objects[{len(objects) - 1}]"] = f"--object {text}"
            continue
        name = name or "object1"
        prompts = objects.setdefault(name, {})
        if kind == "region":
            regions.setdefault(name, []).append(text)
            places[f"objects[{len(objects) - 1}].region"] = f"--region {text}"
            continue
        frame, rest = _frame_and_rest(kind, text)
        said = prompts.setdefault(frame, {"include": [], "exclude": []})
        here = f"objects[{len(objects) - 1}]"
        places.setdefault(here, f"--{kind} {text}")
        here = f"{here}.prompts[{list(prompts).index(frame)}]"
        places.setdefault(here, f"--{kind} {text}")
        places[f"{here}.{_say(said, kind, text, rest)}"] = f"--{kind} {text}"
    if not objects:
        raise JobError("Nothing says what to track.", "Give --point FRAME:X,Y, --box or --mask.")
    for name, prompts in objects.items():
        if not prompts:
            raise JobError(
                f"Nothing is said about --object {name}.", "Put --point, --box or --mask after it."
            )
    return Spoken(
        tuple(
            TrackedObject(
                key,
                tuple(Prompt(frame, **said) for frame, said in prompts.items()),
                _region(regions[key], next(iter(prompts)), padding) if key in regions else None,
            )
            for key, prompts in objects.items()
        ),
        places,
    )


def _region(texts: Sequence[str], frame: int, padding: float | None) -> Region:
    """The region that ``track``, ``prompts`` or boxes tell; a box without a frame is one of ``frame``."""
    room = Region().padding if padding is None else padding
    follows = [follow for follow in (Follow.TRACK, Follow.PROMPTS) if follow.value in texts]
    if follows:
        if len(texts) > 1:
            raise JobError(f"--region {texts[1]} is one more than {texts[0]}.", "Say one of them.")
        return Region(follows[0], room)
    boxes = []
    for text in texts:
        shown, rest = _frame_and_rest("region", text) if ":" in text else (frame, text)
        left, top, right, bottom = _numbers("region", text, rest, 4)
        if right <= left or bottom <= top:
            raise JobError(f"--region {text} has no area.", "Write LEFT,TOP,RIGHT,BOTTOM (y runs down).")
        boxes.append(RegionBox(shown, (left, top, right, bottom)))
    return Region(Follow.DRAWN, room, boxes=tuple(boxes))


def _new_name(text: str, taken: Mapping[str, Any]) -> str:
    if not text:
        raise JobError("--object '' has no name.", "Name it with letters, digits and _.")
    if text.lower() in map(str.lower, taken):
        raise JobError(
            f"--object {text!r} names an object that is there already (case does not count).",
            "Give each object its own name, and all its words after its one --object.",
        )
    return text


def _say(said: dict[str, Any], kind: str, text: str, rest: str) -> str:
    """Adds a word to a prompt; the part of the prompt that it fills."""
    if kind in ("box", "mask") and said.get(kind) is not None:
        raise JobError(f"--{kind} {text} is the second one on that frame.", "Give one per object and frame.")
    if kind == "mask":
        said["mask"] = RotoFile(*_file_and_channel(rest))
    elif kind == "box":
        said["box"] = left, top, right, bottom = _numbers(kind, text, rest, 4)
        if right <= left or bottom <= top:
            remedy = "Write FRAME:LEFT,TOP,RIGHT,BOTTOM with RIGHT > LEFT and BOTTOM > TOP (y runs down)."
            raise JobError(f"--box {text} has no area.", remedy)
    else:
        part = "include" if kind == "point" else "exclude"
        said[part].append(_numbers(kind, text, rest, 2))
        return f"{part}[{len(said[part]) - 1}]"
    return kind


def _file_and_channel(text: str) -> tuple[str, str]:
    """``roto.exr:hero.alpha`` in its parts; the channel is empty where none is named.

    What stands before the colon has the ending of a file, so ``C:\\roto.exr`` is one name.
    """
    file, _, channel = text.rpartition(":")
    named = channel and os.path.splitext(file)[1] and not re.search(r"[\\/]", channel)
    return (file, channel) if named and not os.path.isfile(text) else (text, "")


def _frame_and_rest(kind: str, text: str) -> tuple[int, str]:
    match = re.match(r"\s*(-?\d{1,9})\s*:(.+)\Z", text)
    if match is None:
        box = "1001:600,300,900,700"
        example = {"box": box, "region": box, "mask": "1001:roto.exr"}.get(kind, "1001:812,430")
        raise JobError(f"--{kind} {text!r} is not a frame, a colon and more.", f"Write it like {example}.")
    return int(match.group(1)), match.group(2)


def _numbers(kind: str, text: str, rest: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in rest.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        if kind == "region":
            remedy = "Write track, prompts, LEFT,TOP,RIGHT,BOTTOM or FRAME:LEFT,TOP,RIGHT,BOTTOM."
            raise JobError(f"--region {text!r} tells no region.", remedy)
        shape = "FRAME:LEFT,TOP,RIGHT,BOTTOM" if count == 4 else "FRAME:X,Y"
        raise JobError(f"--{kind} {text!r} has not {count} numbers after the frame.", f"Write {shape}.")
    return numbers
