"""The installer on a small stand-in project: same script, real environments, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: A build backend that needs nothing: its editable wheel is one .pth file.
BACKEND = """
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "standin-1.dist-info"
    files = {
        "standin.pth": str(pathlib.Path.cwd()) + "\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: standin\\nVersion: 1\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "/RECORD"] = "".join(name + ",,\\n" for name in [*files, info + "/RECORD"])
    name = "standin-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""
FILES = {
    "install/requirements.lock": "",
    "install/requirements-dev.lock": "",
    "setup.cfg": "",
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": BACKEND,
    "efficienttam/__init__.py": "",
    "efficienttam/__main__.py": """
import sys
print("ran", *sys.argv[1:])
sys.exit(7 if "7" in sys.argv else 0)
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project with a space")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for module in (REPOSITORY / "install").glob("*.py"):
        shutil.copy(module, folder / "install")
    return folder


def install(project: Path, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, str(project / "install" / "install.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def test_the_life_of_an_environment(project: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    offline = ("--wheelhouse", str(wheels))
    first = install(project, "demo", *offline, "--frames", "8")
    assert (first.returncode, first.stdout.splitlines()[-1]) == (0, "ran demo --frames 8"), first.stderr

    started = time.monotonic()
    again = install(project, "demo", "7")
    assert (again.returncode, again.stdout) == (7, "ran demo 7\n")
    assert time.monotonic() - started < 3

    lock = project / "install" / "requirements.lock"
    lock.write_text("no-such-package==1.0\n")
    failed = install(project, "setup", *offline)
    assert failed.returncode == 1 and "this step failed" in failed.stderr
    stamp = project / ".venv" / "efficienttam-installed.json"
    assert not stamp.exists()
    lock.write_text("")
    mended = install(project, "setup", *offline)
    assert mended.returncode == 0 and "is made again" in mended.stdout
    assert set(json.loads(stamp.read_text())) == {"install/requirements.lock", "project", "python"}


def test_a_folder_that_is_not_ours_is_left_alone(project: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.nk").write_text("mine")
    refused = install(project, "setup", "--prefix", str(tmp_path))
    assert refused.returncode == 1 and "was not made by this script" in refused.stderr
    assert (tmp_path / "precious.nk").read_text() == "mine"


def test_a_missing_wheelhouse_is_said(project: Path, tmp_path: Path) -> None:
    refused = install(
        project, "setup", "--prefix", str(tmp_path / "env"), "--wheelhouse", str(tmp_path / "no")
    )
    assert refused.returncode == 1 and "there is no wheelhouse folder" in refused.stderr


def test_an_old_python_gets_a_sentence(project: Path) -> None:
    found = sorted((Path.home() / ".pyenv" / "versions").glob("3.7.*/bin/python"))
    if not found:
        pytest.skip("There is no Python 3.7 under ~/.pyenv on this machine.")
    refused = install(project, "demo", python=str(found[-1]))
    assert refused.returncode == 1
    assert "the engine needs 3.10 or newer" in refused.stderr and "Traceback" not in refused.stderr


def test_the_lists_pin_everything_and_cover_the_ranges() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (REPOSITORY / "install" / name).read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or "==" in line.split(";")[0], line
    locked = (REPOSITORY / "install" / "requirements.lock").read_text(encoding="utf-8").lower()
    assert "\ntorch==2.13.0\n" in locked
    import configparser

    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    for requirement in setup["options"]["install_requires"].split("\n"):
        if requirement:
            assert f"\n{requirement.split()[0].lower()}==" in locked


def test_nothing_of_the_callers_python_leaks_in(project: Path, tmp_path: Path) -> None:
    sys.path.insert(0, str(REPOSITORY / "install"))
    try:
        from install import clean_environment
    finally:
        sys.path.pop(0)
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        assert "PYTHONPATH" not in clean_environment()
    finally:
        del os.environ["PYTHONPATH"]
