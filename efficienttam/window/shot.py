"""What the prompt window asks of its host, and what it tells it.

The host keeps the truth about a shot (a job document on disk, a knob in a script); the window keeps only
what it shows. Everything here is called on the thread of the window. Standard library only, Python 3.7 or
newer.
"""

from __future__ import annotations

import abc
import enum
from typing import Callable, FrozenSet, Optional, Sequence, Tuple

from ..contract.job import TrackJob
from ..contract.messages import OpenPlate
from ..contract.prompt_sheet import PromptSheet


class Outcome(enum.Enum):
    """How a tracking ended."""

    #: All mattes that were asked for are there.
    DONE = "done"
    #: The artist stopped it; finished frames are there.
    STOPPED = "stopped"
    #: An error ended it; finished frames are there.
    FAILED = "failed"


def _nobody_listens() -> None:
    """Stands where no window listens."""


class Shot(abc.ABC):
    """One shot, as its host keeps it. ``DocumentShot`` keeps it in a job document.

    A method may raise EfficientTAMError: the window shows its message and remedy in the status line. Where
    ``set_sheet`` raises, the window goes on with what ``sheet`` is then, and with what it was before the
    change where that cannot be told.
    """

    def __init__(self) -> None:
        #: The window's: the host calls it after the sheet was changed by other hands than the window's
        #: (an undo in the host, an edit of the knob). Not after ``set_sheet``.
        self.sheet_changed: Callable[[], None] = _nobody_listens
        #: The window's: the host calls it after its current frame was changed by other hands. Not after
        #: ``set_frame``.
        self.frame_changed: Callable[[], None] = _nobody_listens
        #: The window's: the host calls it after the plate, the range, the model or the output became
        #: another: the window asks ``open_plate`` and all that follows again.
        self.plate_changed: Callable[[], None] = _nobody_listens

    @property
    @abc.abstractmethod
    def title(self) -> str:
        """What the shot is called, for people."""

    @property
    @abc.abstractmethod
    def sheet(self) -> PromptSheet:
        """The prompts as they are now."""

    @abc.abstractmethod
    def set_sheet(self, sheet: PromptSheet, what: str) -> None:
        """Keeps another sheet. ``what`` tells the change in a few words, for the host's own undo list.

        A host that refuses a sheet raises and leaves ``sheet`` as it is; one that keeps it and could not
        do all that goes with it raises with ``sheet`` the new one.
        """

    @property
    @abc.abstractmethod
    def frame(self) -> int:
        """The host's current frame. It may lie outside the plate."""

    @abc.abstractmethod
    def set_frame(self, frame: int) -> None:
        """The window shows another frame now. A host that has no current frame keeps the number."""

    @abc.abstractmethod
    def open_plate(self) -> OpenPlate:
        """The request that opens the plate; its ``id`` is of no account, its ``session`` names the shot."""

    @abc.abstractmethod
    def job(self, sheet: PromptSheet) -> TrackJob:
        """The job document of the shot with these prompts. Its first view is that of ``open_plate``."""

    @property
    @abc.abstractmethod
    def folder(self) -> str:
        """Where relative paths of the job are taken from."""

    @property
    def taken_names(self) -> FrozenSet[str]:
        """Names that a new object gets only from people: under them the host shows mattes of another one."""
        return frozenset()

    def feed(self, frames: Sequence[int]) -> None:
        """Makes the plate's frames exist on disk, before the window asks the worker about them.

        A host that renders its plate on demand does it here, and skips frames that are there; others
        have nothing to do. Called with one frame for a picture or a preview, with all that will be
        tracked before tracking.
        """

    def tracked(self, frames: Sequence[int]) -> None:
        """Mattes of these frames are new on disk: told about once a second while tracking, and at its end."""

    def track_began(self, job: TrackJob, frames: Optional[Tuple[int, int]], stop: Callable[[], None]) -> None:
        """The window is about to track ``job``, of it ``frames`` (first and last; None for all).

        ``stop`` ends it after the frame at hand. ``track_ended`` follows, also where the window was shut
        meanwhile, as long as the host polls its client. What is raised here refuses the tracking.
        """

    def track_ended(self, outcome: Outcome, told: str) -> None:
        """Tracking ended; ``told`` is the sentence in the window's status line."""
