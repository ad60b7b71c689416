"""Pixels in and out of files: plates, rotos, movies, mattes, and the colour in between.

Only this folder knows image files. The names below are fetched when first used, so importing the
package needs neither numpy nor OpenImageIO.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract.job import Compression as Compression
    from ..contract.job import DataWindow as DataWindow
    from ..contract.job import Depth as Depth
    from ..contract.sequence import MissingFrames as MissingFrames
    from ..contract.sequence import SequencePattern as SequencePattern
    from ..contract.sequence import format_frames as format_frames
    from ..contract.sequence import parse_frames as parse_frames
    from .color import ColorTransform as ColorTransform
    from .color import color_transform as color_transform
    from .float_channels import read_float_channels as read_float_channels
    from .float_channels import write_float_channels as write_float_channels
    from .frame_sequence import FrameSequence as FrameSequence
    from .layers import channel_name as channel_name
    from .matte_check import verify_matte as verify_matte
    from .plate_info import PlateInfo as PlateInfo
    from .plate_info import Window as Window
    from .reader import check_whole as check_whole
    from .reader import read_info as read_info
    from .reader import read_picture as read_picture
    from .reader import read_roto as read_roto
    from .reader import read_roto_info as read_roto_info
    from .reader import read_texts as read_texts
    from .writer import write_matte as write_matte
    from .writer import write_matte_picture as write_matte_picture
    from .writer import write_mattes as write_mattes
    from .writer import write_png as write_png

_HOMES = {
    "ColorTransform": ".color",
    "Compression": "..contract.job",
    "DataWindow": "..contract.job",
    "Depth": "..contract.job",
    "FrameSequence": ".frame_sequence",
    "MissingFrames": "..contract.sequence",
    "PlateInfo": ".plate_info",
    "SequencePattern": "..contract.sequence",
    "Window": ".plate_info",
    "channel_name": ".layers",
    "check_whole": ".reader",
    "color_transform": ".color",
    "format_frames": "..contract.sequence",
    "parse_frames": "..contract.sequence",
    "read_float_channels": ".float_channels",
    "read_info": ".reader",
    "read_picture": ".reader",
    "read_roto": ".reader",
    "read_roto_info": ".reader",
    "read_texts": ".reader",
    "verify_matte": ".matte_check",
    "write_float_channels": ".float_channels",
    "write_matte": ".writer",
    "write_matte_picture": ".writer",
    "write_mattes": ".writer",
    "write_png": ".writer",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
