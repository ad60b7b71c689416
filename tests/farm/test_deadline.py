"""Deadline 10: files as they should be, a strict stand-in that takes them, and the commands they give."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scheduler_plans import NotingProgram, odd_shot, one_object, plan, stereo, tree, words_of

from efficienttam.contract.errors import ExitCode, JobError, OutputError
from efficienttam.farm import deadline
from efficienttam.farm.submission import SubmissionError
from efficienttam.farm.task import FarmPlan, Step, Task

HERE = Path(__file__).parent
GOLDEN = HERE / "deadline"
CASES = {
    "one_object": lambda: plan(one_object()),
    "stereo_apart": lambda: plan(stereo(), cache="", cache_size="", weights="", gpus=0),
    "odd_names": lambda: plan(
        dataclasses.replace(
            one_object(), document="/jobs/Tést of Ω/sh010.job.json", outputs=("/mnt/show/it's $5",)
        ),
        command=("/opt/our tools/python", "-m", "efficienttam"),
    ),
}


@pytest.fixture
def farm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository of the stand-in, whose program is on PATH."""
    if os.name == "nt":
        pytest.skip("The stand-in for deadlinecommand is a script with a first line for POSIX systems.")
    programs, queue = tmp_path / "client", tmp_path / "queue"
    programs.mkdir()
    queue.mkdir()
    program = programs / "deadlinecommand"
    text = (HERE / "fake_deadlinecommand.py").read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs) + os.pathsep + os.environ["PATH"])
    monkeypatch.delenv("DEADLINE_PATH", raising=False)
    monkeypatch.setenv("FAKE_DEADLINE_FARM", str(queue))
    return queue


def queued(farm: Path) -> list[dict]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(farm.glob("*.json"))]


def commands_of(job: dict) -> list[list[str]]:
    """The command line of each task, as the Worker starts it on Linux."""
    first, _, last = job["job"]["Frames"].partition("-")
    size, numbers = int(job["job"]["ChunkSize"]), range(int(first), int(last or first) + 1)
    commands = []
    for at in range(0, len(numbers), size):
        chunk = numbers[at : at + size]
        text = job["plugin"]["Arguments"]
        text = text.replace("<STARTFRAME>", str(chunk[0])).replace("<ENDFRAME>", str(chunk[-1]))
        commands.append([job["plugin"]["Executable"], *shlex.split(text)])
    return commands


@pytest.mark.parametrize("case", CASES)
def test_the_files_are_those_of_the_folder(case: str, tmp_path: Path) -> None:
    paths = deadline.write(CASES[case](), str(tmp_path))
    assert sorted(paths) == sorted(str(path) for path in tmp_path.rglob("*.info"))
    assert tree(tmp_path) == tree(GOLDEN / case)


def test_the_stand_in_takes_them_and_every_task_runs_once(farm: Path, tmp_path: Path) -> None:
    whole = plan()
    deadline.write(whole, str(tmp_path / "bundle"))
    ids = deadline.submit(whole, str(tmp_path / "bundle"))
    jobs = queued(farm)
    assert ids == [job["id"] for job in jobs]
    assert [words for job in jobs for words in commands_of(job)] == words_of(whole, "deadline")


def test_each_step_waits_for_all_of_the_one_before(farm: Path, tmp_path: Path) -> None:
    whole = plan()
    deadline.write(whole, str(tmp_path))
    deadline.submit(whole, str(tmp_path))
    jobs = {job["id"]: job for job in queued(farm)}
    assert {job["job"]["BatchName"] for job in jobs.values()} == {"comp"}
    waits = {
        job["job"]["Name"]: sorted(jobs[id]["job"]["Name"] for id in job["waits"]) for job in jobs.values()
    }
    assert waits["sh010 embed 1001-1100"] == []
    assert waits["sh010 track 1001-1061"] == waits["sh010 track 1062-1100"] == ["sh010 embed 1001-1100"]
    assert waits["sh010 verify 1001-1100"] == ["sh010 track 1001-1061", "sh010 track 1062-1100"]
    assert waits["sh020_v2 regions left 1-50"] == []
    assert waits["sh020_v2 mattes right 1-50"] == [
        "sh020_v2 track left hero 1-50",
        "sh020_v2 track left the_prop 1-50",
        "sh020_v2 track right hero 1-50",
        "sh020_v2 track right the_prop 1-50",
    ]


def test_processes_get_the_very_words(farm: Path, tmp_path: Path) -> None:
    program = NotingProgram(tmp_path)
    whole = plan(dataclasses.replace(odd_shot(tmp_path)), command=program.command, weights="/a b/wéights")
    deadline.write(whole, str(tmp_path / "bundle"))
    deadline.submit(whole, str(tmp_path / "bundle"))
    for job in queued(farm):
        for words in commands_of(job):
            subprocess.run(words, check=True)
    assert program.calls() == [words[2:] for words in words_of(whole, "deadline")]


def test_writing_again_forgets_what_was_waited_for(farm: Path, tmp_path: Path) -> None:
    whole, folder = plan(one_object()), tmp_path / "bundle"
    deadline.write(whole, str(folder))
    before = tree(folder)
    deadline.submit(whole, str(folder))
    assert tree(folder) != before
    deadline.write(whole, str(folder))
    assert tree(folder) == before


def test_without_deadline_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DEADLINE_PATH", raising=False)
    whole = plan(one_object())
    written = deadline.write(whole, str(tmp_path / "bundle"))
    with pytest.raises(SubmissionError, match=r"no program deadlinecommand .*Install the client") as failed:
        deadline.submit(whole, str(tmp_path / "bundle"))
    assert failed.value.exit_code is ExitCode.SUBMISSION
    assert all(os.path.isfile(path) for path in written)


def test_the_folder_of_the_variable_is_looked_at_first(
    farm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEADLINE_PATH", str(tmp_path / "client"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    whole = plan(one_object())
    deadline.write(whole, str(tmp_path / "bundle"))
    assert len(deadline.submit(whole, str(tmp_path / "bundle"))) == 4


def test_a_refusal_tells_the_reason_and_what_was_submitted(
    farm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DEADLINE_REFUSES", "sh010 track 1062")
    whole = plan()
    deadline.write(whole, str(tmp_path / "bundle"))
    with pytest.raises(SubmissionError) as failed:
        deadline.submit(whole, str(tmp_path / "bundle"))
    told = str(failed.value)
    assert told.startswith(
        "Deadline refused sh010 track 1062-1100: Error: The pool comp does not exist. "
        "Submitted before it were 2 jobs of the batch comp ("
    )
    assert all(job["id"] in told for job in queued(farm)) and len(queued(farm)) == 2


def test_a_refusal_of_the_first_says_that_nothing_was_submitted(
    farm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DEADLINE_REFUSES", "embed")
    whole = plan(one_object())
    deadline.write(whole, str(tmp_path / "bundle"))
    with pytest.raises(SubmissionError, match=r"Nothing was submitted\.$"):
        deadline.submit(whole, str(tmp_path / "bundle"))


def test_an_answer_without_an_id_is_a_refusal(
    farm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DEADLINE_SILENT", "1")
    whole = plan(one_object())
    deadline.write(whole, str(tmp_path / "bundle"))
    with pytest.raises(SubmissionError, match="it gave no JobID"):
        deadline.submit(whole, str(tmp_path / "bundle"))


def test_the_stand_in_is_strict(farm: Path, tmp_path: Path) -> None:
    """A test that could not fail would prove nothing."""
    deadline.write(plan(one_object()), str(tmp_path / "bundle"))
    folder = tmp_path / "bundle" / "sh010" / "deadline"
    job, plugin = folder / "001_embed_1001-1100.job.info", folder / "001_embed_1001-1100.plugin.info"
    good = job.read_text()

    def refusal_of(text: str) -> str:
        job.write_text(text)
        ended = subprocess.run(["deadlinecommand", job, plugin], capture_output=True, text=True)
        assert ended.returncode == 1
        return ended.stdout

    assert "is no setting" in refusal_of(good + "TaskTimeout=3\n")
    assert "given twice" in refusal_of(good + "Priority=3\n")
    assert "not Key=Value" in refusal_of(good + "Priority 3\n")
    assert "no job 12" in refusal_of(good + "JobDependencies=12\n")
    assert "out of range" in refusal_of(good.replace("Priority=60", "Priority=600"))
    assert "numbered" in refusal_of(good.replace("KeyValue0", "KeyValue3"))
    assert "no list of frames" in refusal_of(good.replace("Frames=1001-1100", "Frames=all"))
    plugin.unlink()
    assert "does not exist" in refusal_of(good)


def windows_words(line: str) -> list[str]:
    """A command line as Windows' own rules part it."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        word, inside = "", False
        while at < len(line) and (inside or line[at] != " "):
            run = re.compile(r'\\*"?').match(line, at)
            assert run is not None
            text = run.group()
            if not text:
                word += line[at]
                at += 1
                continue
            at = run.end()
            slashes = len(text.rstrip('"'))
            if not text.endswith('"'):
                word += text
            elif slashes % 2:
                word += "\\" * (slashes // 2) + '"'
            else:
                word += "\\" * (slashes // 2)
                inside = not inside
        words.append(word)
    return words


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=4))
@example(["C:\\shots\\a b\\", "\\\\server\\s h", 'a"b', "", 'a\\\\"b', "it's", "<x>", "$HOME", "é ü"])
def test_words_come_through_the_rules_of_windows(words: list[str]) -> None:
    assert windows_words(" ".join(map(deadline.quoted, words))) == words


@given(st.lists(WORDS.filter(lambda word: "\\" not in word), min_size=1, max_size=4))
@example(["/a b/c", 'a"b', "", "it's", "$HOME `x` !", "é ü", "#x"])
def test_words_come_through_the_rules_of_posix(words: list[str]) -> None:
    assert shlex.split(" ".join(map(deadline.quoted, words))) == words


def test_what_deadline_would_replace_is_refused(tmp_path: Path) -> None:
    shot = dataclasses.replace(one_object(), document="/jobs/<startframe%4>/sh010.job.json")
    with pytest.raises(JobError, match="replaces by a frame number"):
        deadline.write(plan(shot), str(tmp_path))


def test_a_control_character_is_refused(tmp_path: Path) -> None:
    for shot in (
        dataclasses.replace(one_object(), document="/jobs/a\nPlugin=Python/x"),
        dataclasses.replace(one_object(), outputs=("/mnt/a\nb",)),
    ):
        with pytest.raises(JobError, match="control character"):
            deadline.write(plan(shot), str(tmp_path))


def test_frames_below_zero_are_told_in_words(tmp_path: Path, farm: Path) -> None:
    tasks = (Task(Step.EMBED, (-20, -11)), Task(Step.EMBED, (-10, -1)), Task(Step.TRACK, (-20, -1)))
    whole: FarmPlan = plan(dataclasses.replace(one_object(), tasks=tasks))
    deadline.write(whole, str(tmp_path / "bundle"))
    deadline.submit(whole, str(tmp_path / "bundle"))
    assert [words for job in queued(farm) for words in commands_of(job)] == words_of(whole, "deadline")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "sh010").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        deadline.write(plan(one_object()), str(tmp_path))
