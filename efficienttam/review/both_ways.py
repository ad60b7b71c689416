"""Tracking back: does a matte, tracked towards its prompt, lead to the mattes that led to it?

From every eighth frame the matte on disk is tracked back towards the prompted frame it came from, and held
against the matte eight frames nearer to it. Both ways must tell the same story; where the object was lost for
another, or leaked, they mostly do not. Frames come from the embedding cache: a plate that was tracked
here is not read again. One leg is in memory at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from ..batch.open_job import OpenJob, tracker_options
from ..contract.errors import PlateError
from ..contract.frames_to_check import ways
from ..contract.matte_score import MatteScore
from ..contract.passes import Direction
from ..contract.prompts import Prompt
from ..mattes.extent import agreement
from ..tracking import VideoTracker
from .shot import Shot, Strand
from .verdict import Verdict, judge, matte_on_disk

#: Frames of a leg: long enough for a slow leak to show, short enough to tell where.
LEG = 8


def legs(scores: dict[int, MatteScore], length: int = LEG) -> Iterator[list[list[int]]]:
    """For every way out from a prompted frame its legs, the nearest first: frames from the far end to the
    near one, both included. Where the object is lost a leg ends."""
    for way in ways(scores):
        seen: list[list[int]] = [[]]
        for frame in way:
            if scores[frame].area > 0:
                seen[-1].append(frame)
            elif seen[-1]:
                seen.append([])
        yield [run[near : near + length + 1][::-1] for run in seen for near in range(0, len(run) - 1, length)]


def steps(scores: dict[int, MatteScore]) -> int:
    """Frames that tracking back passes."""
    return sum(len(leg) - 1 for way in legs(scores) for leg in way)


def both_ways(opened: OpenJob, shot: Shot, verdict: Verdict) -> Verdict:
    """The verdict with ``agreement`` in the scores: the least of the frame's leg and those nearer to its
    prompt, for what comes after a break is of another thing too.

    Raises Cancelled as the job's ``visit`` does, PlateError for a frame that can neither be recalled nor
    read.
    """
    scores = dict(verdict.scores)
    for way in legs(verdict.scores):
        least = 1.0
        for leg in way:
            least = min(least, _agreement(opened, shot, verdict, leg))
            opened.progress.advance(leg[-1], verdict.view, len(leg) - 1)
            for frame in leg[:-1]:
                known = scores[frame].agreement
                worst = least if known is None else min(known, least)
                scores[frame] = dataclasses.replace(scores[frame], agreement=worst)
    return judge(Strand(verdict.name, verdict.view, verdict.frames), scores)


def _agreement(opened: OpenJob, shot: Shot, verdict: Verdict, leg: list[int]) -> float:
    """IoU of the matte at the near end of a leg with that of its far end tracked there."""
    far, near = leg[0], leg[-1]
    start, goal = (_matte(shot, verdict, frame) for frame in (far, near))
    if start is None or goal is None:
        return 0.0
    group = next(group for group in opened.groups(verdict.view) if verdict.name in group.names)
    tracker = VideoTracker(
        opened.model,
        group.plate,
        tracker_options(opened.job.tracking),
        opened.embeddings,
        visit=lambda frame: opened.visit(verdict.view, None, frame),
    )
    id = tracker.add_object(verdict.name)
    tracker.add_prompt(id, group.prompt(Prompt(far, mask=start)))
    direction = Direction.BACKWARD if far > near else Direction.FORWARD
    back = goal
    for result in tracker.propagate(far, near, direction):
        back = group.matte(result.mattes[id], result.frame)
    return agreement(back >= 0.5, goal >= 0.5)


def _matte(shot: Shot, verdict: Verdict, frame: int) -> np.ndarray | None:
    """The matte on disk; None where it is empty at a half, or gone."""
    try:
        matte = matte_on_disk(shot, verdict.name, frame, verdict.view)
    except PlateError:
        return None
    return matte if (matte >= 0.5).any() else None
