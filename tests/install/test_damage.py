"""What is damaged, missing or half ended: one sentence from everybody who meets it, with a line to paste."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import command_line
import host_startup
import installation
import interpreter
import outcome
import prefix as prefixes
import pytest
import torch_choice
from journal import Journal
from platform_tags import platform_named
from stand_in import INSTALL
from test_host_startup import start_nuke

import install as program

#: Contents of the pointer that lead nowhere, and what is said of each.
DAMAGED = {
    b"": "says nothing",
    b"\x00\xff\x80\n": "is damaged",
    b"../../x\n": "says '../../x'",
    b"9.9\n": "names version 9.9, which is not there",
}


@pytest.mark.skipif(os.name == "nt", reason="Runs a shell script.")
@pytest.mark.parametrize("content", list(DAMAGED), ids=["empty", "binary", "outside", "missing"])
def test_a_damaged_pointer_is_told_by_everybody(
    prefix: prefixes.Prefix, content: bytes, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    host_startup.write_entrances(prefix)
    Path(prefix.pointer).write_bytes(content)
    way_out = f"rollback 1.10.0 --prefix {shlex.quote(prefix.folder)}"
    for action, code in (("list", outcome.FAULTS), ("repair", outcome.FAILED), ("rollback", outcome.FAILED)):
        assert program.main([action, "--prefix", prefix.folder]) == code
        told = capsys.readouterr().err
        assert DAMAGED[content] in told and way_out in told and told.count("\n") == 1, action
    program.main(["doctor", "--prefix", prefix.folder, "--without-engine"])
    told = capsys.readouterr().out
    assert DAMAGED[content] in told and way_out in told
    started = subprocess.run([os.path.join(prefix.programs, "efficienttam")], capture_output=True, text=True)
    assert started.returncode == 127 and started.stderr.count("\n") == 1
    assert "no version is in use in" in started.stderr
    (told,) = start_nuke(prefix)
    assert "no version is in use in" in told
    assert program.main(["rollback", "1.10.0", "--prefix", prefix.folder]) == outcome.OK
    assert prefix.current() == "1.10.0" and not prefix.fault_of_pointer()


@pytest.mark.skipif(os.name == "nt", reason="Runs a shell script.")
def test_a_version_without_its_environment_says_how_to_make_it_anew(prefix: prefixes.Prefix) -> None:
    host_startup.write_entrances(prefix)
    version = prefix.version("1.10.0")
    host_startup.write_program(version.folder)
    (Path(version.folder) / "install").mkdir()
    (Path(version.folder) / "install" / "install.py").write_text("import sys; print(*sys.argv[1:])")
    started = subprocess.run([os.path.join(prefix.programs, "efficienttam")], capture_output=True, text=True)
    assert started.returncode == 127 and started.stderr.count("\n") == 1
    line = started.stderr.partition("Make it anew: ")[2]
    pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert pasted.stdout == "repair\n", pasted.stderr


@pytest.mark.skipif(os.name == "nt", reason="Files that are open are not removed there.")
def test_a_killed_installer_leaves_the_lock_to_what_it_started(prefix: prefixes.Prefix) -> None:
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        import journal, prefix
        place = prefix.Prefix(sys.argv[2])
        said = journal.Journal()
        with place.alone(said):
            said.keep(place.log)
            said.run([sys.executable, "-c", "import sys; print('at work', flush=True); input()"], os.environ)
    """
    words = [sys.executable, "-c", textwrap.dedent(code), str(INSTALL), prefix.folder]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as installer:
        assert installer.stdin is not None and installer.stdout is not None
        assert installer.stdout.readline() == b"at work\n"
        installer.send_signal(signal.SIGKILL)
        installer.wait()
        with pytest.raises(outcome.InstallError, match="an interrupted one had started") as refused:
            with prefix.alone():
                pass
        assert refused.value.code == outcome.BUSY
        installer.stdin.close()
        for _ in range(100):
            try:
                with prefix.alone():
                    return
            except outcome.InstallError:
                time.sleep(0.05)
    pytest.fail("The lock outlives what was started.")


def test_rollback_decides_before_it_says(prefix: prefixes.Prefix, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["rollback", "9.9", "--prefix", prefix.folder]) == outcome.USAGE
    said = capsys.readouterr()
    assert "switching" not in said.out and "there is 1.2.0, 1.2.0-2, 1.10.0" in said.err
    Path(prefix.version("1.2.0").python).unlink()
    assert program.main(["rollback", "--prefix", prefix.folder]) == outcome.FAILED
    said = capsys.readouterr()
    assert said.out == "" and "nothing was switched" in said.err


def test_going_back_and_repairing_can_be_tried_dry(
    prefix: prefixes.Prefix, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> list[str]:
        return sorted(str(path) for path in Path(prefix.folder).rglob("*"))

    before = files()
    assert program.main(["rollback", "--dry-run", "--prefix", prefix.folder]) == outcome.OK
    assert "would switch from 1.10.0 to 1.2.0" in capsys.readouterr().out
    monkeypatch.setattr(installation, "faults_of", lambda version: ["it is ill"])
    monkeypatch.setattr(installation.release, "version_of", lambda source: "1.10.0")
    assert program.main(["repair", "--dry-run", "--prefix", prefix.folder]) == outcome.OK
    said = capsys.readouterr().out
    assert "1.10.0: it is ill" in said and "goes into" in said and "1.10.0 would be removed" in said
    assert files() == before and prefix.current() == "1.10.0"


def test_a_version_whose_removal_was_begun_can_be_repaired(
    prefix: prefixes.Prefix, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(prefix.version("1.10.0").folder) / "efficienttam-installed.json").unlink()
    assert program.main(["list", "--prefix", prefix.folder]) == outcome.FAULTS
    assert "names version 1.10.0, which is not whole" in capsys.readouterr().err
    assert program.main(["repair", "--check", "--prefix", prefix.folder]) == outcome.FAULTS
    assert "its removal was begun" in capsys.readouterr().out


def test_a_python_in_any_home_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")
    if os.name == "posix":
        assert interpreter.home_around("/root/.pyenv/versions/3.11") == "/root"
        assert interpreter.home_around("/home/bob/python") == "/home/bob"
        assert interpreter.home_around("/Users/bob/python") == "/Users/bob"
        assert interpreter.home_around("/elsewhere/python") == "/elsewhere"
    for shared in ("/usr/bin", "/home", "/rootless/python", "/Users/Shared/python", "/opt/home/bob"):
        assert interpreter.home_around(shared) == ""


def test_the_plan_says_where_torch_comes_from(
    prefix: prefixes.Prefix, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform_named("linux")
    monkeypatch.setenv("HOME", "/elsewhere")
    python = interpreter.Interpreter(sys.executable, (3, 12), "linux", "x86_64", "/home/bob/python")
    for flavour, said in (("cpu", "https://download.pytorch.org/whl/cpu"), ("cu130", "")):
        choice = torch_choice.TorchChoice(flavour, "why")
        plan = installation.Plan(python, place, choice, "1.0.0", {}, {"torch": "9.9"})
        wishes = installation.Wishes(source="")
        installation._tell_plan(prefix, plan, prefix.version("1.0.0"), wishes, Journal())
        told = capsys.readouterr().out
        assert f"torch comes from {said}" in told if said else "torch comes from" not in told
        assert "that Python lies in the home folder /home/bob" in told


@pytest.mark.skipif(os.name == "nt", reason="Asks a shell.")
def test_lines_can_be_pasted_whatever_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "ali ce"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for path in ("/it's here/x y", "/plain", str(home / "new tools" / "ü"), str(home) + "2/x"):
        for line, wanted in (
            (f"printf %s {command_line.word(path)}", path),
            (f'{command_line.setting_line("TOLD", path)}; printf %s "$TOLD"', path),
        ):
            assert subprocess.check_output(["sh", "-c", line], text=True) == wanted
    assert command_line.word(str(home / "tools")) == "~/tools"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "name", "nt")
        assert command_line.word("C:\\new tools") == '"C:\\new tools"'
        assert command_line.word("C:\\tools") == "C:\\tools"
        assert command_line.word(str(home) + "/x") == '"%USERPROFILE%/x"'
