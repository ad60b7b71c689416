"""Nodes that came into the script and were made beside another: they write mattes of their own.

A node that is pasted, or comes with a script, brings along where its mattes go, and a uuid that its rendered
frames lie under. Two scripts that write there would undo each other's work. In onCreate nobody can tell,
since Nuke may be opening the script then and its name need not be known. So a node is looked at once that
script is open, when the script is saved, and before anything is written for it.
"""

from __future__ import annotations

import os
import tempfile
from typing import Set

from efficienttam.contract.errors import EfficientTAMError

from . import feed_store, host, job_document, jobs, knobs, listeners, plate
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

    They are shown until it is tracked again; where somebody named a place for them it stays. ``opened`` says
    that it came with the script, not into it.
    """
    uuid = tracker.uuid
    is_later = tracker.whole(knobs.VERSION) > knobs.NODE_VERSION
    if is_later:
        return
    if uuid not in _new:
        if _is_unused_copy(tracker):
            tracker.issue_uuid()
            _here.add(tracker.uuid)
        _note_home(tracker)
        return
    of_elsewhere = _is_of_elsewhere(tracker, opened)
    if of_elsewhere and jobs.session().is_busy(uuid):
        return
    _new.discard(uuid)
    if of_elsewhere:
        former = _frames_of(tracker)
        tracker.issue_uuid()
        own = _frames_of(tracker)
        if former and own:
            feed_store.inherit(own, former)
        told = tracker.text(knobs.STATUS)
        if tracker.flag(knobs.HAS_MATTES):
            told = "New mattes go beside this script; those made beside another are shown until then."
            if tracker.text(knobs.MATTES):
                told = "The node is of another script: the mattes made there are shown until it is tracked."
        tracker.tell(told, "")
    _here.add(tracker.uuid)
    _note_home(tracker)


def _is_of_elsewhere(tracker: TrackerNode, opened: bool) -> bool:
    home, script = _home_of(tracker), host.script_name()
    elsewhere = bool(home) and not _same(home, os.path.dirname(script))
    if opened:
        return elsewhere
    if tracker.uuid in _here:
        return False
    # In a terminal a script is often read into an empty one, and saved then.
    return host.has_window() or bool(script and elsewhere)


def _is_unused_copy(tracker: TrackerNode) -> bool:
    """True for a node that nothing was made with, in a script that was saved into another folder: where all
    shots begin with one script they are to part at once."""
    home, script, uuid = _home_of(tracker), host.script_name(), tracker.uuid
    used = tracker.flag(knobs.HAS_MATTES) or jobs.session().is_busy(uuid) or listeners.is_heard(uuid)
    elsewhere = bool(home and script) and not _same(home, os.path.dirname(script))
    return host.has_window() and elsewhere and not used


def _home_of(tracker: TrackerNode) -> str:
    """The folder of the script that the node is of; empty where nothing tells.

    What was tracked before the script had a name stays with it.
    """
    told = tracker.text(knobs.HOME) if tracker.node.knob(knobs.HOME) is not None else ""
    home = told or job_document.home_of(tracker.text(knobs.MATTES), tracker.uuid)
    nameless = os.path.join(tempfile.gettempdir(), "efficienttam")
    return home if home and not _same(home, nameless) else ""


def _note_home(tracker: TrackerNode) -> None:
    """Remembers the script's folder once and for all: one in another folder is a copy when it is opened."""
    script = host.script_name()
    if script and tracker.node.knob(knobs.HOME) is not None and not tracker.text(knobs.HOME):
        with host.without_undo():
            tracker.put(knobs.HOME, _home_of(tracker) or os.path.dirname(script))


def _frames_of(tracker: TrackerNode) -> str:
    """The folder of the node's rendered frames; empty where the settings do not tell."""
    try:
        return plate.feed_folder(tracker, jobs.current_settings().feed)
    except (EfficientTAMError, RuntimeError):
        # Tcl in the knob may name what only the other script has.
        return ""


def _same(one: str, other: str) -> bool:
    """True for one folder, whatever links and drives it is reached by."""
    one, other = (os.path.normcase(os.path.abspath(folder)) for folder in (one, other))
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:
        return False
