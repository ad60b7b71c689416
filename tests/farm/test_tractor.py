"""Tractor: the job script, read back by Tcl itself."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scheduler_plans import NotingProgram, odd_shot, one_object, plan, stereo, words_of

from efficienttam.contract.errors import JobError
from efficienttam.contract.site_settings import Tractor
from efficienttam.farm import tractor
from efficienttam.farm.submission import SubmissionError
from efficienttam.farm.task import FarmPlan

GOLDEN = Path(__file__).parent / "tractor" / "two_shots.alf"
OPTIONS = {
    "Job": {"-title", "-priority", "-service", "-projects", "-subtasks"},
    "Task": {"-serialsubtasks", "-subtasks", "-cmds"},
    "RemoteCmd": {"-service", "-tags", "-maxrunsecs", "-retryrc"},
}


@dataclasses.dataclass
class Said:
    """One operator of a job script: its words, options, and what stands in it."""

    operator: str
    words: list[str]
    options: dict[str, str]
    inside: list[Said]

    def all(self, operator: str) -> list[Said]:
        """Those of one kind in it, in order."""
        found = [self] if self.operator == operator else []
        return found + [one for part in self.inside for one in part.all(operator)]


class AlfReader:
    """An interpreter of Tcl that knows the three operators and nothing else."""

    def __init__(self) -> None:
        tkinter = pytest.importorskip("tkinter", reason="This Python was built without tkinter.")
        self._tcl = tkinter.Tcl().tk
        self._tcl.call("interp", "create", "-safe", "alf")
        for name in self._tcl.splitlist(self._tcl.call("alf", "eval", "info commands")):
            self._tcl.call("interp", "hide", "alf", name)
        self._open: list[list[Said]] = []
        for name in OPTIONS:
            self._tcl.createcommand(f"read_{name}", self._operator(name))
            self._tcl.call("interp", "alias", "alf", name, "", f"read_{name}")

    def read(self, script: str) -> list[Said]:
        """What a script says. Fails for a word that Tcl, or Tractor, does not know."""
        self._open.append([])
        self._tcl.call("interp", "invokehidden", "alf", "eval", script)
        return self._open.pop()

    def words(self, text: str) -> list[str]:
        """The elements of a list."""
        return [str(one) for one in self._tcl.splitlist(text)]

    def _operator(self, name: str) -> Callable[..., str]:
        positional = 0 if name == "Job" else 1

        def say(*given: Any) -> str:
            words = [str(one) for one in given]
            options = dict(zip(words[positional::2], words[positional + 1 :: 2], strict=True))
            assert set(options) <= OPTIONS[name], options
            inside = self.read(options.pop("-subtasks", "")) + self.read(options.pop("-cmds", ""))
            self._open[-1].append(Said(name, words[:positional], options, inside))
            return ""

        return say


@pytest.fixture(scope="module")
def reader() -> AlfReader:
    return AlfReader()


def argv_of(reader: AlfReader, command: Said) -> list[str]:
    """What the blade starts: a list of Tcl in which %% stands for %."""
    return [word.replace("%%", "%") for word in reader.words(command.words[0])]


def job_of(reader: AlfReader, whole: FarmPlan, folder: Path) -> Said:
    (path,) = tractor.write(whole, str(folder))
    (job,) = reader.read(Path(path).read_text(encoding="utf-8"))
    return job


def test_the_script_is_that_of_the_folder(tmp_path: Path) -> None:
    (path,) = tractor.write(plan(), str(tmp_path))
    assert Path(path).name == "tractor.alf"
    assert Path(path).read_bytes() == GOLDEN.read_bytes()


def test_every_task_is_a_command_once(reader: AlfReader, tmp_path: Path) -> None:
    whole = plan()
    job = job_of(reader, whole, tmp_path)
    assert [argv_of(reader, command) for command in job.all("RemoteCmd")] == words_of(whole, "tractor")


def test_steps_of_a_shot_are_in_line_and_their_tasks_side_by_side(reader: AlfReader, tmp_path: Path) -> None:
    job = job_of(reader, plan(), tmp_path)
    assert (job.options["-title"], job.options["-priority"]) == ("comp", "60")
    assert reader.words(job.options["-projects"]) == ["show one"]
    assert [shot.words for shot in job.inside] == [["sh010"], ["sh020_v2"]]
    for shot in job.inside:
        assert shot.options == {"-serialsubtasks": "1"}
        assert all(step.options == {} for step in shot.inside)
    steps = [step.words[0] for step in job.inside[1].inside]
    assert steps == ["regions", "embed", "track", "mattes", "verify"]
    tracks = [task.words[0] for task in job.inside[1].inside[2].inside]
    assert tracks == [
        "track_left_hero_1-50",
        "track_left_the_prop_1-50",
        "track_right_hero_1-50",
        "track_right_the_prop_1-50",
    ]


def test_what_a_command_asks_for(reader: AlfReader, tmp_path: Path) -> None:
    embed, *_, verify = job_of(reader, plan(one_object()), tmp_path).all("RemoteCmd")
    assert embed.options == {
        "-service": "NvidiaGPU",
        "-tags": "efficienttam",
        "-maxrunsecs": "5400",
        "-retryrc": "1 5 6",
    }
    assert verify.options["-service"] == "PixarRender"
    plain = job_of(reader, plan(stereo(), gpus=0, retries=0, tractor=Tractor()), tmp_path)
    assert plain.all("RemoteCmd")[0].options == {"-service": "PixarRender", "-maxrunsecs": "5400"}


def test_processes_get_the_very_words(reader: AlfReader, tmp_path: Path) -> None:
    program = NotingProgram(tmp_path)
    whole = plan(odd_shot(tmp_path), command=program.command, weights="/a {b \\ $c [d] 100%/wéights")
    for command in job_of(reader, whole, tmp_path / "bundle").all("RemoteCmd"):
        subprocess.run(argv_of(reader, command), check=True)
    assert program.calls() == [words[2:] for words in words_of(whole, "tractor")]


TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)
ODD = st.one_of(TEXTS, st.text('{}[]\\$"; #%~ aé', max_size=8))


@given(st.lists(ODD, max_size=4), st.integers(0, 4))
@example(["{", "}", "a}{b", "\\", "a\\", "a\\{b", "", "$x", "[exit]", '"', "#a", "é {ü}", ";", "a b"], 3)
@example(["\\\\", "{\\}", "\\{", "{a\\}b}"], 2)
def test_words_of_any_kind_come_back_from_any_depth(words: list[str], depth: int) -> None:
    reader = AlfReader()
    inside = f"RemoteCmd {tractor.word(tractor.list_of(words))}"
    for _ in range(depth):
        inside = f"Task {tractor.word(''.join(words))} -subtasks {{\n{inside}\n}}"
    (read,) = reader.read(inside)
    (command,) = read.all("RemoteCmd")
    assert reader.words(command.words[0]) == words
    assert all(task.words == ["".join(words)] for task in read.all("Task"))


def test_what_tractor_would_expand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="begins with ~"):
        tractor.write(plan(one_object(), weights="~/weights"), str(tmp_path))


def test_the_reader_is_strict(reader: AlfReader) -> None:
    """A test that could not fail would prove nothing."""
    import tkinter

    for wrong in ("Task {a", "Job -titel {x}", "exec ls", "Task {a} -cmds", "Job -title {a} }", "set a 3"):
        with pytest.raises((tkinter.TclError, AssertionError, ValueError)):
            AlfReader().read(wrong)


@pytest.fixture
def spooler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for tractor-spool on PATH, which notes the files it got."""
    if os.name == "nt":
        pytest.skip("The stand-in for tractor-spool is a script with a first line for POSIX systems.")
    program = tmp_path / "client" / "tractor-spool"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport os, shutil, sys\n"
        "if os.environ.get('FAKE_SPOOLER_REFUSES'): sys.exit('tractor-spool: cannot connect to\\n engine')\n"
        f"shutil.copy(sys.argv[1], {str(tmp_path / 'spooled.alf')!r})\n"
        "print('OK: job spooled, jid=1210170042')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return tmp_path / "spooled.alf"


def test_the_spooler_gets_the_script(spooler: Path, tmp_path: Path) -> None:
    tractor.write(plan(), str(tmp_path))
    assert tractor.submit(plan(), str(tmp_path)) == ["1210170042"]
    assert spooler.read_bytes() == GOLDEN.read_bytes()


def test_a_spooler_that_fails_is_told(spooler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tractor.write(plan(), str(tmp_path))
    monkeypatch.setenv("FAKE_SPOOLER_REFUSES", "1")
    with pytest.raises(SubmissionError, match=r"refused comp: .*cannot connect to engine\. Nothing was"):
        tractor.submit(plan(), str(tmp_path))


def test_without_the_spooler_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tractor.write(plan(), str(tmp_path))
    with pytest.raises(SubmissionError, match="no program tractor-spool on PATH"):
        tractor.submit(plan(), str(tmp_path))
