"""What an object remembers, and which of it a frame recalls.

The rule: every prompted frame (or the nearest ones, up to a limit), then the last six tracked frames
on the side the pass comes from; object pointers of prompted frames already passed and of the last
fifteen tracked frames. Upstream: ``_prepare_memory_conditioned_features``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from efficienttam.model.memory_attention import MapTokens


@dataclass(frozen=True)
class FrameMemory:
    """One object on one frame.

    ``logits`` (L, L) float32 low-res mask; ``predicted_iou`` (k,); ``object_score`` logit;
    ``pointer`` (C,); ``memory_map`` (M, H, W) bfloat16, absent until encoded and where no later frame
    can recall it. ``recalled`` tells whether memory spoke to the frame, ``reverse`` which way the pass
    ran; ``agreement`` is the IoU of the forward and the backward mask where both were mixed.
    """

    logits: Tensor
    predicted_iou: Tensor
    object_score: float
    pointer: Tensor
    memory_map: Tensor | None = None
    recalled: bool = False
    reverse: bool = False
    agreement: float | None = None


@dataclass(frozen=True)
class Reach:
    """How far a frame recalls. ``stride`` is the step between recalled tracked frames."""

    memory_maps: int = 7
    max_pointers: int = 16
    stride: int = 1
    max_prompted: int | None = None


@dataclass(frozen=True)
class Selection:
    """Frames recalled: ``maps`` as (frame, temporal slot), slot 0 for prompted ones; ``pointers``."""

    maps: tuple[tuple[int, int], ...]
    pointers: tuple[int, ...]


def select(
    frame: int,
    prompted: Sequence[int],
    tracked: Container[int],
    *,
    first: int,
    last: int,
    reverse: bool = False,
    reach: Reach | None = None,
) -> Selection:
    """What ``frame`` recalls; pure arithmetic on frame numbers.

    ``prompted`` in the order the user spoke; ``first`` and ``last`` bound the plate. "Past" is by
    frame number: lower ones in a forward pass, higher ones in reverse.
    """
    reach = reach or Reach()
    chosen = nearest_prompted(frame, prompted, reach.max_prompted)
    unchosen = [key for key in prompted if key not in chosen]

    def known(other: int) -> bool:
        return other in tracked or other in unchosen

    maps = [(key, 0) for key in chosen]
    for slot in range(1, reach.memory_maps):
        other = first + _strided(frame - first, reach.memory_maps - slot, reach.stride, reverse)
        if known(other):
            maps.append((other, slot))

    step = 1 if reverse else -1
    past = [key for key in chosen if (key >= frame if reverse else key <= frame)]
    pointers = past if reach.max_pointers else []
    for distance in range(1, min(last - first + 1, reach.max_pointers)):
        other = frame + step * distance
        if not first <= other <= last:
            break
        if known(other):
            pointers.append(other)
    return Selection(tuple(maps), tuple(pointers))


def _strided(index: int, distance: int, stride: int, reverse: bool) -> int:
    """Index of the ``distance``-th recalled frame: the neighbour, then multiples of ``stride``."""
    if distance == 1:
        return index + 1 if reverse else index - 1
    if reverse:
        return -(-(index + 2) // stride) * stride + (distance - 2) * stride
    return (index - 2) // stride * stride - (distance - 2) * stride


def nearest_prompted(frame: int, prompted: Sequence[int], limit: int | None) -> list[int]:
    """All prompted frames, or ``limit`` of them: nearest before, nearest at or after, then closest.

    Upstream: ``select_closest_cond_frames``.
    """
    if limit is None or len(prompted) <= limit:
        return list(prompted)
    before = max((key for key in prompted if key < frame), default=None)
    after = min((key for key in prompted if key >= frame), default=None)
    chosen = [key for key in (before, after) if key is not None][:limit]
    others = sorted((key for key in prompted if key not in chosen), key=lambda key: abs(key - frame))
    return chosen + others[: limit - len(chosen)]


#: Room for tokens of recalled maps, per object: all of a pooled 1024-pixel variant's in float32.
KEPT_TOKEN_BYTES = 128 * 2**20


@dataclass(frozen=True)
class _Projected:
    """Tokens, and the memory they were made from."""

    entry: FrameMemory
    tokens: MapTokens


@dataclass
class MemoryBank:
    """Memories of one object: of prompted frames for good, of tracked frames while they can matter."""

    reach: Reach
    prompted: dict[int, FrameMemory] = field(default_factory=dict)
    tracked: dict[int, FrameMemory] = field(default_factory=dict)
    #: Tokens of the maps that were recalled last; the next frame recalls nearly the same ones.
    _projected: list[_Projected] = field(default_factory=list)

    #: Tracked frames are also kept around this many prompted frames, so that a pass may start there.
    KEPT_NEIGHBOURHOODS = 4

    def get(self, frame: int) -> FrameMemory | None:
        """The memory of a frame, prompted or tracked, if it is still held."""
        return self.prompted.get(frame) or self.tracked.get(frame)

    def tokens(
        self, entries: Sequence[FrameMemory], pooled: bool, project: Callable[[Tensor], MapTokens]
    ) -> list[MapTokens]:
        """Tokens of the maps of memories: those of the last call, or ``project(map)``.

        At most ``KEPT_TOKEN_BYTES`` are kept for the next call, the first ones given.
        """
        used = []
        for entry in entries:
            known = (held for held in self._projected if held.entry is entry and held.tokens.pooled == pooled)
            held = next(known, None)
            if held is None:
                if entry.memory_map is None:
                    raise ValueError("This memory has no map.")
                held = _Projected(entry, project(entry.memory_map[None]))
            used.append(held)
        kept, size = [], 0
        for held in used:
            size += held.tokens.keys.nbytes + held.tokens.values.nbytes
            if size <= KEPT_TOKEN_BYTES:
                kept.append(held)
        self._projected = kept
        return [held.tokens for held in used]

    def prune(self, frame: int) -> None:
        """Forgets tracked frames that neither a later frame of a pass at ``frame`` nor a new pass from
        a nearby prompted frame can recall; drops memory maps out of reach of maps.
        """
        reach = self.reach
        far_map = (reach.memory_maps - 1) * reach.stride + reach.stride
        far = max(reach.max_pointers, far_map)
        centres = [
            frame,
            *sorted(self.prompted, key=lambda key: abs(key - frame))[: self.KEPT_NEIGHBOURHOODS],
        ]
        for other in list(self.tracked):
            distance = min(abs(other - centre) for centre in centres)
            if distance > far:
                del self.tracked[other]
            elif distance > far_map and self.tracked[other].memory_map is not None:
                self.tracked[other] = replace(self.tracked[other], memory_map=None)
