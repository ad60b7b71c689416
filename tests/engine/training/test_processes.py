"""Training processes that a run starts by itself."""

from __future__ import annotations

import pytest
import torch
from torch import distributed as dist

from efficienttam.contract.errors import JobError
from efficienttam.training.processes import Seat, start_processes


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
