"""Which frames a change of the prompts concerns. Pure; standard library only, Python 3.7 or newer."""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Sequence, Tuple

from efficienttam.contract.job import FrameRange, TrackJob
from efficienttam.contract.passes import Recall
from efficienttam.contract.prompts import Prompt

#: First and last frame, both included.
Run = Tuple[int, int]


def runs_to_track(before: TrackJob, now: TrackJob, first: int, last: int) -> List[Run]:
    """Frames of first..last whose mattes may differ between two jobs, as ascending runs.

    A prompt that was given, altered or removed concerns the frames up to its neighbouring prompts, before
    and after the change (the softness of a roto goes no further), and as many beyond as steady each other.
    An object less concerns none, frames that the earlier job did not reach are all concerned. All frames are
    concerned by an object more, another region, a prompt of an object whose region it may move or widen,
    another range where there are regions or frames go into each other, and by anything else in the job.
    """
    if _beside_prompts(before) != _beside_prompts(now) or now.tracking.recall is not Recall.NEIGHBOURS:
        return [(first, last)]
    beyond = now.mattes.steady_frames
    if before.range != now.range and (beyond or any(thing.region for thing in now.objects)):
        return [(first, last)]
    earlier = {thing.name: thing for thing in before.objects}
    runs: List[Run] = []
    for thing in now.objects:
        known = earlier.get(thing.name)
        if known is None or known.region != thing.region:
            return [(first, last)]
        was, is_now = _by_frame(known.prompts), _by_frame(thing.prompts)
        changed = [frame for frame in {*was, *is_now} if was.get(frame) != is_now.get(frame)]
        if changed and thing.region is not None:
            return [(first, last)]
        runs.extend(_spans(changed, [*was], first, last))
        runs.extend(_spans(changed, [*is_now], first, last))
    runs = [(max(start - beyond, first), min(end + beyond, last)) for start, end in runs]
    return joined(runs + _unreached(before.range, first, last))


def joined(runs: Sequence[Run]) -> List[Run]:
    """Runs ascending, those that overlap or touch made one."""
    result: List[Run] = []
    for start, end in sorted(runs):
        if result and start <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def _spans(changed: Sequence[int], prompted: Sequence[int], first: int, last: int) -> List[Run]:
    spans = []
    for frame in changed:
        start = max([key for key in prompted if key < frame] + [first])
        end = min([key for key in prompted if key > frame] + [last])
        if start <= end:
            spans.append((start, end))
    return spans


def _unreached(was: FrameRange, first: int, last: int) -> List[Run]:
    if was.first is None or was.last is None:
        return [(first, last)]
    runs = []
    if first < was.first:
        runs.append((first, min(last, was.first - 1)))
    if last > was.last:
        runs.append((max(first, was.last + 1), last))
    return runs


def _by_frame(prompts: Sequence[Prompt]) -> Dict[int, Prompt]:
    return {prompt.frame: prompt for prompt in prompts}


def _beside_prompts(job: TrackJob) -> TrackJob:
    return dataclasses.replace(job, objects=(), range=FrameRange())
