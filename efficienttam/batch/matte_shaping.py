"""From what the tracker says about a frame to its mattes, in the form that a job asks for."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from ..contract.job import Mattes
from ..contract.prompts import Prompt
from ..mattes.matte import soft_matte, upsample_logits
from ..mattes.shaping import Picture, shaped_matte
from ..mattes.sharing import exclusive_logits, kept_apart, settled
from ..mattes.softness import EdgeSoftness, with_softness
from ..tracking import ObjectId
from ..tracking.spans import neighbours
from ..tracking.track_result import TrackResult, mask_alone
from .object_groups import ObjectGroup

#: Rotos whose softness is kept; the neighbours of one frame are two.
_SOFTNESSES = 4


class MatteShaping:
    """Shapes the mattes of one tracker's objects, a ``group``, which tells what that tracker sees: a view's
    plate, or a part of it; mattes are of its size. ``prompts`` are the objects' own, their masks as arrays.
    ``others`` tells that there are objects of other trackers: those that must not overlap are then left to be
    ``settled`` together with them.

    ``mattes`` may be called by several threads at once.
    """

    def __init__(
        self,
        wish: Mattes,
        group: ObjectGroup,
        prompts: Mapping[ObjectId, Mapping[int, Prompt]],
        others: bool = False,
    ) -> None:
        self._others = others
        self._wish = wish
        self._plate = group.plate
        self._on_plate = group.on_plate
        self._prompts = prompts
        self._softness = functools.lru_cache(maxsize=_SOFTNESSES)(self._softness_of)

    def mattes(self, result: TrackResult) -> dict[ObjectId, np.ndarray]:
        """The mattes of a result (height, width), float32 0 to 1; objects that must not overlap sum to 1 at
        most, but for those left to be settled. Raises PlateError where edges are refined and the frame cannot
        be read."""
        if self._wish.plain:
            return self._as_drawn(result)
        picture = functools.cache(functools.partial(self._plate.read, result.frame))
        if not result.apart:
            return {id: self._matte(result, id, low, picture) for id, low in result.logits.items()}
        # What stands in a hole keeps its place: holes are filled when all objects are known.
        wish = dataclasses.replace(self._wish, fill_holes=0)
        logits = exclusive_logits(result.logits)
        mattes = {id: self._matte(result, id, low, picture, wish) for id, low in logits.items()}
        if self._others:
            return mattes
        return settled(mattes, self._wish, result.drawn, self._on_plate(result.frame))

    def _as_drawn(self, result: TrackResult) -> dict[ObjectId, np.ndarray]:
        """The mattes of the network, with the softness of rotos near by."""
        tracked = {id: low for id, low in result.logits.items() if id not in result.drawn}
        full = {id: upsample_logits(low, result.size) for id, low in tracked.items()}
        if result.apart:
            # At plate size: a contour that no other object claims stays where it is.
            full = exclusive_logits(full)
        mattes = {
            id: with_softness(soft_matte(full.pop(id)), self._rotos(id, result.frame))
            if id in tracked
            else result.drawn[id]
            for id in result.logits
        }
        if not result.apart or self._others:
            return mattes
        return kept_apart(mattes, self._wish, result.drawn)

    def _matte(
        self,
        result: TrackResult,
        id: ObjectId,
        logits: np.ndarray,
        picture: Picture,
        wish: Mattes | None = None,
    ) -> np.ndarray:
        if id in result.drawn:
            return result.drawn[id]
        rotos = self._rotos(id, result.frame)
        on_plate = self._on_plate(result.frame)
        return shaped_matte(logits, result.size, wish or self._wish, picture, rotos, on_plate)

    def _rotos(self, id: ObjectId, frame: int) -> dict[EdgeSoftness, float]:
        """The softnesses of the neighbouring prompted frames that are rotos, and their shares."""
        reach = self._wish.roto_blend
        if not reach or self._wish.softness == 0:
            return {}
        prompts = self._prompts[id]
        near = [
            key
            for key in neighbours(frame, sorted(prompts))
            if abs(key - frame) <= reach and mask_alone(prompts[key]) is not None
        ]
        return {self._softness(id, key): part for key, part in roto_shares(frame, near, reach).items()}

    def _softness_of(self, id: ObjectId, frame: int) -> EdgeSoftness:
        roto = mask_alone(self._prompts[id][frame])
        return EdgeSoftness(np.clip(np.asarray(roto, np.float32), 0, 1))


def roto_shares(frame: int, rotos: Sequence[int], reach: int) -> dict[int, float]:
    """How much the softness of the rotos on at most two frames, one on either side and no further than
    ``reach``, counts on a frame; together 1 at most, the rest is the frame's own.

    Each fades out evenly with distance, over ``reach`` frames or up to the other roto, so that between two
    near each other the one goes over into the other.
    """
    span = reach + 1 if len(rotos) < 2 else min(reach + 1, max(rotos) - min(rotos))
    return {key: 1 - abs(key - frame) / span for key in rotos}
