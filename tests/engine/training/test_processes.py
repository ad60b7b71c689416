"""Training processes that a run starts by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import distributed as dist

from efficienttam.contract.errors import JobError
from efficienttam.training.processes import Seat, start_processes

pytestmark = pytest.mark.usefixtures("loopback")


def add_up(seat: Seat, path: str) -> None:
    sum_of = torch.tensor(float(seat.rank + seat.count))
    dist.all_reduce(sum_of)
    if seat.rank == 0:
        with open(path, "w") as file:
            file.write(str(float(sum_of)))


def refuse(seat: Seat) -> None:
    if seat.rank == 1:
        raise JobError("The checkpoint is of another recipe.", "Name another folder.")
    dist.barrier()


def fail(seat: Seat) -> None:
    if seat.rank == 1:
        raise OSError(28, "No space left on device")
    dist.barrier()


def test_processes_share_and_their_errors_are_told(tmp_path) -> None:
    start_processes(add_up, 2, str(tmp_path / "sum"))
    assert (tmp_path / "sum").read_text() == "5.0"
    with pytest.raises(JobError, match="another recipe") as caught:
        start_processes(refuse, 2)
    assert caught.value.remedy == "Name another folder."
    with pytest.raises(RuntimeError, match=r"^OSError: .*No space left"):
        start_processes(fail, 2)


def linger(seat: Seat, folder: str) -> None:
    """Works on, whatever it is told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (Path(folder) / f"{seat.rank}.part").write_text(str(os.getpid()))
    os.rename(Path(folder) / f"{seat.rank}.part", Path(folder) / f"{seat.rank}.pid")
    time.sleep(600)


STARTED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_processes import linger
from efficienttam.training.processes import start_processes
if __name__ == "__main__":
    start_processes(linger, 2, sys.argv[2])
"""


@pytest.mark.skipif(os.name == "nt", reason="Processes are looked for by signals.")
def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "started.py"
    script.write_text(STARTED)
    with subprocess.Popen([sys.executable, script, Path(__file__).parent, tmp_path]) as parent:
        try:
            until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        finally:
            parent.kill()
    pids = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
    assert len(pids) == 2
    until(lambda: not any(map(is_there, pids)))


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that ended and was waited for by nobody is still listed.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
