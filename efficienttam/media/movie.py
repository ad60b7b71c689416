"""Movies (.mov, .mp4, .mkv, ...) through PyAV, an optional extra.

The first picture of a movie is frame 1, as in editing and compositing packages, unless ``start``
says otherwise. Reading on is one decode per frame; a jump goes to the key frame before it and decodes
from there. The last decoded frames are kept, so reading backwards decodes a group of pictures a few
times, not once per frame.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import threading
from fractions import Fraction
from typing import Any

import numpy as np

from ..contract.errors import PlateError
from .plate_info import PlateInfo, Window
from .timecode import timecode_after

MOVIE_EXTENSIONS = frozenset({".mov", ".mp4", ".m4v", ".mkv", ".mxf", ".avi", ".webm", ".mpg", ".mpeg"})
_KEPT_FRAMES = 16
_KEPT_BYTES = 256 << 20
_SHORT_WAY = 24


def is_movie(path: str) -> bool:
    """True when the extension is that of a movie."""
    return os.path.splitext(path)[1].lower() in MOVIE_EXTENSIONS


class Movie:
    """An open movie.

    ``frames`` are its frame numbers, ``info`` the header of its first picture. Raises PlateError when PyAV
    is not installed, or the file is missing, holds no video or cannot be decoded.
    """

    def __init__(self, path: str, start: int = 1) -> None:
        self.path = path
        self._container, self._stream = _open(path)
        self._times = self._frame_times()
        self._place = {time: index for index, time in enumerate(self._times)}
        self.frames = range(start, start + len(self._times))
        self.info = self._header()
        size = self.info.size
        fitting = _KEPT_BYTES // max(1, size[0] * size[1] * 3)
        self._kept: collections.OrderedDict[int, Any] = collections.OrderedDict()
        self._keep = max(2, min(_KEPT_FRAMES, fitting))
        self._decoder: Any = None
        self._next = 0
        self._lock = threading.Lock()

    def read(self, frame: int) -> np.ndarray:
        """(height, width, 3) RGB as decoded: uint8, or uint16 from sources of more than 8 bits.

        Several threads may call it; they wait for each other. Raises PlateError when the movie has no
        such frame or is damaged there.
        """
        if frame not in self.frames:
            raise PlateError(
                f"{self.path} has frames {self.frames[0]}-{self.frames[-1]}, not {frame}.",
                "Choose a frame within the movie; its first picture is frame 1 unless the start is given.",
            )
        index = frame - self.frames.start
        with self._lock:
            if index not in self._kept:
                self._decode_to(index)
            return self._rgb(self._kept[index])

    def header(self, frame: int) -> PlateInfo:
        """The header of a picture: that of the first, with the timecode counted on."""
        return dataclasses.replace(self.info, timecode=self._timecode(frame - self.frames.start))

    def close(self) -> None:
        """Give the file back."""
        self._kept.clear()
        self._container.close()

    def _decode_to(self, index: int) -> None:
        import av

        try:
            if self._decoder is None or not self._next <= index <= self._next + _SHORT_WAY:
                self._container.seek(self._times[index], stream=self._stream, backward=True)
                self._decoder = self._container.decode(self._stream)
            for picture in self._decoder:
                place = self._place.get(picture.pts)
                if place is None:
                    continue
                self._kept[place] = picture
                while len(self._kept) > self._keep:
                    self._kept.popitem(last=False)
                self._next = place + 1
                if place == index:
                    return
                if place > index:
                    break
        except (av.error.FFmpegError, EOFError) as failure:
            self._decoder = None
            raise self._damaged(index, str(failure)) from failure
        self._decoder = None
        raise self._damaged(index, "the decoder gave no such picture")

    def _damaged(self, index: int, reason: str) -> PlateError:
        return PlateError(
            f"{self.path}: frame {self.frames.start + index} cannot be decoded: {reason}.",
            "The movie is damaged or incomplete; export or copy it again.",
        )

    def _rgb(self, picture: Any) -> np.ndarray:
        deep = picture.format.components[0].bits > 8
        hd = picture.height >= 720
        matrix = picture.colorspace if picture.colorspace in (1, 4, 5, 6, 7, 9, 10) else (1 if hd else 5)
        matrix = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "SMPTE170M", 7: "SMPTE240M"}.get(matrix, "ITU709")
        pixels: np.ndarray = picture.to_ndarray(
            format="rgb48le" if deep else "rgb24",
            src_colorspace=matrix,
            dst_color_range="JPEG",
        )
        return pixels

    def _frame_times(self) -> list[int]:
        """Presentation time of every picture, ascending: one pass over the packets, nothing decoded."""
        import av

        try:
            packets = [p for p in self._container.demux(self._stream) if p.pts is not None]
        except av.error.FFmpegError as failure:
            raise PlateError(
                f"{self.path} cannot be read as a movie: {failure}.", "Export or copy it again."
            ) from failure
        times = sorted({p.pts for p in packets if not getattr(p, "is_discard", False)})
        if not times:
            raise PlateError(f"{self.path} holds no pictures.", "Export or copy it again.")
        self._container.seek(times[0], stream=self._stream, backward=True)
        return times

    def _header(self) -> PlateInfo:
        context = self._stream.codec_context
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        rate = self._stream.average_rate
        window = Window(0, 0, context.width, context.height)
        return PlateInfo(
            path=self.path,
            file_format="movie",
            pixel_type="uint16" if context.format and context.format.components[0].bits > 8 else "uint8",
            display_window=window,
            data_window=window,
            channels=("R", "G", "B"),
            pixel_aspect=float(aspect) or 1.0,
            frame_rate=(rate.numerator, rate.denominator) if rate else None,
            timecode=self._timecode(0),
        )

    def _timecode(self, picture: int) -> tuple[int, int] | None:
        """The words of a picture counted from the first; None where the movie tells none."""
        rate = self._stream.average_rate
        places = [self._stream, self._container, *self._container.streams]
        told = (
            text for place in places for name, text in place.metadata.items() if name.lower() == "timecode"
        )
        text = next(told, "")
        return timecode_after(text, Fraction(rate), picture) if text and rate else None


def _open(path: str) -> tuple[Any, Any]:
    try:
        import av
    except ImportError as missing:
        raise PlateError(
            f"{path} is a movie and reading movies needs PyAV, which is not installed.",
            "Install it with: pip install av. Or give the plate as an image sequence.",
        ) from missing
    try:
        container = av.open(path)
    except (av.error.FFmpegError, OSError) as failure:
        raise PlateError(
            f"{path} cannot be opened as a movie: {failure}.", "Check the path and the file."
        ) from failure
    if not container.streams.video:
        container.close()
        raise PlateError(f"{path} holds no video.", "Give a movie with pictures.")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return container, stream
