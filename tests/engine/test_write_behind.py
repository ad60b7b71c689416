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


def test_what_has_begun_is_finished_and_the_rest_is_dropped() -> None:
    behind: WriteBehind[int] = WriteBehind()
    gate, begun = threading.Event(), []

    def work(number: int) -> int:
        begun.append(number)
        gate.wait(10)
        return number

    for number in range(DEPTH):
        assert list(behind.submit(lambda number=number: work(number))) == []
    while len(begun) < THREADS:
        time.sleep(0.001)
    rest = behind.finish_begun()
    threading.Timer(0.1, gate.set).start()
    assert list(rest) == list(range(THREADS)) and begun == list(range(THREADS))
    behind.close()
    assert begun == list(range(THREADS))


def test_what_is_abandoned_is_not_waited_for() -> None:
    behind: WriteBehind[bool] = WriteBehind()
    gate, ended = threading.Event(), threading.Semaphore(0)

    def work() -> bool:
        gate.wait(30)
        ended.release()
        return True

    for _ in range(DEPTH):
        assert list(behind.submit(work)) == []
    behind.abandon()
    behind.close()
    gate.set()
    assert all(ended.acquire(timeout=10) for _ in range(THREADS)), "what has begun ends by itself"
    assert not ended.acquire(timeout=0.1), "the rest never begins"


def test_a_wait_can_be_ended_and_loses_nothing() -> None:
    asked = []

    def meanwhile() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise InterruptedError

    behind: WriteBehind[int] = WriteBehind(meanwhile)
    gate = threading.Event()
    assert list(behind.submit(lambda: gate.wait(10) and 5)) == []
    with pytest.raises(InterruptedError):
        list(behind.finish())
    gate.set()
    assert list(behind.finish_begun()) == [5]
    behind.close()
