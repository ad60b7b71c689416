"""Where a run writes: refused before anything is learned, not after hours of it."""

from __future__ import annotations

import os
from pathlib import Path

from efficienttam.contract.errors import JobError, OutputError


def refuse_places(out: Path, work: Path, weights: Path | None) -> None:
    """Raises OutputError where the weights file ``out`` or the folder ``work`` cannot be written, JobError
    where ``out`` would take the place of the ``weights`` that are trained on."""
    if weights is not None and out.exists() and out.resolve() == Path(weights).resolve():
        raise JobError(f"{out} is what is trained on from.", "Name another file with --out.")
    if out.is_dir() or not _may_hold(out.absolute().parent):
        raise OutputError(f"{out} cannot be written.", "Name a file in a folder of yours with --out.")
    if not _may_hold(work):
        raise OutputError(f"Nothing can be written to {work}.", "Name a folder of yours with --work.")


def _may_hold(folder: Path) -> bool:
    """May files be made in a folder, which is made where it is not there?"""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
