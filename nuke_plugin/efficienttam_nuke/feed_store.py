"""Frames rendered for the engine, and which of them are still what the graph would give.

A file ``frames.json`` beside the frames holds, for each, a key of all that decides how it looks. Frames
with the key of today are not rendered again: neither they nor their embeddings change.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

from efficienttam.contract.errors import OutputError, PlateError
from efficienttam.contract.sequence import SequencePattern, tell_frames

INDEX = "frames.json"


class FeedStore:
    """The rendered frames of one node. ``pattern`` is their name, with %04d and, for stereo, %V."""

    def __init__(self, pattern: str, views: Sequence[str]) -> None:
        self.pattern = pattern
        self._named = SequencePattern(pattern)
        self._views = tuple(views) or ("",)
        self._index = os.path.join(os.path.dirname(pattern), INDEX)

    def stale(self, keys: Mapping[int, str]) -> List[int]:
        """Frames, ascending, that have no file or another key."""
        known = self._read()
        return sorted(
            frame for frame, key in keys.items() if known.get(frame) != key or not self._there(frame)
        )

    def fill(self, keys: Mapping[int, str], render: Callable[[int, int], None]) -> List[int]:
        """Renders what is stale with ``render(first, last)`` and says which frames those were.

        Frames that were finished before ``render`` failed are kept. Raises OutputError where the folder
        cannot be made, PlateError for frames that were not written, and what ``render`` raises.
        """
        frames = self.stale(keys)
        if not frames:
            return []
        try:
            os.makedirs(os.path.dirname(self.pattern), exist_ok=True)
        except OSError as error:
            raise OutputError(
                "The folder for temporary frames cannot be made: {}.".format(error),
                "Choose another one on the tab Advanced.",
            ) from error
        # Until a frame is whole it has no key: a crash in between leaves it stale.
        known = {
            frame: key for frame, key in self._read().items() if frame not in keys or frame not in frames
        }
        self._write(known)
        for frame in frames:
            self._remove(frame)
        try:
            for first, last in _runs(frames):
                render(first, last)
        finally:
            known.update({frame: keys[frame] for frame in frames if self._there(frame)})
            self._write(known)
        missing = [frame for frame in frames if not self._there(frame)]
        if missing:
            raise PlateError(
                tell_frames(missing, "was not rendered.", "were not rendered."),
                "Look for an error above the node on that frame.",
            )
        return frames

    def _files(self, frame: int) -> List[str]:
        return [self._named.path(frame, view or "none") for view in self._views]

    def _there(self, frame: int) -> bool:
        return all(os.path.isfile(file) and os.path.getsize(file) > 0 for file in self._files(frame))

    def _remove(self, frame: int) -> None:
        for file in self._files(frame):
            if os.path.isfile(file):
                os.remove(file)

    def _read(self) -> Dict[int, str]:
        try:
            with open(self._index, encoding="utf-8") as stream:
                return {int(frame): str(key) for frame, key in json.load(stream).items()}
        except (OSError, ValueError, AttributeError):
            # Without a readable index every frame is stale, which is safe.
            return {}

    def _write(self, keys: Mapping[int, str]) -> None:
        partial = self._index + ".part"
        with open(partial, "w", encoding="utf-8") as stream:
            json.dump({str(frame): keys[frame] for frame in sorted(keys)}, stream, indent=0)
        os.replace(partial, self._index)


def frame_key(graph: str, files: Iterable[str]) -> str:
    """Key of a frame: of the graph above, and of name, size and time of the files it is made of."""
    told = [graph]
    for file in sorted(set(files)):
        try:
            state = os.stat(file)
            told.append("{} {} {}".format(file, state.st_size, state.st_mtime_ns))
        except OSError:
            told.append(file + " is not there")
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()


def _runs(frames: Sequence[int]) -> List[Tuple[int, int]]:
    runs: List[Tuple[int, int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs
