"""Frames rendered for the engine, and which of them are still what the graph would give.

A file ``frames.json`` beside the frames holds, for each, a key of all that decides how it looks. Frames
with the key of today are not rendered again: neither they nor their embeddings change. Others are rendered
beside and take their places whole, so that whoever reads a frame meanwhile reads the old one or the new one.
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from typing import Callable, Dict, Iterable, List, Mapping, Sequence, Tuple

from efficienttam.contract.errors import OutputError, PlateError
from efficienttam.contract.sequence import SequencePattern, tell_frames

from .exr_pixels import same_pixels

INDEX = "frames.json"
#: Folder beside the frames that new ones are rendered into.
RENDERING = "rendering"
#: With this begin the folders beside the frames that hold those of submitted jobs.
SUBMITTED = "submitted_"
#: So long after they were submitted last such frames stay at least.
KEPT_SECONDS = 30 * 24 * 3600


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

    def fill(self, keys: Mapping[int, str], render: Callable[[str, int, int], None]) -> List[int]:
        """Renders what is stale with ``render(pattern, first, last)`` and says which frames those were.

        Frames that were finished before ``render`` failed are kept, and so are the old ones of all others.
        Raises OutputError where frames cannot be put into the folder, PlateError for frames that were not
        written, and what ``render`` raises.
        """
        frames = self.stale(keys)
        if not frames:
            return []
        folder, name = os.path.split(self.pattern)
        aside = os.path.join(folder, RENDERING).replace("\\", "/")
        beside = FeedStore("{}/{}".format(aside, name), self._views)
        # A Nuke that died while it rendered may have left half a frame.
        shutil.rmtree(aside, ignore_errors=True)
        _make_folder(aside)
        try:
            for first, last in _runs(frames):
                render(beside.pattern, first, last)
        finally:
            self._take([frame for frame in frames if beside._there(frame)], keys, beside)
            shutil.rmtree(aside, ignore_errors=True)
        known = self._read()
        missing = [frame for frame in frames if known.get(frame) != keys[frame]]
        if missing:
            raise PlateError(
                tell_frames(missing, "was not rendered.", "were not rendered."),
                "Look for an error above the node on that frame.",
            )
        return frames

    def _take(self, frames: Sequence[int], keys: Mapping[int, str], beside: FeedStore) -> None:
        """Puts rendered frames in the places of the old ones.

        Where all pixels are the same the old file stays, with its time: what was made of it is good still.
        """
        known = self._read()
        # Until a frame is whole it has no key: a crash in between leaves it stale.
        self._write({frame: key for frame, key in known.items() if frame not in frames})
        try:
            for frame in frames:
                for new, old in zip(beside._files(frame), self._files(frame)):
                    if not (os.path.isfile(old) and same_pixels(new, old)):
                        os.replace(new, old)
        except OSError as error:
            raise OutputError(
                "A temporary frame cannot be replaced: {}.".format(error),
                "Choose another place for temporary frames on the tab Advanced, or wait for who reads it.",
            ) from error
        known.update({frame: keys[frame] for frame in frames})
        self._write(known)

    def freeze(self, frames: Sequence[int]) -> str:
        """Gives these frames a folder of their own that nothing is rendered into; its pattern.

        Hard links where the disk has them, so that frames take room twice only once they are rendered
        anew. The very same frames get the same folder. Folders of earlier submissions are deleted when
        they are older than ``KEPT_SECONDS``. Raises OutputError, PlateError for frames that are not there.
        """
        folder, name = os.path.split(self.pattern)
        try:
            states = {file: os.stat(file) for frame in frames for file in self._files(frame)}
        except OSError as error:
            raise PlateError(
                "The frame {} is gone.".format(error.filename), "Press the button again."
            ) from error
        told = [(os.path.basename(file), at.st_size, at.st_mtime_ns) for file, at in states.items()]
        frozen = "{}/{}{}".format(folder, SUBMITTED, hashlib.sha256(repr(told).encode()).hexdigest()[:12])
        _make_folder(frozen)
        try:
            for file, state in states.items():
                _keep(file, state, "{}/{}".format(frozen, os.path.basename(file)))
            # Now is when they were submitted last.
            os.utime(frozen)
        except OSError as error:
            raise OutputError(
                "The frames of this job cannot be kept: {}.".format(error),
                "Choose another place for temporary frames on the tab Advanced.",
            ) from error
        _forget_old(folder, frozen)
        return "{}/{}".format(frozen, name)

    def _files(self, frame: int) -> List[str]:
        return [self._named.path(frame, view or "none") for view in self._views]

    def _there(self, frame: int) -> bool:
        return all(os.path.isfile(file) and os.path.getsize(file) > 0 for file in self._files(frame))

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


def inherit(folder: str, former: str) -> None:
    """Begins a node's frames with those of the node that it was copied from, as far as the disk links them.

    Their keys tell, as ever, which of them are still what the graph would give.
    """
    try:
        names = sorted(os.listdir(former))
        os.makedirs(folder)
        for name in names:
            path = "{}/{}".format(former, name)
            if name != INDEX and os.path.isfile(path):
                os.link(path, "{}/{}".format(folder, name))
        shutil.copy2("{}/{}".format(former, INDEX), "{}/{}".format(folder, INDEX))
    except OSError:
        # Without an index all of them are stale: they are rendered, as for any new node.
        return


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


def _keep(file: str, state: os.stat_result, target: str) -> None:
    """Puts a file at a second place, whole or not at all, with its time."""
    if os.path.isfile(target):
        there = os.stat(target)
        if (there.st_size, there.st_mtime_ns) == (state.st_size, state.st_mtime_ns):
            return
    partial = target + ".part"
    if os.path.exists(partial):
        os.remove(partial)
    try:
        os.link(file, partial)
    except OSError:
        # Some shares and disks have no hard links.
        shutil.copy2(file, partial)
    os.replace(partial, target)


def _forget_old(folder: str, fresh: str) -> None:
    """Deletes frames of submissions that are long over."""
    before = time.time() - KEPT_SECONDS
    for name in os.listdir(folder):
        path = "{}/{}".format(folder, name)
        if name.startswith(SUBMITTED) and path != fresh and os.stat(path).st_mtime < before:
            shutil.rmtree(path, ignore_errors=True)


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "The folder for temporary frames cannot be made: {}.".format(error),
            "Choose another one on the tab Advanced.",
        ) from error


def _runs(frames: Sequence[int]) -> List[Tuple[int, int]]:
    runs: List[Tuple[int, int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs
