"""Kinds of JSON values: how each is read, written and described in a JSON Schema.

A document's dataclasses name a kind for each of their fields with ``field(kind, ...)``; reading never
stops at the first fault. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import math
from typing import Any, Iterable, NamedTuple, TypeVar

from .errors import EfficientTAMError, ExitCode, JobError

_Member = TypeVar("_Member", bound=enum.Enum)


class Fault(NamedTuple):
    """One thing wrong with a document: where (``objects[0].name``), what, and what to do."""

    place: str
    message: str
    remedy: str
    exit_code: ExitCode = ExitCode.USAGE


#: Stands where a value was refused, so that reading and the rules can go on around it.
REFUSED = type("Refused", (), {"__repr__": lambda self: "REFUSED"})()


def known(record: Any, name: str) -> Any:
    """The field of a record, None when it or the record was refused."""
    value = None if record is REFUSED else getattr(record, name)
    return None if value is REFUSED else value


def field(kind: Kind, meaning: str, default: Any = dataclasses.MISSING, hide_default: bool = False) -> Any:
    """A dataclass field that knows its kind; without ``default`` the document must give it.

    ``hide_default`` leaves the field out of the written document when it holds its default.
    """
    metadata = {"kind": kind, "meaning": meaning, "hide_default": hide_default}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence naming the most similar known words, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    if close:
        return "Did you mean {}?".format(" or ".join(repr(name) for name in close))
    return "Use one of {}.".format(", ".join(repr(name) for name in known))


def member(members: type[_Member], value: Any, title: str) -> _Member:
    """The member that ``value`` is, or whose value it is. Raises JobError that calls it ``title``."""
    try:
        return members(value)
    except ValueError:
        known = ", ".join(repr(one.value) for one in members)
        raise JobError("{!r} is no {}.".format(value, title), "Use one of {}.".format(known)) from None


class Kind:
    """One kind of JSON value."""

    #: As told to people: ``expected <title>``.
    title = ""

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        """The Python value of ``value``, or REFUSED after adding to ``faults``."""
        raise TypeError("A kind reads its own values.")

    def write(self, value: Any) -> Any:
        """The JSON value of what ``read`` returned."""
        return value

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        raise TypeError("A kind describes its own values.")

    def refuse(self, value: Any, place: str, faults: list[Fault], remedy: str = "") -> Any:
        """REFUSED, after adding to ``faults``; without ``remedy`` it is to write the title."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        message = f"{shown} is not {self.title}."
        faults.append(Fault(place, message, remedy or f"Write {self.title}."))
        return REFUSED


class Text(Kind):
    """A string without control characters."""

    def __init__(self, title: str = "a text", empty: bool = True) -> None:
        self.title = title
        self.empty = empty

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if not isinstance(value, str) or (not self.empty and not value):
            return self.refuse(value, place, faults)
        if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
            return self.refuse(value, place, faults, "Remove the control characters.")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[^\\u0000-\\u001f]{}$".format("*" if self.empty else "+")}


def _to_be_written(value: Any, wanted: str, least: float | None, most: float | None) -> str:
    """The remedy for what is not a number from ``least`` to ``most``, None for no bound."""
    if isinstance(value, str):
        return f"Write {wanted} without quotes."
    if least is not None and most is not None:
        wanted += f" from {least} to {most}"
    elif least is not None or most is not None:
        wanted += f" of {least} or more" if least is not None else f" of {most} or less"
    return f"Write {wanted}."


class Number(Kind):
    """A finite number, kept as a float."""

    def __init__(
        self, title: str = "a number", least: float | None = None, most: float | None = None
    ) -> None:
        self.title = title
        self.least = least
        self.most = most

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self._refuse_bounds(value, place, faults)
        try:
            number = float(value)
        except OverflowError:
            return self.refuse("a number beyond every float", place, faults)
        low = self.least is not None and number < self.least
        high = self.most is not None and number > self.most
        if not math.isfinite(number) or low or high:
            return self._refuse_bounds(value, place, faults)
        return number

    def _refuse_bounds(self, value: Any, place: str, faults: list[Fault]) -> Any:
        return self.refuse(value, place, faults, _to_be_written(value, "a number", self.least, self.most))

    def write(self, value: Any) -> Any:
        whole = float(value).is_integer() and abs(value) < 2**53
        return int(value) if whole else float(value)

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "number"}
        if self.least is not None:
            schema["minimum"] = self.least
        if self.most is not None:
            schema["maximum"] = self.most
        return schema


#: Whole numbers beyond are refused without a word on bounds.
BOUNDLESS = 10**9


class Whole(Kind):
    """A whole number."""

    def __init__(self, title: str = "a whole number", least: int = -BOUNDLESS, most: int = BOUNDLESS) -> None:
        self.title = title
        self.least = least
        self.most = most

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        whole = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not whole or value != value or not self.least <= value <= self.most or value != int(value):
            least = self.least if self.least > -BOUNDLESS else None
            most = self.most if self.most < BOUNDLESS else None
            remedy = _to_be_written(value, "a whole number", least, most)
            return self.refuse(value, place, faults, remedy)
        return int(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Flag(Kind):
    """True or false."""

    title = "true or false"

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        return value if isinstance(value, bool) else self.refuse(value, place, faults)

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Choice(Kind):
    """One member of an Enum, written as its value."""

    def __init__(self, members: type[enum.Enum]) -> None:
        self.members = members
        self.values = [member.value for member in members]
        self.title = "one of the choices"

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if isinstance(value, str) and value in self.values:
            return self.members(value)
        return self.refuse(value, place, faults, nearest(str(value), self.values))

    def write(self, value: Any) -> Any:
        return value.value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}


class Maybe(Kind):
    """Another kind, or null."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.title = kind.title + " or null"

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        return None if value is None else self.kind.read(value, place, faults)

    def write(self, value: Any) -> Any:
        return None if value is None else self.kind.write(value)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


class Many(Kind):
    """A list of one kind, kept as a tuple. ``length`` fixes how many there are.

    ``partial`` keeps REFUSED in the place of refused items instead of refusing the whole list.
    """

    def __init__(
        self, kind: Kind, title: str, least: int = 0, length: int | None = None, partial: bool = False
    ) -> None:
        self.kind = kind
        self.title = title
        self.least = least if length is None else length
        self.length = length
        self.partial = partial

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        wrong_length = isinstance(value, list) and (
            len(value) < self.least or (self.length is not None and len(value) != self.length)
        )
        if not isinstance(value, list) or wrong_length:
            return self.refuse(value, place, faults)
        items = [self.kind.read(item, f"{place}[{index}]", faults) for index, item in enumerate(value)]
        refused = any(item is REFUSED for item in items) and not self.partial
        return REFUSED if refused else tuple(items)

    def write(self, value: Any) -> Any:
        return [self.kind.write(item) for item in value]

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.kind.schema()}
        if self.least:
            schema["minItems"] = self.least
        if self.length is not None:
            schema["maxItems"] = self.length
        return schema


class Entry(NamedTuple):
    """One name of a record, what it holds and what it means."""

    kind: Kind
    meaning: str
    required: bool
    default: Any
    hide_default: bool


def entries_of(cls: Any) -> dict[str, Entry]:
    """The entries of a dataclass whose fields were made with ``field``."""
    entries: dict[str, Entry] = {}
    for item in dataclasses.fields(cls):
        required = item.default is dataclasses.MISSING
        default = None if required else item.default
        meta = item.metadata
        entries[item.name] = Entry(meta["kind"], meta["meaning"], required, default, meta["hide_default"])
    return entries


class Record(Kind):
    """A JSON object read into a dataclass; unknown names are faults.

    ``partial`` builds the dataclass even when some fields were refused; they hold REFUSED.
    """

    def __init__(self, cls: Any, entries: dict[str, Entry] | None = None, partial: bool = False) -> None:
        self.cls = cls
        self.partial = partial
        self.entries = entries if entries is not None else entries_of(cls)
        self.title = "an object with " + ", ".join(self.entries)

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if not isinstance(value, dict):
            return self.refuse(value, place, faults)
        inside = place + "." if place else ""
        known = len(faults)
        for name in value:
            if name not in self.entries:
                message = f"{name!r} is not a field here."
                faults.append(Fault(inside + name, message, nearest(name, self.entries)))
        values = {}
        for name, entry in self.entries.items():
            if name in value:
                values[name] = entry.kind.read(value[name], inside + name, faults)
            elif entry.required:
                message = f"The field is missing, expected {entry.kind.title}."
                faults.append(Fault(inside + name, message, f"Add it: {entry.meaning}"))
                values[name] = REFUSED
        if len(faults) > known and not self.partial:
            return REFUSED
        try:
            return self.cls(**values)
        except EfficientTAMError as error:
            faults.append(Fault(place, error.message, error.remedy))
            return REFUSED

    def write(self, value: Any) -> Any:
        document = {}
        for name, entry in self.entries.items():
            held = getattr(value, name)
            if not (entry.hide_default and held == entry.default):
                document[name] = entry.kind.write(held)
        return document

    def schema(self) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for name, entry in self.entries.items():
            properties[name] = dict(entry.kind.schema(), description=entry.meaning)
            if not entry.required:
                properties[name]["default"] = (
                    None if entry.default is None else entry.kind.write(entry.default)
                )
        required = [name for name, entry in self.entries.items() if entry.required]
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
        if required:
            schema["required"] = required
        return schema
