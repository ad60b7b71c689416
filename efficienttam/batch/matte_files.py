"""The matte files of one view: which there must be, which are there already, and writing the rest."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from ..contract.errors import IncompleteError
from ..contract.job import Layout, Output
from ..contract.matte_score import MatteScore, score_attribute
from ..contract.sequence import SequencePattern
from ..media import FrameSequence
from .footage import make_folder
from .matte_form import matte_form
from .matte_score import placed
from .matte_spool import MatteSpool
from .matte_stamp import MatteStamp


class MatteFiles:
    """Files of one view of a job.

    ``wanted`` maps an object's name to the frames it must have mattes for; ``stamp`` goes into every
    header and tells, on resuming, whether a file is what this job would write.
    """

    def __init__(
        self,
        output: Output,
        view: str,
        plate: FrameSequence,
        wanted: Mapping[str, Sequence[int]],
        stamp: MatteStamp,
    ) -> None:
        self._pattern = SequencePattern(output.path)
        self._view = view
        self._plate = plate
        self._wanted = {name: frozenset(frames) for name, frames in wanted.items()}
        self._stamp = stamp
        self._form = matte_form(output)
        #: Whether all objects of a frame go into one file.
        self._shared = output.layout is not Layout.FILE_PER_OBJECT
        #: Scores of the mattes that wait.
        self._scores: dict[tuple[int, str], MatteScore] = {}
        self._waiting = MatteSpool(os.path.dirname(os.path.join(os.getcwd(), self.path(1, ""))))

    def path(self, frame: int, name: str) -> str:
        """The file that holds an object's matte of a frame."""
        return self._pattern.path(frame, self._view, name)

    def remaining(self, together: bool) -> dict[str, list[int]]:
        """Frames by object without a good file.

        A file is good when its header, window, size and stamp are right and it is complete.
        ``together``, or a layout with all objects in one file, makes a frame anew for all its objects
        when it must be made for one.
        """
        left = {
            name: {frame for frame in frames if self.fault(frame, name)}
            for name, frames in self._wanted.items()
        }
        if together or self._shared:
            anew: set[int] = set().union(*left.values())
            left = {name: anew & frames for name, frames in self._wanted.items()}
        return {name: sorted(frames) for name, frames in left.items()}

    def fault(self, frame: int, name: str) -> str:
        """What is wrong with the file that holds an object's matte of a frame; empty for a good one."""
        owners = self._owners("" if self._shared else name)
        path = self.path(frame, name)
        if os.path.isdir(path):
            return f"{path} is a folder."
        if not os.path.isfile(path):
            return f"{path} is missing."
        try:
            stamp = self._stamp.expected(frame, owners, self._view)
            self._form.verify(path, owners, self._plate.info(frame), stamp)
        except IncompleteError as error:
            return error.message
        return ""

    def completed(
        self, frame: int, mattes: Mapping[str, np.ndarray], scores: Mapping[str, MatteScore]
    ) -> list[Callable[[], str]]:
        """The files that these mattes (height, width) of a frame, with their scores, complete.

        Each is called, in any thread, to write the file; that gives its path or raises OutputError.
        """
        if not self._shared:
            return [
                functools.partial(self._write, frame, name, {name: matte}, scores)
                for name, matte in mattes.items()
            ]
        expected = [name for name, frames in self._wanted.items() if frame in frames]
        if any(name not in mattes and (frame, name) not in self._waiting for name in expected):
            for name, matte in mattes.items():
                self._waiting.put(frame, name, matte)
                self._scores[frame, name] = scores[name]
            return []
        found = {
            name: mattes[name] if name in mattes else self._waiting.take(frame, name) for name in expected
        }
        told = {name: scores.get(name) or self._scores.pop((frame, name)) for name in expected}
        return [functools.partial(self._write, frame, "", found, told)]

    def close(self) -> None:
        """Drops mattes of frames that never became complete."""
        self._waiting.close()

    def _write(
        self, frame: int, name: str, mattes: Mapping[str, np.ndarray], scores: Mapping[str, MatteScore]
    ) -> str:
        path = self.path(frame, name)
        make_folder(os.path.dirname(path))
        told = {score_attribute(owner): str(placed(scores[owner], matte)) for owner, matte in mattes.items()}
        absent = np.zeros(next(iter(mattes.values())).shape, np.float32)
        owners = self._owners(name)
        self._form.write(
            path,
            {owner: mattes.get(owner, absent) for owner in owners},
            self._plate.info(frame),
            {**self._stamp.header(frame, owners, self._view), **told},
        )
        return path

    def _owners(self, name: str) -> tuple[str, ...]:
        """The objects of a file."""
        return (name,) if name else tuple(self._wanted)


def frame_runs(frames: Iterable[int]) -> list[range]:
    """Frames as ascending runs."""
    runs: list[range] = []
    for frame in sorted(frames):
        if runs and frame == runs[-1].stop:
            runs[-1] = range(runs[-1].start, frame + 1)
        else:
            runs.append(range(frame, frame + 1))
    return runs
