"""What to do after a command was stopped: commands differ in how they keep what is there."""

from __future__ import annotations

import argparse
import sys

from ..batch.progress import ProgressStyle, make_progress
from ..contract.errors import Cancelled, EfficientTAMError


def say_how(error: EfficientTAMError, args: argparse.Namespace) -> None:
    """Gives a Cancelled that says no remedy the one of the command that was stopped."""
    if not isinstance(error, Cancelled) or error.remedy:
        return
    if hasattr(args, "resume"):
        error.remedy = "Run it again, with --resume to keep what is there."
    elif getattr(args, "keeps", False):
        error.remedy = "Run it again: it keeps what is there and good."
    else:
        error.remedy = "Run it again."


def tell_stopped(stopped: Cancelled, args: argparse.Namespace | None = None) -> None:
    """Says that a signal came while nothing was being made; ``args`` as far as they are known."""
    if args is not None:
        say_how(stopped, args)
    print(f"efficienttam: {stopped}", file=sys.stderr)
    make_progress(ProgressStyle(getattr(args, "progress", "none"))).failed(stopped)
