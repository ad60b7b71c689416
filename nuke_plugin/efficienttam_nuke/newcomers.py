"""Nodes that came into the script and were made beside another: they write mattes of their own.

A node that is pasted, or comes with a script, brings along where its mattes go. Two scripts that write there
would undo each other's work. In onCreate nobody can tell, since Nuke may be opening the script then and its
name need not be known. So a node is looked at once that script is open, when the script is saved, and
before anything is written for it.
"""

from __future__ import annotations

import os
import tempfile
from typing import Set

from . import host, job_document, jobs, knobs
from .tracker_node import TrackerNode

#: uuids that nodes brought along and that were not looked at yet.
_new: Set[str] = set()
#: uuids that belong to this script.
_here: Set[str] = set()


def came(uuid: str) -> None:
    """A node brought its uuid along: it was pasted, imported, or its script is being opened."""
    _new.add(uuid)


def belongs(uuid: str) -> None:
    """A node got its uuid in this script."""
    _here.add(uuid)


def script_closed() -> None:
    """Nothing is known of the next script."""
    _new.clear()
    _here.clear()


def script_opened_in_terminal() -> None:
    """All nodes keep what they have: farms work on copies of scripts that lie anywhere."""
    _here.clear()
    _here.update(_new)
    _new.clear()


def settle(tracker: TrackerNode, opened: bool = False) -> None:
    """Gives a node that is of elsewhere a uuid of its own, which also leaves the mattes of before alone.

    They are shown until it is tracked again. ``opened`` says that it came with the script, not into it.
    """
    uuid = tracker.uuid
    is_later = tracker.whole(knobs.VERSION) > knobs.NODE_VERSION
    if uuid not in _new or is_later:
        return
    of_elsewhere = _is_of_elsewhere(tracker, opened)
    if of_elsewhere and jobs.session().is_busy(uuid):
        return
    _new.discard(uuid)
    if of_elsewhere:
        tracker.issue_uuid()
        tracker.tell("New mattes go beside this script; those made beside another are shown until then.", "")
    _here.add(tracker.uuid)


def _is_of_elsewhere(tracker: TrackerNode, opened: bool) -> bool:
    home, script = job_document.home_of(tracker.text(knobs.MATTES), tracker.uuid), host.script_name()
    if home is None:
        return False
    in_folder = _same(home, os.path.dirname(script))
    if opened:
        # What was tracked before the script had a name stays with it.
        return not in_folder and not _same(home, os.path.join(tempfile.gettempdir(), "efficienttam"))
    if tracker.uuid in _here:
        return False
    # In a terminal a script is often read into an empty one, and saved then.
    return host.has_window() or bool(script and not in_folder)


def _same(one: str, other: str) -> bool:
    """True for one folder, whatever links and drives it is reached by."""
    one, other = (os.path.normcase(os.path.abspath(folder)) for folder in (one, other))
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:
        return False
