"""The host's tests under the Pythons of Nuke 13 to 16: in the oldest ones nothing newer may creep in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
#: Python -> the Nuke that has it.
NUKES = {"3.7": "13", "3.9": "14", "3.10": "15", "3.11": "16"}


def interpreter(version: str) -> str:
    """A Python of that version: of those that EFFICIENTTAM_HOST_PYTHONS lists, else of pyenv's; else empty.

    The variable holds paths of programs, separated as in PATH.
    """
    listed = [name for name in os.environ.get("EFFICIENTTAM_HOST_PYTHONS", "").split(os.pathsep) if name]
    found = sorted(map(str, (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")))
    for program in (*listed, *reversed(found)):
        ask = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        try:
            told = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            continue
        if told == version:
            return program
    return ""


@pytest.mark.parametrize("version", NUKES)
def test_the_hosts_tests_pass_under(version: str) -> None:
    program = interpreter(version)
    if not program:
        pytest.skip(f"There is no Python {version} (Nuke {NUKES[version]}) on this machine.")
    done = subprocess.run(
        [program, "-B", "-m", "unittest", "discover", "-s", "tests/host"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Ran 0 tests" not in done.stdout
