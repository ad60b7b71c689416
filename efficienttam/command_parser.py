"""How every command reads its arguments."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from .contract.errors import ExitCode


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line in one sentence; what begins like a negative number is a value."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def error(self, message: str) -> NoReturn:
        told = f"{self.prog}: {message[:1].upper()}{message[1:]}. See {self.prog} --help.\n"
        self.exit(int(ExitCode.USAGE), told)


def whole(least: int) -> Callable[[str], int]:
    """How an argument is read that is a whole number of at least so much."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is below {least}")
        return number

    read.__name__ = "whole number"
    return read


def above_zero(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0, or not finite")
    return number


above_zero.__name__ = "number"


def zero_or_more(text: str) -> float:
    """A finite number of at least 0."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is below 0, or not finite")
    return number


zero_or_more.__name__ = "number"
