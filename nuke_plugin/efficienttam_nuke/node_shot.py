"""The shot of one node, as the prompt window asks for it."""

from __future__ import annotations

from typing import Sequence

from efficienttam.contract.errors import JobError
from efficienttam.contract.job import FrameRange, TrackJob
from efficienttam.contract.messages import OpenPlate
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.window.shot import Shot

from . import (
    display,
    host,
    inner_graph,
    job_document,
    jobs,
    knobs,
    listeners,
    plate,
    sheet_edits,
    shot_job,
    tracker_node,
)
from .tracker_node import TrackerNode


class NodeShot(Shot):
    """The truth stays in the node's knobs. Every method raises JobError once the node is deleted."""

    def __init__(self, uuid: str) -> None:
        super().__init__()
        self.uuid = uuid
        #: True while we change the node for the window, which knows of it.
        self._saying = False
        self._name = self._tracker().name
        listeners.listen(uuid, self._heard)

    def leave(self) -> None:
        """Listens to the node no more; a tracking that the window began is nobody's now."""
        listeners.leave(self.uuid, self._heard)
        jobs.session().tracked_elsewhere(self.uuid, False)

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
        feed.ensure(range(words.first, words.last + 1))
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

    def feed(self, frames: Sequence[int]) -> None:
        # One frame was readied when the plate was opened; before tracking the graph is looked at again.
        if len(frames) > 1:
            tracker = self._tracker()
            plate.feed_of(tracker, jobs.current_settings().feed).ensure(frames)

    def tracked(self, frames: Sequence[int]) -> None:
        tracker = tracker_node.find(self.uuid)
        if tracker is None or not frames:
            return
        first, last = jobs.shown_range(tracker, min(frames), max(frames))
        inner_graph.show_mattes(tracker, shot_job.mattes_path(tracker), first, last)

    def track_began(self) -> None:
        tracker = self._tracker()
        jobs.session().tracked_elsewhere(self.uuid, True)
        tracker.tell("Tracking in the prompt window.", "tracking")

    def track_ended(self, told: str) -> None:
        jobs.session().tracked_elsewhere(self.uuid, False)
        tracker = tracker_node.find(self.uuid)
        if tracker is not None:
            tracker.tell(told, "tracked" if tracker.flag(knobs.HAS_MATTES) else "")

    def _tracker(self) -> TrackerNode:
        tracker = tracker_node.find(self.uuid)
        if tracker is None:
            raise JobError("The node is gone.", "Undo its deletion, or close this panel.")
        return tracker

    def _heard(self, change: listeners.Change) -> None:
        if self._saying:
            return
        if change is listeners.Change.SHEET:
            self.sheet_changed()
        elif change is listeners.Change.FRAME:
            self.frame_changed()
        else:
            self.plate_changed()
