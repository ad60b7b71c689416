"""Errors a user may meet. Each tells what was got, what was expected and what to do.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What a process of ours returns; documented in docs/command_line.md."""

    OK = 0
    #: Something failed that no rule below names (a defect of ours, most likely).
    FAILED = 1
    #: The command line, the job document or a prompt is wrong. Nothing was started.
    USAGE = 2
    #: The plate, a roto mask or a colour space cannot be read or found.
    INPUT = 3
    #: The weights are missing, damaged or of another variant.
    WEIGHTS = 4
    #: A matte cannot be written (disk full, no permission).
    OUTPUT = 5
    #: The device cannot do the work (out of memory, no such device).
    DEVICE = 6
    #: Outputs are incomplete or do not verify.
    INCOMPLETE = 7
    #: Mattes are to be checked, and the command was asked to fail on that.
    TO_CHECK = 8
    #: A scheduler is not there or takes no job. What was written for it stays.
    SUBMISSION = 9
    #: Interrupted by the user or the scheduler; complete frames were kept.
    CANCELLED = 130
    #: Ended by SIGTERM; complete frames were kept.
    TERMINATED = 143


class EfficientTAMError(Exception):
    """Base of every error meant for a user.

    ``message`` is one sentence that says what was got and what was expected; ``remedy`` is one
    sentence that says what to do.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class JobError(EfficientTAMError):
    """A job document or command line that cannot be run."""

    exit_code = ExitCode.USAGE


class SettingsError(JobError):
    """A site's file or a variable of the environment that means nothing."""


class PromptError(JobError):
    """A prompt that says nothing, or says something outside the plate."""


class PlateError(EfficientTAMError):
    """Footage that is missing, unreadable or refused."""

    exit_code = ExitCode.INPUT


class ColorError(EfficientTAMError):
    """A colour space or configuration that is not known."""

    exit_code = ExitCode.INPUT


class WeightsError(EfficientTAMError):
    """Weights that are missing, damaged or of another variant."""

    exit_code = ExitCode.WEIGHTS


class OutputError(EfficientTAMError):
    """A matte that cannot be written."""

    exit_code = ExitCode.OUTPUT


class DeviceError(EfficientTAMError):
    """A device that cannot do the work."""

    exit_code = ExitCode.DEVICE


class IncompleteError(EfficientTAMError):
    """Outputs that are missing or do not verify."""

    exit_code = ExitCode.INCOMPLETE


class Cancelled(EfficientTAMError):
    """The user or the scheduler asked to stop; complete frames were kept."""

    exit_code = ExitCode.CANCELLED
