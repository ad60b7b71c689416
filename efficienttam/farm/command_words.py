"""The command line of a task on a farm machine, as words. Schedulers differ in how they write it down."""

from __future__ import annotations

from ..contract.errors import JobError
from ..contract.site_settings import FarmSettings
from .task import Shot, Task


def command_words(
    settings: FarmSettings, shot: Shot, task: Task, progress: str, frames: str = ""
) -> list[str]:
    """Program and arguments. ``progress`` is the dialect that the scheduler reads.

    ``frames`` stands in the place of the task's own, for a scheduler that puts them in. Raises JobError for
    a word that no command line can hold.
    """
    arguments = task.arguments(shot.document)
    if frames:
        arguments[arguments.index("--frames") + 1] = frames
    words = [*settings.command, *arguments, "--threads", str(settings.cores), "--progress", progress]
    for option, value in (
        ("--device", settings.device),
        ("--weights", settings.weights),
        ("--cache", settings.cache),
        ("--cache-size", settings.cache_size),
    ):
        words += [option, value] if value else []
    for word in words:
        if any(ord(letter) < 32 for letter in word):
            raise JobError(
                f"{word!r} holds a control character.", "Rename the folder, or correct the settings."
            )
    return words
