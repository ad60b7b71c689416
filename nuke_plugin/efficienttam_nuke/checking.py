"""Frames to check: the engine reads the scores in the mattes' files, the node goes where they tell.

Asked anew with every press, so that it holds for the mattes as they are; no plate and no network is loaded.
"""

from __future__ import annotations

from typing import Optional, Sequence

from efficienttam.contract.errors import EfficientTAMError, JobError
from efficienttam.contract.frames_to_check import frames_to_check, run_starts
from efficienttam.contract.job import Layout, Output
from efficienttam.contract.messages import Failed, GetReview, Message, Review

from . import display, host, jobs, knobs, listeners, plate, tracker_node
from .tracker_node import TrackerNode, path_in


def jump(tracker: TrackerNode, step: int) -> None:
    """Goes to the next place to check (``step`` 1) or to the one before (-1), when the engine has answered.

    Raises JobError where there is nothing that could be checked yet.
    """
    session = jobs.session()
    if session.is_busy(tracker.uuid):
        raise JobError("This node is being tracked.", "Press Stop first, or wait.")
    request = request_of(tracker)
    uuid, frame = tracker.uuid, host.frame()
    tracker.tell("Looking for frames to check.")

    def heard(message: Message) -> None:
        alive = tracker_node.find(uuid)
        if alive is None:
            return
        try:
            if isinstance(message, Failed):
                raise jobs.EngineFailed(message)
            if isinstance(message, Review):
                _go(alive, message, frame, step)
        except EfficientTAMError as error:
            alive.tell_error(error)

    session.ask(request, heard)


def request_of(tracker: TrackerNode) -> GetReview:
    """What to ask: the frames that the node shows, of its objects, in its first view."""
    names = tuple(thing.name for thing in tracker.sheet.objects)
    if not tracker.flag(knobs.HAS_MATTES) or not names:
        raise JobError("There are no mattes yet.", "Track first.")
    read = tracker.inner(knobs.READ)
    frames = int(read["first"].value()), int(read["last"].value())
    views = plate.views_of(tracker)
    output = Output(path_in(read["file"]), Layout.LAYER_PER_OBJECT)
    return GetReview(0, "", output, names, frames, views[0] if views else "")


def beside(places: Sequence[int], frame: int, step: int) -> Optional[int]:
    """The nearest of the places after ``frame``, or before it; None where there is none."""
    there = [place for place in places if (place > frame if step > 0 else place < frame)]
    return (min(there) if step > 0 else max(there)) if there else None


def _go(tracker: TrackerNode, review: Review, frame: int, step: int) -> None:
    if not review.frames:
        raise JobError("There are no mattes on disk.", "Track first.")
    marks = frames_to_check(
        {one.frame: {matte.name: matte.score for matte in one.mattes} for one in review.frames}
    )
    places = run_starts(tuple(marks))
    if not places:
        tracker.tell("Nothing to check in {} frames.".format(len(review.frames)))
        return
    target = beside(places, frame, step)
    if target is None:
        where = "after" if step > 0 else "before"
        tracker.tell("Nothing to check {} frame {}; {} in all.".format(where, frame, _told(len(places))))
        return
    host.go_to(target)
    display.show_current(tracker)
    listeners.announce(tracker.uuid, listeners.Change.FRAME)
    number = places.index(target) + 1
    tracker.tell(
        "Check frame {} ({} of {}): {}.".format(target, number, _told(len(places)), "; ".join(marks[target]))
    )


def _told(places: int) -> str:
    return "1 place" if places == 1 else "{} places".format(places)
