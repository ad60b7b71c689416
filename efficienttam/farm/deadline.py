"""A plan as jobs of Thinkbox Deadline 10: two text files each, for ``deadlinecommand``.

Embeddings and mattes of a shot are one job per view, whose tasks are the chunks; each span of tracking is a
job of its own, so that its name and frames say what it does and it can be queued again by itself. Jobs of a
plan are one batch; each waits for all of the step before it in its shot.
"""

from __future__ import annotations

import codecs
import dataclasses
import os
import re
from collections.abc import Iterator, Sequence

from ..contract.errors import JobError
from ..contract.site_settings import FarmSettings
from .bundle_file import write_whole
from .command_words import command_words
from .submission import find_program, refusal, run_program
from .task import NETWORK_STEPS, FarmPlan, Shot, Step
from .task_row import TaskRow, task_rows

#: Where Deadline's client is: a variable, and on macOS a file, with its folder.
_FOLDER, _FOLDER_NOTE = "DEADLINE_PATH", "/Users/Shared/Thinkbox/DEADLINE_PATH"
#: What Deadline replaces in the arguments of a task.
_FRAMES = "<STARTFRAME>-<ENDFRAME>"
_TOKEN = re.compile(r"<(STARTFRAME|ENDFRAME|QUOTE|AUXFILE)[^<>]*>", re.IGNORECASE)
_JOB_ID = re.compile(r"^JobID=(\S+)\s*$", re.MULTILINE)
#: Words that need no quotes for any of the systems that Deadline runs on.
_PLAIN = re.compile(r"[\w@+=:,./-]+\Z", re.ASCII)


@dataclasses.dataclass(frozen=True)
class DeadlineJob:
    """One job: a row of tasks, and the path of its files without their ending."""

    shot: Shot
    row: TaskRow
    path: str

    @property
    def job_info(self) -> str:
        """Path of the file about the job."""
        return f"{self.path}.job.info"

    @property
    def plugin_info(self) -> str:
        """Path of the file about the command line."""
        return f"{self.path}.plugin.info"

    @property
    def name(self) -> str:
        """As the Monitor shows it."""
        return f"{self.shot.name} {self.row.label}"


def jobs_of(plan: FarmPlan, folder: str) -> list[DeadlineJob]:
    """The jobs of a plan, each after those that it waits for."""
    jobs: list[DeadlineJob] = []
    for shot in plan.shots:
        rows = [row for step in shot.steps() for row in task_rows(shot.of(step), short_last=True)]
        for number, row in enumerate(rows, 1):
            path = os.path.join(folder, shot.name, "deadline", f"{number:03d}_{row.name[:80]}")
            jobs.append(DeadlineJob(shot, row, path))
    return jobs


def write(plan: FarmPlan, folder: str) -> list[str]:
    """Writes the files into ``folder``/<shot>/deadline; returns their paths.

    Jobs wait for nothing yet: ids to wait for are there once other jobs are submitted. Raises JobError for
    what Deadline cannot hold, OutputError.
    """
    paths = []
    for job in jobs_of(plan, folder):
        paths.append(write_whole(job.job_info, _encoded(job_lines(plan, job, ()))))
        paths.append(write_whole(job.plugin_info, _encoded(plugin_lines(plan.settings, job.row, job.shot))))
    return paths


def submit(plan: FarmPlan, folder: str) -> list[str]:
    """Submits what ``write`` wrote; returns the ids of the jobs, in the plan's order.

    A job's file is written again with the ids that it waits for. Raises SubmissionError, which names what
    was submitted before it.
    """
    program = find_program("deadlinecommand", "Deadline", _FOLDER, _FOLDER_NOTE)
    ids: list[str] = []
    by_step: dict[tuple[str, Step], list[str]] = {}
    for job in jobs_of(plan, folder):
        waits = [id for step in job.shot.needed(job.row.first.step) for id in by_step[job.shot.name, step]]
        write_whole(job.job_info, _encoded(job_lines(plan, job, waits)))
        remedy = _remedy(plan, ids)
        printed = run_program([program, job.job_info, job.plugin_info], "Deadline", job.name, remedy)
        found = _JOB_ID.search(printed)
        if found is None:
            raise refusal("Deadline", job.name, printed or "it gave no JobID", remedy)
        ids.append(found.group(1))
        by_step.setdefault((job.shot.name, job.row.first.step), []).append(found.group(1))
    return ids


def job_lines(plan: FarmPlan, job: DeadlineJob, waits: Sequence[str]) -> list[str]:
    """The lines of the file about a job that waits for the jobs with these ids."""
    settings, site, row = plan.settings, plan.settings.deadline, job.row
    on_gpu = settings.gpus > 0 and row.first.step in NETWORK_STEPS
    first, last = row.frames
    values: list[tuple[str, object]] = [
        ("Plugin", "CommandLine"),
        ("Name", job.name),
        ("BatchName", plan.name),
        ("Comment", f"EfficientTAM job {job.shot.job_hash[:12]}"),
        ("Department", site.department),
        ("Pool", site.pool),
        ("SecondaryPool", site.secondary_pool),
        ("Group", (site.gpu_group if on_gpu else "") or site.group),
        ("Priority", plan.priority(job.shot)),
        ("LimitGroups", ",".join(site.limits)),
        # A task by itself has its frames in its arguments; these are for the Monitor.
        ("Frames", f"{first}-{last}" if first >= 0 else "0"),
        ("ChunkSize", row.size if first >= 0 else 1),
        ("ConcurrentTasks", 1),
        ("MachineLimit", site.machine_limit or ""),
        ("TaskTimeoutSeconds", settings.minutes * 60),
        ("OnTaskTimeout", "Error"),
        ("OverrideTaskFailureDetection", "True"),
        ("FailureDetectionTaskErrors", settings.retries + 1),
        ("JobDependencies", ",".join(waits)),
        ("EnvironmentKeyValue0", "PYTHONUNBUFFERED=1"),
        ("EnvironmentKeyValue1", "PYTHONUTF8=1"),
    ]
    outputs = job.shot.outputs if row.first.step not in (Step.REGIONS, Step.EMBED) else ()
    values += [(f"OutputDirectory{number}", output) for number, output in enumerate(outputs)]
    return list(_lines(values))


def plugin_lines(settings: FarmSettings, row: TaskRow, shot: Shot) -> list[str]:
    """The lines of the file about a row's command line."""
    counted = _FRAMES if len(row.tasks) > 1 else ""
    program, *words = command_words(settings, shot, row.first, "deadline", counted)
    for word in (program, *words):
        if word != counted and _TOKEN.search(word):
            raise JobError(
                f"{word!r} holds what Deadline replaces by a frame number.", "Rename the folder or file."
            )
    values: list[tuple[str, object]] = [
        ("Executable", program),
        ("Arguments", " ".join(word if word == counted else quoted(word) for word in words)),
        ("SingleFramesOnly", "False"),
        ("ShellExecute", "False"),
    ]
    return list(_lines(values))


def quoted(word: str) -> str:
    """A word as it stands in ``Arguments``, for Windows' rules and those of POSIX shells alike.

    A backslash counts only before a quote, and at the end of a word in quotes, where it is doubled.
    """
    if _PLAIN.match(word):
        return word
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)\Z", r"\1\1", escaped) + '"'


def _lines(values: Sequence[tuple[str, object]]) -> Iterator[str]:
    for key, value in values:
        text = str(value)
        if any(ord(letter) < 32 for letter in text):
            raise JobError(f"{key} would be {text!r}, which holds a control character.", "Rename it.")
        if text:
            yield f"{key}={text}"


def _encoded(lines: Sequence[str]) -> bytes:
    """Plain where it can be; else in UTF-16, as Thinkbox's own submitters write it."""
    text = "".join(line + "\n" for line in lines)
    return text.encode("ascii") if text.isascii() else codecs.BOM_UTF16_LE + text.encode("utf-16-le")


def _remedy(plan: FarmPlan, ids: Sequence[str]) -> str:
    """What to do after a failure, with what is in the queue already."""
    if not ids:
        return "Nothing was submitted."
    shown = ", ".join(ids[-5:]) + (" and others" if len(ids) > 5 else "")
    return (
        f"Submitted before it were {len(ids)} jobs of the batch {plan.name} ({shown}): "
        "delete that batch in the Monitor and submit again."
    )
