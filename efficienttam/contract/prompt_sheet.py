"""The prompt sheet: all that an artist said about a shot, as a host keeps it.

Objects with an id that never changes, a name, a colour, and prompts by frame in the order given. A sheet is
a value: every change makes another one, which is what undo needs. It turns into the objects of a job; it
also holds what no job needs: objects without prompts, colours, solo and mute.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from typing import Any, Collection

from .errors import JobError
from .fields import Fault, Flag, Many, Maybe, Record, Text, Whole, field
from .job import TrackedObject
from .prompts import Prompt, RotoFile
from .region import Region

#: Version of the sheet's JSON that this code writes; it reads all up to this one.
SHEET_VERSION = 1

#: Colours of objects in the order they are added, told apart also by those who see fewer colours.
COLORS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#ffffff")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class _Color(Text):
    """``#rrggbb``."""

    def __init__(self) -> None:
        super().__init__("a colour like #ff8800", empty=False)

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if not isinstance(value, str) or not _COLOR.match(value):
            return self.refuse(value, place, faults)
        return value


@dataclasses.dataclass(frozen=True)
class SheetObject:
    """One thing to track, with or without prompts yet."""

    id: str = field(Text("an object id", empty=False), "Never changes.")
    name: str = field(Text("an object name", empty=False), "Letters, digits and _; names file and layer.")
    color: str = field(_Color(), "Colour it is shown in.", COLORS[0])
    solo: bool = field(Flag(), "Show only this object and others that are solo.", False)
    mute: bool = field(Flag(), "Do not show this object.", False)
    prompts: tuple[Prompt, ...] = field(
        Many(Record(Prompt), "a list of prompts"), "What the artist said, in the order given.", ()
    )
    region: Region | None = field(
        Maybe(Record(Region)), "The crop to track it in; null for the whole frame.", None, hide_default=True
    )

    def prompt_on(self, frame: int) -> Prompt | None:
        """The prompt on a frame, None where there is none."""
        return next((prompt for prompt in self.prompts if prompt.frame == frame), None)

    @property
    def prompted(self) -> tuple[int, ...]:
        """Prompted frames, ascending."""
        return tuple(sorted(prompt.frame for prompt in self.prompts))


@dataclasses.dataclass(frozen=True)
class PromptSheet:
    """Objects in the order they were added. Methods return another sheet.

    All raise JobError for an object or prompt that is not there, and for a name that is taken or is not
    letters, digits and _.
    """

    objects: tuple[SheetObject, ...] = field(Many(Record(SheetObject), "a list of objects"), "Objects.", ())

    def object(self, id: str) -> SheetObject:
        """The object of an id."""
        for thing in self.objects:
            if thing.id == id:
                return thing
        known = ", ".join(thing.name for thing in self.objects) or "none"
        raise JobError(
            "There is no object {!r} on the prompt sheet.".format(id), "Objects: {}.".format(known)
        )

    def named(self, name: str) -> SheetObject | None:
        """The object of a name, None where there is none."""
        return next((thing for thing in self.objects if thing.name == name), None)

    def free_name(self, stem: str = "object", taken: Collection[str] = ()) -> str:
        """``stem`` with the first number that is not taken, here or there: object1, object2."""
        number = 1
        while self.named("{}{}".format(stem, number)) or "{}{}".format(stem, number) in taken:
            number += 1
        return "{}{}".format(stem, number)

    def with_object(self, name: str = "", id: str = "") -> PromptSheet:
        """With one object more, the last; named object1 and so on unless told."""
        name = name or self.free_name()
        self._check_name(name, "")
        taken = {thing.color for thing in self.objects}
        color = next(
            (color for color in COLORS if color not in taken), COLORS[len(self.objects) % len(COLORS)]
        )
        added = SheetObject(id or uuid.uuid4().hex[:8], name, color)
        return PromptSheet((*self.objects, added))

    def without_object(self, id: str) -> PromptSheet:
        """Without an object and all that was said about it."""
        self.object(id)
        return PromptSheet(tuple(thing for thing in self.objects if thing.id != id))

    def renamed(self, id: str, name: str) -> PromptSheet:
        """With another name for an object; its id stays."""
        self._check_name(name, id)
        return self._with(dataclasses.replace(self.object(id), name=name))

    def shown(
        self, id: str, color: str | None = None, solo: bool | None = None, mute: bool | None = None
    ) -> PromptSheet:
        """With an object shown otherwise; what is None stays."""
        thing = self.object(id)
        if color is not None and not _COLOR.match(color):
            raise JobError("{!r} is no colour.".format(color), "Write a colour like #ff8800.")
        return self._with(
            dataclasses.replace(
                thing,
                color=thing.color if color is None else color,
                solo=thing.solo if solo is None else solo,
                mute=thing.mute if mute is None else mute,
            )
        )

    def in_region(self, id: str, region: Region | None) -> PromptSheet:
        """With an object tracked in a region; None for the whole frame."""
        return self._with(dataclasses.replace(self.object(id), region=region))

    def with_prompt(self, id: str, prompt: Prompt) -> PromptSheet:
        """With a prompt, in the place of the one on its frame, else last.

        The first that tells what the object is stands in front of those that only correct: tracking takes
        prompts in their order and has to begin with such a one.
        """
        thing = self.object(id)
        prompts = list(thing.prompts)
        for index, other in enumerate(prompts):
            if other.frame == prompt.frame:
                prompts[index] = prompt
                break
        else:
            prompts.append(prompt)
        return self._with(dataclasses.replace(thing, prompts=_telling_first(prompts)))

    def with_point(self, id: str, frame: int, point: tuple[float, float], include: bool) -> PromptSheet:
        """With a point more on a frame; one that says the opposite at the same place goes."""
        said = self.object(id).prompt_on(frame)
        included = tuple(other for other in (said.include if said else ()) if other != point)
        excluded = tuple(other for other in (said.exclude if said else ()) if other != point)
        included += (point,) if include else ()
        excluded += () if include else (point,)
        return self._saying(id, frame, include=included, exclude=excluded)

    def with_box(self, id: str, frame: int, box: tuple[float, float, float, float]) -> PromptSheet:
        """With a box (left, top, right, bottom) on a frame, in the place of the one there."""
        return self._saying(id, frame, box=box)

    def with_roto(self, id: str, frame: int, roto: RotoFile) -> PromptSheet:
        """With a roto on a frame, in the place of the one there."""
        return self._saying(id, frame, mask=roto)

    def without_prompt(self, id: str, frame: int) -> PromptSheet:
        """Without the prompt of an object on a frame."""
        thing = self.object(id)
        if thing.prompt_on(frame) is None:
            raise JobError(
                "{} has no prompt on frame {}.".format(thing.name, frame), "Choose a prompted frame."
            )
        left = [prompt for prompt in thing.prompts if prompt.frame != frame]
        return self._with(dataclasses.replace(thing, prompts=_telling_first(left)))

    def with_copied_prompt(self, id: str, frame: int, to: int) -> PromptSheet:
        """With the prompt of one frame on another too."""
        prompt = self.object(id).prompt_on(frame)
        if prompt is None:
            return self.without_prompt(id, frame)
        return self.with_prompt(id, dataclasses.replace(prompt, frame=to))

    @property
    def prompted(self) -> tuple[int, ...]:
        """Frames on which any object is prompted, ascending."""
        return tuple(sorted({frame for thing in self.objects for frame in thing.prompted}))

    @property
    def visible(self) -> tuple[SheetObject, ...]:
        """Objects that are shown: not mute, and solo where any is."""
        solo = any(thing.solo for thing in self.objects)
        return tuple(thing for thing in self.objects if not thing.mute and (thing.solo or not solo))

    def tracked(self) -> tuple[TrackedObject, ...]:
        """The objects of a job: those that have prompts."""
        return tuple(
            TrackedObject(thing.name, thing.prompts, thing.region) for thing in self.objects if thing.prompts
        )

    def _saying(self, id: str, frame: int, **more: Any) -> PromptSheet:
        said = self.object(id).prompt_on(frame)
        return self.with_prompt(
            id, Prompt(frame, **more) if said is None else dataclasses.replace(said, **more)
        )

    def _with(self, changed: SheetObject) -> PromptSheet:
        return PromptSheet(tuple(changed if thing.id == changed.id else thing for thing in self.objects))

    def _check_name(self, name: str, id: str) -> None:
        if not _NAME.match(name):
            raise JobError(
                "{!r} cannot name an object.".format(name),
                "Use letters, digits and _, 64 at most, and begin with a letter.",
            )
        for other in self.objects:
            # Two files whose names differ in case alone are one file on some disks.
            if other.id != id and other.name.lower() == name.lower():
                raise JobError("There is an object {!r} already.".format(other.name), "Choose another name.")


def in_signs(prompt: Prompt) -> str:
    """A prompt in a few signs, ``+2 -1 box roto``: two points on the object, one off it, a box, a roto."""
    signs = []
    if prompt.include:
        signs.append("+{}".format(len(prompt.include)))
    if prompt.exclude:
        signs.append("-{}".format(len(prompt.exclude)))
    if prompt.box is not None:
        signs.append("box")
    if prompt.mask is not None:
        signs.append("roto")
    return " ".join(signs)


def _telling_first(prompts: list[Prompt]) -> tuple[Prompt, ...]:
    first = next((prompt for prompt in prompts if prompt.stands_alone), None)
    if first is None:
        return tuple(prompts)
    return (first, *(prompt for prompt in prompts if prompt is not first))


_SHEET = Record(PromptSheet)


def sheet_to_json(sheet: PromptSheet) -> str:
    """One line of JSON; equal sheets give equal texts."""
    return json.dumps(dict({"version": SHEET_VERSION}, **_SHEET.write(sheet)), sort_keys=False)


def sheet_from_json(text: str) -> PromptSheet:
    """The sheet of a text, an empty one of an empty text.

    Raises JobError for a text that is no sheet or of a later version: it is never thrown away silently.
    """
    if not text.strip():
        return PromptSheet()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JobError(
            "The prompt sheet is not JSON: {}.".format(error), "Undo the edit that spoilt it."
        ) from error
    if not isinstance(document, dict):
        raise JobError("The prompt sheet is no JSON object.", "Undo the edit that spoilt it.")
    faults: list[Fault] = []
    version = Whole("a version number", least=1).read(document.pop("version", None), "version", faults)
    if not faults and version > SHEET_VERSION:
        raise JobError(
            "The prompts are of version {}, this software reads up to {}.".format(version, SHEET_VERSION),
            "Update this software; nothing was changed.",
        )
    sheet = PromptSheet() if faults else _SHEET.read(document, "", faults)
    if faults:
        raise JobError(
            "The prompt sheet is damaged: {}: {}".format(faults[0].place, faults[0].message),
            "Undo the edit that spoilt it.",
        )
    ids = [thing.id for thing in sheet.objects]
    names = [thing.name for thing in sheet.objects]
    if len(set(ids)) < len(ids) or len(set(names)) < len(names):
        raise JobError("The prompt sheet has two objects of one name or id.", "Undo the edit that spoilt it.")
    return sheet
