"""The job document: everything needed to turn one plate into mattes.

The command line, a host's button and a farm all write and read this one document. Paths are kept as
written; relative ones are meant relative to the document's folder (see ``TrackJob.resolved``).
Standard library only, Python 3.7 or newer.
"""

import dataclasses
import enum
import os
from typing import Any, Optional, Tuple

from .fields import REFUSED, Choice, Entry, Flag, Many, Maybe, Number, Record, Text, Whole, field
from .fields import Fault as Fault
from .passes import Between, Direction, Recall
from .prompts import Prompt, RotoFile

#: Version of the document format that this code reads and writes.
JOB_VERSION = 1

_FRAME = Whole("a frame number", least=-(10**7), most=10**7)


class MissingFrames(enum.Enum):
    """What to do about frames of the range that are not on disk."""

    #: Refuse to start; every missing frame is named.
    ERROR = "error"
    #: Use the nearest earlier frame (the first one before the start).
    HOLD = "hold"
    #: Use a black frame.
    BLACK = "black"


class Layout(enum.Enum):
    """How mattes are laid out in files."""

    #: One file per object and frame.
    FILE_PER_OBJECT = "file_per_object"
    #: One file per frame with a layer per object.
    LAYER_PER_OBJECT = "layer_per_object"


class Compression(enum.Enum):
    """EXR compressions that keep a matte exactly."""

    NONE = "none"
    RLE = "rle"
    ZIPS = "zips"
    ZIP = "zip"
    PIZ = "piz"


class Depth(enum.Enum):
    """Number format of the matte channels."""

    HALF = "half"
    FLOAT = "float"


class Precision(enum.Enum):
    """Number format of the network."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@dataclasses.dataclass(frozen=True)
class Plate:
    """The footage and how to read it."""

    path = field(
        Text("a file name", empty=False),
        "Sequence (%04d, ####, $F4), still or movie; %V stands for the view.",
    )  # type: str
    color_space = field(
        Text("a colour space name"), "Colour space of the plate; empty picks by file type.", ""
    )  # type: str
    ocio_config = field(
        Text("a file name"), "OCIO config; empty uses $OCIO, else the built-in studio config.", ""
    )  # type: str
    missing = field(
        Choice(MissingFrames), "What to do about frames that are not on disk.", MissingFrames.ERROR
    )  # type: MissingFrames
    layer = field(Text("a layer name"), "Layer that holds the picture; empty for the first RGB.", "")  # type: str
    part = field(Text("a part name"), "Part of a multi-part EXR; empty for the first fitting.", "")  # type: str


@dataclasses.dataclass(frozen=True)
class FrameRange:
    """The frames to make mattes for, both ends included."""

    first = field(Maybe(_FRAME), "First frame; null for the plate's first on disk.", None)  # type: Optional[int]
    last = field(Maybe(_FRAME), "Last frame; null for the plate's last on disk.", None)  # type: Optional[int]


@dataclasses.dataclass(frozen=True)
class Model:
    """The network and the device it runs on."""

    name = field(
        Text("a model name", empty=False), "Variant; `efficienttam models` lists them.", "efficienttam_demo"
    )  # type: str
    weights = field(Text("a file name"), "Weights file; empty for the variant's own.", "")  # type: str
    device = field(
        Text("a device name", empty=False), "auto, cpu, mps, cuda or cuda:N; auto takes a GPU if any.", "auto"
    )  # type: str
    precision = field(
        Choice(Precision), "Number format of the network; half ones need a GPU.", Precision.FLOAT32
    )  # type: Precision
    threads = field(Whole("a thread count", least=0, most=1024), "CPU threads; 0 lets torch choose.", 0)  # type: int


@dataclasses.dataclass(frozen=True)
class TrackedObject:
    """One thing to track. The order of its prompts is the order in which they were given."""

    name = field(Text("an object name", empty=False), "Letters, digits and _; names file and layer.")  # type: str
    prompts = field(
        Many(
            Record(
                Prompt,
                {
                    "frame": Entry(_FRAME, "Frame the prompt is on.", True, None, False),
                    "include": Entry(
                        Many(Many(Number(), "[x, y]", length=2), "a list of [x, y]"),
                        "Points on the object.",
                        False,
                        (),
                        True,
                    ),
                    "exclude": Entry(
                        Many(Many(Number(), "[x, y]", length=2), "a list of [x, y]"),
                        "Points off the object.",
                        False,
                        (),
                        True,
                    ),
                    "box": Entry(
                        Maybe(Many(Number(), "[left, top, right, bottom]", length=4)),
                        "Box around the object: left, top, right, bottom.",
                        False,
                        None,
                        True,
                    ),
                    "mask": Entry(
                        Maybe(
                            Record(
                                RotoFile,
                                {
                                    "path": Entry(
                                        Text("a file name", empty=False),
                                        "Image, or a sequence resolved at the prompt's frame.",
                                        True,
                                        None,
                                        False,
                                    ),
                                    "channel": Entry(
                                        Text("a channel name"),
                                        "Channel to take; empty for alpha, else the first.",
                                        False,
                                        "",
                                        True,
                                    ),
                                },
                            )
                        ),
                        "Roto mask on disk, 0 outside to 1 inside.",
                        False,
                        None,
                        True,
                    ),
                },
            ),
            "a list of prompts",
            least=1,
            partial=True,
        ),
        "What the artist said, first to last; the first must tell what the object is.",
    )  # type: Tuple[Prompt, ...]
