"""What a host and a worker say to each other: one JSON object per line, over the worker's stdin and stdout.

A host sends requests, each with a number of its own; every request is answered once by a reply with that
number, a ``TrackRequest`` also by events before it. Pixels travel by path, small pictures as PNG in base64.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Tuple, Union

from .document import from_json, to_json
from .errors import EfficientTAMError
from .fields import Fault, Flag, Many, Maybe, Number, Record, Text, Whole, field
from .job import FrameRange, Mattes, Model, Output, Plate, TrackedObject, Tracking, TrackJob
from .matte_score import MatteScore
from .prompts import FRAME

#: Version of the messages. A host and a worker of different versions do not work together.
PROTOCOL_VERSION = 1

_NUMBER = Whole("a request number", least=0)
_SESSION = Text("a session name", empty=False)
_NAMES = Many(Text("an object name", empty=False), "a list of object names")
_SIDE = Whole("a number of pixels", least=0, most=65536)


class ProtocolError(EfficientTAMError):
    """A line that is no message, or one of another version."""


class _Job(Text):
    """A job document as text."""

    def __init__(self) -> None:
        super().__init__("a job document")

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        if not isinstance(value, str):
            return self.refuse(value, place, faults)
        return from_json(value, place)

    def write(self, value: Any) -> Any:
        return to_json(value)


class _Long(Text):
    """A text that may have lines."""

    def read(self, value: Any, place: str, faults: list[Fault]) -> Any:
        return value if isinstance(value, str) else self.refuse(value, place, faults)


@dataclasses.dataclass(frozen=True)
class Hello:
    """The worker's first line."""

    version: int = field(Whole("a version"), "Version of the messages.")
    software: str = field(Text(), "Version of the engine.")
    python: str = field(Text(), "Version of its Python.")
    pid: int = field(Whole("a process number"), "Number of the worker's process.")


@dataclasses.dataclass(frozen=True)
class OpenPlate:
    """Opens a plate under a name of the host's choice; one that is open under it is closed.

    Answered by ``PlateOpened``.
    """

    id: int = field(_NUMBER, "Request number.")
    session: str = field(_SESSION, "What the host calls the opened plate.")
    plate: Plate = field(Record(Plate), "The footage.")
    range: FrameRange = field(Record(FrameRange), "Frames that count.", FrameRange())
    view: str = field(Text("a view"), "View to open; empty for a plate without views.", "")
    model: Model = field(Record(Model), "The network and its device.", Model())
    tracking: Tracking = field(Record(Tracking), "How prompts become mattes.", Tracking())
    folder: str = field(Text("a folder"), "Relative paths are taken from here.", "")
    mattes: Mattes = field(Record(Mattes), "The form of the mattes.", Mattes())


@dataclasses.dataclass(frozen=True)
class PlateOpened:
    """The plate is open, the network is loaded."""

    id: int = field(_NUMBER, "Request answered.")
    first: int = field(FRAME, "First frame.")
    last: int = field(FRAME, "Last frame.")
    width: int = field(_SIDE, "Width of the display window.")
    height: int = field(_SIDE, "Height of the display window.")
    pixel_aspect: float = field(Number("a positive number"), "Width of a pixel by its height.")
    device: str = field(Text(), "Device the network runs on.")
    precision: str = field(Text(), "Number format it computes in.")


@dataclasses.dataclass(frozen=True)
class GetPicture:
    """Asks for a frame of an open plate as the network sees it. Answered by ``Picture``."""

    id: int = field(_NUMBER, "Request number.")
    session: str = field(_SESSION, "Name of the open plate.")
    frame: int = field(FRAME, "Frame wanted.")
    side: int = field(_SIDE, "Longest side of the picture at most, in pixels; 0 for the plate's size.", 0)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A frame on disk, 8 bits, sRGB; the host may delete the file once it is read."""

    id: int = field(_NUMBER, "Request answered.")
    frame: int = field(FRAME, "Frame shown.")
    path: str = field(Text("a file name", empty=False), "A PPM file.")


@dataclasses.dataclass(frozen=True)
class Preview:
    """Asks what objects look like on one frame of an open plate, given all their prompts.

    A newer preview of the same objects replaces one that has not begun (answered by ``Dropped``). While a
    job runs previews are answered between two of its frames. Answered by ``Previewed``.
    """

    id: int = field(_NUMBER, "Request number.")
    session: str = field(_SESSION, "Name of the open plate.")
    frame: int = field(FRAME, "Frame wanted.")
    objects: tuple[TrackedObject, ...] = field(
        Many(Record(TrackedObject), "a list of objects"), "Objects with all their prompts."
    )
    side: int = field(_SIDE, "Longest side of the mattes at most, in pixels; 0 for the plate's size.", 0)
    mattes: bool = field(
        Flag(), "False only readies the frame: the next prompt on it will be answered faster.", True
    )


@dataclasses.dataclass(frozen=True)
class ObjectMatte:
    """One object on one frame."""

    name: str = field(Text("an object name", empty=False), "The object.")
    png: str = field(Text(), "PNG in base64, 8-bit grey: the matte. Empty where none was asked for.", "")
    score: MatteScore = field(Record(MatteScore), "How sure tracking was, and where it lies.", MatteScore())


@dataclasses.dataclass(frozen=True)
class Previewed:
    """The objects on a frame, as tracking the job would give them."""

    id: int = field(_NUMBER, "Request answered.")
    frame: int = field(FRAME, "Frame shown.")
    mattes: tuple[ObjectMatte, ...] = field(Many(Record(ObjectMatte), "a list of mattes"), "By object.")
    seconds: float = field(Number(), "Time it took the worker.", 0.0)
    told: tuple[str, ...] = field(
        Many(Text(), "a list of sentences"), "What the artist should know: prompts not heeded.", ()
    )
    replaced: tuple[int, ...] = field(
        Many(FRAME, "a list of frames"),
        "Frames replaced on disk since they were seen.",
        (),
    )


@dataclasses.dataclass(frozen=True)
class GetMattes:
    """Asks for the mattes of a frame that are on disk. Answered by ``Previewed``."""

    id: int = field(_NUMBER, "Request number.")
    session: str = field(_SESSION, "Name of the open plate.")
    output: Output = field(Record(Output), "Where the mattes are; paths relative to the plate's folder.")
    objects: tuple[str, ...] = field(_NAMES, "Names of the objects.")
    frame: int = field(FRAME, "Frame wanted.")
    side: int = field(_SIDE, "Longest side of the mattes at most, in pixels; 0 for the plate's size.", 0)


@dataclasses.dataclass(frozen=True)
class GetReview:
    """Asks which mattes are on disk, and how sure tracking was. Answered by ``Review``.

    With ``frames`` no plate need be open: paths are then absolute, and no network is loaded.
    """

    id: int = field(_NUMBER, "Request number.")
    session: str = field(Text("a session name"), "Name of the open plate; empty with ``frames``.")
    output: Output = field(Record(Output), "Where the mattes are; paths relative to the plate's folder.")
    objects: tuple[str, ...] = field(_NAMES, "Names of the objects.")
    frames: Tuple[int, int] | None = field(
        Maybe(Many(FRAME, "two frames [first, last]", length=2)),
        "Frames to look at; null for the plate's.",
        None,
    )
    view: str = field(Text("a view"), "The view of ``frames``; empty without views.", "")


@dataclasses.dataclass(frozen=True)
class FrameReview:
    """One frame of ``Review``: the mattes on disk, without pictures."""

    frame: int = field(FRAME, "The frame.")
    mattes: tuple[ObjectMatte, ...] = field(Many(Record(ObjectMatte), "a list of mattes"), "By object.")


@dataclasses.dataclass(frozen=True)
class Review:
    """Mattes on disk by frame, ascending; frames without any are left out."""

    id: int = field(_NUMBER, "Request answered.")
    frames: tuple[FrameReview, ...] = field(Many(Record(FrameReview), "a list of frames"), "By frame.")


@dataclasses.dataclass(frozen=True)
class TrackRequest:
    """Runs a job to mattes on disk. Events come first; answered by ``Done`` or ``Failed``."""

    id: int = field(_NUMBER, "Request number.")
    job: TrackJob = field(_Job(), "The job document.")
    folder: str = field(Text("a folder"), "Relative paths of the job are taken from here.", "")
    frames: Tuple[int, int] | None = field(
        Maybe(Many(FRAME, "two frames [first, last]", length=2)), "Frames to make; null for the job's.", None
    )
    resume: bool = field(Flag(), "Keep mattes that are there and would come out the same.", True)
    side: int = field(
        _SIDE, "Longest side of the mattes sent along with FrameDone at most, in pixels; 0 sends none.", 0
    )


@dataclasses.dataclass(frozen=True)
class Status:
    """What the worker is doing, in a few words; request 0 for none in particular."""

    id: int = field(_NUMBER, "Request it belongs to.")
    text: str = field(Text(), "A sentence.")


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a ``TrackRequest`` is."""

    id: int = field(_NUMBER, "Request it belongs to.")
    done: int = field(Whole("a count", least=0), "Mattes made.")
    mattes: int = field(Whole("a count", least=0), "Mattes to make.")
    kept: int = field(Whole("a count", least=0), "Mattes that were there and are kept.", 0)
    seconds_left: float | None = field(Maybe(Number()), "Time left; null while unknown.", None)
    passing: int | None = field(
        Maybe(FRAME), "Frame tracked only to reach others; null where mattes are made.", None
    )


@dataclasses.dataclass(frozen=True)
class FrameDone:
    """Mattes of a frame are complete on disk."""

    id: int = field(_NUMBER, "Request it belongs to.")
    frame: int = field(FRAME, "The frame.")
    view: str = field(Text("a view"), "The view; empty without views.")
    paths: tuple[str, ...] = field(Many(Text("a file name"), "a list of file names"), "Files written.")
    mattes: tuple[ObjectMatte, ...] = field(Many(Record(ObjectMatte), "a list of mattes"), "By object.", ())


@dataclasses.dataclass(frozen=True)
class Done:
    """A request without an answer of its own is done."""

    id: int = field(_NUMBER, "Request answered.")
    text: str = field(Text(), "What was done, for people.", "")
    made: int = field(Whole("a count", least=0), "Mattes made.", 0)
    kept: int = field(Whole("a count", least=0), "Mattes kept.", 0)


@dataclasses.dataclass(frozen=True)
class Dropped:
    """A newer request took the place of this one before it began."""

    id: int = field(_NUMBER, "Request answered.")


@dataclasses.dataclass(frozen=True)
class Failed:
    """A request came to nothing; complete frames were kept."""

    id: int = field(_NUMBER, "Request answered.")
    message: str = field(_Long(), "What went wrong, a sentence.")
    remedy: str = field(_Long(), "What to do.", "")
    exit_code: int = field(Whole("an exit code"), "As of the command line; 130 for cancelled.", 1)
    trace: str = field(_Long(), "For developers; empty for an error that is no defect.", "")


@dataclasses.dataclass(frozen=True)
class NotOpen:
    """The plate was closed, to give memory back or for other plates: open it and ask again."""

    id: int = field(_NUMBER, "Request answered.")
    session: str = field(_SESSION, "Name of the plate.")


@dataclasses.dataclass(frozen=True)
class Cancel:
    """Ends another request at the next frame. The other is answered by ``Failed``, this one by ``Done``."""

    id: int = field(_NUMBER, "Request number.")
    other: int = field(_NUMBER, "Request to end.")


@dataclasses.dataclass(frozen=True)
class Forget:
    """Closes a plate. Answered by ``Done``."""

    id: int = field(_NUMBER, "Request number.")
    session: str = field(_SESSION, "Name of the open plate.")


@dataclasses.dataclass(frozen=True)
class ReleaseDevice:
    """Drops networks, plates and embeddings from memory; all comes back when needed. Answered by ``Done``."""

    id: int = field(_NUMBER, "Request number.")


@dataclasses.dataclass(frozen=True)
class Close:
    """Ends the worker after the frame at hand. Answered by ``Done``."""

    id: int = field(_NUMBER, "Request number.")


Request = Union[
    OpenPlate, GetPicture, Preview, GetMattes, GetReview, TrackRequest, Cancel, Forget, ReleaseDevice, Close
]
Reply = Union[PlateOpened, Picture, Previewed, Review, NotOpen, Done, Dropped, Failed]
Event = Union[Status, Progress, FrameDone]
Message = Union[Hello, Request, Reply, Event]

_KINDS = {
    cls.__name__: Record(cls)
    for cls in (
        *(Hello, OpenPlate, GetPicture, Preview, GetMattes, GetReview, TrackRequest, Cancel, Forget),
        *(ReleaseDevice, Close, PlateOpened, Picture, Previewed, Review, NotOpen, Done, Dropped, Failed),
        *(Status, Progress, FrameDone),
    )
}


def to_line(message: Message) -> str:
    """One line of JSON, newline included; ASCII, so that no locale can spoil it."""
    name = type(message).__name__
    return json.dumps(dict({"kind": name}, **_KINDS[name].write(message))) + "\n"


def from_line(line: str) -> Message:
    """The message of a line. Raises ProtocolError; JobFaults where the job in it is wrong."""
    try:
        document = json.loads(line)
        kind = _KINDS[document.pop("kind")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        shown = line[:80].strip()
        raise ProtocolError(
            f"{shown!r} is no message of version {PROTOCOL_VERSION}.",
            "Use a host and an engine of the same release.",
        ) from error
    faults: list[Fault] = []
    message: Message = kind.read(document, "", faults)
    if faults:
        fault = faults[0]
        raise ProtocolError(
            f"A message is not as expected: {fault.place}: {fault.message}",
            "Use a host and an engine of the same release.",
        )
    return message


def number_of(line: str) -> int:
    """The request number in a line that may be no message; 0 where there is none."""
    try:
        number = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return number if type(number) is int and number >= 0 else 0
