"""How a run of the installer ends: its exit codes, and the error that every refusal is."""

from __future__ import annotations

OK = 0
#: A step failed; what was installed before is as it was.
FAILED = 1
#: The command line is wrong; nothing was begun.
USAGE = 2
#: A folder is not ours, or may not be written to; nothing was changed.
REFUSED = 3
#: A file has another sum than it should have.
WRONG_SUM = 4
#: Another installer is at work in the same folder.
BUSY = 5
#: Something that was looked at is not sound (doctor, list, repair --check).
FAULTS = 7
INTERRUPTED = 130

MEANINGS = (
    (OK, "done"),
    (FAILED, "a step failed, nothing was switched"),
    (USAGE, "wrong command line"),
    (REFUSED, "a folder that is not ours or may not be written to"),
    (WRONG_SUM, "a file with another sum than it should have"),
    (BUSY, "another installer is at work there"),
    (FAULTS, "doctor, list or repair --check found a fault"),
    (INTERRUPTED, "interrupted"),
)


class InstallError(Exception):
    """What went wrong and what to do, for the user."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
