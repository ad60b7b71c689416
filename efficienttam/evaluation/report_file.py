"""The file of a report: Markdown, CSV or JSON by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from efficienttam.contract.errors import JobError, OutputError
from efficienttam.contract.whole_file import refuse_unwritable, write_whole

T = TypeVar("T")

ENDINGS = (".json", ".md", ".csv")


def refuse_report(path: str) -> None:
    """Before any work: raises JobError for a name of no format, OutputError where nothing can be written."""
    if not path:
        return
    if Path(path).suffix.lower() not in ENDINGS:
        raise JobError(
            f"The report {path} ends in none of {', '.join(ENDINGS)}.", "The ending tells what is written."
        )
    if Path(path).is_dir():
        raise OutputError(f"The report {path} is a folder.", "Name a file.")
    refuse_unwritable(str(Path(path).parent))


def write_report(path: str, forms: Mapping[str, Callable[[T], str]], found: T) -> None:
    """Writes what was found in the form of the file's ending; nothing where ``path`` is empty. Raises
    OutputError."""
    if path:
        text = forms[Path(path).suffix.lower()](found)
        write_whole(path, (text.rstrip("\n") + "\n").encode(), "report")
