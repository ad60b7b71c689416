"""The mattes of a tracking in the Viewer, while they are made and at its end.

They are on disk whether Nuke shows them or not: what it refuses ends no tracking, and is tried again.
"""

from __future__ import annotations

import time
from typing import Optional, Tuple

from efficienttam.contract.errors import EfficientTAMError, JobError

from . import inner_graph, knobs, tracker_node
from .tracker_node import TrackerNode

#: Seconds until what Nuke refused is tried again.
AGAIN_SECONDS = 1.0


class ShownMattes:
    """The mattes of a node at one place, as the Read inside shows them. Knows its node by uuid."""

    def __init__(self, uuid: str, path: str) -> None:
        self.uuid = uuid
        #: Why Nuke does not show what is on disk by now; None where it does.
        self.refused: Optional[EfficientTAMError] = None
        #: True where it may do so in a moment.
        self.may_come = False
        self._path = path
        self._frames: Tuple[int, int] = (0, 0)
        self._tried = 0.0
        self._told = ""

    def show(self, first: int, last: int) -> None:
        """Shows what is on disk of these frames, beside what was shown of the same files before.

        Raises nothing: ``refused`` tells what stood in the way.
        """
        self._frames, self._tried = (first, last), time.monotonic()
        self.refused, self.may_come = None, False
        tracker = tracker_node.find(self.uuid)
        if tracker is None:
            return
        try:
            inner_graph.show_mattes(tracker, self._path, *_beside_those_shown(tracker, first, last))
        except EfficientTAMError as error:
            self.refused = error
        except RuntimeError as error:
            # Nuke may be rendering.
            self.may_come = True
            self.refused = JobError(
                "Nuke does not show the mattes yet: {}.".format(str(error).strip().rstrip(".")),
                "They are on disk, and it is tried again.",
            )

    def tell_end(
        self, tracker: TrackerNode, told: str, label: str, frames: Optional[Tuple[int, int]]
    ) -> None:
        """Tells how a tracking ended, and shows its mattes of ``frames`` unless they are shown already."""
        tracker.tell(told, label)
        if frames is not None:
            self.show(*frames)
        self._told = told
        if self.refused is not None:
            tracker.tell(self._told_refused())

    def try_again(self) -> bool:
        """Shows after the end what was refused at it; True while it may still come."""
        if not self.may_come or time.monotonic() - self._tried < AGAIN_SECONDS:
            return self.may_come
        before = self._told_refused()
        self.show(*self._frames)
        tracker = tracker_node.find(self.uuid)
        # The artist may have been told something else since.
        if tracker is not None and tracker.text(knobs.STATUS) == " ".join(before.split()):
            tracker.tell(self._told_refused())
        return self.may_come

    def _told_refused(self) -> str:
        return self._told if self.refused is None else "{} {}".format(self._told, self.refused)


def _beside_those_shown(tracker: TrackerNode, first: int, last: int) -> Tuple[int, int]:
    """A preview's job is short: what was tracked before stays in sight."""
    if not tracker.flag(knobs.HAS_MATTES):
        return first, last
    read = tracker.inner(knobs.READ)
    return min(first, int(read["first"].value())), max(last, int(read["last"].value()))
