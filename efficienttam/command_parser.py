"""How every command reads its arguments."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .contract.errors import ExitCode


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line in one sentence."""

    def error(self, message: str) -> NoReturn:
        told = f"{self.prog}: {message[:1].upper()}{message[1:]}. See {self.prog} --help.\n"
        self.exit(int(ExitCode.USAGE), told)
