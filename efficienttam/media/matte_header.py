"""What a matte's header says: its plate's windows and metadata, and what made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import OpenImageIO as oiio

from ..contract.errors import OutputError
from ..contract.job import PlateMetadata
from .description import DESCRIPTION, description
from .plate_info import PlateInfo, Window

#: Kinds that the library reads and would drop silently, and what they are written as.
_WRITTEN_AS = {
    "double": "float",
    "vector2d": "float2",
    "vectord": "vector",
    "matrix33d": "matrix33",
    "matrixd": "matrix",
}
_RESERVED = frozenset({"datetime", "compression", "channels", "type", "version", "oiio", "openexr"})


def place(spec: Any, display: Window, stored: Window) -> None:
    """Sets the windows: ``display`` in the file's coordinates, ``stored`` counted from its top left."""
    spec.x, spec.y = display.x + stored.x, display.y + stored.y
    spec.full_x, spec.full_y = display.x, display.y
    spec.full_width, spec.full_height = display.width, display.height


def describe(spec: Any, plate: PlateInfo | None, metadata: Mapping[str, str], carry: PlateMetadata) -> None:
    """The header of an EXR. Raises OutputError for a metadata name that the format has taken."""
    _refuse_reserved(metadata)
    spec.attribute("DateTime", "")
    if plate is not None:
        spec.attribute("PixelAspectRatio", float(plate.pixel_aspect))
        if carry is PlateMetadata.ALL:
            for name, kind, value in plate.attributes:
                spec.attribute(name, oiio.TypeDesc(_WRITTEN_AS.get(kind, kind)), value)
        if carry is not PlateMetadata.NONE:
            if plate.frame_rate is not None:
                spec.attribute("framesPerSecond", oiio.TypeRational, plate.frame_rate)
            if plate.timecode is not None:
                spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, plate.timecode)
            for name, text in plate.metadata.items():
                spec.attribute(name, text)
    for name, text in sorted(metadata.items()):
        spec.attribute(name, str(text))


def describe_picture(
    spec: Any, plate: PlateInfo | None, metadata: Mapping[str, str], carry: PlateMetadata, date: str = ""
) -> None:
    """The header of a PNG or TIFF: what an EXR says in attributes stands in the description.

    ``date`` is for a format that cannot be without one; empty for none. Raises OutputError for a metadata
    name that the format has taken.
    """
    _refuse_reserved(metadata)
    spec.attribute("DateTime", date)
    # Alpha is no colour: without this a PNG says that it is sRGB.
    spec.attribute("oiio:ColorSpace", "data")
    texts = {name: str(text) for name, text in metadata.items()}
    if plate is not None:
        spec.attribute("PixelAspectRatio", float(plate.pixel_aspect))
        texts = {**_plate_texts(plate, carry), **texts}
    spec.attribute(DESCRIPTION, description(texts))


def _plate_texts(plate: PlateInfo, carry: PlateMetadata) -> dict[str, str]:
    texts: dict[str, str] = {}
    if carry is PlateMetadata.ALL:
        texts.update((name, str(value)) for name, _, value in plate.attributes)
    if carry is not PlateMetadata.NONE:
        texts.update(plate.metadata)
        if plate.frame_rate is not None:
            texts["framesPerSecond"] = "{}/{}".format(*plate.frame_rate)
        if plate.timecode is not None:
            texts["timecode"] = plate.timecode_text
    return texts


def _refuse_reserved(metadata: Mapping[str, str]) -> None:
    for name in metadata:
        if name.lower().split(":")[0] in _RESERVED:
            raise OutputError(f"The metadata name {name!r} is taken by the format.", "Choose another name.")
