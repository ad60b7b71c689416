"""A ``TrackJob`` as JSON text and back. Canonical: equal jobs give equal bytes.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import Any, Callable, Iterable, Sequence

from .disk import place_at
from .errors import ExitCode, JobError
from .fields import Fault, Record, Whole
from .job import JOB_VERSION, FrameRange, Model, Output, Plate, TrackedObject, TrackJob
from .prompts import Prompt, RotoFile
from .rules import broken_rules
from .whole_file import write_whole

_JOB = Record(TrackJob, partial=True)


class JobFaults(JobError):
    """Everything wrong with a job document, in ``faults``; ``source`` is what messages call it."""

    def __init__(self, faults: Sequence[Fault], source: str = "") -> None:
        self.faults = tuple(faults)
        self.source = source
        self.exit_code = exit_code_of(faults)
        if len(self.faults) == 1 and not source:
            (fault,) = self.faults
            super().__init__(f"{fault.place or 'document'}: {fault.message}", fault.remedy)
            return
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = [f"{source}: {count}" if source else f"The job has {count}"]
        for fault in self.faults:
            lines.append(
                "  {}: {} {}".format(fault.place or "document", fault.message, fault.remedy).rstrip()
            )
        super().__init__("\n".join(lines))


def exit_code_of(faults: Sequence[Fault]) -> ExitCode:
    """OK without faults, USAGE when the document itself is wrong, else the first fault's."""
    codes = [fault.exit_code for fault in faults]
    if not codes:
        return ExitCode.OK
    return ExitCode.USAGE if ExitCode.USAGE in codes else codes[0]


def to_json(job: TrackJob) -> str:
    """The canonical text: every field in its order, one blank after a colon, newline at the end."""
    return _text(_document(job), "") + "\n"


def from_json(text: str, source: str = "") -> TrackJob:
    """Reads a document; ``source`` is what to call it in messages.

    Raises JobFaults with every fault: of form, of content, and of rules that span fields.
    """
    job, faults = examine(text)
    if faults or job is None:
        raise JobFaults(faults, source)
    return job


def examine(text: str) -> tuple[TrackJob | None, list[Fault]]:
    """The job as far as it can be read, with everything wrong in it.

    What was refused is REFUSED in the job, which is None when nothing can be read.
    """
    faults: list[Fault] = []
    job = _read(text, faults)
    if job is not None:
        faults.extend(broken_rules(job))
    return job, faults


def read_job(path: str) -> TrackJob:
    """The job in a file, paths as written. Raises JobFaults; JobError when the file cannot be read."""
    return from_json(read_text(path), source=path)


def is_document(text: str) -> bool:
    """True for the text of a job document, of any version and with faults or without."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and {"version", "plate", "objects", "output"} <= set(document)


def read_text(path: str) -> str:
    """The text of a job document. Raises JobError when the file cannot be read or is not UTF-8."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"The job {path!r} cannot be read: {reason}."
        raise JobError(message, "Name a job document, a JSON file in UTF-8.") from error


def write_job(job: TrackJob, path: str) -> None:
    """Writes the canonical text, whole or not at all. Raises OutputError."""
    write_whole(path, to_json(job).encode("utf-8"), "job")


def job_hash(job: TrackJob) -> str:
    """sha256 of what decides how a matte looks: not of the range, the views, or where it is computed.

    Of files only the names count, not the folders: a shot has one hash under every root it is seen at, on
    every platform, with relative paths and absolute ones. Weights have a sum of their own and do not count.
    """
    same = dataclasses.replace(
        named_alone(job),
        range=FrameRange(),
        views=(),
        model=dataclasses.replace(
            job.model,
            weights="",
            device=Model().device,
            threads=Model().threads,
            compile=Model().compile,
        ),
    )
    return hashlib.sha256(to_json(same).encode("utf-8")).hexdigest()


def named_alone(job: TrackJob) -> TrackJob:
    """The job with the names of its files alone: no folders, whichever platform they were written on."""
    return with_paths(job, lambda path: re.split(r"[\\/]", path)[-1])


def with_paths(job: TrackJob, changed: Callable[[str], str]) -> TrackJob:
    """The job with every path of a file changed; empty ones and what is no file stay."""

    def at(path: str) -> str:
        return changed(path) if path and not path.startswith("ocio://") else path

    def prompt_at(prompt: Prompt) -> Prompt:
        if not isinstance(prompt.mask, RotoFile):
            return prompt
        return dataclasses.replace(prompt, mask=dataclasses.replace(prompt.mask, path=at(prompt.mask.path)))

    def object_at(thing: TrackedObject) -> TrackedObject:
        return dataclasses.replace(thing, prompts=tuple(map(prompt_at, thing.prompts)))

    return dataclasses.replace(
        job,
        plate=dataclasses.replace(job.plate, path=at(job.plate.path), ocio_config=at(job.plate.ocio_config)),
        objects=tuple(map(object_at, job.objects)),
        output=dataclasses.replace(job.output, path=at(job.output.path)),
        model=dataclasses.replace(job.model, weights=at(job.model.weights)),
    )


def resolve(job: TrackJob, folder: str) -> TrackJob:
    """The job with every relative path made relative to ``folder`` instead of the working folder."""
    return with_paths(job, lambda path: place_at(path, folder))


def resolve_plate(plate: Plate, folder: str) -> Plate:
    """The plate with relative paths made relative to ``folder``."""
    config = plate.ocio_config
    config = config if config.startswith("ocio://") else _placed(config, folder)
    return dataclasses.replace(plate, path=_placed(plate.path, folder), ocio_config=config)


def resolve_prompt(prompt: Prompt, folder: str) -> Prompt:
    """The prompt with a relative roto mask made relative to ``folder``."""
    if not isinstance(prompt.mask, RotoFile):
        return prompt
    return dataclasses.replace(
        prompt, mask=dataclasses.replace(prompt.mask, path=_placed(prompt.mask.path, folder))
    )


def resolve_output(output: Output, folder: str) -> Output:
    """The output with a relative path made relative to ``folder``."""
    return dataclasses.replace(output, path=_placed(output.path, folder))


def resolve_model(model: Model, folder: str) -> Model:
    """The model with relative weights made relative to ``folder``."""
    return dataclasses.replace(model, weights=_placed(model.weights, folder))


def _placed(path: str, folder: str) -> str:
    return place_at(path, folder) if path else path


def job_schema() -> dict[str, Any]:
    """The JSON Schema of the document, made from the dataclasses."""
    schema = _JOB.schema()
    version = {"const": JOB_VERSION, "description": "Version of the document format."}
    schema["properties"] = dict({"version": version}, **schema["properties"])
    schema["required"] = ["version"] + schema["required"]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "TrackJob",
        "description": "A job document: one plate, its objects and where their mattes go.",
    }
    return dict(head, **schema)


def _document(job: TrackJob) -> dict[str, Any]:
    return dict({"version": JOB_VERSION}, **_JOB.write(job))


def _read(text: str, faults: list[Fault]) -> TrackJob | None:
    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                faults.append(Fault(name, "The field is given twice.", "Keep one."))
            found[name] = value
        return found

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except RecursionError:
        faults.append(Fault("", "This is nested too deep to be a job.", "Write only the fields of a job."))
        return None
    except ValueError as error:
        faults.append(Fault("", f"This is not JSON: {error}.", "Mend the text at that place."))
        return None
    if not isinstance(document, dict):
        faults.append(Fault("", f"Got a JSON {type(document).__name__}, expected an object.", "Write a job."))
        return None
    version = document.pop("version", None)
    if not _version_fits(version, faults):
        return None
    job: TrackJob = _JOB.read(document, "", faults)
    return job


def _version_fits(version: Any, faults: list[Fault]) -> bool:
    if version is None:
        faults.append(Fault("version", "The version is missing.", f'Add "version": {JOB_VERSION}.'))
        return True
    known = len(faults)
    number = Whole("a version number", least=1).read(version, "version", faults)
    if len(faults) == known and number > JOB_VERSION:
        message = f"Got version {number}, this software reads up to {JOB_VERSION}."
        faults.append(Fault("version", message, "Update this software, or write the job with the older one."))
        return False
    return True


def _text(value: Any, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        items = [f"{deeper}{json.dumps(name)}: {_text(held, deeper)}" for name, held in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + indent + "}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(deeper + _text(item, deeper) for item in value) + "\n" + indent + "]"
    return json.dumps(value, ensure_ascii=False)
