"""A plan as one job of Pixar's Tractor: a job script (``.alf``, which is Tcl) for ``tractor-spool``.

Tasks are nested: shots stand beside each other; in a shot the steps follow one after another; in a step the
tasks stand beside each other again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from ..contract.errors import ExitCode, JobError
from .bundle_file import write_whole
from .command_words import command_words
from .submission import find_program, run_program
from .task import NETWORK_STEPS, FarmPlan, Shot, Task

#: What may pass when a task is done again: all but a fault of the job, its inputs or the weights.
_WORTH_A_RETRY = (ExitCode.FAILED, ExitCode.OUTPUT, ExitCode.DEVICE)
_JOB_ID = re.compile(r"\b[Jj](?:ob|id)\D{0,12}(\d+)")
#: Letters that stand for themselves in a word of Tcl.
_PLAIN = re.compile(r"[\w@+=:,./-]+\Z", re.ASCII)
_INDENT = "  "


def write(plan: FarmPlan, folder: str) -> list[str]:
    """Writes ``folder``/tractor.alf; returns its path in a list. Raises JobError, OutputError."""
    return [write_whole(_path(folder), job_script(plan))]


def submit(plan: FarmPlan, folder: str) -> list[str]:
    """Spools what ``write`` wrote; returns the job's id, as far as the spooler tells it.

    Raises SubmissionError.
    """
    program = find_program("tractor-spool", "Tractor")
    printed = run_program([program, _path(folder)], "Tractor", plan.name, "Nothing was submitted.")
    return _JOB_ID.findall(printed)[:1]


def job_script(plan: FarmPlan) -> str:
    """The text of the script. Raises JobError for what it cannot hold."""
    settings = plan.settings
    options = [
        ("-title", plan.name),
        ("-priority", str(settings.priority)),
        ("-service", settings.tractor.service),
        ("-projects", list_of(settings.tractor.projects)),
    ]
    head = "Job " + _options(options)
    # A task has no priority of its own; those that stand first are taken first.
    ordered = sorted(plan.shots, key=plan.priority, reverse=True)
    shots = [_shot(plan, shot) for shot in ordered]
    return "##AlfredToDo 3.0\n" + _block(head, "-subtasks", shots, "") + "\n"


def _shot(plan: FarmPlan, shot: Shot) -> str:
    steps = []
    for step in shot.steps():
        tasks = [_task(plan, shot, task, _INDENT * 3) for task in shot.of(step)]
        steps.append(_block(f"Task {word(step.value)}", "-subtasks", tasks, _INDENT * 2))
    return _block(f"Task {word(shot.name)} -serialsubtasks 1", "-subtasks", steps, _INDENT)


def _task(plan: FarmPlan, shot: Shot, task: Task, indent: str) -> str:
    settings = plan.settings
    on_gpu = settings.gpus > 0 and task.step in NETWORK_STEPS
    words = [argument(one) for one in command_words(settings, shot, task, "tractor")]
    options = [
        ("-service", (settings.tractor.gpu_service if on_gpu else "") or settings.tractor.service),
        ("-tags", list_of(settings.tractor.tags)),
        ("-maxrunsecs", str(settings.minutes * 60)),
        ("-retryrc", list_of(str(int(code)) for code in _WORTH_A_RETRY) if settings.retries else ""),
    ]
    command = f"RemoteCmd {word(list_of(words))} {_options(options)}"
    return _block(f"Task {word(task.name)}", "-cmds", [indent + _INDENT + command], indent)


def argument(text: str) -> str:
    """A word of a command line as Tractor is to find it: it replaces ``%`` and a ``~`` at the start.

    Raises JobError for a word that begins with ``~`` and is no path that a machine can expand.
    """
    if text.startswith("~"):
        raise JobError(f"{text!r} begins with ~, which Tractor replaces.", "Write the whole path.")
    return text.replace("%", "%%")


def word(text: str) -> str:
    """A text as one word of Tcl, whatever it holds. Braces stay balanced, so words nest."""
    if _PLAIN.match(text):
        return text
    if _stands_in_braces(text):
        return "{" + text + "}"
    return re.sub(r"([^\w@+=:,./\u0080-\U0010ffff-])", r"\\\1", text, flags=re.ASCII)


def list_of(words: Iterable[str]) -> str:
    """Texts as a list of Tcl."""
    return " ".join(word(one) for one in words)


def _stands_in_braces(text: str) -> bool:
    """Whether Tcl finds the end of the text where it is, and takes nothing in it for more than itself."""
    depth = 0
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth < 0 or letter == "\\":
            return False
    return depth == 0


def _options(options: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"{name} {word(value)}" for name, value in options if value)


def _block(head: str, option: str, inside: Sequence[str], indent: str) -> str:
    return "\n".join([f"{indent}{head} {option} {{", *inside, f"{indent}}}"])


def _path(folder: str) -> str:
    return os.path.join(folder, "tractor.alf")
