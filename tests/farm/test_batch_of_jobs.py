"""Documents, folders and lists of jobs become shots; all that is wrong is told at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from efficienttam.contract.document import job_hash, read_job, write_job
from efficienttam.contract.errors import ExitCode, JobError
from efficienttam.contract.job import FrameRange, Output, TrackJob
from efficienttam.contract.site_settings import FarmSettings
from efficienttam.farm.batch_of_jobs import BatchFaults, read_batch
from efficienttam.farm.task import Step

FARM = FarmSettings(least_span=1)


@pytest.fixture
def shots(tiny_plate: Path, job: TrackJob) -> Path:
    """A folder of three jobs on one plate, each with a folder for its mattes."""
    for name in ("ab010", "ab020", "ab030"):
        own = replace(job, output=Output(f"{name}/{{object}}.%04d.exr"))
        write_job(own, str(tiny_plate / f"{name}.job.json"))
    return tiny_plate


def test_a_folder_holds_its_jobs(shots: Path) -> None:
    batch = read_batch([str(shots)], FARM)
    assert [shot.name for shot in batch.shots] == ["ab010", "ab020", "ab030"]
    assert batch.shots[0].ranges == {"": (1001, 1006)} and batch.shots[0].size == (96, 54)


def test_a_shot_is_frozen(shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shots)
    (shot,) = read_batch(["ab010.job.json"], FARM).shots
    assert shot.job.plate.path == str(shots / "plate.%04d.exr")
    assert shot.job.output.path == str(shots / "ab010" / "{object}.%04d.exr")
    assert shot.job.range == FrameRange(1001, 1006)
    made = shot.shot("/bundle/ab010.job.json", FARM)
    assert made.outputs == (str(shots / "ab010"),)
    assert made.job_hash == job_hash(shot.job)
    assert [task.span for task in made.of(Step.VERIFY)] == ["1001-1006"]


def test_a_frozen_shot_says_what_tasks_run_with(shots: Path) -> None:
    """``track`` of the frozen document computes with the threads and on the device of the farm's tasks."""
    own = read_job(str(shots / "ab010.job.json"))
    (shot,) = read_batch([str(shots / "ab010.job.json")], replace(FARM, cores=3)).shots
    assert (shot.job.model.threads, shot.job.model.device) == (3, own.model.device)
    (other,) = read_batch([str(shots / "ab010.job.json")], replace(FARM, cores=8, device="cuda:1")).shots
    assert (other.job.model.threads, other.job.model.device) == (8, "cuda:1")
    assert job_hash(other.job) == job_hash(shot.job) == job_hash(own)


def test_a_list_says_what_is_wanted_of_each(shots: Path) -> None:
    text = "job,name,first,last,priority\nab010.job.json,hero_shot,1002,1004,80\nab020.job.json,,,,\n"
    (shots / "show.csv").write_text(text, encoding="utf-8-sig")
    one, other = read_batch([str(shots / "show.csv")], FARM).shots
    assert (one.name, one.part, one.priority) == ("hero_shot", (1002, 1004), 80)
    assert (other.name, other.part, other.priority) == ("ab020", None, None)
    tasks = one.shot("x.job.json", FARM).of(Step.TRACK)
    assert (tasks[0].frames[0], tasks[-1].frames[1]) == (1002, 1004)


def test_every_fault_of_every_shot_is_told_at_once(shots: Path) -> None:
    spoilt = read_job(str(shots / "ab020.job.json"))
    write_job(
        replace(spoilt, plate=replace(spoilt.plate, path="gone.%04d.exr")), str(shots / "ab020.job.json")
    )
    (shots / "ab030.job.json").write_text('{"version": 1, "plate": {}, "objects": []}')
    with pytest.raises(BatchFaults) as caught:
        read_batch([str(shots)], FARM)
    told = str(caught.value)
    assert "2 of 3 shots" in told and "--skip-faulty" in told
    assert "gone.%04d.exr" in told and "ab030.job.json" in told and "objects" in told
    assert caught.value.exit_code is ExitCode.USAGE
    batch = read_batch([str(shots)], FARM, skip_faulty=True)
    assert [shot.name for shot in batch.shots] == ["ab010"]
    assert len(batch.refused) == 2


def test_nothing_is_left_of_a_batch_of_faults(shots: Path) -> None:
    (shots / "one.json").write_text("{}")
    with pytest.raises(BatchFaults):
        read_batch([str(shots / "one.json")], FARM, skip_faulty=True)


def test_two_shots_never_write_one_matte(shots: Path) -> None:
    shutil.copy(shots / "ab010.job.json", shots / "again.job.json")
    with pytest.raises(BatchFaults, match=r"overwrite those of .*ab010"):
        read_batch([str(shots)], FARM)
    text = "job,name,first,last\nab010.job.json,head,1001,1003\nab010.job.json,tail,1004,1006\n"
    (shots / "halves.csv").write_text(text)
    assert [shot.name for shot in read_batch([str(shots / "halves.csv")], FARM).shots] == ["head", "tail"]


def test_shots_that_clash_are_named_by_their_lines(shots: Path) -> None:
    (shots / "twice.csv").write_text("job,name\nab010.job.json,a\nab020.job.json,b\nab010.job.json,c\n")
    with pytest.raises(BatchFaults, match=r"twice.csv:4 \(.*ab010.*\): .* those of .*twice.csv:2 \(.*ab010"):
        read_batch([str(shots / "twice.csv")], FARM)
    document = str(shots / "ab010.job.json")
    with pytest.raises(BatchFaults, match="given twice"):
        read_batch([document, document], FARM)


def test_mattes_that_differ_in_case_alone_are_refused(shots: Path) -> None:
    """They are one file on Windows, macOS and SMB shares."""
    for name in ("H", "h"):
        own = replace(
            read_job(str(shots / "ab010.job.json")), output=Output(f"mattes/{name}{{object}}.%04d.exr")
        )
        write_job(own, str(shots / f"{name}_{ord(name)}.job.json"))
    paths = [str(shots / "H_72.job.json"), str(shots / "h_104.job.json")]
    with pytest.raises(BatchFaults, match=r"h_104.* those of .*H_72.* where case does not count"):
        read_batch(paths, FARM)
    assert [shot.name for shot in read_batch(paths, FARM, skip_faulty=True).shots] == ["H_72"]


def test_a_list_of_a_spreadsheet_with_semicolons(shots: Path) -> None:
    text = "job;name;first;last;priority\r\nab010.job.json;hero_shot;1002;1004;80\r\nab020.job.json;;;;;\r\n"
    (shots / "show.csv").write_text(text, encoding="utf-8-sig", newline="")
    one, other = read_batch([str(shots / "show.csv")], FARM).shots
    assert (one.name, one.part, one.priority, other.name) == ("hero_shot", (1002, 1004), 80, "ab020")


def test_shots_of_one_name_are_told_apart_by_their_folders(shots: Path) -> None:
    for folder in ("ab010", "ab020"):
        (shots / folder).mkdir()
        own = read_job(str(shots / f"{folder}.job.json"))
        placed = replace(
            own,
            plate=replace(own.plate, path="../plate.%04d.exr"),
            output=Output("mattes/{object}.%04d.exr"),
        )
        write_job(placed, str(shots / folder / "hero.job.json"))
    batch = read_batch([str(shots / "ab010"), str(shots / "ab020")], FARM)
    assert [shot.name for shot in batch.shots] == ["ab010_hero", "ab020_hero"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column 'job'"),
        ("name\nx\n", "no column 'job'"),
        ("job,nmae\nab010.job.json,x\n", "'name'"),
        ("job,first\nab010.job.json,soon\n", "first is 'soon'"),
        ("job,priority\nab010.job.json,101\n", "expected 0 to 100"),
        ("job,name\nab010.job.json,a b\n", "letters, digits"),
        ("job,name\nab010.job.json,x\nab020.job.json,X\n", "names 2 shots"),
        ("job,name\n,x\n", "there is no job"),
        ("job\n\n", "names no shot"),
        ("job,name\nab010.job.json,x,1001\n", "list.csv:2: '1001' stands beyond the 2 columns"),
        ("job,job\nab010.job.json,ab020.job.json\n", "'job' twice"),
    ],
)
def test_a_list_that_cannot_be_used_is_told(shots: Path, text: str, told: str) -> None:
    (shots / "list.csv").write_text(text)
    with pytest.raises(JobError, match=told):
        read_batch([str(shots / "list.csv")], FARM)


def test_frames_outside_the_range_are_refused(shots: Path) -> None:
    (shots / "list.csv").write_text("job,first\nab010.job.json,990\n")
    with pytest.raises(BatchFaults, match=r"list.csv:2: The frames 990-1006 are not in .* 1001-1006"):
        read_batch([str(shots / "list.csv")], FARM)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"no \*\.job\.json"):
        read_batch([str(tmp_path)], FARM)


def test_colours_of_the_machine_are_noted(shots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = str(shots / "ab010.job.json")
    assert read_batch([document], FARM).shots[0].notes == ()
    monkeypatch.setenv("OCIO", "ocio://cg-config-latest")
    assert "OCIO" in read_batch([document], FARM).shots[0].notes[0]
