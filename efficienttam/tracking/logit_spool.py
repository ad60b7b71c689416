"""Outputs that wait on disk for another pass, so that memory does not grow with the shot."""

from __future__ import annotations

import tempfile
from dataclasses import replace

import numpy as np
import torch

from .memory_bank import FrameMemory
from .object_track import ObjectId


class LogitSpool:
    """Outputs by frame and object, their logits in a temporary file of fixed-size records.

    The file is as long as the most outputs ever held at once and disappears with the spool.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._file = tempfile.TemporaryFile(prefix="efficienttam-")
        self._held: dict[tuple[int, ObjectId], tuple[int, FrameMemory]] = {}
        self._free: list[int] = []
        self._records = 0

    def __contains__(self, key: tuple[int, ObjectId]) -> bool:
        return key in self._held

    def put(self, frame: int, id: ObjectId, output: FrameMemory) -> None:
        """Holds an output; its memory map is not kept."""
        record = self._free.pop() if self._free else self._records
        self._records = max(self._records, record + 1)
        logits = output.logits.float().cpu().numpy()
        self._file.seek(record * logits.nbytes)
        self._file.write(logits.tobytes())
        light = replace(output, logits=torch.empty(0), memory_map=None)
        self._held[frame, id] = (record, light)

    def take(self, frame: int, id: ObjectId) -> FrameMemory:
        """Gives an output back, its logits on the CPU, and forgets it."""
        record, light = self._held.pop((frame, id))
        length = self._side * self._side * 4
        self._file.seek(record * length)
        logits = np.frombuffer(self._file.read(length), dtype=np.float32).reshape(self._side, self._side)
        self._free.append(record)
        return replace(light, logits=torch.from_numpy(logits.copy()))

    def close(self) -> None:
        """Removes the temporary file."""
        self._file.close()
