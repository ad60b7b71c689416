"""The job document: everything needed to turn one plate into mattes.

The command line, a host's button and a farm all write and read this one document. Paths are kept as
written; relative ones are meant relative to the document's folder (see ``document.resolve``).
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import enum

from .fields import Choice, Flag, Many, Maybe, Number, Record, Text, Whole, field
from .passes import Between, Direction, Recall
from .prompts import FRAME, Prompt
from .region import Region
from .sequence import MissingFrames

#: Version of the document format that this code reads and writes.
JOB_VERSION = 1


class Layout(enum.Enum):
    """How mattes are laid out in files."""

    #: One file per object and frame.
    FILE_PER_OBJECT = "file_per_object"
    #: One EXR per frame with a layer per object.
    LAYER_PER_OBJECT = "layer_per_object"
    #: One EXR per frame in which every object is an id of a Cryptomatte.
    CRYPTOMATTE = "cryptomatte"


class Compression(enum.Enum):
    """How files are packed; see ``output_form`` for which format takes which."""

    #: zips in EXR, zip in PNG and TIFF.
    AUTO = "auto"
    NONE = "none"
    RLE = "rle"
    ZIPS = "zips"
    ZIP = "zip"
    PIZ = "piz"
    #: Lossy in channels of colour, which mattes are kept out of; exact in all others.
    DWAA = "dwaa"
    DWAB = "dwab"


class Depth(enum.Enum):
    """Number format of the matte channels."""

    #: half in EXR, uint16 in PNG and TIFF, float in a Cryptomatte.
    AUTO = "auto"
    HALF = "half"
    FLOAT = "float"
    UINT16 = "uint16"


class PlateMetadata(enum.Enum):
    """What of the plate's header goes on into a matte's. Windows and pixel aspect always do."""

    NONE = "none"
    #: Frame rate, timecode, reel name.
    ESSENTIAL = "essential"
    #: All that still holds for a matte: camera, lens, take, comments, ...
    ALL = "all"


class DataWindow(enum.Enum):
    """Which pixels of the display window are stored in a matte's file."""

    #: All of them.
    DISPLAY = "display"
    #: The smallest box that holds every non-zero pixel, one pixel where there is none.
    CONTENT = "content"


class Refine(enum.Enum):
    """What moves an edge to where the plate has it."""

    NONE = "none"
    #: Pixels near the edge are unmixed into the colours inside and outside.
    UNMIX = "unmix"


class Precision(enum.Enum):
    """Number format the network computes in, but for its heads, which draw the mask."""

    #: The fastest that the device has units for and the network bears.
    AUTO = "auto"
    #: The reference.
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@dataclasses.dataclass(frozen=True)
class Plate:
    """The footage and how to read it."""

    path: str = field(
        Text("a file name", empty=False),
        "Sequence (%04d, ####, $F4), still or movie; %V stands for the view.",
    )
    color_space: str = field(
        Text("a colour space"), "Colour space of the plate; empty picks by file type.", ""
    )
    ocio_config: str = field(
        Text("a file name"), "OCIO config; empty uses $OCIO, else the built-in studio config.", ""
    )
    missing: MissingFrames = field(
        Choice(MissingFrames), "What to do about frames that are not on disk.", MissingFrames.ERROR
    )
    layer: str = field(Text("a layer name"), "Layer that holds the picture; empty for the first RGB.", "")
    part: str = field(Text("a part name"), "Part of a multi-part EXR; empty for the first that fits.", "")
    movie_start: int = field(FRAME, "Frame number of a movie's first picture.", 1)


@dataclasses.dataclass(frozen=True)
class FrameRange:
    """The frames to make mattes for, both ends included."""

    first: int | None = field(Maybe(FRAME), "First frame; null for the plate's first on disk.", None)
    last: int | None = field(Maybe(FRAME), "Last frame; null for the plate's last on disk.", None)


@dataclasses.dataclass(frozen=True)
class Model:
    """The network and the device it runs on."""

    name: str = field(
        Text("a model name", empty=False), "Variant; `efficienttam models` lists them.", "efficienttam_demo"
    )
    weights: str = field(Text("a file name"), "Weights file or its folder; empty for the variant's own.", "")
    device: str = field(
        Text("a device name", empty=False), "auto, cpu, mps, cuda or cuda:N; auto takes a GPU if any.", "auto"
    )
    precision: Precision = field(
        Choice(Precision), "Number format the network computes in; by device unless told.", Precision.AUTO
    )
    threads: int = field(
        Whole("a thread count from 0 to 1024", least=0, most=1024), "CPU threads; 0 lets torch choose.", 0
    )
    compile: bool = field(
        Flag(),
        "Compile the image encoder when it is first used; needs a C++ compiler.",
        False,
        hide_default=True,
    )


@dataclasses.dataclass(frozen=True)
class TrackedObject:
    """One thing to track. Prompts stand in the order in which they were given.

    The first must tell what the object is; a later one of points alone corrects what tracking
    shows on its frame.
    """

    name: str = field(Text("an object name", empty=False), "Letters, digits and _; names file and layer.")
    prompts: tuple[Prompt, ...] = field(
        Many(Record(Prompt), "a list of one prompt or more", least=1, partial=True),
        "What the artist said, in the order given.",
    )
    region: Region | None = field(
        Maybe(Record(Region, partial=True)),
        "The crop to track it in; null for the whole frame.",
        None,
        hide_default=True,
    )


@dataclasses.dataclass(frozen=True)
class Tracking:
    """How prompts become mattes on the other frames."""

    direction: Direction = field(Choice(Direction), "Which frames are tracked.", Direction.BOTH)
    between: Between = field(
        Choice(Between), "Who decides between two prompted frames of an object.", Between.NEAREST
    )
    recall: Recall = field(
        Choice(Recall), "Which prompted frames speak to a tracked frame.", Recall.NEIGHBOURS
    )
    fill_hole_area: int = field(
        Whole("an area", least=0, most=10**6), "Largest hole to fill, in cells of the network's mask.", 8
    )
    non_overlapping: bool = field(
        Flag(), "Let objects share what several claim: their mattes sum to 1 at most.", False
    )
    max_prompted_frames: int | None = field(
        Maybe(Whole("a count", least=1, most=10**6)),
        "Recall only so many prompted frames; null for all.",
        None,
    )
    memory_stride: int = field(
        Whole("a stride", least=1, most=10**4), "Step between the tracked frames that are recalled.", 1
    )
    dynamic_multimask: bool = field(Flag(), "Let an unstable mask give way to the best of three.", True)
    binarize_prompted: bool = field(
        Flag(), "Threshold the masks of prompted frames before they are remembered.", True
    )
    border: float = field(
        Number("a share from 0 to 1", least=0, most=1),
        "Margin around the plate while it is tracked, as a share of its sides; the edge is held.",
        0.0,
        hide_default=True,
    )


@dataclasses.dataclass(frozen=True)
class Mattes:
    """The form of the mattes; lengths in pixels of the plate. As the network draws them unless told."""

    softness: float | None = field(
        Maybe(Number("a width of 0 or more", least=0)),
        "Width of the edge in pixels; 0 for a hard one, null as the network draws it.",
        None,
    )
    refine: Refine = field(Choice(Refine), "What moves an edge to where the plate has it.", Refine.NONE)
    refine_band: float | None = field(
        Maybe(Number("a width of 1 or more", least=1)),
        "How far from the edge it is refined, in pixels; null for a cell of the network's mask.",
        None,
    )
    fill_holes: int = field(Whole("an area", least=0), "Largest hole to fill, in pixels; 0 for none.", 0)
    remove_specks: int = field(
        Whole("an area", least=0), "Largest speck to take away, in pixels; 0 for none.", 0
    )
    keep_largest: bool = field(Flag(), "Keep only the largest part of each object.", False)
    steady_frames: int = field(
        Whole("a number of frames from 0 to 3", least=0, most=3),
        "Frames before and after that steady each frame's edges along motion; 0 for none.",
        0,
    )
    roto_blend: int = field(
        Whole("a number of frames from 0 to 1000", least=0, most=1000),
        "Frames over which the softness of a roto goes over into that of its neighbours; 0 for none.",
        4,
    )

    @property
    def plain(self) -> bool:
        """Whether edges are as the network draws them, those beside a roto aside, and nothing is taken away
        or added."""
        return self == Mattes(roto_blend=self.roto_blend)


@dataclasses.dataclass(frozen=True)
class Output:
    """Where mattes go and in which form."""

    path: str = field(
        Text("a file name", empty=False),
        "Sequence of .exr, .png or .tif; %V is the view, {object} the object's name.",
    )
    layout: Layout = field(Choice(Layout), "How objects are laid out in files.", Layout.FILE_PER_OBJECT)
    layer: str = field(
        Text("a layer name", empty=False),
        "Where a matte goes; with a layer per object, its last part names the channel in each.",
        "rgba.alpha",
    )
    compression: Compression = field(
        Choice(Compression), "How files are packed; by format unless told.", Compression.AUTO
    )
    depth: Depth = field(
        Choice(Depth), "Number format of the matte channels; by format unless told.", Depth.AUTO
    )
    data_window: DataWindow = field(
        Choice(DataWindow),
        "Store the whole display window, or the box of what is not black.",
        DataWindow.DISPLAY,
    )
    plate_metadata: PlateMetadata = field(
        Choice(PlateMetadata), "What of the plate's header goes on into a matte's.", PlateMetadata.ESSENTIAL
    )


@dataclasses.dataclass(frozen=True)
class TrackJob:
    """One plate, its objects and where their mattes go."""

    plate: Plate = field(Record(Plate, partial=True), "The footage and how to read it.")
    objects: tuple[TrackedObject, ...] = field(
        Many(Record(TrackedObject, partial=True), "a list of one object or more", least=1, partial=True),
        "What to track.",
    )
    output: Output = field(Record(Output, partial=True), "Where mattes go and in which form.")
    range: FrameRange = field(
        Record(FrameRange, partial=True), "The frames to make mattes for.", FrameRange()
    )
    views: tuple[str, ...] = field(
        Many(Text("a view name", empty=False), "a list of view names"),
        "Views to run, each with its own %V; empty for a plate without views.",
        (),
    )
    model: Model = field(Record(Model, partial=True), "The network and its device.", Model())
    tracking: Tracking = field(Record(Tracking, partial=True), "How prompts become mattes.", Tracking())
    mattes: Mattes = field(
        Record(Mattes, partial=True), "The form of the mattes.", Mattes(), hide_default=True
    )
