"""A plan as Open Job Description bundles, one per shot; each is a bundle of AWS Deadline Cloud, too.

The files are JSON, which every reader of the format takes as it takes YAML, and which the job document and
the plan beside them are written in, too. What a machine or a site may want otherwise (the program, folders,
threads, sizes of chunks) is a parameter of the job; all else stands in the template. The format lets no
template say where a folder outside its own is, so the values of folders are in files of their own.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..contract.document import read_job
from ..contract.errors import JobError
from ..contract.job import TrackJob
from ..contract.prompts import RotoFile
from ..contract.rules import prompts_of
from ..contract.sequence import MissingFrames, SequencePattern
from ..contract.site_settings import FarmSettings
from .bundle_file import write_whole
from .command_words import command_words
from .submission import find_program, run_program
from .task import NETWORK_STEPS, FarmPlan, Shot, Step, Task

Json = dict[str, Any]

#: Steps whose tasks are cut by a number of frames, and the parameter that says it.
_CHUNKED = {Step.EMBED: "EmbedChunk", Step.MATTES: "MatteChunk"}
#: Seconds that a task has to finish the frame at hand after it is told to end.
NOTICE = 120
#: Most values of one task parameter, most letters of a name.
_MOST_VALUES, _LONGEST_NAME = 1024, 64
#: Folders of mattes that are parameters; asset_references.json has all of them.
_MOST_OUTPUTS = 16
_FOLDERS = {
    "Mattes": "A folder that mattes go into.",
    "Cache": "The embedding cache.",
    "Weights": "The weights.",
}
_TOLD = {
    Step.REGIONS: "Find where the regions of objects lie.",
    Step.EMBED: "Fill the embedding cache.",
    Step.TRACK: "Follow objects through spans between prompted frames.",
    Step.MATTES: "Make mattes of what tracking left.",
    Step.VERIFY: "Prove that all mattes are there and whole.",
}


def write(plan: FarmPlan, folder: str) -> list[str]:
    """Writes four files per shot into ``folder``/<shot>: template.json; job_parameters.json, for
    ``openjd run --job-param``; parameter_values.json and asset_references.json, for AWS Deadline Cloud.

    The shots' documents are there already. Returns the paths. Raises JobError for what the format cannot
    hold, OutputError.
    """
    texts: dict[str, Json] = {}
    for shot in plan.shots:
        bundle = _bundle(folder, shot)
        texts[os.path.join(bundle, "template.json")] = template(plan, shot)
        texts[os.path.join(bundle, "job_parameters.json")] = folders(plan.settings, shot)
        texts[os.path.join(bundle, "parameter_values.json")] = parameter_values(plan, shot)
        texts[os.path.join(bundle, "asset_references.json")] = asset_references(plan, shot)
    return [write_whole(path, json.dumps(text, indent=2) + "\n") for path, text in texts.items()]


def submit(plan: FarmPlan, folder: str) -> list[str]:
    """Submits what ``write`` wrote to AWS Deadline Cloud, with the farm and queue that its client is set to.

    Returns what the client said of each shot. Raises SubmissionError.
    """
    program = find_program("deadline", "AWS Deadline Cloud")
    said: list[str] = []
    for shot in plan.shots:
        done = (
            f"Submitted before it: {len(said)} of {len(plan.shots)} shots."
            if said
            else "Nothing was submitted."
        )
        command = [program, "bundle", "submit", "--yes", _bundle(folder, shot)]
        printed = run_program(command, "AWS Deadline Cloud", shot.name, done)
        said.append(printed.strip().splitlines()[-1] if printed.strip() else shot.name)
    return said


def template(plan: FarmPlan, shot: Shot) -> Json:
    """The job template of a shot."""
    refused = [word for word in (*plan.settings.command, plan.name) if "{{" in word]
    if refused:
        raise JobError(f"{refused[0]!r} holds {{{{, which Open Job Description replaces.", "Rename it.")
    chunked = any(shot.of(step) for step in _CHUNKED)
    return {
        "specificationVersion": "jobtemplate-2023-09",
        **({"extensions": ["TASK_CHUNKING"]} if chunked else {}),
        "name": f"{plan.name} {shot.name}"[:128],
        "description": f"EfficientTAM mattes, job {shot.job_hash[:12]}.",
        "parameterDefinitions": _parameters(plan.settings, shot),
        "jobEnvironments": [_environment(plan.settings)],
        "steps": [step for kind in shot.steps() for step in _steps(plan, shot, kind)],
    }


def folders(settings: FarmSettings, shot: Shot) -> dict[str, str]:
    """The folders that a template must be told, by the name of their parameter."""
    numbers = [""] if len(shot.outputs) == 1 else map(str, range(1, _MOST_OUTPUTS + 1))
    told = {f"Mattes{number}": output for number, output in zip(numbers, shot.outputs)}
    more = {"Cache": "" if _is_off(settings) else settings.cache, "Weights": settings.weights}
    return {**told, **{name: value for name, value in more.items() if value}}


def parameter_values(plan: FarmPlan, shot: Shot) -> Json:
    """What AWS Deadline Cloud is told of the job beside the template's defaults."""
    values = {
        "deadline:priority": plan.priority(shot),
        "deadline:maxRetriesPerTask": plan.settings.retries,
        **folders(plan.settings, shot),
    }
    return {"parameterValues": [{"name": name, "value": value} for name, value in values.items()]}


def asset_references(plan: FarmPlan, shot: Shot) -> Json:
    """The files that the job reads and the folders that it writes, for farms that carry files."""
    job = read_job(shot.document)
    views = sorted({task.view for task in shot.tasks if task.step is Step.TRACK})
    first, last = shot.of(Step.VERIFY)[0].frames
    files = {shot.document, *_plate_files(job, views, range(first, last + 1)), *_roto_files(job, views)}
    files.update(path for path in (job.plate.ocio_config, job.model.weights) if os.path.isfile(path))
    folders = [path for path in (job.model.weights,) if path and os.path.isdir(path)]
    return {
        "assetReferences": {
            "inputs": {"directories": folders, "filenames": sorted(files)},
            "outputs": {"directories": list(shot.outputs)},
            "referencedPaths": [plan.settings.cache] if os.path.isabs(plan.settings.cache) else [],
        }
    }


def _plate_files(job: TrackJob, views: Iterable[str], frames: Iterable[int]) -> set[str]:
    pattern = SequencePattern(job.plate.path)
    wanted = list(frames) if pattern.is_sequence else [0]
    files = {pattern.path(frame, view) for view in views for frame in wanted}
    return files if job.plate.missing is MissingFrames.ERROR else set(filter(os.path.isfile, files))


def _roto_files(job: TrackJob, views: Iterable[str]) -> set[str]:
    prompts = [prompt for _, prompt in prompts_of(job) if isinstance(prompt.mask, RotoFile)]
    return {SequencePattern(one.mask.path).path(one.frame, view) for one in prompts for view in views}


def _parameters(settings: FarmSettings, shot: Shot) -> list[Json]:
    """What may be set otherwise when the job is submitted."""
    made = [
        _text("Program", settings.command[0], "The program, as the farm's machines call it."),
        _path("JobDocument", os.path.basename(shot.document), "The frozen job document.", "FILE", "IN"),
        _whole("Threads", settings.cores, "CPU threads of a task."),
    ]
    for name in folders(settings, shot):
        # Storages that all machines see: of a cache and of weights nothing is carried anywhere.
        flow = "OUT" if name.startswith("Mattes") else "NONE"
        made.append(_path(name, "", _FOLDERS[name.rstrip("0123456789")], "DIRECTORY", flow))
    for step, name in _CHUNKED.items():
        tasks = shot.of(step)
        if tasks:
            made.append(_whole(name, max(task.count for task in tasks), f"Frames of a task of {step.value}."))
    return made


def _text(name: str, default: str, told: str) -> Json:
    return {"name": name, "type": "STRING", "default": default, "description": told}


def _whole(name: str, default: int, told: str) -> Json:
    return {"name": name, "type": "INT", "minValue": 1, "default": default, "description": told}


def _path(name: str, default: str, told: str, kind: str, flow: str) -> Json:
    by_itself = {"default": default} if default else {}
    return {
        "name": name,
        "type": "PATH",
        "objectType": kind,
        "dataFlow": flow,
        **by_itself,
        "description": told,
    }


def _environment(settings: FarmSettings) -> Json:
    """Tells in the log what the machine is, and lets all tasks of a session know the site's cache."""
    arguments = [*settings.command[1:], "farm", "host", "--openjd"]
    place = settings.cache if _is_off(settings) else "{{Param.Cache}}"
    arguments += ["--cache", place] if settings.cache else []
    arguments += ["--cache-size", settings.cache_size] if settings.cache_size else []
    return {
        "name": "EfficientTAM",
        "description": "Name the machine and its versions; say where the embedding cache is.",
        "variables": {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        "script": {
            "actions": {"onEnter": {"command": "{{Param.Program}}", "args": arguments, "timeout": 300}}
        },
    }


def _steps(plan: FarmPlan, shot: Shot, step: Step) -> list[Json]:
    """The steps of one kind: one, or for what is cut into chunks one per view."""
    tasks = shot.of(step)
    made = []
    for name, held in _parts(step, tasks):
        waits = [
            {"dependsOn": other} for kind in shot.needed(step) for other, _ in _parts(kind, shot.of(kind))
        ]
        made.append(
            {
                "name": name,
                "description": _TOLD[step],
                **({"dependencies": waits} if waits else {}),
                "hostRequirements": _requirements(plan.settings, step),
                **_space(held),
                "script": {"actions": {"onRun": _action(plan, shot, held)}},
            }
        )
    return made


def _parts(step: Step, tasks: Sequence[Task]) -> list[tuple[str, list[Task]]]:
    """Steps of the template by name, with their tasks. Frames are counted off in one view at a time."""
    views = list(dict.fromkeys(task.view for task in tasks))
    if step not in _CHUNKED or len(views) == 1:
        return [(step.value.capitalize(), list(tasks))]
    return [
        (f"{step.value.capitalize()}_{view}"[:_LONGEST_NAME], [task for task in tasks if task.view == view])
        for view in views
    ]


def _space(tasks: Sequence[Task]) -> Json:
    """The tasks of a step, as parameters: frames that are counted off, or lists that belong together."""
    step = tasks[0].step
    if step is Step.VERIFY:
        return {}
    if step in _CHUNKED:
        frames = f"{tasks[0].frames[0]}-{tasks[-1].frames[1]}"
        chunks = {
            "defaultTaskCount": f"{{{{Param.{_CHUNKED[step]}}}}}",
            "rangeConstraint": "CONTIGUOUS",
        }
        counted = {"name": "Frames", "type": "CHUNK[INT]", "range": frames, "chunks": chunks}
        return {"parameterSpace": {"taskParameterDefinitions": [counted]}}
    if len(tasks) > _MOST_VALUES:
        raise JobError(
            f"{len(tasks)} tasks of {step.value} are more than the {_MOST_VALUES} of a step.",
            "Raise farm.least_span in the site's settings.",
        )
    lists = {"Frames": [task.span for task in tasks]}
    if any(task.objects for task in tasks):
        lists["Objects"] = [",".join(task.objects) for task in tasks]
    if any(task.view for task in tasks):
        lists["View"] = [task.view for task in tasks]
    listed = [{"name": name, "type": "STRING", "range": values} for name, values in lists.items()]
    together = {"combination": f"({', '.join(lists)})"} if len(lists) > 1 else {}
    return {"parameterSpace": {"taskParameterDefinitions": listed, **together}}


def _action(plan: FarmPlan, shot: Shot, tasks: Sequence[Task]) -> Json:
    """The command line of a step's tasks, with the format's own words where they differ."""
    settings, first = plan.settings, tasks[0]
    listed = first.step not in (*_CHUNKED, Step.VERIFY)
    task = dataclasses.replace(
        first,
        view="{{Task.Param.View}}" if first.view and listed else first.view,
        objects=("{{Task.Param.Objects}}",) if any(task.objects for task in tasks) else (),
    )
    placed = dataclasses.replace(
        settings,
        command=("{{Param.Program}}", *settings.command[1:]),
        weights="{{Param.Weights}}" if settings.weights else "",
        # The session's environment tells them.
        cache="",
        cache_size="",
    )
    frames = "" if first.step is Step.VERIFY else "{{Task.Param.Frames}}"
    document = dataclasses.replace(shot, document="{{Param.JobDocument}}")
    program, *words = command_words(placed, document, task, "openjd", frames)
    words[words.index("--threads") + 1] = "{{Param.Threads}}"
    return {
        "command": program,
        "args": [*words, "--path-map", "{{Session.PathMappingRulesFile}}"],
        "timeout": settings.minutes * 60,
        "cancelation": {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": NOTICE},
    }


def _requirements(settings: FarmSettings, step: Step) -> Json:
    """What a machine must have; memory in MiB."""
    amounts: list[tuple[str, float]] = [
        ("amount.worker.vcpu", settings.cores),
        ("amount.worker.memory", round(settings.memory * 1024)),
    ]
    if settings.gpus and step in NETWORK_STEPS:
        amounts += [
            ("amount.worker.gpu", settings.gpus),
            ("amount.worker.gpu.memory", round(settings.gpu_memory * 1024)),
        ]
    return {"amounts": [{"name": name, "min": least} for name, least in amounts if least]}


def _is_off(settings: FarmSettings) -> bool:
    return settings.cache.lower() == "off"


def _bundle(folder: str, shot: Shot) -> str:
    return os.path.join(os.path.abspath(folder), shot.name)
