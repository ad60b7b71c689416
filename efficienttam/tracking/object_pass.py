"""Tracked objects of a frame through the network, together where they recall alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from efficienttam.contract.passes import Recall
from efficienttam.model.efficienttam import EfficientTAM

from . import network_pass
from .economy import Economy
from .frame_encoder import FrameEncoder
from .memory_bank import select
from .network_pass import Recollection
from .object_track import Conditioned, ObjectTrack
from .options import TrackerOptions
from .spans import neighbours

#: So many objects go through the network together at most: their activations are all in memory at once.
OBJECTS_AT_ONCE = 8


class ObjectPass:
    """Tracks objects on single frames of one plate.

    ``visit`` is called with a frame before the network works on it, ``tell`` with a sentence when less
    memory has to do.
    """

    def __init__(
        self,
        model: EfficientTAM,
        encoder: FrameEncoder,
        options: TrackerOptions,
        visit: Callable[[int], None],
        tell: Callable[[str], None],
    ) -> None:
        self.model, self.encoder, self.options = model, encoder, options
        self.economy = Economy.NONE
        self._visit, self._tell = visit, tell

    def track(self, tracks: Sequence[ObjectTrack], frame: int, reverse: bool, recall: Recall) -> None:
        """Tracks objects on one frame and remembers it. Those that recall alike go together."""
        if tracks:
            self._visit(frame)
        alike: dict[tuple[int, int], list[tuple[ObjectTrack, Recollection]]] = {}
        for track in tracks:
            recollection = self.recollection(track, frame, reverse, recall)
            alike.setdefault(recollection.size, []).append((track, recollection))
        for pairs in alike.values():
            waiting = pairs
            while waiting:
                together = waiting[: 1 if self.economy >= Economy.SINGLE_OBJECTS else OBJECTS_AT_ONCE]
                try:
                    self._track_together(together, frame, reverse)
                except torch.OutOfMemoryError:
                    if not self._economize(len(together)):
                        raise
                else:
                    waiting = waiting[len(together) :]

    def _economize(self, together: int) -> bool:
        """Goes on with less GPU memory; False when there is nothing left to give up."""
        if self.economy is Economy.OFFLOADED:
            return False
        if self.economy is Economy.NONE and together > 1:
            self.economy = Economy.SINGLE_OBJECTS
        else:
            self.economy = Economy.OFFLOADED
            self.encoder.cache.offload()
        self._tell(self.economy.told)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return True

    def _track_together(
        self, pairs: Sequence[tuple[ObjectTrack, Recollection]], frame: int, reverse: bool
    ) -> None:
        tracks, recollections = zip(*pairs, strict=True)
        features = self.conditioned(tracks, recollections, frame)
        head = network_pass.track(self.model, torch.cat(features), self.options)
        embedding = self.encoder.embedding(frame)
        maps = network_pass.memory_maps(self.model, embedding, head.logits[:, 0], binarize=False)
        for row, (track, encoded) in enumerate(zip(tracks, maps, strict=True)):
            output = network_pass.frame_memory(head, self.options, row=row, recalled=True, reverse=reverse)
            track.memory.tracked[frame] = replace(output, memory_map=encoded)
            track.cover(frame)

    def conditioned(
        self, tracks: Sequence[ObjectTrack], recollections: Sequence[Recollection], frame: int
    ) -> list[Tensor]:
        """The frame as each object recalls it, (1, C, H, W) each; kept until something else is recalled."""
        known = [track.conditioned for track in tracks]
        stale = [
            (track, recollection)
            for track, recollection, held in zip(tracks, recollections, known, strict=True)
            if held is None or held.frame != frame or not held.recollection.same(recollection)
        ]
        if stale:
            anew, recalled = zip(*stale, strict=True)
            banks = [track.memory for track in anew]
            features = network_pass.conditioned(self.model, self.encoder.embedding(frame), recalled, banks)
            for track, recollection, row in zip(anew, recalled, features, strict=True):
                track.conditioned = Conditioned(frame, recollection, row[None])
        return [track.conditioned.features for track in tracks if track.conditioned is not None]

    def recollection(self, track: ObjectTrack, frame: int, reverse: bool, recall: Recall) -> Recollection:
        prompted = list(track.memory.prompted)
        if recall is Recall.NEIGHBOURS and prompted:
            others = sorted(key for key in prompted if key != frame)
            prompted = neighbours(frame, others)
        frames = self.encoder.plate.frames
        selection = select(
            frame,
            prompted,
            track.memory.tracked,
            first=frames[0],
            last=frames[-1],
            reverse=reverse,
            reach=track.memory.reach,
        )
        return network_pass.recollect(track.memory, selection)
