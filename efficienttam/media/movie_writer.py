"""Movies for review, frame by frame through PyAV: ProRes 4444 with alpha, or H.264.

Colours are sRGB-encoded Rec.709 and the file says so; luma and chroma are made with the matrix of Rec.709.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any

import numpy as np

from ..contract.errors import OutputError
from .timecode import drops
from .whole_file import remedy_at, replacing

#: Numbers of ITU-T H.273: primaries and matrix of BT.709, the transfer curve of sRGB (IEC 61966-2-1).
_BT709, _SRGB, _LIMITED_RANGE = 1, 13, 1
#: Rates (rounded) that a timecode track can count.
_COUNTED = frozenset({24, 25, 30, 48, 50, 60, 100, 120})
_FORMATS = {".mov": "mov", ".mp4": "mp4"}


def can_be_movie(path: str) -> bool:
    """True for a name that ends like a movie which can be written: .mov (ProRes 4444) or .mp4 (H.264)."""
    return os.path.splitext(path)[1].lower() in _FORMATS


@contextmanager
def open_movie(
    path: str,
    size: tuple[int, int],
    rate: Fraction,
    *,
    first_frame: int = 0,
    timecode: str = "",
    pixel_aspect: float = 1.0,
) -> Iterator[MovieWriter]:
    """A movie to add pictures of ``size`` (width, height) to; it is there when all of them are, else not.

    The first picture has ``timecode`` (``01:00:00:12``), or without one the time that ``first_frame`` stands
    for, so that a player shows frame numbers; at a rate that timecode does not count it has none. ``;`` for
    drop-frame counts at rates that have it, and is ``:`` at others. Raises OutputError.
    """
    try:
        import av
    except ImportError as missing:
        raise OutputError(
            f"{path} is a movie and writing movies needs PyAV, which is not installed.",
            "Install it with: python -m pip install av",
        ) from missing
    kind = _FORMATS[os.path.splitext(path)[1].lower()]
    with replacing(path) as temporary:
        try:
            with av.open(temporary, "w", format=kind) as container:
                if round(rate) in _COUNTED:
                    if not drops(rate):
                        timecode = timecode.replace(";", ":")
                    container.metadata["timecode"] = timecode or _timecode_of(first_frame, rate)
                writer = MovieWriter(container, kind, size, rate, pixel_aspect)
                yield writer
                writer.finish()
        except (av.error.FFmpegError, ValueError) as failure:
            raise OutputError(f"{path} cannot be written: {failure}.", remedy_at(path)) from failure


class MovieWriter:
    """An open movie; see ``open_movie``."""

    def __init__(
        self, container: Any, kind: str, size: tuple[int, int], rate: Fraction, pixel_aspect: float
    ) -> None:
        self._container = container
        self._with_alpha = kind == "mov"
        self._stream = container.add_stream("prores_ks" if self._with_alpha else "libx264", rate=rate)
        # Chroma of H.264 is halved: odd sizes get one more column or row.
        self._pad = (0, 0) if self._with_alpha else (size[0] % 2, size[1] % 2)
        self._stream.width, self._stream.height = size[0] + self._pad[0], size[1] + self._pad[1]
        self._stream.time_base = 1 / rate
        context = self._stream.codec_context
        context.time_base = 1 / rate
        context.pix_fmt = "yuva444p10le" if self._with_alpha else "yuv420p"
        context.sample_aspect_ratio = Fraction(pixel_aspect).limit_denominator(1000)
        context.color_primaries = context.colorspace = _BT709
        context.color_trc, context.color_range = _SRGB, _LIMITED_RANGE
        if self._with_alpha:
            context.options = {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}
        else:
            context.options = {"crf": "16", "preset": "medium"}
        self._count = 0

    def add(self, picture: np.ndarray, alpha: np.ndarray | None = None) -> None:
        """The next picture (height, width, 3), uint8 or float 0 to 1, with its alpha (height, width) 0 to 1.

        Colours are not multiplied with alpha. Without alpha it is opaque; H.264 has none.
        """
        import av

        height, width = picture.shape[:2]
        pixels = np.empty((height, width, 4), np.uint16)
        pixels[..., :3] = _deep(picture)
        pixels[..., 3] = 65535 if alpha is None else _deep(alpha)
        if any(self._pad):
            pixels = np.pad(pixels, ((0, self._pad[1]), (0, self._pad[0]), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(pixels, format="rgba64le").reformat(
            format=self._stream.codec_context.pix_fmt,
            dst_colorspace="ITU709",
            src_color_range="JPEG",
            dst_color_range="MPEG",
        )
        # ProRes takes them from each frame, and has no number for the curve of sRGB: that is in the container
        # alone. An old PyAV cannot set them.
        with suppress(AttributeError):
            frame.color_primaries = _BT709
        frame.pts, frame.time_base = self._count, self._stream.codec_context.time_base
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def finish(self) -> None:
        """Encodes what is still held back."""
        self._container.mux(self._stream.encode())


def _deep(values: np.ndarray) -> np.ndarray:
    """uint8, or float 0 to 1, as uint16 over its whole range."""
    if values.dtype == np.uint8:
        return values.astype(np.uint16) * np.uint16(257)
    return np.rint(np.clip(values, 0, 1) * np.float32(65535)).astype(np.uint16)


def _timecode_of(frame: int, rate: Fraction) -> str:
    """The time at which a frame number stands when counting begins at 0."""
    base = round(rate)
    seconds, frames = divmod(max(0, frame), base)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{seconds:02d}:{frames:02d}"
