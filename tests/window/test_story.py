"""The story of ``story.py`` with the binding of this Python."""

import subprocess
import sys
from pathlib import Path

import pytest

from .test_other_bindings import environment

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_whole_story(two_things):
    pytest.importorskip("PySide6", reason="PySide6 is not installed beside the engine.")
    if not pytest.importorskip("efficienttam.window.qt").sound():
        pytest.skip("This PySide6 aborts Pythons before 3.12: use one before 6.12.")
    command = [sys.executable, str(REPOSITORY / "tests/window/story.py"), sys.executable, str(two_things)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "The story ends well."
