"""A plan as OpenCue jobs: one job specification (XML of the form ``cjsl``) per shot.

Chunks of embeddings and mattes are the frames of one layer per view; each span of tracking is a layer of one
frame, named after what it does. A layer waits for those of the step before it.
"""

from __future__ import annotations

import getpass
import math
import os
import re
import shlex
from collections.abc import Iterable
from xml.etree import ElementTree

from ..contract.errors import JobError
from .bundle_file import write_whole
from .command_words import command_words
from .submission import SubmissionError, refusal
from .task import NETWORK_STEPS, FarmPlan, Shot, Step
from .task_row import TaskRow, task_rows

#: The oldest form that has all that is written here; newer Cuebots read it too.
_HEAD = (
    '<?xml version="1.0"?>\n<!DOCTYPE spec PUBLIC "SPI Cue  Specification Language" '
    '"http://localhost:8080/spcue/dtd/cjsl-1.12.dtd">\n'
)
#: What Cuebot replaces in a command. #FRAMESPEC# would do for a shorter last chunk, and loses its last frame.
_FRAMES = "#FRAME_START#-#FRAME_END#"
_TOKEN = re.compile(r"#[A-Z_]+#")
#: Cuebot's limits on what one job holds.
_MOST_LAYERS = 1000
#: Letters of a name; a frame's name ends with its layer's.
_LONGEST = 100


def write(plan: FarmPlan, folder: str) -> list[str]:
    """Writes ``folder``/<shot>/opencue.xml per shot; returns their paths.

    Raises JobError for what OpenCue cannot hold, OutputError.
    """
    texts = [specification(plan, shot, name) for shot, name in zip(plan.shots, _job_names(plan))]
    return [write_whole(path, text) for path, text in zip(_paths(plan, folder), texts)]


def submit(plan: FarmPlan, folder: str) -> list[str]:
    """Launches what ``write`` wrote through OpenCue's own client; returns the names of the jobs.

    The client finds its Cuebot as always: CUEBOT_HOSTS, or its configuration. Raises SubmissionError, which
    names what was launched before it.
    """
    try:
        import opencue
    except ImportError as error:
        raise SubmissionError(
            f"OpenCue's client is not in this Python: {error}.",
            "Run `pip install opencue-pycue` with it, or launch the files by your own tools.",
        ) from error
    launched: list[str] = []
    for shot, path in zip(plan.shots, _paths(plan, folder)):
        remedy = "Nothing was launched."
        if launched:
            remedy = f"Launched before it: {', '.join(launched)}. Kill those jobs and submit again."
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            jobs = opencue.api.launchSpecAndWait(text)
        # The client has errors of its own, and lets through those of the connection.
        except Exception as error:
            raise refusal("OpenCue", shot.name, _said(error), remedy) from error
        launched += [str(job.name()) for job in jobs]
    return launched


def specification(plan: FarmPlan, shot: Shot, name: str) -> str:
    """The text of a shot's specification; ``name`` is the job's. Raises JobError."""
    settings = plan.settings.opencue
    root = ElementTree.Element("spec")
    if settings.facility:
        _child(root, "facility", settings.facility)
    _child(root, "show", settings.show)
    _child(root, "shot", _conform(shot.name, "shot"))
    _child(root, "user", _user())
    if hasattr(os, "getuid"):
        _child(root, "uid", os.getuid())
    job = ElementTree.SubElement(root, "job", name=name)
    _child(job, "paused", "False")
    _child(job, "priority", plan.priority(shot))
    _child(job, "maxretries", plan.settings.retries)
    _child(job, "autoeat", "False")
    layers = ElementTree.SubElement(job, "layers")
    names: dict[Step, list[str]] = {}
    taken: set[str] = set()
    for step in shot.steps():
        for row in task_rows(shot.of(step), short_last=False):
            layer = _unique(_conform(row.name, "layer"), taken)
            _layer(layers, plan, shot, row, layer)
            names.setdefault(step, []).append(layer)
    if len(layers) > _MOST_LAYERS:
        raise JobError(
            f"{shot.name} would have {len(layers)} layers; OpenCue takes {_MOST_LAYERS}.",
            "Raise farm.least_span, or let objects be tracked together.",
        )
    depends = ElementTree.SubElement(root, "depends")
    for step in shot.steps():
        for before in shot.needed(step):
            _depend(depends, name, names[step], names[before])
    ElementTree.indent(root)
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _layer(layers: ElementTree.Element, plan: FarmPlan, shot: Shot, row: TaskRow, name: str) -> None:
    settings = plan.settings
    on_gpu = settings.gpus > 0 and row.first.step in NETWORK_STEPS
    layer = ElementTree.SubElement(layers, "layer", name=name, type="Render")
    first, last = row.frames
    counted = len(row.tasks) > 1
    _child(layer, "cmd", _command(plan, shot, row, _FRAMES if counted else ""))
    # A frame's name holds its number and a minus after it.
    _child(layer, "range", f"{first}-{last}" if counted else max(first, 0))
    _child(layer, "chunk", row.size if counted else 1)
    # With a point these are cores; without one hundredths of a core.
    _child(layer, "cores", f"{settings.cores:.1f}")
    _child(layer, "threadable", "True" if settings.cores > 1 else "False")
    _child(layer, "memory", f"{math.ceil(settings.memory * 1024)}m")
    if on_gpu:
        _child(layer, "gpus", settings.gpus)
        _child(layer, "gpu_memory", f"{math.ceil(settings.gpu_memory * 1024)}m")
    _child(layer, "timeout", settings.minutes)
    _child(layer, "tags", " | ".join(settings.opencue.tags))
    _environment(layer, {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"})
    services = ElementTree.SubElement(layer, "services")
    _child(services, "service", settings.opencue.service)


def _command(plan: FarmPlan, shot: Shot, row: TaskRow, counted: str) -> str:
    """A line for the shell that runs it on the machine."""
    words = command_words(plan.settings, shot, row.first, "plain", counted)
    for word in words:
        if word != counted and _TOKEN.search(word):
            raise JobError(f"{word!r} holds what OpenCue replaces.", "Rename the folder or file.")
    return " ".join(word if word == counted else quoted(word) for word in words)


def quoted(word: str) -> str:
    """A word as a POSIX shell reads it; in double quotes, which Windows knows too, where these do."""
    plain = shlex.quote(word)
    if plain == word or re.search(r'["$`!]|\\\\|\\\Z', word):
        return plain
    return f'"{word}"'


def _depend(depends: ElementTree.Element, job: str, layers: Iterable[str], before: Iterable[str]) -> None:
    before = list(before)
    for layer in layers:
        for other in before:
            depend = ElementTree.SubElement(depends, "depend", type="LAYER_ON_LAYER", anyframe="False")
            _child(depend, "depjob", job)
            _child(depend, "deplayer", layer)
            _child(depend, "onjob", job)
            _child(depend, "onlayer", other)


def _environment(parent: ElementTree.Element, values: dict[str, str]) -> None:
    environment = ElementTree.SubElement(parent, "env")
    for key, value in values.items():
        ElementTree.SubElement(environment, "key", name=key).text = value


def _child(parent: ElementTree.Element, tag: str, text: object) -> None:
    ElementTree.SubElement(parent, tag).text = str(text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        # A user without a name, as in some containers.
        raise JobError("The user has no name, and OpenCue wants one.", "Set LOGNAME.") from error


def _paths(plan: FarmPlan, folder: str) -> list[str]:
    return [os.path.join(folder, shot.name, "opencue.xml") for shot in plan.shots]


def _job_names(plan: FarmPlan) -> list[str]:
    """Cuebot puts show, shot and user before them."""
    taken: set[str] = set()
    return [_unique(_conform(f"{plan.name}_{shot.name}", "job"), taken) for shot in plan.shots]


def _conform(name: str, kind: str) -> str:
    """A name as Cuebot makes it: letters and digits of ASCII, ``_``, small, three of them at least."""
    small = re.sub(r"[^a-z0-9_]+", "_", name.lower())
    small = re.sub(r"_{2,}", "_", small).strip("_")[:_LONGEST]
    return small if len(small) >= 3 else f"{kind}_{small}".rstrip("_")


def _unique(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def _said(error: Exception) -> str:
    """What a failed call says: the text from the other side where there is one."""
    details = getattr(error, "details", None)
    return str(details()) if callable(details) else str(error) or type(error).__name__
