"""What a stopped command says to do next is something that it can do."""

from __future__ import annotations

import pytest

from efficienttam.cli import build_parser
from efficienttam.commands.going_on import say_how
from efficienttam.contract.errors import Cancelled, PlateError

TASK = "farm task x.job.json --step track --frames 1-2"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("track x.job.json", "with --resume"),
        ("demo", "with --resume"),
        (TASK, "it keeps what is there"),
        ("embed x.job.json", "it keeps what is there"),
        ("farm verify x.job.json", "Run it again."),
        ("review x.job.json", "Run it again."),
    ],
)
def test_a_stopped_command_says_how_it_goes_on(words: str, told: str) -> None:
    stopped = Cancelled("Stopped.")
    say_how(stopped, build_parser().parse_args(words.split()))
    assert told in stopped.remedy
    assert ("--resume" in stopped.remedy) == (told == "with --resume")


def test_other_errors_and_other_remedies_stay() -> None:
    args = build_parser().parse_args(TASK.split())
    for error in (PlateError("No plate."), Cancelled("Stopped.", "Nothing was kept.")):
        remedy = error.remedy
        say_how(error, args)
        assert error.remedy == remedy
