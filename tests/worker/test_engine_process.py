"""The process of an engine, seen from its host."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from efficienttam.client.engine_process import EngineProcess


@pytest.mark.parametrize("slow", ["log", "writes", "reads"])
def test_one_that_ends_at_once_is_told_however_late_a_thread_begins(
    slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it is gone before all threads run; end and last words are told all the same."""
    start = threading.Thread.start

    def late(thread: threading.Thread) -> None:
        if thread.name == "efficienttam " + slow:
            time.sleep(0.5)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", late)
    process = EngineProcess([sys.executable, "-S", "-c", "import sys; print('gone', file=sys.stderr)"])
    assert process.lines.get(timeout=30) is None
    assert process.log == ["gone"] and process.exit_status == 0
