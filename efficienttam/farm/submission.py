"""Handing work over: a scheduler's own program is found and run, and what it says is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

from ..contract.errors import EfficientTAMError, ExitCode

#: Seconds that a scheduler's program may take for one call.
PATIENCE = 180.0


class SubmissionError(EfficientTAMError):
    """A scheduler is not there, or takes no job. What was written stays."""

    exit_code = ExitCode.SUBMISSION


def find_program(name: str, scheduler: str, variable: str = "", note: str = "") -> str:
    """Path of a scheduler's program: in the folder that the environment's ``variable`` names, or the file
    ``note``, or on PATH. Raises SubmissionError.
    """
    folders = [os.environ.get(variable, ""), _noted(note), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(folder for folder in folders if folder))
    if found:
        return found
    places = f"in the folder of {variable}, nor on PATH" if variable else "on PATH"
    raise SubmissionError(
        f"{scheduler} is not on this machine: there is no program {name} {places}.",
        f"Install the client of {scheduler}, or submit where there is one.",
    )


def _noted(note: str) -> str:
    """The folder that a file names; empty where there is no such file."""
    try:
        with open(note, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


def run_program(command: Sequence[str], scheduler: str, what: str, remedy: str) -> str:
    """Runs a scheduler's program without a shell; returns what it printed.

    ``what`` is handed over. Raises SubmissionError with what the program said when it fails.
    """
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            # Without a console window of its own on Windows; the name exists only there.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise SubmissionError(
            f"{scheduler} did not answer within {PATIENCE:.0f} seconds about {what}.", remedy
        ) from None
    except OSError as error:
        raise SubmissionError(f"{command[0]} cannot be run: {error.strerror}.", remedy) from error
    printed = ended.stdout.decode("utf-8", "replace")
    if ended.returncode:
        raise refusal(scheduler, what, printed or f"it ended with {ended.returncode}", remedy)
    return printed


def refusal(scheduler: str, what: str, said: str, remedy: str) -> SubmissionError:
    """The error that tells what a scheduler said against ``what``, in one line."""
    line = re.sub(r"\s+", " ", said).strip()
    shown = line if len(line) <= 300 else line[:297] + "..."
    return SubmissionError(f"{scheduler} refused {what}: {shown.rstrip('.')}.", remedy)
