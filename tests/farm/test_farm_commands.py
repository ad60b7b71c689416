"""``efficienttam farm`` as a wrangler calls it: what it prints, writes, refuses and never imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from small_shots import small_job, write_plate

from efficienttam.cli import main
from efficienttam.contract.document import job_hash, read_job, write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.job import Output, Plate

LIGHT = """
import sys
from efficienttam.cli import main
code = main(sys.argv[1:])
print("heavy:", *sorted({"torch", "cv2", "safetensors"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
SCHEDULERS = {
    "openjd": "sh010/template.json",
    "deadline": "sh010/deadline/001_embed_1001-1008.job.info",
    "opencue": "sh010/opencue.xml",
    "tractor": "tractor.alf",
}


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show")
    write_plate(folder)
    for name in ("sh010", "sh020"):
        write_job(small_job(output=Output(f"{name}/{{object}}.%04d.exr")), str(folder / f"{name}.job.json"))
    return folder


def test_a_plan_tells_tasks_hours_and_bytes(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(show.rglob("*"))
    assert main(["farm", "plan", str(show)]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "6 tasks: 2 embed, 2 track, 2 verify; 10 frames are tracked only to reach others." in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith(("sh", "all"))}
    assert rows["shot"][:4] == ["shot", "frames", "mattes", "tasks"]
    assert rows["sh010"][1:4] == ["8", "16", "3"] and rows["all"][1:4] == ["16", "32", "6"]
    assert sorted(show.rglob("*")) == before


def test_a_cache_that_is_not_shared_or_too_small_is_noted(
    show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def notes(**farm: object) -> str:
        (tmp_path / "site.json").write_text(json.dumps({"farm": farm}))
        assert main(["farm", "plan", str(show)]) == ExitCode.OK
        return "".join(line for line in capsys.readouterr().out.splitlines() if line.startswith("note:"))

    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(tmp_path / "site.json"))
    monkeypatch.delenv("EFFICIENTTAM_CACHE")
    assert "each machine uses its user's own" in notes()
    assert notes(cache="/mnt/cache") == ""
    assert "the cache may hold 512.0 KB" in notes(cache="/mnt/cache", cache_size="512K")
    assert notes(shared_cache=False) == notes(cache="off") == ""


def test_a_plan_is_played_on_machines(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["farm", "plan", str(show), "--machines", "2"]) == ExitCode.OK
    assert "On 2 machines done in" in capsys.readouterr().out
    assert main(["farm", "plan", str(show), "--machines", "2", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["simulation"]["tasks"] == 6
    assert main(["farm", "plan", str(show), "--machines", "0"]) == ExitCode.USAGE


def test_a_plan_is_data_too(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["farm", "plan", str(show / "sh010.job.json"), "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert data["version"] == 1 and data["estimate"]["tasks"]["track"] == 1
    (shot,) = data["shots"]
    assert [task["name"] for task in shot["tasks"]] == [
        "embed_1001-1008",
        "track_1001-1008",
        "verify_1001-1008",
    ]
    assert shot["tasks"][1]["after"] == ["embed"]
    assert data["settings"]["embed_chunk"] == 50


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_dry_run_writes_nothing_and_a_run_without_torch(
    scheduler: str, show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["farm", scheduler, str(show), "-o", str(tmp_path / "bundle"), "--name", "show"]
    assert main([*words, "--dry-run"]) == ExitCode.OK
    assert "6 tasks" in capsys.readouterr().out and not (tmp_path / "bundle").exists()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *words], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "heavy:"
    written = done.stdout.splitlines()
    assert str(tmp_path / "bundle" / SCHEDULERS[scheduler]) in written
    assert all(os.path.isfile(path) for path in written)
    assert read_job(str(tmp_path / "bundle" / "sh010" / "sh010.job.json")).plate.path.startswith(str(show))


def test_one_bad_shot_refuses_the_batch_unless_it_is_left_out(
    show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = read_job(str(show / "sh020.job.json"))
    bad = replace(bad, plate=replace(bad.plate, path="gone.%04d.exr"))
    write_job(bad, str(tmp_path / "bad.job.json"))
    words = ["farm", "openjd", str(show / "sh010.job.json"), str(tmp_path / "bad.job.json")]
    words += ["-o", str(tmp_path / "bundle")]
    assert main(words) == ExitCode.INPUT
    assert "1 of 2 shots cannot be planned, so none is." in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
    assert main([*words, "--skip-faulty"]) == ExitCode.OK
    captured = capsys.readouterr()
    assert "left out: " in captured.err and "gone.%04d.exr" in captured.err
    assert sorted(os.listdir(tmp_path / "bundle")) == ["plan.json", "sh010"]


@pytest.fixture
def mapped_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job whose files are on S:\\show, which the site says is a folder here."""
    write_plate(tmp_path / "nas")
    rule = {"linux": str(tmp_path / "nas"), "windows": "S:\\show"}
    (tmp_path / "site.json").write_text(json.dumps({"path_map": [rule]}))
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(tmp_path / "site.json"))
    job = small_job(plate=Plate("S:\\show\\plate.%04d.exr"), output=Output("s:/Show/out/{object}.%04d.exr"))
    write_job(job, str(tmp_path / "sh010.job.json"))
    return tmp_path


def test_paths_of_another_platform_are_mapped_by_every_command(
    mapped_show: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document, nas = str(mapped_show / "sh010.job.json"), mapped_show / "nas"
    assert main(["farm", "plan", document]) == ExitCode.OK
    for scheduler in SCHEDULERS:
        assert main(["farm", scheduler, document, "-o", str(mapped_show / scheduler)]) == ExitCode.OK
        frozen = read_job(str(mapped_show / scheduler / "sh010" / "sh010.job.json"))
        assert frozen.plate.path == str(nas / "plate.%04d.exr")
        assert frozen.output.path == str(nas / "out" / "{object}.%04d.exr")
        assert job_hash(frozen) == job_hash(read_job(document))
    assert main(["farm", "verify", document]) == ExitCode.INCOMPLETE
    again = ["farm", "retry", document, "--to", "openjd", "-o", str(mapped_show / "again")]
    assert main(again) == ExitCode.OK
    capsys.readouterr()
    monkeypatch.delenv("EFFICIENTTAM_SETTINGS")
    commands = [["plan"], ["openjd", "-o", str(mapped_show / "none")], ["verify"], again[1:2] + again[3:]]
    for command in commands:
        assert main(["farm", command[0], document, *command[1:]]) == ExitCode.USAGE
        told = capsys.readouterr().err
        assert "is one of another platform" in told and "path_map" in told and "no frames" not in told


def test_a_form_fault_tells_nothing_of_unmapped_paths(
    mapped_show: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = mapped_show / "sh010.job.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "colour": "red"}))
    assert main(["farm", "plan", str(path)]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "colour" in told and "no frames" not in told


def test_a_bundle_is_not_written_over_another_one(
    show: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "bundle"

    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}

    words = ["farm", "openjd", str(show / "sh010.job.json"), "-o", str(bundle)]
    assert main(words) == ExitCode.OK
    before = content()
    assert main(words) == ExitCode.OK and content() == before
    capsys.readouterr()
    other = ["farm", "openjd", str(show / "sh020.job.json"), "-o", str(bundle)]
    assert main(other) == ExitCode.USAGE and content() == before
    told = capsys.readouterr().err
    assert "the plan of another bundle" in told and "a new folder" in told
    (tmp_path / "site.json").write_text(json.dumps({"farm": {"embed_chunk": 3}}))
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(tmp_path / "site.json"))
    for scheduler in SCHEDULERS:
        assert main(["farm", scheduler, *words[2:]]) == ExitCode.USAGE and content() == before


def test_bundles_are_submitted_to_deadline_cloud(
    show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of AWS Deadline Cloud on PATH gets each bundle; one that refuses is told."""
    tools = tmp_path / "tools"
    tools.mkdir()
    client = tools / "deadline"
    client.write_text('#!/bin/sh\necho "$@" >> "$0.log"\necho Submitting\necho "job-0123 submitted"\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    words = ["farm", "openjd", str(show), "-o", str(tmp_path / "bundle"), "--submit", "--json"]
    assert main(words) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["submitted"] == ["job-0123 submitted"] * 2
    asked = (tools / "deadline.log").read_text().splitlines()
    assert asked[0] == f"bundle submit --yes {tmp_path / 'bundle' / 'sh010'}"
    client.write_text("#!/bin/sh\necho no such queue; exit 1\n")
    assert main(words) == ExitCode.SUBMISSION
    told = capsys.readouterr().err
    assert "no such queue" in told and f"What was written stays in '{tmp_path / 'bundle'}'." in told


def test_a_host_tells_what_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["farm", "host", "--openjd", "--cache", str(tmp_path), "--cache-size", "2T"]
    assert main(words) == ExitCode.OK
    out = capsys.readouterr().out
    assert f"openjd_env: EFFICIENTTAM_CACHE={tmp_path}" in out
    assert "openjd_env: EFFICIENTTAM_CACHE_SIZE=2T" in out
    assert "Python" in out and "torch" in out
    assert main(["farm", "host"]) == ExitCode.OK
    assert "openjd_env" not in capsys.readouterr().out
