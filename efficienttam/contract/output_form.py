"""Which files mattes can go into: the format by the name's end, what each takes, and what it cannot.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import enum
import os
import re
from typing import Any, Iterator, NamedTuple

from .fields import REFUSED, Fault, known
from .job import Compression, DataWindow, Depth, Layout, Output
from .sequence import SequencePattern

#: What a remedy says of fields; who fills them in another way says it in its own words.
CHOOSE_LAYERS = 'set "layout": "layer_per_object"'
CHOOSE_FILES = 'set "layout": "file_per_object"'
#: Name of a Cryptomatte when the job leaves its layer alone: what renderers call theirs.
CRYPTOMATTE_NAME = "crypto_object"

_LAYER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?\Z")
_CRYPTOMATTE_LAYER = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z_])?\Z")
_DEFAULT_LAYER = "rgba.alpha"
#: Layers of a file that has none: the matte as one grey channel, or in all four of RGBA.
_PICTURE_LAYERS = (_DEFAULT_LAYER, "rgba")
#: Layers whose channels have no layer in their names.
_MAIN_LAYERS = frozenset({"rgb", "rgba"})
#: Last parts of a layer's name whose channels DWA compression changes.
_COLORS = frozenset({"r", "g", "b", "y", "by", "ry", "red", "green", "blue"})


class FileFormat(enum.Enum):
    """Formats of matte files, by what they are called."""

    EXR = "EXR"
    PNG = "PNG"
    TIFF = "TIFF"


class OutputForm(NamedTuple):
    """Format, depth and compression of a job's files; no AUTO is left."""

    file_format: FileFormat
    depth: Depth
    compression: Compression


_FORMATS = {
    ".exr": FileFormat.EXR,
    ".png": FileFormat.PNG,
    ".tif": FileFormat.TIFF,
    ".tiff": FileFormat.TIFF,
}
#: What each format takes, the one for AUTO first.
_DEPTHS = {
    FileFormat.EXR: (Depth.HALF, Depth.FLOAT),
    FileFormat.PNG: (Depth.UINT16,),
    FileFormat.TIFF: (Depth.UINT16, Depth.FLOAT),
}
_COMPRESSIONS = {
    FileFormat.EXR: (
        Compression.ZIPS,
        Compression.NONE,
        Compression.RLE,
        Compression.ZIP,
        Compression.PIZ,
        Compression.DWAA,
        Compression.DWAB,
    ),
    FileFormat.PNG: (Compression.ZIP,),
    FileFormat.TIFF: (Compression.ZIP, Compression.NONE),
}
_LOSSY = (Compression.DWAA, Compression.DWAB)


def file_format(path: str) -> FileFormat | None:
    """The format that a file's name ends in; None for any other."""
    return _FORMATS.get(os.path.splitext(path)[1].lower())


def output_form(output: Output) -> OutputForm:
    """What an output without faults asks for."""
    found = file_format(output.path) or FileFormat.EXR
    depth, compression = output.depth, output.compression
    if depth is Depth.AUTO:
        depth = Depth.FLOAT if output.layout is Layout.CRYPTOMATTE else _DEPTHS[found][0]
    if compression is Compression.AUTO:
        compression = _COMPRESSIONS[found][0]
    return OutputForm(found, depth, compression)


def cryptomatte_name(output: Output) -> str:
    """What the Cryptomatte of an output is called."""
    return CRYPTOMATTE_NAME if output.layer == _DEFAULT_LAYER else output.layer


def output_faults(job: Any) -> list[Fault]:
    """Every rule that the output of a job breaks."""
    faults: list[Fault] = []
    output = job.output
    layer, path = known(output, "layer"), known(output, "path")
    if layer is not None and not _LAYER.match(layer):
        message = f"{layer!r} is not the name of a layer."
        faults.append(Fault("output.layer", message, "Write layer.channel, for example rgba.alpha."))
    if path is None:
        return faults
    pattern = SequencePattern(path)
    place, found = "output.path", file_format(path)
    if found is None:
        remedy = "Let the name end with .exr, .png or .tif."
        faults.append(Fault(place, f"{path!r} is no EXR, PNG or TIFF.", remedy))
    if not pattern.is_sequence:
        faults.append(
            Fault(place, "There is no frame token.", "Put %04d or #### where the frame number belongs.")
        )
    faults.extend(_sharing_faults(job, output, pattern))
    if found is not None:
        faults.extend(_format_faults(output, found))
        if found is not FileFormat.EXR:
            faults.extend(_picture_faults(output, found))
        elif output.layout is Layout.CRYPTOMATTE:
            faults.extend(_cryptomatte_faults(output))
        else:
            faults.extend(_lossy_faults(output))
            if output.layout is Layout.LAYER_PER_OBJECT:
                faults.extend(_layer_faults(job))
    return faults


def _sharing_faults(job: Any, output: Output, pattern: SequencePattern) -> Iterator[Fault]:
    several = job.objects is not REFUSED and len(job.objects) > 1
    if output.layout is Layout.FILE_PER_OBJECT and several and not pattern.has_object:
        yield Fault(
            "output.path",
            f"{len(job.objects)} objects would write the same files.",
            "Put {object} into the name"
            + (f", or {CHOOSE_LAYERS}." if file_format(pattern.text) is FileFormat.EXR else "."),
        )
    if output.layout in (Layout.LAYER_PER_OBJECT, Layout.CRYPTOMATTE) and pattern.has_object:
        yield Fault(
            "output.path",
            "{object} stands in the name of files that hold every object.",
            f"Leave it out, or {CHOOSE_FILES}.",
        )
    views = () if job.views is REFUSED else {view for view in job.views if view}
    if len({pattern.with_view(view) for view in views}) < len(views):
        yield Fault("output.path", "Several views would write the same files.", "Put %V into the name.")


def _layer_faults(job: Any) -> Iterator[Fault]:
    """Objects whose layer would be the picture's own."""
    for index, thing in enumerate(() if job.objects is REFUSED else job.objects):
        name = known(thing, "name") if thing is not REFUSED else None
        if name is not None and name.lower() in _MAIN_LAYERS:
            yield Fault(
                f"objects[{index}].name",
                f"A layer called {name!r} is that of the picture itself.",
                f"Rename the object, or {CHOOSE_FILES}.",
            )


def _format_faults(output: Output, found: FileFormat) -> Iterator[Fault]:
    """Depth and compression that the format has not."""
    for name, taken in (("depth", _DEPTHS[found]), ("compression", _COMPRESSIONS[found])):
        wish = known(output, name)
        if wish is not None and wish.value != "auto" and wish not in taken:
            words = ", ".join(member.value for member in taken)
            message = f"{found.value} has no {name} {wish.value}."
            yield Fault(f"output.{name}", message, f"Choose auto or {words}, or another kind of file.")


def _picture_faults(output: Output, found: FileFormat) -> Iterator[Fault]:
    """What a file that is one picture cannot hold."""
    if output.layout not in (REFUSED, Layout.FILE_PER_OBJECT):
        message = f"{found.value} holds one matte, not {output.layout.value}."
        yield Fault("output.layout", message, f"Let the name end with .exr, or {CHOOSE_FILES}.")
    if output.data_window is DataWindow.CONTENT:
        message = f"{found.value} has no data window."
        yield Fault("output.data_window", message, "Let the name end with .exr, or choose display.")
    layer = known(output, "layer")
    if layer is not None and layer not in _PICTURE_LAYERS:
        message = f"{found.value} has no layer {layer!r}."
        remedy = "Write rgba.alpha for one grey channel, rgba for the matte in all four."
        yield Fault("output.layer", message, remedy)


def _cryptomatte_faults(output: Output) -> Iterator[Fault]:
    """What would harm the ids of a Cryptomatte, or its name."""
    if output.depth is Depth.HALF:
        message = "The ids of a Cryptomatte do not survive in half."
        yield Fault("output.depth", message, "Choose auto or float.")
    if output.compression in _LOSSY:
        message = f"{output.compression.value} would destroy the ids of a Cryptomatte."
        yield Fault("output.compression", message, "Choose auto, zips, zip, piz, rle or none.")
    layer = known(output, "layer")
    if layer is not None and layer != _DEFAULT_LAYER and not _CRYPTOMATTE_LAYER.match(layer):
        message = f"{layer!r} cannot name a Cryptomatte."
        remedy = "Write letters, digits and _, not ending with a digit; its levels are numbered."
        yield Fault("output.layer", message, remedy)


def _lossy_faults(output: Output) -> Iterator[Fault]:
    layer = known(output, "layer")
    last = "" if layer is None else layer.rpartition(".")[2].lower()
    if output.compression in _LOSSY and last in _COLORS:
        message = f"{output.compression.value} changes the values of a channel called {last}."
        yield Fault("output.compression", message, "Choose zips, or a layer like rgba.alpha.")
