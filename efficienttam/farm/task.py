"""One piece of farm work, and the shots and plans that are made of such pieces. Values only."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator

from ..contract.site_settings import FarmSettings


class Step(enum.Enum):
    """The kinds of work, in their order. Each begins when those before it that it needs are done."""

    #: A first pass over the whole frame tells where the regions of objects lie.
    REGIONS = "regions"
    #: Embeddings of some frames go into the cache.
    EMBED = "embed"
    #: Some objects are followed through a span of frames.
    TRACK = "track"
    #: Mattes of some frames are made from what tracking left.
    MATTES = "mattes"
    #: All mattes are held against the job.
    VERIFY = "verify"


#: The kinds of work that run the network, and gain by a GPU.
NETWORK_STEPS = (Step.REGIONS, Step.EMBED, Step.TRACK)


@dataclasses.dataclass(frozen=True)
class Task:
    """One call of ``efficienttam farm task``. Repeating it, here or elsewhere, does no harm.

    ``frames`` are first and last, both included. ``objects`` is empty for all of the job; ``view`` is empty
    for a plate without views. ``records`` of a TRACK task: it leaves what tracking gave for MATTES tasks
    instead of mattes. ``passed`` counts frames that are tracked without giving a matte of the task: to reach
    those that later prompts correct, beside its own to steady them, twice where two ways are blended.
    """

    step: Step
    frames: tuple[int, int]
    view: str = ""
    objects: tuple[str, ...] = ()
    records: bool = False
    passed: int = 0

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.frames[1] - self.frames[0] + 1

    @property
    def span(self) -> str:
        """``1001-1024``."""
        return f"{self.frames[0]}-{self.frames[1]}"

    @property
    def name(self) -> str:
        """Letters, digits, ``_`` and ``-``; one of its kind in a shot."""
        return "_".join(part for part in (self.step.value, self.view, *self.objects, self.span) if part)

    def arguments(self, document: str) -> list[str]:
        """What follows the program's name to do it; ``document`` is the path of the shot's job document."""
        words = ["farm", "task", document, "--step", self.step.value, "--frames", self.span]
        words += ["--view", self.view] if self.view else []
        words += ["--objects", ",".join(self.objects)] if self.objects else []
        return words + (["--records"] if self.records else [])


@dataclasses.dataclass(frozen=True)
class Shot:
    """One job document as tasks, in the order in which one machine would do them.

    ``name`` is letters, digits, ``_`` and ``-``, one of its kind in a plan. ``document`` is the path of its
    own copy of the job, which nobody edits any more; ``job_hash`` is that of ``contract.document.job_hash``.
    ``outputs`` are the folders that mattes go into; ``priority`` is None for the plan's.
    """

    name: str
    document: str
    job_hash: str
    tasks: tuple[Task, ...]
    outputs: tuple[str, ...] = ()
    priority: int | None = None

    def steps(self) -> list[Step]:
        """The kinds of work that the shot has, in their order."""
        return [step for step in Step if any(task.step is step for task in self.tasks)]

    def of(self, step: Step) -> list[Task]:
        """The tasks of one kind."""
        return [task for task in self.tasks if task.step is step]

    def needed(self, step: Step) -> list[Step]:
        """The kinds of work all of whose tasks must be done before any of this one begins."""
        steps = self.steps()
        return steps[: steps.index(step)][-1:]


@dataclasses.dataclass(frozen=True)
class FarmPlan:
    """Shots and what the site says of its farm."""

    name: str
    shots: tuple[Shot, ...]
    settings: FarmSettings

    def priority(self, shot: Shot) -> int:
        """Priority of a shot, 0 to 100."""
        return self.settings.priority if shot.priority is None else shot.priority

    def tasks(self) -> Iterator[tuple[Shot, Task]]:
        """Every task with its shot."""
        return ((shot, task) for shot in self.shots for task in shot.tasks)
