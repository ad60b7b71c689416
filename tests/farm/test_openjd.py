"""Bundles of Open Job Description, held against the format's library and commands, and Deadline Cloud's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from small_shots import FRAMES, SHAPED, small_job, write_plate

from efficienttam.cli import build_parser
from efficienttam.contract.document import read_job, write_job
from efficienttam.contract.errors import JobError
from efficienttam.contract.job import FrameRange, Output, Plate, TrackedObject
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Region
from efficienttam.contract.site_settings import FarmSettings, SeparateMattes, TrackObjects
from efficienttam.farm import openjd
from efficienttam.farm.batch_of_jobs import read_batch
from efficienttam.farm.bundle import make_plan, write_documents
from efficienttam.farm.task import FarmPlan, Shot, Step, Task

FARM = FarmSettings(least_span=1, embed_chunk=3, matte_chunk=3)
VIEWS = {
    "plate": Plate("plate.%V.%04d.exr"),
    "views": ("left", "right"),
    "output": Output("out/{object}.%V.%04d.exr"),
}
KEYED = (
    TrackedObject("disc", tuple(Prompt(frame, box=(12, 18, 36, 42)) for frame in (1001, 1004, 1006))),
    TrackedObject("square", (Prompt(1004, box=(62, 30, 80, 50)),)),
)
REGIONAL = (replace(KEYED[0], region=Region()), KEYED[1])
SHOTS = {
    "one view": (small_job(), FARM),
    "spans": (small_job(objects=KEYED[:1]), FARM),
    "two views": (small_job(**VIEWS), FARM),
    "mattes apart": (small_job(objects=KEYED, mattes=SHAPED), FARM),
    "views and mattes apart": (small_job(**VIEWS, mattes=SHAPED), FARM),
    "regions": (small_job(objects=REGIONAL), FARM),
    "views, objects apart": (
        small_job(**VIEWS, objects=KEYED),
        replace(FARM, objects=TrackObjects.APART, separate_mattes=SeparateMattes.ALWAYS),
    ),
    "no shared cache": (small_job(), replace(FARM, shared_cache=False)),
    "a GPU, a cache and weights": (
        small_job(),
        replace(FARM, gpus=1, cache="/mnt/cache", cache_size="2T", device="cuda", command=("py", "-m", "e")),
    ),
}


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plates")
    for view in ("", "left", "right"):
        write_plate(folder, view)
    return folder


def bundle(plates: Path, folder: Path, name: str) -> tuple[FarmPlan, Path]:
    job, farm = SHOTS[name]
    write_job(job, str(plates / "sh010.job.json"))
    shots = read_batch([str(plates / "sh010.job.json")], farm).shots
    plan = make_plan("show", shots, farm, str(folder))
    write_documents(plan, shots, str(folder))
    openjd.write(plan, str(folder))
    return plan, folder / "sh010"


def program(name: str) -> str:
    """Path of a command, beside this Python or on PATH; the test is skipped where there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        pytest.skip(f"There is no command {name!r} here: pip install openjd-cli==0.8.0 deadline==0.60.10.")
    return found


def told(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SHOTS)
def test_the_formats_own_library_finds_the_plans_tasks(name: str, plates: Path, tmp_path: Path) -> None:
    """Every task of the template, its command line filled in and read by our own parser, is the plan's."""
    model = pytest.importorskip("openjd.model", reason="openjd-model is not installed.")
    plan, folder = bundle(plates, tmp_path, name)
    template = json.loads((folder / "template.json").read_text())
    parsed = model.decode_job_template(template=template, supported_extensions=["TASK_CHUNKING"])
    given = json.loads((folder / "job_parameters.json").read_text())
    values = model.preprocess_job_parameters(
        job_template=parsed,
        job_parameter_values=given,
        job_template_dir=folder,
        current_working_dir=folder,
    )
    job = model.create_job(job_template=parsed, job_parameter_values=values)
    found = []
    for step in job.steps:
        action = step.script.actions.onRun
        for chosen in model.StepParameterSpaceIterator(space=step.parameterSpace):
            words = [str(word) for word in (action.command, *action.args)]
            for key, value in (*values.items(), *chosen.items()):
                kind = "Param" if key in values else "Task.Param"
                words = [word.replace(f"{{{{{kind}.{key}}}}}", str(value.value)) for word in words]
            assert words[: len(plan.settings.command)] == list(plan.settings.command)
            found.append(as_task(words[len(plan.settings.command) :]))
    expected = [replace(task, passed=0) for task in plan.shots[0].tasks]
    assert found == expected


def as_task(words: list[str]) -> Task:
    args = build_parser().parse_args(words)
    first, _, last = args.frames.partition("-")
    objects = tuple(args.objects.split(",")) if args.objects else ()
    return Task(Step(args.step), (int(first), int(last or first)), args.view, objects, args.records)


@pytest.mark.parametrize("name", ["mattes apart", "views, objects apart", "a GPU, a cache and weights"])
def test_openjd_takes_it(name: str, plates: Path, tmp_path: Path) -> None:
    plan, folder = bundle(plates, tmp_path, name)
    command = program("openjd")
    assert "passes validation checks" in told(command, "check", folder / "template.json")
    parameters = f"file://{folder / 'job_parameters.json'}"
    shown = told(command, "summary", folder / "template.json", "--job-param", parameters)
    assert "EfficientTAM" in shown
    assert f"'Track' ({len(plan.shots[0].of(Step.TRACK))} total Tasks)" in shown


def test_deadline_cloud_takes_it(plates: Path, tmp_path: Path) -> None:
    _, folder = bundle(plates, tmp_path, "spans")
    shown = json.loads(told(program("deadline"), "bundle", "info", folder))
    assert shown["steps"] == ["Embed", "Track", "Verify"]
    values = {one["name"]: one.get("_display_value") for one in shown["parameters"]}
    assert values["Mattes"] == str(plates / "out")


#: The files beside a template, as Deadline Cloud's documentation has them.
_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
VALUES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["parameterValues"],
    "properties": {
        "parameterValues": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": ["string", "integer"]}},
            },
        }
    },
}
REFERENCES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["assetReferences"],
    "properties": {
        "assetReferences": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "inputs": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"filenames": _STRINGS, "directories": _STRINGS},
                },
                "outputs": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"directories": _STRINGS},
                },
                "referencedPaths": _STRINGS,
            },
        }
    },
}


def test_what_the_job_reads_and_writes_is_told(plates: Path, tmp_path: Path) -> None:
    plan, folder = bundle(plates, tmp_path, "a GPU, a cache and weights")
    values = json.loads((folder / "parameter_values.json").read_text())
    references = json.loads((folder / "asset_references.json").read_text())
    jsonschema.validate(values, VALUES)
    jsonschema.validate(references, REFERENCES)
    by_name = {one["name"]: one["value"] for one in values["parameterValues"]}
    assert by_name["deadline:priority"] == plan.settings.priority and by_name["Cache"] == "/mnt/cache"
    held = references["assetReferences"]
    assert str(plates / "plate.1003.exr") in held["inputs"]["filenames"]
    assert plan.shots[0].document in held["inputs"]["filenames"]
    assert len(held["inputs"]["filenames"]) == len(FRAMES) + 1
    assert held["outputs"]["directories"] == [str(plates / "out")]
    assert held["referencedPaths"] == ["/mnt/cache"]


def test_roto_masks_are_carried_too(plates: Path, tmp_path: Path) -> None:
    (plates / "roto.1001.exr").write_bytes((plates / "plate.1001.exr").read_bytes())
    thing = TrackedObject("disc", (Prompt(1001, mask=RotoFile("roto.%04d.exr", "R")),))
    write_job(small_job(objects=(thing,)), str(plates / "roto.job.json"))
    shots = read_batch([str(plates / "roto.job.json")], FARM).shots
    plan = make_plan("show", shots, FARM, str(tmp_path))
    write_documents(plan, shots, str(tmp_path))
    files = openjd.asset_references(plan, plan.shots[0])["assetReferences"]["inputs"]["filenames"]
    assert str(plates / "roto.1001.exr") in files


def test_a_network_step_asks_for_a_gpu_and_no_other_does(plates: Path, tmp_path: Path) -> None:
    _, folder = bundle(plates, tmp_path, "a GPU, a cache and weights")
    template = json.loads((folder / "template.json").read_text())
    asked = {
        step["name"]: [amount["name"] for amount in step["hostRequirements"]["amounts"]]
        for step in template["steps"]
    }
    assert "amount.worker.gpu" in asked["Track"] and "amount.worker.gpu" in asked["Embed"]
    assert "amount.worker.gpu" not in asked["Verify"]


def test_a_task_may_finish_its_frame(plates: Path, tmp_path: Path) -> None:
    _, folder = bundle(plates, tmp_path, "one view")
    for step in json.loads((folder / "template.json").read_text())["steps"]:
        action = step["script"]["actions"]["onRun"]
        assert action["timeout"] == FARM.minutes * 60
        assert action["cancelation"]["mode"] == "NOTIFY_THEN_TERMINATE"


def test_a_document_that_tasks_may_be_at_is_not_replaced(plates: Path, tmp_path: Path) -> None:
    bundle(plates, tmp_path, "one view")
    before = (tmp_path / "sh010" / "sh010.job.json").read_bytes()
    bundle(plates, tmp_path, "one view")
    with pytest.raises(JobError, match="tasks may be at work on it"):
        bundle(plates, tmp_path, "spans")
    assert (tmp_path / "sh010" / "sh010.job.json").read_bytes() == before


def test_what_the_format_would_replace_is_refused(tmp_path: Path) -> None:
    shot = Shot("sh010", "x", "", (Task(Step.VERIFY, (1, 2)),), ("/m",))
    with pytest.raises(JobError, match="replaces"):
        openjd.template(FarmPlan("{{show}}", (shot,), FARM), shot)


def test_too_many_spans_are_refused() -> None:
    tasks = tuple(Task(Step.TRACK, (frame, frame)) for frame in range(1025))
    shot = Shot("sh010", "x", "", tasks, ("/m",))
    with pytest.raises(JobError, match="least_span"):
        openjd.template(FarmPlan("show", (shot,), FARM), shot)


def test_a_frozen_job_is_read_back(plates: Path, tmp_path: Path) -> None:
    plan, _ = bundle(plates, tmp_path, "one view")
    job = read_job(plan.shots[0].document)
    assert job.range == FrameRange(FRAMES[0], FRAMES[-1])
    assert job.plate.path == str(plates / "plate.%04d.exr")
