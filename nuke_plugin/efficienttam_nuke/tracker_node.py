"""One EfficientTAM node: its knobs by what they mean. The only place that reads or writes them.

On the main thread only, like all that touches a knob.
"""

from __future__ import annotations

import contextlib
import traceback
import uuid as uuids
from typing import Any, Callable, Iterator, List, Optional, Set, Tuple, cast

import nuke

from efficienttam.contract.errors import EfficientTAMError, JobError
from efficienttam.contract.prompt_sheet import (
    PromptSheet,
    SheetObject,
    sheet_from_json,
    sheet_to_json,
)

from . import host, knobs

#: Nodes that we are writing to: what their knobChanged tells then was said by us.
_written: Set[str] = set()


def is_ours(node: Any) -> bool:
    """True for an EfficientTAM node."""
    return isinstance(node, nuke.Group) and node.knob(knobs.UUID) is not None


def all_ours() -> List[TrackerNode]:
    """Every EfficientTAM node of the script."""
    return [TrackerNode(node) for node in host.groups() if is_ours(node)]


def find(uuid: str) -> Optional[TrackerNode]:
    """The node of a uuid; None where it was deleted. A node kept over time is looked for anew each time."""
    return next((node for node in all_ours() if node.uuid == uuid), None)


#: Letters of the status line.
LONGEST_STATUS = 1000
#: What the status line says of a defect.
UNEXPECTED = "Something went wrong; the Script Editor tells what. Please report it."


class TrackerNode:
    """The knobs of one node. Short-lived: keep the uuid, not this."""

    def __init__(self, node: nuke.Group) -> None:
        self.node = node

    @property
    def uuid(self) -> str:
        """Tells this node from all others, through renames and saving; empty before it was issued."""
        return self.text(knobs.UUID)

    @property
    def name(self) -> str:
        """The node's name with the Groups it is in."""
        return str(self.node.fullName())

    @property
    def written(self) -> bool:
        """True while we write knobs of this node ourselves."""
        return self.uuid in _written

    def text(self, name: str) -> str:
        """The text of a knob as it stands: value() would run what is in square brackets as Tcl."""
        return str(cast(nuke.String_Knob, self.node[name]).getText() or "")

    def path(self, name: str) -> str:
        """A file knob's path, see ``path_in``."""
        return path_in(self.node[name])

    def choice(self, name: str) -> str:
        """The chosen entry of a pulldown."""
        return str(self.node[name].value())

    def place(self, name: str) -> int:
        """Which entry of a pulldown is chosen, from 0."""
        return int(self.node[name].getValue())

    def flag(self, name: str) -> bool:
        """A checkbox."""
        return bool(self.node[name].value())

    def whole(self, name: str) -> int:
        """A whole number."""
        return int(self.node[name].value())

    def number(self, name: str) -> float:
        """A number."""
        return float(self.node[name].value())

    def numbers(self, name: str) -> Tuple[float, ...]:
        """All numbers of a point, a box or a colour; value() tells one where all are equal."""
        return _numbers(self.node[name])

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """What is set inside is not taken for the artist's word."""
        uuid = self.uuid
        outer = uuid in _written
        _written.add(uuid)
        try:
            yield
        finally:
            if not outer:
                _written.discard(uuid)

    def put(self, name: str, value: Any) -> None:
        """Sets a knob where it holds something else."""
        knob = self.node[name]
        if isinstance(knob, nuke.String_Knob) and not isinstance(knob, nuke.File_Knob):
            if knob.getText() == value:
                return
        elif isinstance(value, (tuple, list)):
            if _numbers(knob) == tuple(value):
                return
            value = list(value)
        elif knob.value() == value:
            return
        with self.writing():
            knob.setValue(value)

    def put_handle(self, name: str, at: Tuple[float, float], label: str) -> None:
        """Puts a handle somewhere. Its drags are no steps of undo, only the prompts that they change are: by
        then it may stand for another point."""
        knob = self.node[name]
        knob.setFlag(nuke.NO_UNDO)
        self.put(name, at)
        knob.setLabel(label)

    def offer(self, name: str, values: List[str], chosen: str) -> None:
        """Entries of a pulldown, and the chosen one; the first where that is not among them."""
        knob = cast(nuke.Enumeration_Knob, self.node[name])
        values = values or [knobs.NONE]
        with self.writing():
            if list(knob.values()) != values:
                knob.setValues(values)
            chosen = chosen if chosen in values else values[0]
            if knob.value() != chosen:
                knob.setValue(chosen)

    @property
    def sheet(self) -> PromptSheet:
        """The prompts. Raises JobError where the knob holds none, or those of a later version."""
        return sheet_from_json(self.text(knobs.SHEET))

    def set_sheet(self, sheet: PromptSheet, what: str) -> None:
        """Keeps other prompts, as one step of Nuke's undo called ``what``."""
        with host.undoable(what):
            self.put(knobs.SHEET, sheet_to_json(sheet))

    @property
    def current(self) -> Optional[SheetObject]:
        """The object that the buttons speak about; None where there is none."""
        sheet = self.sheet
        return sheet.named(self.choice(knobs.CURRENT)) or (sheet.objects[0] if sheet.objects else None)

    def tell(self, status: str, state: Optional[str] = None) -> None:
        """What the status line says and, where given, the label in the node graph; nothing to undo.

        A status that no line holds is told whole in the Script Editor.
        """
        line = " ".join(status.split())
        if len(line) > LONGEST_STATUS:
            host.say(status)
            line = "{} ... The Script Editor has the rest.".format(line[:LONGEST_STATUS].rsplit(" ", 1)[0])
        with host.without_undo():
            self.put(knobs.STATUS, line)
            if state is not None:
                self.put(knobs.STATE, state)

    def tell_error(self, error: EfficientTAMError, state: Optional[str] = None) -> None:
        """An error with its remedy in the status line."""
        self.tell(str(error), state)

    def issue_uuid(self) -> None:
        """A fresh uuid, for a new node or a copy; a copy leaves the mattes of its twin to it."""
        old = self.uuid
        fresh = uuids.uuid4().hex
        with host.without_undo():
            if old and old[:8] in self.text(knobs.MATTES):
                self.put(knobs.MATTES, "")
            self.put(knobs.TRACKED, "")
            self.put(knobs.UUID, fresh)
            if self.node.knob(knobs.HOME) is not None:
                self.put(knobs.HOME, "")

    def check_version(self) -> None:
        """Raises JobError for a node of a later version, which is left as it is."""
        version = self.whole(knobs.VERSION)
        if version > knobs.NODE_VERSION:
            raise JobError(
                "This node is of version {}, the plugin knows up to {}.".format(version, knobs.NODE_VERSION),
                "Update the plugin; nothing was changed.",
            )

    def inner(self, name: str) -> nuke.Node:
        """A node inside. Raises JobError where somebody took it out."""
        node = self.node.node(name)
        if node is None:
            raise JobError(
                "The node {} inside is gone.".format(name), "Undo that edit, or make a new EfficientTAM node."
            )
        return node


def or_told(uuid: str, work: Callable[[], object]) -> None:
    """Does what Nuke or a timer calls for: an error ends in the status line, since one that got out would
    stop Nuke's own work at hand."""
    try:
        work()
    except EfficientTAMError as error:
        told = str(error)
    except Exception:
        host.say(traceback.format_exc())
        told = UNEXPECTED
    else:
        return
    alive = find(uuid)
    if alive is not None:
        alive.tell(told)


def text_in(knob: nuke.Knob) -> str:
    """What a file knob holds as it stands, Tcl too."""
    return str(cast(nuke.File_Knob, knob).getText() or "").strip()


def path_in(knob: nuke.Knob) -> str:
    """The path in a file knob, Tcl in it worked out, frame and view tokens kept.

    Not evaluate() nor getEvaluatedValue(), which may put the current frame in for %04d. Raises JobError for
    Tcl that Nuke cannot work out; what it names without a node is looked for in that of the button.
    """
    text = text_in(knob)
    if "[" not in text:
        return text
    try:
        return str(nuke.tcl("subst", text))
    except RuntimeError as error:
        label = knob.label() or knob.name()
        raise JobError(
            "Nuke cannot work out {} in {}: {}.".format(text, label, str(error).rstrip(".")),
            "Write the path without brackets, or name knobs in it with their node: [value Node.knob].",
        ) from error


def _numbers(knob: nuke.Knob) -> Tuple[float, ...]:
    size = int(cast(nuke.Array_Knob, knob).arraySize())
    return tuple(float(knob.getValue(channel)) for channel in range(size))
