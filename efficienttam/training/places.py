"""Where a run writes: refused before anything is learned, not after hours of it."""

from __future__ import annotations

from pathlib import Path

from efficienttam.contract.errors import JobError, OutputError
from efficienttam.contract.whole_file import refuse_unwritable


def refuse_places(out: Path, work: Path, weights: Path | None) -> None:
    """Raises OutputError where the weights file ``out`` or the folder ``work`` cannot be written, JobError
    where ``out`` would take the place of the ``weights`` that are trained on."""
    if weights is not None and out.exists() and out.resolve() == Path(weights).resolve():
        raise JobError(f"{out} is what is trained on from.", "Name another file with --out.")
    if out.is_dir():
        raise OutputError(f"{out} cannot be written: it is a folder.", "Name a file with --out.")
    for folder in (out.absolute().parent, work.absolute()):
        refuse_unwritable(str(folder))
