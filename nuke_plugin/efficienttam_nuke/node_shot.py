"""The shot of one node, as the prompt window asks for it."""

from __future__ import annotations

from typing import Callable, FrozenSet, Optional, Sequence, Tuple

from efficienttam.contract.errors import JobError
from efficienttam.contract.job import FrameRange, TrackJob
from efficienttam.contract.messages import OpenPlate
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.window.shot import Outcome, Shot

from . import (
    display,
    host,
    job_document,
    jobs,
    listeners,
    plate,
    sheet_edits,
    shot_job,
    tracker_node,
)
from .shown_mattes import ShownMattes
from .tracker_node import TrackerNode


class NodeShot(Shot):
    """The truth stays in the node's knobs. Every method raises JobError once the node is deleted."""

    def __init__(self, uuid: str) -> None:
        super().__init__()
        self.uuid = uuid
        #: True while we change the node for the window, which knows of it.
        self._saying = False
        #: What the window is to be told once Nuke's callback is over.
        self._noted: Optional[listeners.Change] = None
        self._soon = host.Timer(0, self.catch_up)
        self._rendering = False
        #: What the window tracks, and of it first and last frame.
        self._tracked: Optional[Tuple[TrackJob, int, int]] = None
        self._mattes = ShownMattes(uuid, "")
        self._name = self._tracker().name
        listeners.listen(uuid, self._heard)

    def leave(self, tell: bool = True) -> None:
        """Listens to the node no more. A tracking that the window began goes on, and is told by the node.

        Without ``tell`` no node is looked for: Nuke itself may be ending.
        """
        self._noted = None
        self._soon.stop()
        listeners.leave(self.uuid, self._heard)
        tracker = tracker_node.find(self.uuid) if tell and self._tracked is not None else None
        if tracker is not None:
            tracker.tell("Tracking goes on without the prompt window. Stop ends it.")

    @property
    def title(self) -> str:
        tracker = tracker_node.find(self.uuid)
        self._name = self._name if tracker is None else tracker.name
        return self._name

    @property
    def sheet(self) -> PromptSheet:
        return self._tracker().sheet

    def set_sheet(self, sheet: PromptSheet, what: str) -> None:
        tracker = self._tracker()
        sheet_edits.check_new_names(tracker.sheet, sheet)
        self._saying = True
        try:
            display.commit(tracker, sheet, what)
        finally:
            self._saying = False

    @property
    def frame(self) -> int:
        return host.frame()

    def set_frame(self, frame: int) -> None:
        self._saying = True
        try:
            host.go_to(frame)
        finally:
            self._saying = False

    def open_plate(self) -> OpenPlate:
        """Also renders the frames of the range where the plate has to be: a window opens on a whole plate."""
        tracker = self._tracker()
        feed = plate.feed_of(tracker, jobs.current_settings().feed)
        words = shot_job.words_of(tracker, tracker.sheet, feed)
        self._ensure(feed, range(words.first, words.last + 1))
        return OpenPlate(
            0,
            self.uuid,
            feed.plate,
            FrameRange(words.first, words.last),
            words.views[0] if words.views else "",
            job_document.model_of(words),
            job_document.tracking_of(words),
            "",
            words.form,
        )

    def job(self, sheet: PromptSheet) -> TrackJob:
        return shot_job.job_of(self._tracker(), sheet)[0]

    @property
    def folder(self) -> str:
        return ""

    @property
    def taken_names(self) -> FrozenSet[str]:
        tracker = tracker_node.find(self.uuid)
        return frozenset() if tracker is None else jobs.taken_names(tracker)

    def feed(self, frames: Sequence[int]) -> None:
        # One frame was readied when the plate was opened; before tracking the graph is looked at again.
        if len(frames) > 1:
            tracker = self._tracker()
            self._ensure(plate.feed_of(tracker, jobs.current_settings().feed), frames)

    def tracked(self, frames: Sequence[int]) -> None:
        tracker = tracker_node.find(self.uuid)
        if tracker is None:
            # It was deleted: nobody waits for the mattes.
            jobs.session().stop(self.uuid)
            return
        if frames:
            # What is refused now comes with the next ones, or is told at the end.
            self._mattes.show(min(frames), max(frames))

    def track_began(self, job: TrackJob, frames: Optional[Tuple[int, int]], stop: Callable[[], None]) -> None:
        tracker = self._tracker()
        shot_job.check_place(tracker, job.output.path)
        jobs.session().tracked_elsewhere(self.uuid, lambda: self._stop(stop))
        first, last = frames or job_document.range_of(job)
        self._tracked = (job, first, last)
        self._mattes = ShownMattes(self.uuid, job.output.path)
        tracker.tell("Tracking in the prompt window.", "tracking")

    def track_ended(self, outcome: Outcome, told: str) -> None:
        jobs.session().ended_elsewhere(self.uuid)
        tracker_node.or_told(self.uuid, lambda: self._end(outcome, told))

    def _end(self, outcome: Outcome, told: str) -> None:
        tracked, self._tracked = self._tracked, None
        tracker = tracker_node.find(self.uuid)
        if tracker is None or tracked is None:
            return
        job, first, last = tracked
        whole = job_document.range_of(job)
        label = jobs.STOPPED if outcome is Outcome.STOPPED else jobs.FAILED
        frames = whole if self._mattes.refused else None
        if outcome is Outcome.DONE:
            if (first, last) == whole:
                jobs.keep_job(tracker, job)
            label, frames = jobs.label_of(tracker, job, jobs.told_frames(first, last)), whole
        self._mattes.tell_end(tracker, told, label, frames)
        shot_job.refresh_label(tracker)
        jobs.session().show_later(self._mattes)

    def catch_up(self) -> None:
        """Tells the window of another frame or plate, for which it may render: never inside a callback."""
        self._soon.stop()
        if self._noted is None or self._rendering:
            return
        noted, self._noted = self._noted, None
        if noted is listeners.Change.PLATE:
            self.plate_changed()
        else:
            self.frame_changed()

    def _tracker(self) -> TrackerNode:
        tracker = tracker_node.find(self.uuid)
        if tracker is None:
            raise JobError("The node is gone.", "Undo its deletion, or close this panel.")
        return tracker

    def _stop(self, stop: Callable[[], None]) -> None:
        tracker = tracker_node.find(self.uuid)
        if tracker is not None:
            tracker.tell("Stopping after this frame.", "stopping")
        stop()

    def _ensure(self, feed: plate.Feed, frames: Sequence[int]) -> None:
        """Renders what is missing; Nuke lets timers run meanwhile."""
        self._rendering = True
        try:
            feed.ensure(frames)
        finally:
            self._rendering = False
            if self._noted is not None:
                self._soon.start()

    def _heard(self, change: listeners.Change) -> None:
        if self._saying:
            return
        if change is listeners.Change.SHEET:
            self.sheet_changed()
            return
        # Of both the plate: it is opened at the frame of then.
        if self._noted is not listeners.Change.PLATE:
            self._noted = change
        self._soon.start()
