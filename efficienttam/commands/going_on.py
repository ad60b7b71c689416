"""What to do after a command was stopped: commands differ in how they keep what is there."""

from __future__ import annotations

import argparse

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
