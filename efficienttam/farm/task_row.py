"""Tasks in a row: what a scheduler can count off by frame numbers and show as one piece of work."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .task import Step, Task

#: The kinds of work whose tasks are cut by a number of frames. A span of tracking stands for itself.
_COUNTED = (Step.EMBED, Step.MATTES)


@dataclasses.dataclass(frozen=True)
class TaskRow:
    """One task or more, each of ``size`` frames, that follow on each other; the last may be shorter."""

    tasks: tuple[Task, ...]

    @property
    def first(self) -> Task:
        """Stands for all but its frames."""
        return self.tasks[0]

    @property
    def size(self) -> int:
        """Frames of each task."""
        return self.first.count

    @property
    def frames(self) -> tuple[int, int]:
        """First and last of all."""
        return self.first.frames[0], self.tasks[-1].frames[1]

    @property
    def name(self) -> str:
        """As a task's name, with the frames of the row."""
        return dataclasses.replace(self.first, frames=self.frames).name

    @property
    def label(self) -> str:
        """The same for people: ``track hero 1001-1024``."""
        task = dataclasses.replace(self.first, frames=self.frames)
        return " ".join(part for part in (task.step.value, task.view, *task.objects, task.span) if part)


def task_rows(tasks: Iterable[Task], short_last: bool) -> list[TaskRow]:
    """Tasks as the fewest rows, in their order. ``short_last``: the last of a row may be shorter.

    Frames below 0 are never counted off: no two schedulers write them alike.
    """
    rows: list[list[Task]] = []
    for task in tasks:
        if rows and _follows(rows[-1], task, short_last):
            rows[-1].append(task)
        else:
            rows.append([task])
    return [TaskRow(tuple(row)) for row in rows]


def _follows(row: list[Task], task: Task, short_last: bool) -> bool:
    first, last = row[0], row[-1]
    fits = task.count == first.count or (short_last and task.count < first.count)
    return (
        task.step in _COUNTED
        and (task.step, task.view, task.objects) == (first.step, first.view, first.objects)
        and first.frames[0] >= 0
        and last.count == first.count
        and task.frames[0] == last.frames[1] + 1
        and fits
    )
