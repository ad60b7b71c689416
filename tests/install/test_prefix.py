"""A prefix through its life: versions beside each other, switching, going back, being killed, going away."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import outcome
import prefix as prefixes
import pytest
import wheelhouse
from hashed_list import Pin, sum_of, write_list
from outcome import InstallError
from packages import list_path
from platform_tags import platform_of
from small_wheels import make_wheel
from stand_in import command, install, make_project

import install as program

#: Real environments take many seconds each: these run where somebody asks for them.
REAL = os.environ.get("EFFICIENTTAM_REAL_INSTALLS") == "1"


def says(folder: Path) -> str:
    """What the version in use says, started as anybody would."""
    done = subprocess.run(
        [str(folder / "bin" / "efficienttam"), "hello"], capture_output=True, text=True, cwd="/"
    )
    return done.stdout.strip() or done.stderr.strip()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The installer in this process, which is a start of Python faster: its status, and what it says."""

    def here(*words: str) -> tuple[int, str, str]:
        status = program.main(list(words))
        return status, *capsys.readouterr()

    return here


def test_from_nothing_and_back_to_nothing(tmp_path: Path, home: Path) -> None:
    """With packages by their sums and a torch, all of it from a wheelhouse."""
    clone = make_project(tmp_path / "clone Ж")
    wheels = tmp_path / "wheels"
    listed = make_wheel(wheels, "first", "1.0")
    (clone / "install" / "requirements.lock").write_text("first==1.0\ntorch==9.9\n")
    place = platform_of(sys.platform, platform.machine())
    if place is not None:
        tag = "cp{0}{1}-cp{0}{1}-{2}".format(*sys.version_info[:2], place.tags[0])
        make_wheel(wheels, "torch", "9.9+cpu" if place.sys_platform == "linux" else "9.9", tag=tag)
        (clone / "install" / "locks").mkdir()
        pins = [Pin("first", "1.0", "", (sum_of(str(listed)),))]
        write_list(list_path(str(clone / "install"), "run", place), pins)
    else:
        make_wheel(wheels, "torch", "9.9")
    wheelhouse.write_record(str(wheels), {})
    folder = tmp_path / "studio tools ö"
    offline = ("--wheelhouse", str(wheels))
    first = install(clone, "--prefix", str(folder), "--write-nuke-path", *offline)
    assert first.returncode == 0, first.stderr
    assert "without a sum" not in first.stdout
    assert says(folder) == "ran 1.0.0 hello"
    assert ascii(str(folder / "nuke_plugin")) in (home / ".nuke" / "init.py").read_text()
    log = (folder / "install.log").read_text(encoding="utf-8")
    assert "runs " in log and "version 1.0.0 is in use." in log

    again = install(clone, "--prefix", str(folder), *offline)
    assert "is installed already" in again.stdout
    assert f"export NUKE_PATH='{folder / 'nuke_plugin'}'" in again.stdout.splitlines()

    installed = folder / "versions" / "1.0.0"
    listed = json.loads(install(installed, "list", "--json").stdout)
    assert [(row["version"], row["in_use"], row["complete"]) for row in listed] == [("1.0.0", True, True)]
    assert install(clone, "repair", "--prefix", str(folder), "--check").returncode == 0
    (tmp_path / "efficienttam").mkdir()
    python = next((installed / "environment").glob("[bS]*/python*"))
    loaded = subprocess.run([str(python), "-c", "import efficienttam.cli"], cwd=tmp_path)
    assert loaded.returncode == 0, "A folder of our name stands before the package."
    next((installed / "environment").rglob("first-1.0.dist-info/WHEEL")).unlink()
    (installed / "efficienttam" / "cli.py").write_text("1 +")
    unsound = install(clone, "repair", "--prefix", str(folder), "--check")
    assert unsound.returncode == outcome.FAULTS
    assert "efficienttam/cli.py was changed" in unsound.stdout and "SyntaxError" in unsound.stdout
    assert "first: first-1.0.dist-info/WHEEL is not there" in unsound.stdout
    later = make_project(tmp_path / "later", "2.0.0")
    refused = install(later, "repair", "--prefix", str(folder))
    assert refused.returncode == 1 and "1.0.0 is in use and this is the installer of 2.0.0" in refused.stderr

    gone = install(installed, "uninstall")
    assert gone.returncode == 0, gone.stderr
    assert not folder.exists() and not (home / ".nuke").exists()


@pytest.mark.skipif(not REAL, reason="Takes minutes; EFFICIENTTAM_REAL_INSTALLS=1 runs it.")
def test_fail_upgrade_go_back_and_repair(tmp_path: Path, home: Path) -> None:
    clone = make_project(tmp_path / "clone")
    folder = tmp_path / "prefix"
    assert install(clone, "--prefix", str(folder)).returncode == 0
    make_project(clone, "2.0.0")
    (clone / "install" / "requirements.lock").write_text("no-such-package==1.0\n")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    failed = install(clone, "--prefix", str(folder), "--wheelhouse", str(wheels), "--quiet")
    assert failed.returncode == 1 and failed.stdout == ""
    assert "no-such-package" in failed.stderr and "installing run with pip failed" in failed.stderr
    assert says(folder) == "ran 1.0.0 hello"

    (clone / "install" / "requirements.lock").write_text("")
    upgraded = install(clone, "--prefix", str(folder), "--quiet")
    assert (upgraded.returncode, upgraded.stdout, upgraded.stderr) == (0, "", "")
    assert says(folder) == "ran 2.0.0 hello"
    assert install(folder / "versions" / "2.0.0", "rollback").returncode == 0
    assert says(folder) == "ran 1.0.0 hello"
    assert install(folder / "versions" / "2.0.0", "rollback").returncode == 0

    (folder / "versions" / "2.0.0" / "efficienttam" / "cli.py").write_text("1 +")
    assert install(clone, "repair", "--prefix", str(folder)).returncode == 0
    assert says(folder) == "ran 2.0.0 hello"
    assert (folder / "current").read_text() == "2.0.0-2\n1.0.0\n"
    assert sorted(path.name for path in (folder / "versions").iterdir()) == ["1.0.0", "2.0.0-2"]


def kill_at(line: int, words: list[str]) -> str:
    """Kills an installer with all it started when it says its nth line; that line."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    said = ""
    for _ in range(line):
        said = process.stdout.readline() or said
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    return said.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="Kills a process group.")
@pytest.mark.skipif(not REAL, reason="Takes minutes; EFFICIENTTAM_REAL_INSTALLS=1 runs it.")
def test_killed_anywhere_the_old_version_works(tmp_path: Path) -> None:
    clone = make_project(tmp_path / "clone")
    folder = tmp_path / "prefix"
    assert install(clone, "--prefix", str(folder), "--quiet").returncode == 0
    make_project(clone, "2.0.0")
    steps = []
    for line in range(1, 14):
        steps.append(kill_at(line, command(clone, "--prefix", str(folder))))
        current = (folder / "current").read_text().split()[0]
        assert says(folder) == f"ran {current} hello", steps
        if current == "2.0.0":
            break
    print(*steps, sep="\n")
    assert len(set(steps)) >= 10
    assert install(clone, "--prefix", str(folder), "--quiet").returncode == 0
    assert says(folder) == "ran 2.0.0 hello"


@pytest.mark.skipif(sys.platform == "win32", reason="Kills a process group.")
def test_killed_at_the_start_nothing_changes_and_the_rest_is_cleared(
    prefix: prefixes.Prefix, project: Path
) -> None:
    said = [kill_at(line, command(project, "--prefix", prefix.folder)) for line in (1, 8)]
    assert any(word in said[1] for word in ("copying", "making the environment")), said
    assert prefix.current() == "1.10.0"
    assert [version.name for version in prefix.versions() if not version.complete] == ["1.0.0"]


def test_versions_are_in_natural_order_and_the_pointer_remembers(prefix: prefixes.Prefix) -> None:
    assert [version.name for version in prefix.versions()] == ["1.2.0", "1.2.0-2", "1.10.0"]
    assert prefix.used() == ["1.10.0", "1.2.0"]
    prefix.switch("1.2.0")
    assert prefix.used() == ["1.2.0", "1.10.0"]


def test_what_works_is_never_built_over(prefix: prefixes.Prefix) -> None:
    assert prefix.place_for("1.2.0", {"torch": "2.13.0+cpu"}).name == "1.2.0"
    assert prefix.place_for("1.2.0", {"torch": "2.13.0+cu126"}).name == "1.2.0-3"
    (Path(prefix.version("1.10.0").folder) / "efficienttam-installed.json").unlink()
    assert prefix.place_for("1.10.0", {}).name == "1.10.0-2", "in use, though its stamp is gone"


@pytest.mark.parametrize("name", ["../../etc", "1.0/../..", "", ".", "1..0", "C:1", "-1", "1\n2", "1" * 80])
def test_names_from_outside_stay_inside(prefix: prefixes.Prefix, name: str) -> None:
    with pytest.raises(InstallError, match="no name of a version"):
        prefix.version(name)
    Path(prefix.pointer).write_text(f"{name}\n1.2.0\n")
    assert prefix.current() in ("", "1") and prefix.used()[-1] == "1.2.0"


def test_only_what_is_marked_is_removed(
    prefix: prefixes.Prefix, home: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    foreign = Path(prefix.versions_folder) / "9.9"
    foreign.mkdir()
    (foreign / "precious").write_text("mine")
    outside = Path(prefix.folder).parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    (Path(prefix.version("1.2.0").folder) / "link").symlink_to(outside)
    (Path(prefix.folder) / "efficienttam_settings.json").write_text("{}")
    weights = Path(prefix.weights)
    weights.mkdir()
    for name, record in (("ours.pt", {"file": "ours.pt"}), ("theirs.pt", {})):
        (weights / name).write_text("x")
        (weights / f"{name}.json").write_text(json.dumps(record))
    assert run("uninstall", "--prefix", prefix.folder, "--dry-run")[0] == 0
    assert len(prefix.versions()) == 3
    status, said, failure = run("uninstall", "--prefix", prefix.folder)
    assert status == 0, failure
    assert "efficienttam_settings.json, versions, weights" in said
    assert (foreign / "precious").exists() and (outside / "precious").exists()
    assert sorted(path.name for path in weights.iterdir()) == ["theirs.pt", "theirs.pt.json"]
    status, _, failure = run("uninstall", "--prefix", prefix.folder)
    assert status == outcome.REFUSED and "nothing is installed" in failure


def test_one_version_can_go(prefix: prefixes.Prefix, run: Callable[..., tuple[int, str, str]]) -> None:
    status, _, failure = run("uninstall", "--prefix", prefix.folder, "--version", "1.10.0")
    assert status == outcome.USAGE and "is in use" in failure
    assert run("uninstall", "--prefix", prefix.folder, "--version", "1.2.0")[0] == 0
    assert [version.name for version in prefix.versions()] == ["1.2.0-2", "1.10.0"]
    status, _, failure = run("rollback", "--prefix", prefix.folder)
    assert status == 1 and "no earlier version is known" in failure
    assert "rollback 1.2.0-2 --prefix" in failure, "a line to paste"
    assert run("rollback", "1.2.0-2", "--prefix", prefix.folder)[0] == 0
    assert prefix.current() == "1.2.0-2"


def test_two_installers_do_not_meet(
    prefix: prefixes.Prefix, run: Callable[..., tuple[int, str, str]]
) -> None:
    with prefix.alone():
        status, _, failure = run("rollback", "--prefix", prefix.folder)
    assert status == outcome.BUSY and "another installer is at work" in failure


def test_a_folder_of_somebody_else_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.nk").write_text("mine")
    refused = install(project, "--prefix", str(tmp_path))
    assert refused.returncode == outcome.REFUSED and "holds precious.nk" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious.nk"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="Root may write everywhere.")
def test_a_prefix_that_may_only_be_read(prefix: prefixes.Prefix, project: Path) -> None:
    Path(prefix.folder).chmod(0o555)
    refused = install(project, "--prefix", prefix.folder)
    Path(prefix.folder).chmod(0o755)
    assert refused.returncode == outcome.REFUSED and "cannot be written to" in refused.stderr


def test_a_dry_run_writes_nothing(project: Path, tmp_path: Path) -> None:
    told = install(project, "--prefix", str(tmp_path / "new"), "--dry-run")
    assert told.returncode == 0 and "EfficientTAM 1.0.0 goes into" in told.stdout
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [["--prefix"], ["fly"], ["list"], ["--prefix", "x", "--torch", "cu999"]])
def test_wrong_command_lines(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(words)
    assert ended.value.code == outcome.USAGE


def test_the_doctor_tells_what_it_can_of_a_ruin(prefix: prefixes.Prefix, project: Path, home: Path) -> None:
    """Versions without files, whose Python has no engine."""
    sick = install(project, "doctor", "--prefix", prefix.folder, "--json", NUKE_PATH="/x")
    report = json.loads(sick.stdout)
    assert sick.returncode == outcome.FAULTS and report["failed"]
    told = [(check["name"], check["state"]) for check in report["checks"]]
    assert told[:2] == [("install", "pass"), ("install", "fail")] and ("plugin", "warn") in told
    assert "list of its files cannot be read" in report["checks"][1]["told"]
    (home / ".nuke").mkdir()
    (home / ".nuke" / "init.py").write_text(f"nuke.pluginAddPath({prefix.plugin!a})\n")
    Path(prefix.pointer).unlink()
    nothing = install(project, "doctor", "--prefix", prefix.folder)
    assert nothing.returncode == outcome.FAULTS and "no version is in use" in nothing.stdout
    assert "pass  plugin" in nothing.stdout and "by ~/.nuke/init.py" in nothing.stdout
    nowhere = install(project, "doctor", "--prefix", str(home / "nowhere"))
    assert nowhere.returncode == outcome.FAULTS and "nothing is installed in ~/nowhere" in nowhere.stdout
