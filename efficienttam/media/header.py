"""The header of one part of an image file: OpenImageIO's spec to a PlateInfo."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .description import DESCRIPTION, described, is_description
from .plate_info import Attribute, PlateInfo, Window

_CARRIED = ("reelName",)
#: EXR's own name of what OpenImageIO calls ``ImageDescription`` in every format.
_COMMENTS = "comments"
#: What is no longer true of a matte, or is said otherwise: how the file stores the picture, its
#: channels, windows, views and colour, what wrote it. In lower case; ``name:`` and ``name/`` stand for all
#: that begin so, ``/name`` for all that end so.
_STALE = frozenset(
    "channels compression compressionname type version name view multiview tiles tiled lineorder chunkcount "
    "orientation planarconfig preview envmap wrapmodes maxsamplesperpixel deepimagestate datawindow "
    "displaywindow pixelaspectratio framespersecond timecode smpte:timecode chromaticities whiteluminance "
    "adoptedneutral renderingtransform lookmodtransform iccprofile gamma software hostcomputer "
    "resolutionunit xresolution yresolution xdensity dwacompressionlevel datetime textureformat "
    "fovcot colorspace thumbnail_width thumbnail_height thumbnail_nchannels "
    "input/bitsperchannel input/filereader input/filesize "
    "oiio: openexr: exr: dpx: cineon: tiff: png: jpeg: jxl: tga: icc: raw: ffmpeg: "
    "cryptomatte/ efficienttam/ colorspace/ /node_hash /full_layer_names /version".split()
)


def plate_info(
    path: str, file_format: str, spec: Any, channels: tuple[str, ...], views: tuple[str, ...]
) -> PlateInfo:
    """What the spec says, with the windows turned upright."""
    display, data = windows(spec)
    turn = orientation(spec)
    return PlateInfo(
        path=path,
        file_format=file_format,
        pixel_type=str(spec.format),
        display_window=_turned(display, display, turn),
        data_window=_turned(data, display, turn),
        channels=channels,
        views=views,
        pixel_aspect=_pixel_aspect(spec, turn),
        frame_rate=_frame_rate(spec),
        timecode=_pair(spec.getattribute("smpte:TimeCode")),
        chromaticities=_chromaticities(spec),
        transfer=str(spec.getattribute("dpx:Transfer") or spec.getattribute("cineon:Transfer") or ""),
        metadata=_carried(spec),
        attributes=_attributes(spec, file_format),
    )


def orientation(spec: Any) -> int:
    """EXIF orientation 1 to 8; 1 is upright."""
    value = int(spec.get_int_attribute("Orientation", 1))
    return value if 1 <= value <= 8 else 1


def windows(spec: Any) -> tuple[Window, Window]:
    """(display window, data window) of an OpenImageIO spec."""
    display = Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return display, Window(spec.x, spec.y, spec.width, spec.height)


def _turned(window: Window, display: Window, orientation: int) -> Window:
    if orientation == 1:
        return window
    left, top = window.x - display.x, window.y - display.y
    right = display.width - left - window.width
    bottom = display.height - top - window.height
    x = right if orientation in (2, 3) else left
    y = bottom if orientation in (3, 4) else top
    if orientation < 5:
        return Window(x, y, window.width, window.height)
    x = bottom if orientation in (6, 7) else top
    y = right if orientation in (7, 8) else left
    return Window(x, y, window.height, window.width)


def _pixel_aspect(spec: Any, turn: int) -> float:
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    aspect = aspect if 0.01 < aspect < 100.0 else 1.0
    return 1.0 / aspect if turn >= 5 else aspect


def _frame_rate(spec: Any) -> tuple[int, int] | None:
    pair = _pair(spec.getattribute("FramesPerSecond"))
    if pair is not None and pair[0] > 0 and pair[1] > 0:
        return pair
    for name in ("dpx:FrameRate", "dpx:TemporalFrameRate"):
        rate = spec.get_float_attribute(name, 0.0)
        if 1.0 <= rate <= 1000.0:
            whole = round(rate)
            if abs(rate - whole) < 1e-3:
                return whole, 1
            return round(rate * 1.001) * 1000, 1001
    return None


def _pair(value: object) -> tuple[int, int] | None:
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return int(value[0]), int(value[1])
    return None


def _chromaticities(spec: Any) -> tuple[float, ...] | None:
    value = spec.getattribute("chromaticities")
    return tuple(float(v) for v in value) if isinstance(value, (tuple, list)) and len(value) == 8 else None


def _carried(spec: Any) -> Mapping[str, str]:
    found = {name: spec.getattribute(name) for name in _CARRIED}
    return MappingProxyType(
        {name: value for name, value in found.items() if isinstance(value, str) and value}
    )


def _attributes(spec: Any, file_format: str) -> tuple[Attribute, ...]:
    """What of the header is true of a matte too, besides what ``_carried`` gives."""
    return tuple(
        Attribute(_COMMENTS if entry.name == DESCRIPTION else entry.name, str(entry.type), entry.value)
        for entry in spec.extra_attribs
        if isinstance(entry.value, (str, int, float, tuple))
        and not _is_stale(entry.name)
        and entry.name not in _CARRIED
        and not (entry.name == DESCRIPTION and _is_of_a_matte(str(entry.value), file_format))
    )


def _is_of_a_matte(text: str, file_format: str) -> bool:
    """True for a description that tells the attributes of a matte: it is no remark on the plate.

    Such texts are written into files that are no EXR; in an EXR only what another program made of one is
    taken for it.
    """
    own = file_format != "openexr" or any(name.startswith("efficienttam/") for name in described(text))
    return own and is_description(text)


def _is_stale(name: str) -> bool:
    name = name.lower()
    begins = {name[: place + 1] for place, letter in enumerate(name) if letter in ":/"}
    ends = name[name.rfind("/") :] if "/" in name else ""
    return name in _STALE or not begins.isdisjoint(_STALE) or ends in _STALE
