"""Reading ahead: order, bounds, errors and the end of threads."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from efficienttam.tracking.input_ahead import InputAhead


class Disk:
    """Prepares frames slowly or at once, and notes what was asked for and by whom."""

    def __init__(self, bad: int | None = None) -> None:
        self.asked: list[int] = []
        self.threads: set[str] = set()
        self._bad = bad
        self._lock = threading.Lock()

    def prepare(self, frame: int) -> torch.Tensor:
        with self._lock:
            self.asked.append(frame)
            self.threads.add(threading.current_thread().name)
        if frame == self._bad:
            raise OSError(f"{frame} is unreadable")
        return torch.tensor(frame)


def settled(disk: Disk, count: int) -> None:
    limit = time.monotonic() + 10
    while len(disk.asked) < count and time.monotonic() < limit:
        time.sleep(0.005)
    time.sleep(0.05)


@pytest.mark.parametrize("gpu", [False, True])
def test_a_pass_gets_every_frame_in_order_and_is_read_by_other_threads(gpu: bool) -> None:
    disk = Disk()
    ahead = InputAhead(disk.prepare, gpu=gpu)
    ahead.expect(range(1, 50), lambda frame: True)
    assert [int(ahead.take(frame)) for frame in range(1, 50)] == list(range(1, 50))
    assert sorted(disk.asked) == list(range(1, 50)), "nothing is read twice"
    assert threading.current_thread().name not in disk.threads
    ahead.close()


def test_no_more_than_its_depth_waits_however_long_the_pass() -> None:
    disk = Disk()
    ahead = InputAhead(disk.prepare, gpu=False)
    ahead.expect(range(10_000), lambda frame: True)
    settled(disk, ahead.depth)
    assert len(disk.asked) == ahead.depth
    ahead.take(0)
    settled(disk, ahead.depth + 1)
    assert len(disk.asked) == ahead.depth + 1
    ahead.close()


def test_frames_that_are_not_wanted_are_not_read() -> None:
    disk = Disk()
    ahead = InputAhead(disk.prepare, gpu=False)
    ahead.expect(range(20), lambda frame: frame % 5 == 0)
    assert int(ahead.take(10)) == 10, "what comes before it is passed over"
    ahead.close()
    assert set(disk.asked) <= {0, 5, 10, 15}


def test_a_frame_that_nobody_expected_is_read_all_the_same() -> None:
    disk = Disk()
    ahead = InputAhead(disk.prepare, gpu=False)
    assert int(ahead.take(7)) == 7
    ahead.expect(range(3), lambda frame: True)
    assert int(ahead.take(99)) == 99
    assert [int(ahead.take(frame)) for frame in range(3)] == [0, 1, 2]
    ahead.close()


def test_an_unreadable_frame_fails_when_it_is_taken_and_no_other_does() -> None:
    ahead = InputAhead(Disk(bad=2).prepare, gpu=False)
    ahead.expect(range(5), lambda frame: True)
    assert int(ahead.take(1)) == 1
    with pytest.raises(OSError, match="2 is unreadable"):
        ahead.take(2)
    assert int(ahead.take(3)) == 3
    ahead.close()


def test_closing_leaves_no_thread() -> None:
    before = threading.active_count()
    ahead = InputAhead(Disk().prepare, gpu=True)
    ahead.expect(range(100), lambda frame: True)
    ahead.take(0)
    ahead.close()
    assert threading.active_count() == before
