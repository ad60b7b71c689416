"""Which pass decides on which frame: pure arithmetic on frame numbers.

Between two prompted frames the rule is ``Between``; before the first one an object is tracked
backward from it, after the last one forward. A frame never depends on a prompted frame beyond its
neighbours' span unless ``Recall.ALL`` asks for it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from efficienttam.contract.passes import Between, Direction
from efficienttam.contract.prompts import Prompt


@dataclass(frozen=True)
class Share:
    """How a frame of an object comes about.

    ``forward`` and ``backward`` tell which passes visit it; ``weight`` is the forward pass's share of
    the mixed logits, 1 or 0 when only one pass visits.
    """

    forward: bool
    backward: bool
    weight: float


@dataclass(frozen=True)
class Word:
    """A prompted frame; ``corrects`` tells that its prompt speaks about what tracking shows there."""

    frame: int
    corrects: bool


def words_of(prompts: Sequence[Prompt]) -> list[Word]:
    """Prompts of an object as frames, and which of them correct."""
    return [Word(prompt.frame, index > 0 and prompt.only_points) for index, prompt in enumerate(prompts)]


def share(frame: int, prompted: Sequence[int], between: Between, direction: Direction) -> Share | None:
    """Share of a frame given the object's prompted frames, ascending; None where no pass reaches it.

    Prompted frames themselves belong to the forward pass, or to the backward one when it is alone.
    """
    if direction is Direction.FORWARD:
        return Share(True, False, 1.0) if frame >= prompted[0] else None
    if direction is Direction.BACKWARD:
        return Share(False, True, 0.0) if frame <= prompted[-1] else None
    at = bisect.bisect_right(prompted, frame)
    if at == 0:
        return Share(False, True, 0.0)
    earlier = prompted[at - 1]
    if at == len(prompted) or earlier == frame or between is Between.FORWARD:
        return Share(True, False, 1.0)
    later = prompted[at]
    if between is Between.BLEND:
        return Share(True, True, (later - frame) / (later - earlier))
    forward = frame - earlier <= later - frame
    return Share(forward, not forward, float(forward))


def runs_to(
    frames: Iterable[int], prompted: Sequence[int], between: Between, direction: Direction
) -> tuple[dict[int, int], dict[int, int]]:
    """What is tracked to reach frames: from which prompted frames up, and from which down, each with the last
    frame of its run, included. ``prompted`` ascending."""
    up: dict[int, int] = {}
    down: dict[int, int] = {}
    for frame in frames:
        part = share(frame, prompted, between, direction)
        if part is None or frame in prompted:
            continue
        if part.forward:
            key = max(key for key in prompted if key < frame)
            up[key] = max(frame, up.get(key, frame))
        if part.backward:
            key = min(key for key in prompted if key > frame)
            down[key] = min(frame, down.get(key, frame))
    return up, down


def neighbours(frame: int, prompted: Sequence[int]) -> list[int]:
    """The prompted frames on either side of a frame (itself if prompted), ascending."""
    before = [key for key in prompted if key <= frame][-1:]
    after = [key for key in prompted if key >= frame][:1]
    return sorted({*before, *after})


def heard(frame: int, words: Sequence[Word]) -> list[int]:
    """Frames of the words that an object's matte on ``frame`` depends on, ascending, for
    ``Recall.NEIGHBOURS``.

    ``words`` in the order given. A frame depends on its neighbouring prompted frames; the output of one
    that was given later and corrects what tracking shows depends in turn on its neighbours among those
    given before it.
    """
    order = [word.frame for word in words]
    found: set[int] = set()
    waiting = neighbours(frame, sorted(order))
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        at = order.index(key)
        if words[at].corrects:
            waiting += neighbours(key, sorted(order[:at]))
    return sorted(found)


def spans_touched(changed: Iterable[int], prompted: Sequence[int], first: int, last: int) -> list[range]:
    """Ranges to track again after the words on ``changed`` frames were given, altered or removed.

    ``prompted`` are the object's prompted frames now, ascending. Each range reaches from the
    neighbouring prompted frame before to the one after, or to ``first`` and ``last``. Ranges are
    ascending and do not overlap.
    """
    touched: list[tuple[int, int]] = []
    for frame in sorted(set(changed)):
        start = max((key for key in prompted if key < frame), default=first)
        end = min((key for key in prompted if key > frame), default=last)
        start, end = max(start, first), min(end, last)
        if start > end:
            continue
        if touched and start <= touched[-1][1]:
            touched[-1] = (touched[-1][0], max(end, touched[-1][1]))
        else:
            touched.append((start, end))
    return [range(start, end + 1) for start, end in touched]
