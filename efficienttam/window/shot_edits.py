"""What the artist does to a shot: prompts, objects, undo and redo, without a window.

Coordinates are plate pixels, origin top left, y down. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Callable, Collection, List, Optional, Tuple

from ..contract.errors import EfficientTAMError, JobError, PromptError
from ..contract.job import TrackedObject
from ..contract.prompt_sheet import PromptSheet, SheetObject
from ..contract.prompts import Prompt

#: Changes that can be undone.
MOST_CHANGES = 500
#: A box narrower or lower than this many plate pixels is a slip of the hand.
LEAST_BOX = 2.0


@dataclasses.dataclass(frozen=True)
class Change:
    """One thing the artist did, with the sheet before and after it and the frame it was done on."""

    what: str
    frame: int
    before: PromptSheet
    after: PromptSheet


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where edits stood at a time."""

    sheet: PromptSheet
    frame: int
    current: str
    done: Tuple[Change, ...]
    undone: Tuple[Change, ...]


class ShotEdits:
    """The sheet with its past, the current frame and the current object.

    Methods that change the sheet return True when it changed. They raise JobError or PromptError for what
    cannot be; the sheet is then as before.
    """

    def __init__(
        self,
        sheet: PromptSheet = PromptSheet(),
        frame: int = 1,
        taken_names: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self.sheet = sheet
        self.frame = frame
        self._taken_names = taken_names
        self.current = sheet.objects[0].id if sheet.objects else ""
        self._done: List[Change] = []
        self._undone: List[Change] = []

    @property
    def object(self) -> Optional[SheetObject]:
        """The current object, None where there is none."""
        return next((thing for thing in self.sheet.objects if thing.id == self.current), None)

    @property
    def prompt(self) -> Optional[Prompt]:
        """The current object's prompt on the current frame."""
        thing = self.object
        return None if thing is None else thing.prompt_on(self.frame)

    @property
    def last_change(self) -> Optional[Change]:
        """What ``undo`` would take back."""
        return self._done[-1] if self._done else None

    @property
    def next_change(self) -> Optional[Change]:
        """What ``redo`` would do again."""
        return self._undone[-1] if self._undone else None

    @property
    def standing(self) -> Standing:
        """Where they stand now, for ``go_back``."""
        return Standing(self.sheet, self.frame, self.current, tuple(self._done), tuple(self._undone))

    def go_back(self, standing: Standing) -> None:
        """To where they stood: what was done or undone since never was."""
        self.sheet, self.frame, self.current = standing.sheet, standing.frame, standing.current
        self._done, self._undone = list(standing.done), list(standing.undone)

    def change(self, sheet: PromptSheet, what: str) -> bool:
        """Takes another sheet as one step that can be undone."""
        if sheet == self.sheet:
            return False
        self._done.append(Change(what, self.frame, self.sheet, sheet))
        del self._done[:-MOST_CHANGES]
        self._undone.clear()
        self._show(sheet)
        return True

    def undo(self) -> bool:
        """Takes the last change back and goes to the frame it was made on."""
        return self._step(self._done, self._undone, back=True)

    def redo(self) -> bool:
        """Does what was taken back last again and goes to its frame."""
        return self._step(self._undone, self._done, back=False)

    def click(self, x: float, y: float, include: bool) -> bool:
        """A point on the current object, or off it; makes the first object where there is none."""
        name = self._name_to_be()
        what = "Include a point of {}" if include else "Exclude a point from {}"
        return self.change(self.with_click(x, y, include), what.format(name))

    def with_click(self, x: float, y: float, include: bool) -> PromptSheet:
        """The sheet as a click would make it."""
        sheet, id = self._with_current()
        return sheet.with_point(id, self.frame, (float(x), float(y)), include)

    def drag(self, one: Tuple[float, float], other: Tuple[float, float]) -> bool:
        """A box from corner to corner, in the place of the current object's box on the frame."""
        (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
        if right - left < LEAST_BOX or bottom - top < LEAST_BOX:
            raise PromptError("The box is too small.", "Drag from one corner of the object to the other.")
        sheet, id = self._with_current()
        changed = sheet.with_box(id, self.frame, (left, top, right, bottom))
        return self.change(changed, "Box around {}".format(self._name_to_be()))

    def erase(self, x: float, y: float, reach: float) -> bool:
        """Takes the current object's point nearest to a place away, within ``reach`` plate pixels."""
        prompt = self.prompt
        points = [] if prompt is None else [*prompt.include, *prompt.exclude]
        near = [point for point in points if math.hypot(point[0] - x, point[1] - y) <= reach]
        if prompt is None or not near:
            return False
        gone = min(near, key=lambda point: math.hypot(point[0] - x, point[1] - y))
        include = tuple(point for point in prompt.include if point != gone)
        exclude = tuple(point for point in prompt.exclude if point != gone)
        if not (include or exclude or prompt.box is not None or prompt.mask is not None):
            return self.delete_prompt(self.current, self.frame)
        left = dataclasses.replace(prompt, include=include, exclude=exclude)
        sheet = self.sheet.with_prompt(self.current, left)
        return self.change(sheet, "Remove a point of {}".format(self._name_to_be()))

    def delete_prompt(self, id: str, frame: int) -> bool:
        """Takes away all that was said about an object on a frame."""
        sheet = self.sheet.without_prompt(id, frame)
        return self.change(sheet, "Delete the prompt of {} on {}".format(sheet.object(id).name, frame))

    def copy_prompt(self, id: str, frame: int) -> bool:
        """Says on the current frame what was said about an object on another."""
        sheet = self.sheet.with_copied_prompt(id, frame, self.frame)
        return self.change(sheet, "Copy the prompt of {} from {}".format(sheet.object(id).name, frame))

    def add_object(self) -> bool:
        """One object more, the current one from now on."""
        sheet = self.sheet.with_object(self._free_name())
        changed = self.change(sheet, "Add {}".format(sheet.objects[-1].name))
        self.current = sheet.objects[-1].id
        return changed

    def remove_object(self, id: str) -> bool:
        """Takes an object away with all that was said about it."""
        name = self.sheet.object(id).name
        return self.change(self.sheet.without_object(id), "Remove {}".format(name))

    def rename_object(self, id: str, name: str) -> bool:
        """Another name for an object."""
        return self.change(self.sheet.renamed(id, name), "Rename {}".format(self.sheet.object(id).name))

    def choose(self, id: str) -> None:
        """Makes an object the current one."""
        self.current = self.sheet.object(id).id

    def prompted_beside(self, step: int) -> Optional[int]:
        """The prompted frame next to the current one, before it for -1, after it for 1; None at the end."""
        return beside(self.sheet.prompted, self.frame, step)

    def hovered(self, x: float, y: float, name: str) -> TrackedObject:
        """An object of that name as the current one would be on this frame with a point more."""
        said = self.prompt
        region = None if self.object is None else self.object.region
        if said is None or not _tells(said):
            return TrackedObject(name, (Prompt(self.frame, include=((x, y),)),), region)
        included = (*said.include, (x, y))
        excluded = tuple(point for point in said.exclude if point != (x, y))
        return TrackedObject(
            name, (dataclasses.replace(said, mask=None, include=included, exclude=excluded),), region
        )

    def _name_to_be(self) -> str:
        thing = self.object
        return self._free_name() if thing is None else thing.name

    def _free_name(self) -> str:
        return self.sheet.free_name(taken=self._taken_names())

    def _with_current(self) -> Tuple[PromptSheet, str]:
        """The sheet with the current object, which is added where there is none, and its id."""
        if self.object is not None:
            return self.sheet, self.current
        if self.sheet.objects:
            return self.sheet, self.sheet.objects[0].id
        # An id that follows from the sheet: looking at what a click would do changes nothing.
        sheet = self.sheet.with_object(self._free_name(), id="first")
        return sheet, "first"

    def _step(self, source: List[Change], target: List[Change], back: bool) -> bool:
        if not source:
            return False
        change = source.pop()
        target.append(change)
        self.frame = change.frame
        self._show(change.before if back else change.after)
        return True

    def _show(self, sheet: PromptSheet) -> None:
        had = {thing.id for thing in self.sheet.objects}
        place = next((n for n, thing in enumerate(self.sheet.objects) if thing.id == self.current), 0)
        self.sheet = sheet
        new = [thing.id for thing in sheet.objects if thing.id not in had]
        if new:
            self.current = new[-1]
        elif any(thing.id == self.current for thing in sheet.objects):
            return
        elif sheet.objects:
            self.current = sheet.objects[min(place, len(sheet.objects) - 1)].id
        else:
            self.current = ""


def beside(frames: Tuple[int, ...], frame: int, step: int) -> Optional[int]:
    """Of ascending frames the next one after ``frame`` (step 1) or before it (-1); None where none is."""
    there = [other for other in frames if (other > frame if step > 0 else other < frame)]
    if not there:
        return None
    return there[0] if step > 0 else there[-1]


def ready_objects(sheet: PromptSheet) -> Tuple[TrackedObject, ...]:
    """The objects that can be tracked: of which it is said what they are, not only what they are not."""
    return tuple(thing for thing in sheet.tracked() if thing.prompts[0].stands_alone)


def unready_names(sheet: PromptSheet) -> Tuple[str, ...]:
    """Names of objects of which it is only said what they are not."""
    ready = {thing.name for thing in ready_objects(sheet)}
    return tuple(thing.name for thing in sheet.tracked() if thing.name not in ready)


def checked(sheet: PromptSheet, first: int, last: int) -> Optional[EfficientTAMError]:
    """Why a sheet cannot be tracked over these frames; None where it can."""
    if not ready_objects(sheet):
        return JobError("Nothing says what to track.", "Click on the object first.")
    outside = [frame for frame in sheet.prompted if not first <= frame <= last]
    if outside:
        return JobError(
            "Frame {} has a prompt and is outside {} to {}.".format(outside[0], first, last),
            "Delete that prompt, or widen the range.",
        )
    return None


def _tells(prompt: Prompt) -> bool:
    return bool(prompt.include or prompt.exclude or prompt.box is not None)
