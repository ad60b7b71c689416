"""The words of ``doctor`` and ``settings``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..command_parser import Parser


def add_site(commands: argparse._SubParsersAction[Parser], add: Callable[..., Parser]) -> None:
    """Adds them to the command line; ``add`` is how it adds a command."""
    doctor = add(commands, "doctor", "check that the engine can work on this machine", "doctor", "doctor")
    settings = add(
        commands, "settings", "tell every setting of this machine and who said it", "settings", "settings"
    )
    told: Any
    for told in (doctor, settings):
        told.add_argument("--json", action="store_true", help="print it as JSON")
    doctor.add_argument("--device", default="", metavar="NAME", help="auto, cpu, mps, cuda or cuda:N")
    doctor.add_argument("--no-trial", action="store_true", help="start no worker: a second instead of ten")
    doctor.add_argument(
        "--engine-only", action="store_true", help="leave out what the installer beside it tells of the host"
    )
