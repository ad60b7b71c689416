"""Mattes that wait for those of the frames beside them, and what steadies them."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from ..mattes.sharing import share_out
from ..mattes.steadying import SmallPicture, small_picture, steadied
from ..tracking.frame_source import FrameSource


class SteadyWindow:
    """The mattes of ``reach`` frames before and after each of some frames, as they come, in any order.

    ``coming`` are the frames that mattes come of, by object; on ``drawn`` ones the matte is a roto and
    stays. ``apart`` mattes never sum to more than 1: those of a frame are given out together. A matte is
    held, packed, until all that need it were given out: a window that goes with the tracker, and one more
    at each frame where two passes meet.
    """

    def __init__(
        self,
        reach: int,
        coming: Mapping[str, Collection[int]],
        plate: FrameSource,
        drawn: Mapping[str, Collection[int]],
        apart: bool = False,
    ) -> None:
        self._reach = reach
        self._apart = apart
        self._coming = {name: frozenset(frames) for name, frames in coming.items()}
        self._plate = plate
        self._drawn = drawn
        self._held: dict[tuple[int, str], tuple[bytes, tuple[int, ...]]] = {}
        self._given: set[tuple[int, str]] = set()
        self._reading = threading.Lock()
        self._small = functools.lru_cache(maxsize=4 * reach + 4)(self._small_of)

    def add(self, frame: int, mattes: Mapping[str, np.ndarray]) -> None:
        """Takes in the mattes (height, width) of a frame."""
        for name, matte in mattes.items():
            packed = zlib.compress(np.ascontiguousarray(matte, np.float32).tobytes(), 1)
            self._held[frame, name] = (packed, matte.shape)

    def complete(self) -> Iterator[tuple[int, dict[str, dict[int, np.ndarray]]]]:
        """Frames whose neighbours are all there, each once, with the mattes of all of them by object."""
        ready: dict[int, list[str]] = {}
        for frame, name in sorted(set(self._held) - self._given):
            if all((one, name) in self._held for one in self._beside(frame, name)):
                ready.setdefault(frame, []).append(name)
        if self._apart:
            ready = {frame: names for frame, names in ready.items() if len(names) == self._count(frame)}
        for frame, names in ready.items():
            self._given.update((frame, name) for name in names)
            yield (
                frame,
                {name: {one: self._matte(one, name) for one in self._beside(frame, name)} for name in names},
            )
        for frame, name in [key for key in self._held if key in self._given]:
            if all((one, name) in self._given for one in self._beside(frame, name)):
                del self._held[frame, name]

    def steady(self, frame: int, around: Mapping[str, Mapping[int, np.ndarray]]) -> dict[str, np.ndarray]:
        """The mattes of a frame, steadied with those around it. In any thread. Raises PlateError."""
        mattes = {}
        for name, found in around.items():
            if frame in self._drawn[name]:
                mattes[name] = found[frame]
                continue
            others = [(matte, self._seen(one)) for one, matte in found.items() if one != frame]
            mattes[name] = steadied(found[frame], self._seen(frame), others)
        if not self._apart:
            return mattes
        return share_out(mattes, [name for name in mattes if frame in self._drawn[name]])

    def _count(self, frame: int) -> int:
        """The objects that mattes of a frame come of."""
        return sum(frame in frames for frames in self._coming.values())

    def _beside(self, frame: int, name: str) -> list[int]:
        """The frames of an object's window that mattes come of, itself among them."""
        span = range(frame - self._reach, frame + self._reach + 1)
        return [one for one in span if one in self._coming[name]]

    def _matte(self, frame: int, name: str) -> np.ndarray:
        packed, shape = self._held[frame, name]
        return np.frombuffer(zlib.decompress(packed), np.float32).reshape(shape)

    def _seen(self, frame: int) -> SmallPicture:
        with self._reading:
            return self._small(frame)

    def _small_of(self, frame: int) -> SmallPicture:
        return small_picture(self._plate.read(frame))
