"""What progress says, and what failures below us become."""

import errno
import io
import json
import sys
import time

import pytest
import torch

from efficienttam.batch.failures import plain_failures
from efficienttam.batch.progress import (
    BarProgress,
    JsonProgress,
    OpenJdProgress,
    PlainProgress,
    ProgressStyle,
    make_progress,
)
from efficienttam.contract.errors import DeviceError, OutputError, PlateError


def tell(progress):
    progress.status("Loading.")
    progress.begin(4, 2)
    for frame in (1001, 1002):
        progress.wrote(frame, "left", f"hero.{frame}.exr")
        progress.advance(frame, "left", 2)
    progress.end("Done.")


def test_bar():
    stream = io.StringIO()
    tell(BarProgress(stream))
    assert "4/4" in stream.getvalue() and "2 mattes are there already" in stream.getvalue()


@pytest.fixture
def at(monkeypatch):
    """Sets the clock that progress reads."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def set_to(seconds):
        now[0] = seconds

    return set_to


def pass_and_make(progress, at):
    """Three frames in ten seconds that give nothing, then one in a second that gives half of four mattes."""
    progress.begin(4, 0)
    for frame in (1001, 1002, 1003, 1004):
        progress.visit(frame, "", passed=frame < 1004)
        at((frame - 1000) * 10 / 3 if frame < 1004 else 11)
    progress.advance(1004, "", 2)


def test_time_on_passed_frames_is_no_pace(at):
    stream = io.StringIO()
    pass_and_make(JsonProgress(stream), at)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["frame"] for event in events if event["event"] == "passing"] == [1001, 1002, 1003]
    assert events[-1]["seconds_left"] == 1.0


def test_lines_go_on_while_frames_are_passed(at):
    stream = io.StringIO()
    pass_and_make(PlainProgress(stream, every_seconds=5), at)
    assert stream.getvalue().splitlines() == [
        "4 mattes to make.",
        "frame 1003: passed to reach others, 0/4",
    ]
    stream = io.StringIO()
    pass_and_make(OpenJdProgress(stream), at)
    assert "openjd_status: Passing frame 1003 to reach others." in stream.getvalue().splitlines()
    stream = io.StringIO()
    pass_and_make(BarProgress(stream), at)
    assert "passing 1003" in stream.getvalue()


def test_one_matte_is_one():
    stream = io.StringIO()
    for progress in (PlainProgress(stream), BarProgress(stream)):
        progress.begin(1, 1)
    assert stream.getvalue().startswith("1 matte to make, 1 kept.\n1 matte is there already and was kept.")


def test_plain_lines_now_and_then():
    stream = io.StringIO()
    tell(PlainProgress(stream, every_seconds=60))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["Loading.", "4 mattes to make, 2 kept."]
    assert lines[2].startswith("frame 1002 left: 4/4 (100%)") and lines[3:] == ["Done."]


def test_json_lines():
    stream = io.StringIO()
    progress = JsonProgress(stream)
    tell(progress)
    progress.failed(PlateError("Bad.", "Mend it."))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == [
        *("status", "begin", "wrote", "progress", "wrote", "progress", "end", "failed")
    ]
    assert events[3] | {"seconds_left": None} == {
        "event": "progress",
        "frame": 1001,
        "view": "left",
        "done": 2,
        "mattes": 4,
        "fraction": 0.5,
        "seconds_left": None,
    }
    assert events[-1] == {"event": "failed", "message": "Bad.", "remedy": "Mend it.", "exit_code": 3}


def test_openjd_lines_stay_one_line():
    stream = io.StringIO()
    progress = OpenJdProgress(stream)
    tell(progress)
    progress.failed(PlateError("Two\nlines.", "Mend\nit."))
    lines = stream.getvalue().splitlines()
    assert lines[-1] == "openjd_fail: Two lines. Mend it."
    assert "openjd_progress: 50.0" in lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_with_time_left(at, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = make_progress(ProgressStyle.AUTO)
    assert isinstance(progress, BarProgress)
    progress.begin(4, 0)
    progress.visit(1001, "", passed=True)
    now[0] = 100.0
    progress.visit(1002, "", passed=True)
    now[0] = 110.0
    progress.advance(1002, "", 1)
    shown = sys.stderr.getvalue().split("\r")[-1]
    assert "1/4" in shown and "01:50<00:30" in shown, "ten seconds each for three more"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(make_progress(ProgressStyle.AUTO), PlainProgress)


@pytest.mark.parametrize("style", ProgressStyle)
def test_every_style_is_made(style):
    assert make_progress(style)


@pytest.mark.parametrize(
    ("failure", "becomes"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), DeviceError),
        (MemoryError(), DeviceError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), DeviceError),
        (OSError(errno.ENOSPC, "No space left on device", "/out/a.exr"), OutputError),
        (RuntimeError("something else"), RuntimeError),
        (OSError(errno.EIO, "I/O error"), OSError),
        (PlateError("Bad."), PlateError),
    ],
)
def test_failures_become_errors_with_a_remedy(failure, becomes):
    with pytest.raises(becomes) as caught, plain_failures():
        raise failure
    if becomes is not type(failure):
        assert caught.value.remedy
