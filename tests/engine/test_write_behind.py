"""Writing behind: results in order, bounded waiting, errors that surface."""

from __future__ import annotations

import threading
import time

import pytest

from efficienttam.batch.write_behind import DEPTH, THREADS, WriteBehind


def test_results_come_in_the_order_the_work_was_given() -> None:
    behind: WriteBehind[int] = WriteBehind()

    def slow_when_even(number: int) -> int:
        time.sleep(0.01 * (number % 2 == 0))
        return number

    told = [done for n in range(20) for done in behind.submit(lambda n=n: slow_when_even(n))]
    told += behind.finish()
    behind.close()
    assert told == list(range(20))


def test_a_slow_disk_holds_the_work_up_instead_of_filling_memory() -> None:
    behind: WriteBehind[None] = WriteBehind()
    gate = threading.Event()
    given = 0

    def give() -> None:
        nonlocal given
        for _ in range(50):
            for _ in behind.submit(gate.wait):
                pass
            given += 1

    giver = threading.Thread(target=give)
    giver.start()
    time.sleep(0.3)
    assert given <= DEPTH, "the giver waits"
    gate.set()
    giver.join(10)
    assert given == 50
    behind.close()
    assert THREADS <= DEPTH


def test_an_error_surfaces_at_the_next_chance() -> None:
    behind: WriteBehind[None] = WriteBehind()

    def full() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        list(behind.submit(full))
        list(behind.finish())
    behind.close()
