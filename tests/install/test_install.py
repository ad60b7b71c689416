"""The environment of a clone, on a small stand-in program: same script, real environments, no network."""

from __future__ import annotations

import configparser
import json
import os
import time
from pathlib import Path

import pytest
from stand_in import REPOSITORY, install, python_of_nuke_13


def test_the_life_of_an_environment(project: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    offline = ("--wheelhouse", str(wheels))
    first = install(project, "demo", *offline, "--frames", "8")
    assert (first.returncode, first.stdout.splitlines()[-1]) == (0, "ran 1.0.0 demo --frames 8"), first.stderr

    started = time.monotonic()
    again = install(project, "demo", "7")
    assert (again.returncode, again.stdout) == (7, "ran 1.0.0 demo 7\n")
    assert time.monotonic() - started < 5

    lock = project / "install" / "requirements.lock"
    lock.write_text("no-such-package==1.0\n")
    failed = install(project, "setup", *offline)
    assert failed.returncode == 1 and "installing run with pip failed" in failed.stderr
    stamp = project / ".venv" / "efficienttam-installed.json"
    assert not stamp.exists()
    lock.write_text("")
    mended = install(project, "setup", *offline)
    assert mended.returncode == 0 and "is made again" in mended.stdout
    assert set(json.loads(stamp.read_text())) == {"install/requirements.lock", "project", "python"}


def test_a_folder_that_is_not_ours_is_left_alone(project: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.nk").write_text("mine")
    refused = install(project, "setup", "--prefix", str(tmp_path))
    assert refused.returncode == 3 and "was not made by this script" in refused.stderr
    assert (tmp_path / "precious.nk").read_text() == "mine"


def test_a_missing_wheelhouse_is_said(project: Path, tmp_path: Path) -> None:
    refused = install(
        project, "setup", "--prefix", str(tmp_path / "env"), "--wheelhouse", str(tmp_path / "no")
    )
    assert refused.returncode == 1 and "there is no wheelhouse folder" in refused.stderr


def test_an_old_python_gets_a_sentence_where_there_is_no_newer_one(project: Path) -> None:
    python = python_of_nuke_13()
    if not python:
        pytest.skip("There is no Python 3.7 under ~/.pyenv on this machine.")
    refused = install(project, "demo", python=python, PATH="/nowhere")
    assert refused.returncode == 1
    assert "the engine needs 3.10 or newer" in refused.stderr and "Traceback" not in refused.stderr


def test_an_old_python_finds_a_newer_one(project: Path, tmp_path: Path) -> None:
    python = python_of_nuke_13()
    if not python:
        pytest.skip("There is no Python 3.7 under ~/.pyenv on this machine.")
    told = install(project, "--prefix", str(tmp_path / "prefix"), "--dry-run", python=python)
    if told.returncode:
        assert "none on this machine's PATH" in told.stderr
    else:
        assert "install: Python 3.1" in told.stdout
    assert not (tmp_path / "prefix").exists()


def test_the_plain_lists_pin_everything_and_cover_the_ranges() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (REPOSITORY / "install" / name).read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or "==" in line.split(";")[0], line
    locked = (REPOSITORY / "install" / "requirements.lock").read_text(encoding="utf-8").lower()
    assert "\ntorch==2.13.0\n" in locked
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    for requirement in setup["options"]["install_requires"].split("\n"):
        if requirement:
            assert f"\n{requirement.split()[0].lower()}==" in locked


def test_nothing_of_the_callers_python_leaks_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from environment import clean_environment

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "PYTHONPATH" in os.environ and "PYTHONPATH" not in clean_environment()
