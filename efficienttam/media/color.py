"""Input colour to what the network saw in training: sRGB-encoded Rec.709, clipped to 0..1, finite.

Without a name the file decides, see ``default_color_space``. Names are those of the OCIO
configuration (names, aliases, roles, any case), the usual names of compositing packages in
``_ALSO_CALLED``, and ``raw`` (``none``, ``data``) for no transform at all.

The configuration is the given one, else ``$OCIO``, else ``ocio://studio-config-latest``. A display
view with a tone curve is never applied.

NaN becomes 0, +Inf and anything above 65504 becomes 65504, -Inf and below becomes -65504, before the
transform; the result is clipped: linear values above 1 are white, negatives are black.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
from typing import Any

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import ColorError
from .curves import linear_from_cineon, rec709_matrix, srgb_from_linear
from .image_file import one_line
from .plate_info import PlateInfo
from .separable import Convert, Separable, separate

BUILT_IN_CONFIG = "ocio://studio-config-latest"
LINEAR = "linear"
CINEON = "Cineon"
RAW = "raw"

_HALF_MAX = 65504.0
_NO_TRANSFORM = frozenset({"raw", "none", "data", "bypass"})
_SRGB_NAMES = (
    "sRGB Encoded Rec.709 (sRGB)",
    "srgb_tx",
    "sRGB - Texture",
    "Utility - sRGB - Texture",
    "srgb_texture",
    "sRGB",
)
_ALSO_CALLED = {
    "linear": (
        "Linear Rec.709 (sRGB)",
        "lin_rec709",
        "Utility - Linear - Rec.709",
        "Utility - Linear - sRGB",
    ),
    "srgb": _SRGB_NAMES,
    "rec709": ("Camera Rec.709", "Utility - Rec.709 - Camera"),
    "gamma1.8": ("Gamma 1.8 Encoded Rec.709",),
    "gamma2.2": ("Gamma 2.2 Encoded Rec.709",),
    "gamma2.4": ("Gamma 2.4 Encoded Rec.709",),
    "bt1886": ("Gamma 2.4 Encoded Rec.709",),
    "alexav3logc": ("ARRI LogC3 (EI800)", "Input - ARRI - V3 LogC (EI800) - Wide Gamut"),
    "logc": ("ARRI LogC3 (EI800)", "Input - ARRI - V3 LogC (EI800) - Wide Gamut"),
    "logc3": ("ARRI LogC3 (EI800)", "Input - ARRI - V3 LogC (EI800) - Wide Gamut"),
    "arrilogc4": ("ARRI LogC4",),
    "logc4": ("ARRI LogC4",),
    "slog3": ("S-Log3 S-Gamut3.Cine", "Input - Sony - S-Log3 - S-Gamut3.Cine"),
    "s-log3": ("S-Log3 S-Gamut3.Cine", "Input - Sony - S-Log3 - S-Gamut3.Cine"),
    "log3g10": ("Log3G10 REDWideGamutRGB", "Input - RED - REDLog3G10 - REDWideGamutRGB"),
    "redlog3g10": ("Log3G10 REDWideGamutRGB", "Input - RED - REDLog3G10 - REDWideGamutRGB"),
    "vlog": ("V-Log V-Gamut", "Input - Panasonic - V-Log - V-Gamut"),
    "v-log": ("V-Log V-Gamut", "Input - Panasonic - V-Log - V-Gamut"),
    "clog2": ("CanonLog2 CinemaGamut D55", "Input - Canon - Canon-Log2 - Cinema Gamut Daylight"),
    "clog3": ("CanonLog3 CinemaGamut D55", "Input - Canon - Canon-Log3 - Cinema Gamut Daylight"),
    "blackmagic film generation 5": ("BMDFilm WideGamut Gen5",),
    "davinci intermediate": ("DaVinci Intermediate WideGamut",),
    "d-log": ("D-Log D-Gamut",),
}


@dataclasses.dataclass(frozen=True)
class ColorTransform:
    """A resolved transform. ``source`` is its name for reports, ``passes_through`` when it is none."""

    source: str
    convert: Convert | None = None
    #: What ``convert`` does is per number, so that 16-bit sources go through a table.
    by_table: bool = False
    #: The configuration that ``convert`` was taken from; empty where none was asked.
    config: str = ""
    #: With ``config``, all that tells this transform from others.
    recipe: str = ""

    @property
    def passes_through(self) -> bool:
        """True when pixels are only scaled to 0..1 and clipped."""
        return self.convert is None

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """(height, width, 3) of any type a reader gives to sRGB-encoded Rec.709, same shape.

        uint8 stays uint8 where there is no transform; all else becomes float32 in 0..1, finite.
        Integers are read as 0..1 over their range, floats as they are.
        """
        if self.convert is None and pixels.dtype == np.uint8:
            return pixels
        if pixels.dtype.itemsize <= 2 and (self.by_table or self.convert is None):
            bits = pixels.view(np.uint16) if pixels.dtype == np.float16 else pixels
            return np.take(_table(self.convert, pixels.dtype.str), bits)
        numbers = _finite(pixels)
        return _clipped(numbers if self.convert is None else self.convert(numbers))


def color_transform(color_space: str, config: str, plate: PlateInfo) -> ColorTransform:
    """The transform for a plate. ``color_space`` and ``config`` may be empty, see the module.

    Raises ColorError when the configuration cannot be read or does not know the name; the message
    names the nearest ones.
    """
    config = config or os.environ.get("OCIO", "")
    if not color_space:
        color_space = default_color_space(plate, bool(config))
        if color_space == LINEAR and plate.file_format == "openexr" and plate.chromaticities:
            matrix = rec709_matrix(plate.chromaticities)
            if matrix is not None:
                recipe = f"{LINEAR} {plate.chromaticities}"
                return ColorTransform("linear, primaries of the file", Separable(matrix, None), recipe=recipe)
        if color_space == LINEAR:
            return ColorTransform(LINEAR, srgb_from_linear, by_table=True, recipe=LINEAR)
        if color_space == CINEON:
            return ColorTransform(CINEON, _srgb_from_cineon, by_table=True, recipe=CINEON)
    if color_space.lower() in _NO_TRANSFORM:
        return ColorTransform(RAW, recipe=RAW)
    return _from_config(color_space, config or BUILT_IN_CONFIG)


def check_configuration(config: str) -> None:
    """Raises ColorError when the given (or $OCIO's, or the built-in) configuration cannot be read."""
    _loaded(config or os.environ.get("OCIO", "") or BUILT_IN_CONFIG)


def check_color_space(color_space: str, config: str) -> None:
    """Raises ColorError where ``color_transform`` would for a named colour space, without a plate."""
    if color_space and color_space.lower() not in _NO_TRANSFORM:
        _ends(color_space, config or os.environ.get("OCIO", "") or BUILT_IN_CONFIG)


def default_color_space(plate: PlateInfo, studio_config: bool) -> str:
    """What a plate is taken for when nobody says.

    Half and float: ``scene_linear`` of a studio's configuration; without one, linear with the file's
    chromaticities, else Rec.709's (what OpenEXR prescribes). DPX and Cineon: ``Cineon`` unless the
    header says linear or video. Everything else, movies too: ``raw``, display-referred already.
    """
    if plate.file_format in ("dpx", "cineon"):
        transfer = plate.transfer.lower()
        if transfer == "linear":
            return LINEAR
        video = any(word in transfer for word in ("video", "709", "601", "smpte", "ntsc", "pal"))
        return RAW if video else CINEON
    if plate.pixel_type in ("half", "float", "double"):
        return "scene_linear" if studio_config else LINEAR
    return RAW


def _from_config(name: str, config: str) -> ColorTransform:
    ends = _ends(name, config)
    if ends is None:
        return ColorTransform(CINEON, _srgb_from_cineon, by_table=True, recipe=CINEON)
    source, target = ends
    if source == target:
        return ColorTransform(source, recipe=RAW)
    if config == BUILT_IN_CONFIG and source == "Linear Rec.709 (sRGB)":
        return ColorTransform(source, srgb_from_linear, by_table=True, recipe=LINEAR)
    if config == BUILT_IN_CONFIG and source == "Raw":
        return ColorTransform(RAW, recipe=RAW)
    recipe = f"{source} to {target}"
    return ColorTransform(source, _converter(config, source, target), config=config, recipe=recipe)


def _ends(name: str, config: str) -> tuple[str, str] | None:
    """The configuration's names of the colour space and of sRGB; None for Cineon where it has none.

    Raises ColorError with the nearest names.
    """
    source = _resolve(name, config)
    if source is None and name.lower() == CINEON.lower():
        return None
    if source is None:
        known = _loaded(config).getColorSpaceNames()
        names = (*known, RAW, CINEON, *_ALSO_CALLED)
        near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=4, cutoff=0.4)
        nearest = [next(n for n in names if n.lower() == match) for match in near] or list(known[:8])
        raise ColorError(
            f"The colour space {name!r} is not in {config}.", f"The nearest names are: {', '.join(nearest)}."
        )
    target = next((t for t in (_resolve(t, config) for t in _SRGB_NAMES) if t), None)
    if target is None:
        raise ColorError(
            f"{config} has no sRGB-encoded Rec.709 colour space (tried {', '.join(_SRGB_NAMES[:5])}).",
            f"Use another configuration, for instance {BUILT_IN_CONFIG}, or the colour space raw.",
        )
    return source, target


@functools.lru_cache(maxsize=32)
def _converter(config: str, source: str, target: str) -> Convert:
    """Curve and matrix where the space is that simple, else OCIO on every frame."""
    is_linear = bool(_loaded(config).isColorSpaceLinear(source))
    through_ocio = functools.partial(_through_ocio, config, source, target)
    linear = _resolve(LINEAR, config)
    if linear is not None:
        found = separate(functools.partial(_through_ocio, config, source, linear), through_ocio, is_linear)
        if found is not None:
            return found
    return through_ocio if is_linear else lambda pixels: through_ocio(np.clip(pixels, -1.0, 2.0))


@functools.lru_cache(maxsize=8)
def _loaded(config: str) -> Any:
    """An OpenImageIO ColorConfig; reading one takes a good part of a second."""
    loaded = oiio.ColorConfig(config)
    problem = one_line(loaded.geterror())
    if problem:
        raise ColorError(
            f"The OCIO configuration {config} cannot be used: {problem}.",
            "Check the path or $OCIO, or leave both empty for the built-in studio configuration.",
        )
    return loaded


def _resolve(name: str, config: str) -> str | None:
    loaded = _loaded(config)
    known = loaded.getColorSpaceNames()
    for candidate in (name, *_ALSO_CALLED.get(name.lower(), ())):
        resolved = str(loaded.resolve(candidate))
        if resolved in known:
            return resolved
    return None


def _through_ocio(config: str, source: str, target: str, pixels: np.ndarray) -> np.ndarray:
    image = oiio.ImageBuf(np.ascontiguousarray(pixels))
    converted = oiio.ImageBufAlgo.colorconvert(image, source, target, unpremult=False, colorconfig=config)
    if converted.has_error:
        raise ColorError(
            f"{config} cannot convert {source} to {target}: {one_line(converted.geterror())}.",
            "Choose another colour space or configuration.",
        )
    result = np.asarray(converted.get_pixels("float"))
    return result if np.isfinite(result).all() else np.nan_to_num(result, copy=False, nan=0.0)


def _srgb_from_cineon(code: np.ndarray) -> np.ndarray:
    return srgb_from_linear(linear_from_cineon(code))


def _finite(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "u":
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    numbers = pixels.astype(np.float32)
    if not np.isfinite(numbers).all():
        np.nan_to_num(numbers, copy=False, nan=0.0, posinf=_HALF_MAX, neginf=-_HALF_MAX)
    return np.clip(numbers, -_HALF_MAX, _HALF_MAX, out=numbers)


def _clipped(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels, 0.0, 1.0, out=pixels)


@functools.lru_cache(maxsize=8)
def _table(convert: Convert | None, dtype: str) -> np.ndarray:
    """The result for each of the 256 or 65536 values of a type."""
    kind = np.dtype(dtype)
    codes = np.arange(1 << 8 * kind.itemsize).astype(f"u{kind.itemsize}").view(kind)
    numbers = _finite(codes)
    return _clipped(numbers if convert is None else convert(numbers))
