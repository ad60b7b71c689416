"""A plate as the tracker sees it: frames by their own number, in the network's colour."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence

import numpy as np

from ..contract.cache_settings import FileIdentity
from ..contract.errors import PlateError
from ..contract.fields import member
from ..contract.sequence import (
    FURTHEST,
    MissingFrames,
    SequencePattern,
    format_frames,
    missing_frames,
    stand_in,
    tell_frames,
)
from .color import ColorTransform, color_transform
from .file_identity import config_identity, file_identity
from .movie import Movie, is_movie
from .plate_info import PlateInfo, Window
from .reader import read_info, read_picture


class FrameSequence:
    """An image sequence, a still or a movie. Nothing is kept in memory between reads.

    ``pattern`` holds a frame token (``%04d``, ``####``, ``$F4``) and maybe ``%V``; or names one still,
    which then stands on every frame of first..last (alone: on the number in its name, else on 1); or
    a movie, whose first picture is frame ``movie_start``. ``first`` and ``last`` are included and
    default to what is on disk. ``view`` fills ``%V`` and picks the view inside a stereo EXR; without ``%V``
    every file must have it.
    ``layer`` and ``part`` pick inside EXR files. ``color_space`` and ``config`` are those of ``color``.
    ``identify_by`` says what tells files apart in ``identity``.

    Raises PlateError for a plate that is not there, for frames missing under MissingFrames.ERROR, and
    when the first frame cannot be read; ColorError for an unknown colour space or configuration; JobError for
    a ``missing`` that is no rule.
    """

    def __init__(
        self,
        pattern: str | os.PathLike[str],
        first: int | None = None,
        last: int | None = None,
        *,
        view: str = "",
        color_space: str = "",
        config: str = "",
        missing: MissingFrames | str = MissingFrames.ERROR,
        layer: str = "",
        part: str | int | None = None,
        movie_start: int = 1,
        identify_by: FileIdentity = FileIdentity.STAT,
    ) -> None:
        self._pattern = _pattern(os.fspath(pattern))
        self._view = view
        self._missing = member(MissingFrames, missing, "rule for missing frames")
        self._identify_by = identify_by
        self._layer = layer
        self._part = part if part != "" else None
        self._movie: Movie | None = None
        self._still = not self._pattern.is_sequence
        if self._still and is_movie(self._pattern.text):
            if view and not self._pattern.has_view:
                raise PlateError(
                    f"{self._pattern.text} is a movie of one view; view {view!r} was asked for.",
                    "Leave the view out; or put %V into the path, where each view has a movie of its own.",
                )
            self._movie = Movie(self._pattern.path(0, view), movie_start)
        self._present = self._frames_present(first, last)
        self.frames: Sequence[int] = self._range(first, last)
        self._reference = self._header(self._stand_in(self.frames[0]))
        self._color: ColorTransform = color_transform(color_space, config, self._reference)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the display window in pixels, the same for all frames."""
        return self._reference.size

    def is_black(self, frame: int) -> bool:
        """True where black stands in for a frame that is not on disk."""
        return frame not in self._present and self._missing is MissingFrames.BLACK

    @property
    def every_view(self) -> str:
        """What is the same for all views of one plate, however its frame numbers are spelled."""
        return os.path.realpath(self._pattern.path(FURTHEST, "*"))

    @property
    def pixel_aspect(self) -> float:
        """Width over height of one pixel, as the first frame tells it."""
        return float(self._reference.pixel_aspect)

    @property
    def color_space(self) -> str:
        """Name of the colour space the plate is taken for; ``raw`` for no transform."""
        return self._color.source

    def path(self, frame: int) -> str:
        """File that ``frame`` is read from; that of the frame that stands in where it is missing."""
        return self._pattern.path(self._stand_in(frame), self._view)

    def info(self, frame: int) -> PlateInfo:
        """The header of one frame; of a missing frame that of the frame that stands in, without timecode.

        Raises PlateError as ``read`` does.
        """
        self._refuse_outside(frame)
        source = self._stand_in(frame)
        header = self._header(source)
        return header if source == frame else dataclasses.replace(header, timecode=None)

    def read(self, frame: int) -> np.ndarray:
        """RGB (height, width, 3) of the display window, y down, sRGB-encoded Rec.709.

        uint8 from 8-bit sources without a transform, else float32 in 0..1, finite.

        Raises PlateError when the frame is outside the range, unreadable, or of another size than
        the first one.
        """
        return self._read(frame, None)

    def read_window(self, frame: int, left: int, top: int, width: int, height: int) -> np.ndarray:
        """``read(frame)[top : top + height, left : left + width]``: only these pixels go through the colour
        transform, and of scanline files only these rows are read.

        The window lies inside the plate and is not empty. Raises PlateError as ``read`` does.
        """
        return self._read(frame, Window(left, top, width, height))

    def _read(self, frame: int, window: Window | None) -> np.ndarray:
        self._refuse_outside(frame)
        wanted = window or Window(0, 0, *self.size)
        if self.is_black(frame):
            return np.zeros((wanted.height, wanted.width, 3), self._black_type())
        source = self._stand_in(frame)
        if self._movie is not None:
            pixels, size = self._movie.read(source), self._movie.info.size
            pixels = pixels[wanted.y :, wanted.x :][: wanted.height, : wanted.width]
        else:
            path = self._pattern.path(source, self._view)
            pixels, info = read_picture(
                path,
                layer=self._layer,
                part=self._part,
                view=self._view,
                one_view=self._pattern.has_view,
                window=window,
            )
            size = info.size
        if size != self.size:
            raise PlateError(
                f"{self._pattern.path(source, self._view)} is {size[0]} x {size[1]} pixels; "
                f"the plate began with {self.size[0]} x {self.size[1]}.",
                "Give frames of one size, or track each part of the range by itself.",
            )
        return self._color.apply(pixels)

    def identity(self, frame: int) -> str:
        """All that the picture ``read`` gives depends on: the file (see ``FileIdentity``), what is read of
        it, and the colour transform. No pixel is read.

        Raises PlateError when the frame is outside the range or its file is gone.
        """
        return self._identity(frame, self._identify_by, lambda path: file_identity(path, self._identify_by))

    def version(self, frame: int) -> str:
        """The same without the folder: equal for a copy of the file that kept its time. A colour
        configuration is told by its content.

        Raises PlateError as ``identity`` does.
        """

        def version_of(path: str) -> object:
            if self._identify_by is FileIdentity.CONTENT:
                return file_identity(path, self._identify_by)
            status = os.stat(path)
            return os.path.basename(path), status.st_size, status.st_mtime_ns

        try:
            return self._identity(frame, FileIdentity.CONTENT, version_of)
        except OSError as error:
            raise PlateError(
                f"{self.path(frame)} cannot be read: {error.strerror}.", "Render or copy it again."
            ) from error

    def _identity(self, frame: int, config_by: FileIdentity, identity_of: Callable[[str], object]) -> str:
        self._refuse_outside(frame)
        if self.is_black(frame):
            parts: list[object] = ["black", self.size]
        else:
            source = self._stand_in(frame)
            path = self._pattern.path(source, self._view)
            picture = source - self._movie.frames.start if self._movie is not None else None
            parts = [
                identity_of(path),
                picture,
                self._view,
                self._layer,
                self._part,
                self.size,
                (self._color.recipe, config_identity(self._color.config, config_by)),
            ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _header(self, source: int) -> PlateInfo:
        if self._movie is not None:
            return self._movie.header(source)
        path = self._pattern.path(source, self._view)
        return read_info(
            path,
            layer=self._layer,
            part=self._part,
            view=self._view,
            one_view=self._pattern.has_view,
        )

    def _black_type(self) -> type:
        untouched = self._color.passes_through and self._reference.pixel_type == "uint8"
        return np.uint8 if untouched else np.float32

    def _frames_present(self, first: int | None, last: int | None) -> Sequence[int]:
        if self._movie is not None:
            return self._movie.frames
        if not self._still:
            return self._pattern.frames_on_disk(self._view)
        number = self._pattern.still_frame()
        begin = first if first is not None else last if last is not None else number
        return range(begin, (last if last is not None else begin) + 1)

    def _range(self, first: int | None, last: int | None) -> range:
        name = self._pattern.text
        if not self._present:
            if self._still:
                raise PlateError(f"The range {first}-{last} runs backwards.", "Give the first frame first.")
            raise PlateError(
                f"There are no frames named {name}{f' of view {self._view}' if self._view else ''}.",
                "Check the folder, the name and the number of digits.",
            )
        first = self._present[0] if first is None else first
        last = self._present[-1] if last is None else last
        there = f"There are frames {format_frames(self._present)}."
        if last < first:
            raise PlateError(f"{name}: the range {first}-{last} runs backwards.", there)
        gaps = missing_frames(self._present, first, last)
        if len(gaps) == last - first + 1:
            raise PlateError(f"{name}: none of the frames {first}-{last} is there.", there)
        if gaps and self._missing is MissingFrames.ERROR:
            raise PlateError(
                f"{name}: {tell_frames(gaps, 'is missing', 'are missing')}.",
                f"{there} Bring what is missing, shorten the range, or let another or black stand in.",
            )
        return range(first, last + 1)

    def _stand_in(self, frame: int) -> int:
        return frame if frame in self._present else stand_in(frame, self._present)

    def _refuse_outside(self, frame: int) -> None:
        if frame not in self.frames:
            raise PlateError(
                f"{self._pattern.text}: frame {frame} is outside {self.frames[0]}-{self.frames[-1]}.",
                "Choose a frame of the plate, or a longer range.",
            )


def _pattern(text: str) -> SequencePattern:
    """The pattern; a file that exists under the very name is a still, whatever signs it holds."""
    pattern = SequencePattern(text)
    if pattern.is_sequence and os.path.isfile(text):
        return _Still(text)
    return pattern


class _Still(SequencePattern):
    def _spelling(self) -> None:
        return None
