"""Tracking as the window runs it: one job at a time, its mattes shown as they come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, List, Optional, Tuple

from ..client.worker_client import was_cancelled
from ..contract.errors import EfficientTAMError
from ..contract.job import TrackedObject
from ..contract.messages import Done, Failed, FrameDone, Message, Progress, Status, TrackRequest
from ..contract.prompt_sheet import PromptSheet
from .matte_image import matte_from_png
from .notice import Notice
from .shot import Outcome
from .shot_edits import checked, ready_objects

if TYPE_CHECKING:
    from .session import Session

#: Seconds between two reports of new mattes to the host.
_REPORT_SECONDS = 1.0


class TrackingRun:
    """The job that runs, if any. ``changed`` follows whatever is told here."""

    def __init__(self, session: Session) -> None:
        self.changed = Notice()
        #: A frame's mattes are new and have pictures: the frame.
        self.frame_done = Notice()
        #: It came to an end: a sentence, and True where it tells of trouble.
        self.ended = Notice()
        self._session = session
        self._number: Optional[int] = None
        self._new: List[int] = []
        self._reported = 0.0
        self._stopping = False
        #: The objects as they were tracked last, to tell whether anything was said since; None before.
        self.sent: Optional[Tuple[TrackedObject, ...]] = None
        self.progress: Optional[Progress] = None
        self.words = ""

    @property
    def running(self) -> bool:
        """True until the job is answered."""
        return self._number is not None

    def start(self, sheet: PromptSheet, first: Optional[int] = None, last: Optional[int] = None) -> bool:
        """Tracks the sheet over the shot's range, or a part of it; True when it began."""
        session = self._session
        if self.running or not session.ready() or session.plate is None:
            return False
        begin = session.plate.first if first is None else first
        end = session.plate.last if last is None else last
        try:
            refused = checked(sheet, session.plate.first, session.plate.last)
            if refused is not None:
                raise refused
            session.shot.feed(range(begin, end + 1))
            job = session.shot.job(sheet)
            part = None if first is None and last is None else (begin, end)
            session.shot.track_began(job, part, self.stop)
        except EfficientTAMError as error:
            session.trouble(error)
            return False
        self.progress, self.words, self._new, self._stopping = None, "Tracking...", [], False
        self.sent = ready_objects(sheet)
        self._reported = time.monotonic()
        folder = session.shot.folder
        # For a job no side means no pictures; elsewhere the plate's own.
        side = session.side or max(session.plate.width, session.plate.height)
        request = TrackRequest(0, job, folder, part, resume=True, side=side)
        self._number = session.client.send(request, self._heard)
        self.changed.emit()
        return True

    def stop(self) -> None:
        """Ends the job at the next frame; what is finished stays."""
        if self._number is not None and not self._stopping:
            self._stopping = True
            self.words = "Stopping..."
            self._session.client.cancel(self._number)
            self.changed.emit()

    def _heard(self, message: Message) -> None:
        if isinstance(message, Status):
            self.words = message.text
        elif isinstance(message, Progress):
            self.progress = message
            self.words = "" if message.passing is None else "Passing frame {}.".format(message.passing)
        elif isinstance(message, FrameDone):
            self._take(message)
        else:
            self._end(message)
        self.changed.emit()

    def _take(self, message: FrameDone) -> None:
        if message.view != self._session.view:
            return
        shelf = self._session.shelf
        shelf.tracked(message.frame, message.mattes)
        pictured = False
        for matte in message.mattes:
            image = matte_from_png(matte.png)
            if image is not None:
                shelf.put(message.frame, matte.name, image, preview=False)
                pictured = True
            else:
                # Not every frame's mattes are sent along; what was seen of this one is of an earlier run.
                shelf.drop(message.frame, matte.name)
        self._session.mattes_tracked(message.frame, [matte.name for matte in message.mattes])
        self._new.append(message.frame)
        if pictured:
            self.frame_done.emit(message.frame)
        self._report(_REPORT_SECONDS)

    def _report(self, seconds: float) -> None:
        now = time.monotonic()
        if self._new and now - self._reported >= seconds:
            new, self._new, self._reported = self._new, [], now
            self._session.shot.tracked(new)

    def _end(self, message: Message) -> None:
        self._number = None
        self._report(0.0)
        outcome = Outcome.DONE
        if isinstance(message, Done):
            told = "Tracked: {} mattes made, {} kept.".format(message.made, message.kept)
        elif was_cancelled(message):
            outcome, told = Outcome.STOPPED, "Stopped; finished frames were kept. Track again to go on."
        elif isinstance(message, Failed):
            outcome = Outcome.FAILED
            told = " ".join("{} {}".format(message.message, message.remedy).split())
        else:
            told = "Tracked."
        if outcome is not Outcome.DONE:
            self.sent = ()
        self._session.shot.track_ended(outcome, told)
        self.ended.emit(told, outcome is Outcome.FAILED)
