"""Which tracked frames an artist should look at first, from what the network thought of its own masks.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Tuple

from ..contract.messages import ObjectMatte

#: Below this guess of the mask's quality (0 to 1) a matte is unsure. Good mattes of the demo weights are
#: guessed above 0.8, wrong ones mostly below 0.6.
LEAST_IOU = 0.6
#: A matte that covers so many times more or less than on the frame beside it has jumped.
AREA_FACTOR = 2.0
#: Areas below this share of the plate are too small to be compared.
LEAST_AREA = 0.0005

#: By frame, by name of the object: what was found out about its matte.
Scores = Mapping[int, Mapping[str, ObjectMatte]]


def look_here(scores: Scores) -> Dict[int, Tuple[str, ...]]:
    """Frames to look at, ascending, each with its reasons as sentences.

    An object is *lost* where its score is 0 or less between frames where it is above; *unsure* where the
    predicted IoU is below LEAST_IOU; it *jumps* where its area is more than AREA_FACTOR times that of
    the frame just before, or the other way round.
    """
    reasons: Dict[int, List[str]] = {}
    for name in sorted({name for mattes in scores.values() for name in mattes}):
        frames = sorted(frame for frame in scores if name in scores[frame])
        for frame, reason in _of_object(name, frames, [scores[frame][name] for frame in frames]):
            reasons.setdefault(frame, []).append(reason)
    return {frame: tuple(reasons[frame]) for frame in sorted(reasons)}


def _of_object(name: str, frames: Sequence[int], mattes: Sequence[ObjectMatte]) -> List[Tuple[int, str]]:
    seen = [index for index, matte in enumerate(mattes) if matte.score > 0]
    if not seen:
        return []
    found: List[Tuple[int, str]] = []
    for index in range(seen[0], seen[-1] + 1):
        frame, matte = frames[index], mattes[index]
        if matte.score <= 0:
            found.append((frame, "{} is lost.".format(name)))
            continue
        if matte.iou < LEAST_IOU:
            found.append((frame, "{} is unsure ({:d}%).".format(name, int(100 * max(matte.iou, 0.0)))))
        before = mattes[index - 1] if index and frames[index - 1] == frame - 1 else None
        if before is not None and before.score > 0 and _jumps(before.area, matte.area):
            found.append((frame, "{} changes its size at once.".format(name)))
    return found


def _jumps(one: float, other: float) -> bool:
    small, large = sorted((one, other))
    return small >= LEAST_AREA and large > AREA_FACTOR * small
