"""How every command reads its arguments."""

from __future__ import annotations

import argparse
import re
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
