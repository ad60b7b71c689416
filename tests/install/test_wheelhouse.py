"""Wheelhouses: sums are checked, and pip takes the listed files and no others; with wheels made here."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import outcome
import pytest
import wheelhouse
from hashed_list import Pin, sum_of
from journal import Journal
from outcome import InstallError
from packages import Packages
from stand_in import install


def make_wheel(folder: Path, name: str, version: str, text: str = "") -> Path:
    """A wheel with one module."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for place, content in files.items():
            wheel.writestr(place, content)
    return path


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
        (["--platform", "macos", "--torch", "cu128"], "no CUDA on a Mac"),
        (["--platform", "linux", "--torch", "none"], "no list of sums run"),
    ):
        refused = install(project, "download", "--wheelhouse", str(tmp_path / "wheels"), *words)
        assert refused.returncode in (1, 2) and told in refused.stderr, refused.stderr
