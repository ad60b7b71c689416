"""What a task tells: its first line, and how far it is, in the words of each scheduler."""

import io
import json

import pytest
from small_shots import small_job

from efficienttam.batch.introduction import introduction
from efficienttam.batch.progress import JsonProgress, OpenJdProgress, PercentProgress, PlainProgress
from efficienttam.cli import main
from efficienttam.contract.document import job_hash, write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.job import Model

FACTS = {"host": "node07", "pid": "4711", "device": "CPU, 4 threads"}


def told(make, *steps):
    stream = io.StringIO()
    progress = make(stream)
    progress.introduce(FACTS)
    progress.begin(200, 3, "record")
    for done in steps:
        progress.advance(1001, "", done)
    progress.end("Done.")
    return stream.getvalue().splitlines()


def test_tractor_and_deadline_hear_of_every_per_cent_once():
    lines = told(lambda stream: PercentProgress(stream, "TR_PROGRESS {:03d}%"), 1, 1, 1, 1, 96, 100)
    assert lines[0] == 'host=node07 pid=4711 device="CPU, 4 threads"'
    assert lines[1] == "200 records to make, 3 kept."
    assert lines[2:] == [
        "TR_PROGRESS 000%",
        "TR_PROGRESS 001%",
        "TR_PROGRESS 002%",
        "TR_PROGRESS 050%",
        "TR_PROGRESS 100%",
        "Done.",
    ]
    assert "Progress: 50%" in told(lambda stream: PercentProgress(stream, "Progress: {}%"), 100, 100)


@pytest.mark.parametrize("style", [PlainProgress, OpenJdProgress])
def test_the_first_line_is_plain_in_a_log(style):
    assert told(style, 200)[0] == 'host=node07 pid=4711 device="CPU, 4 threads"'


def test_machines_read_the_first_line_as_an_object():
    lines = [json.loads(line) for line in told(JsonProgress, 200)]
    assert lines[0] == {"event": "task", **FACTS}
    assert lines[1] == {"event": "begin", "records": 200, "kept": 3}


def test_what_cannot_be_found_out_is_told_as_such(tmp_path):
    job = small_job(model=Model(device="cuda:63", weights=str(tmp_path / "none.pt"), threads=1))
    facts = introduction(job, runs_network=True)
    assert facts["device"].startswith("none: Device cuda:63") and facts["weights"].startswith("none: ")
    assert facts["job"] == job_hash(job)
    assert introduction(job, runs_network=False)["device"] == "CPU, 1 thread, no network"


def test_words_that_make_no_task(tmp_path, capsys):
    path = tmp_path / "shot.job.json"
    write_job(small_job(), str(path))
    for words in (
        ["--step", "mattes", "--frames", "1001-1002", "--records"],
        ["--step", "track", "--frames", "1001,1003"],
        ["--step", "track", "--frames", "1001-1002", "--path-map", str(tmp_path / "none.json")],
    ):
        assert main(["farm", "task", str(path), *words]) == ExitCode.USAGE
    assert main(["farm", "task", str(path), "--step", "track", "--frames", "1-2"]) == ExitCode.INPUT
    assert capsys.readouterr().err.startswith("efficienttam: --records says nothing to --step mattes.")
