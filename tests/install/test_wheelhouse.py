"""Wheelhouses: sums are checked, and pip takes the listed files and no others; with wheels made here."""

from __future__ import annotations

import json
from pathlib import Path

import outcome
import pytest
import wheelhouse
from hashed_list import Pin, sum_of, write_list
from journal import Journal
from outcome import InstallError
from packages import Packages
from platform_tags import PLATFORMS
from small_wheels import make_wheel
from stand_in import install, make_project


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    make_wheel(folder, "first", "1.0")
    make_wheel(folder, "second", "2.0")
    (folder / "notes.txt").write_text("not a wheel")
    wheelhouse.write_record(str(folder), {"platform": "linux-x86_64", "python": "3.11", "torch": "left out"})
    return folder


def test_sums_are_recorded_and_checked(wheels: Path) -> None:
    record = json.loads((wheels / wheelhouse.RECORD).read_text())
    assert list(record["files"]) == ["first-1.0-py3-none-any.whl", "second-2.0-py3-none-any.whl"]
    assert wheelhouse.check_sums(str(wheels)) == 2
    digest = sum_of(str(wheels / "second-2.0-py3-none-any.whl"))
    assert wheelhouse.sums_of(str(wheels), "second", "2.0") == (digest,)
    make_wheel(wheels, "second", "2.0", "replaced = True")
    with pytest.raises(InstallError, match="damaged or was replaced") as refused:
        wheelhouse.check_sums(str(wheels))
    assert refused.value.code == outcome.WRONG_SUM
    (wheels / "second-2.0-py3-none-any.whl").unlink()
    with pytest.raises(InstallError, match="is missing"):
        wheelhouse.check_sums(str(wheels))


def test_a_record_that_leads_elsewhere_is_refused(wheels: Path) -> None:
    (wheels / wheelhouse.RECORD).write_text('{"files": {"../../etc/passwd": "00"}}')
    with pytest.raises(InstallError, match="which is no wheel"):
        wheelhouse.check_sums(str(wheels))
    (wheels / wheelhouse.RECORD).write_text("[]")
    with pytest.raises(InstallError, match="no record"):
        wheelhouse.read_record(str(wheels))


def test_a_damaged_wheelhouse_stops_before_anything_is_made(
    project: Path, wheels: Path, tmp_path: Path
) -> None:
    make_wheel(wheels, "first", "1.0", "replaced = True")
    refused = install(project, "--prefix", str(tmp_path / "new"), "--wheelhouse", str(wheels))
    assert refused.returncode == outcome.WRONG_SUM and "first-1.0" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_pip_takes_the_listed_file_and_no_other(wheels: Path, tmp_path: Path) -> None:
    """Into a folder of its own by way of this Python's pip, which honours PIP_TARGET."""
    import sys

    target = tmp_path / "target"
    packages = Packages(str(tmp_path), sys.executable, (3, 11), Journal(quiet=True), str(wheels), "pip")
    first = wheels / "first-1.0-py3-none-any.whl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_TARGET", str(target))
        packages.install([Pin("first", "1.0", "", (sum_of(str(first)),))], "run")
        assert (target / "first.py").is_file()
        with pytest.raises(InstallError, match="installing run with pip failed"):
            packages.install([Pin("second", "2.0", "", ("0" * 64,))], "run")
        assert not (target / "second.py").exists()


def test_what_download_refuses(project: Path, tmp_path: Path) -> None:
    for words, told in (
        (["--platform", "amiga"], "no platform 'amiga'"),
        (["--platform", "macos-x86_64"], "Intel"),
        (["--platform", "linux", "--python", "3.9"], "listed for"),
        (["--platform", "macos", "--torch", "cu126"], "no CUDA on a Mac"),
        (["--platform", "linux", "--torch", "none"], "no list of sums run"),
    ):
        refused = install(project, "download", "--wheelhouse", str(tmp_path / "wheels"), *words)
        assert refused.returncode in (1, 2) and told in refused.stderr, refused.stderr


def test_download_for_another_platform(tmp_path: Path) -> None:
    """From a folder in the place of an index; what of it fits that platform, with the sums of the list."""
    shelf = tmp_path / "shelf"
    listed = make_wheel(shelf, "first", "1.0", tag="cp310-cp310-win_amd64")
    make_wheel(shelf, "first", "1.0", tag="cp311-cp311-win_amd64")
    make_wheel(shelf, "torch", "9.9+cpu", tag="cp310-cp310-win_amd64")
    make_wheel(shelf, "torch", "9.9", tag="cp310-cp310-win_amd64")
    clone = make_project(tmp_path / "clone")
    (clone / "install" / "requirements.lock").write_text("first==1.0\ntorch==9.9\n")
    (clone / "install" / "locks").mkdir()
    run = clone / "install" / "locks" / f"run-{PLATFORMS['windows-amd64'].name}.txt"
    pin = Pin("first", "1.0", 'python_version < "3.11"', (sum_of(str(listed)),))
    write_list(str(run), [pin])
    words = ["download", "--platform", "windows", "--python", "3.10", "--wheelhouse", str(tmp_path / "out")]
    sources = {"PIP_FIND_LINKS": str(shelf), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    done = install(clone, *words, **sources)
    assert done.returncode == 0, done.stdout + done.stderr
    record = wheelhouse.read_record(str(tmp_path / "out"))
    # Of the two builds pip takes the one with a local name; it is of the version that was asked for.
    assert sorted(record["files"]) == [listed.name, "torch-9.9+cpu-cp310-cp310-win_amd64.whl"]
    assert (record["platform"], record["python"], record["torch"]) == ("windows-amd64", "3.10", "cpu")

    write_list(str(run), [Pin("first", "1.0", "", ("0" * 64,))])
    wrong = install(clone, *words, "--torch", "none", **sources)
    assert wrong.returncode == 1 and "pip could not fetch all of it" in wrong.stderr
