"""Which mattes an artist should check: scores in, reasons in words out. The one rule that all go by.

An object is followed from each prompted frame outward, the way it was tracked: what counts is how a frame
differs from the one beside it that lies nearer to the prompt. A worse score never takes a frame off the
list. Thresholds were chosen on generated clips with known truth (docs/review.md). Standard library only,
Python 3.7 or newer.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from typing import Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from .matte_score import MatteScore


@dataclasses.dataclass(frozen=True)
class Limits:
    """Where a score begins to be a reason."""

    #: Least guess of the mask's quality, 0 to 1.
    predicted_iou: float = 0.65
    #: Least share of the mask that stays when the network is asked to be surer.
    stability: float = 0.35
    #: Least IoU of the forward pass with the backward one.
    agreement: float = 0.7
    #: Most times that an area is larger or smaller than the one beside it.
    area: float = 1.4
    #: Most that a centre strays from where the motion so far would put it, in sizes of the object.
    center: float = 0.2
    #: Areas below this share of the plate are too small for both.
    least_area: float = 0.0005


LIMITS = Limits()


class Reason(NamedTuple):
    """``kind`` is one of few, ``words`` tell how much; ``doubt`` is above 0 and grows with what is wrong."""

    kind: str
    words: str
    doubt: float


@dataclasses.dataclass(frozen=True)
class Check:
    """Why to look at a matte."""

    reasons: Tuple[Reason, ...]

    @property
    def doubt(self) -> float:
        """Of all reasons together: finds the worst frame."""
        return sum(reason.doubt for reason in self.reasons)

    @property
    def words(self) -> str:
        """All reasons in words."""
        return ", ".join(reason.words for reason in self.reasons)


@dataclasses.dataclass(frozen=True)
class Place:
    """A run of frames of one object that are to be checked; ``worst`` is the one of most doubt.

    ``reasons`` has the gravest of each kind, in words.
    """

    first: int
    last: int
    worst: int
    reasons: Tuple[str, ...]


def checks(scores: Mapping[int, MatteScore], limits: Limits = LIMITS) -> Dict[int, Check]:
    """Frames of one object to check, ascending."""
    found: Dict[int, Check] = {}
    for way in ways(scores):
        walk = _Walk(limits)
        for frame in way:
            reasons = walk.step(scores[frame])
            if reasons:
                found[frame] = Check(tuple(reasons))
    return {frame: found[frame] for frame in sorted(found)}


def frames_to_check(scores: Mapping[int, Mapping[str, MatteScore]]) -> Dict[int, Tuple[str, ...]]:
    """Frames of a shot to check, ascending, each with its reasons: ``hero: area jumps +62 %``.

    ``scores`` by frame and name of the object.
    """
    said: Dict[int, List[str]] = {}
    for name in sorted({name for known in scores.values() for name in known}):
        own = {frame: known[name] for frame, known in scores.items() if name in known}
        for frame, check in checks(own).items():
            said.setdefault(frame, []).append("{}: {}".format(name, check.words))
    return {frame: tuple(said[frame]) for frame in sorted(said)}


def places(found: Mapping[int, Check]) -> Tuple[Place, ...]:
    """Runs of frames to check, ascending, with every reason once."""
    runs: List[List[int]] = []
    for frame in sorted(found):
        if runs and frame == runs[-1][-1] + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return tuple(
        Place(
            run[0],
            run[-1],
            max(run, key=lambda frame: (found[frame].doubt, -frame)),
            _gravest([reason for frame in run for reason in found[frame].reasons]),
        )
        for run in runs
    )


def run_starts(frames: Sequence[int]) -> Tuple[int, ...]:
    """The first frame of every run of frames that follow each other, ascending: where to jump to."""
    there = set(frames)
    return tuple(sorted(frame for frame in there if frame - 1 not in there))


def _gravest(reasons: Sequence[Reason]) -> Tuple[str, ...]:
    """The words of the gravest reason of each kind, in the order the kinds come."""
    kept: Dict[str, Reason] = {}
    for reason in reasons:
        if reason.kind not in kept or kept[reason.kind].doubt < reason.doubt:
            kept[reason.kind] = reason
    return tuple(reason.words for reason in kept.values())


def ways(scores: Mapping[int, MatteScore]) -> Iterator[List[int]]:
    """Runs of frames that follow each other, from a prompted frame (or the first) outward.

    A frame belongs to its nearest prompted frame. Where frames are missing another run begins.
    """
    frames = sorted(scores)
    prompted = [frame for frame in frames if scores[frame].prompted] or frames[:1]
    parts: Dict[Tuple[int, bool], List[int]] = {}
    for frame in frames:
        at = bisect.bisect_right(prompted, frame)
        beside = prompted[max(at - 1, 0) : at + 1]
        origin = min(beside, key=lambda key: (abs(key - frame), key))
        parts.setdefault((origin, frame < origin), []).append(frame)
    for (origin, back), part in parts.items():
        # The prompted frame is what the first frame before it is held against, too.
        order = [origin, *reversed(part)] if back else part
        start = 0
        for index in range(1, len(order) + 1):
            if index == len(order) or abs(order[index] - order[index - 1]) != 1:
                yield order[start:index]
                start = index


class _Walk:
    """One way out from a prompted frame, frame by frame."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        #: The last two scores with a matte, the latest last.
        self._before: List[MatteScore] = []
        self._lost = False

    def step(self, score: MatteScore) -> List[Reason]:
        """Reasons to check the next frame."""
        limits = self._limits
        reasons = _doubts(score, limits)
        if not _seen(score):
            self._lost = True
            return [Reason("lost", "lost", 1.0), *reasons]
        if self._lost and self._before:
            reasons.append(Reason("seen again", "seen again", 0.1))
        self._lost = False
        if self._before:
            reasons += _jumps(self._before, score, limits)
        self._before = [*self._before[-1:], score]
        return reasons


def _seen(score: MatteScore) -> bool:
    return (score.object_score is None or score.object_score > 0) and score.area > 0


def _doubts(score: MatteScore, limits: Limits) -> List[Reason]:
    """What a score tells by itself."""
    reasons = []
    for value, least, kind in (
        (score.predicted_iou, limits.predicted_iou, "network unsure"),
        (score.stability, limits.stability, "edge unsure"),
        (score.agreement, limits.agreement, "forward and backward disagree"),
    ):
        if value is not None and value < least:
            words = "{} ({:.0f} %)".format(kind, 100 * max(value, 0.0))
            reasons.append(Reason(kind, words, 1 - value / least))
    return reasons


def _jumps(before: Sequence[MatteScore], now: MatteScore, limits: Limits) -> List[Reason]:
    """What differs too much from the frame beside it."""
    last = before[-1]
    small, large = sorted((last.area, now.area))
    if small < limits.least_area:
        return []
    reasons = []
    if large > limits.area * small:
        words = "area jumps {:+.0f} %".format(100 * (now.area / last.area - 1))
        reasons.append(Reason("area jumps", words, large / small / limits.area - 1))
    strayed = _strayed(before, now)
    if strayed > limits.center:
        reasons.append(Reason("centre jumps", "centre jumps", strayed / limits.center - 1))
    return reasons


def _strayed(before: Sequence[MatteScore], now: MatteScore) -> float:
    """How far a centre is from where it was, or from where its motion would put it if that is nearer; in
    sizes of the object. 0 where it is not known."""
    last = before[-1]
    if now.center is None or last.center is None or now.box is None or last.box is None:
        return 0.0
    places = [last.center]
    if len(before) > 1 and before[0].center is not None:
        places.append((2 * last.center[0] - before[0].center[0], 2 * last.center[1] - before[0].center[1]))
    sizes = [
        max((now.box[2 + axis] - now.box[axis] + last.box[2 + axis] - last.box[axis]) / 2, 1e-3)
        for axis in (0, 1)
    ]
    return min(math.hypot((now.center[0] - x) / sizes[0], (now.center[1] - y) / sizes[1]) for x, y in places)
