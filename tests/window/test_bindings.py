"""The widgets and a whole story of the window, by other Pythons too: those that hosts have.

EFFICIENTTAM_QT_PYTHONS names them, with the system's path separator between; each has pytest and PySide2
or PySide6, and nothing of the engine's.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHONS = [python for python in os.environ.get("EFFICIENTTAM_QT_PYTHONS", "").split(os.pathsep) if python]


def storytellers():
    """The last Python with PySide2: a story takes its time, and that of PySide6 is told beside the engine."""
    ask = "import importlib.util as u; print(u.find_spec('PySide6') is None)"
    told = {
        python: subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip()
        for python in PYTHONS
    }
    return [python for python in PYTHONS if told[python] == "True"][-1:]


@pytest.fixture(params=PYTHONS or [""])
def python(request):
    return named(request)


@pytest.fixture(params=storytellers() or [""])
def storyteller(request):
    return named(request)


def named(request):
    if not request.param:
        pytest.skip("EFFICIENTTAM_QT_PYTHONS names no other Python with a Qt binding.")
    return request.param


def environment(platform="offscreen"):
    wanted = {"QT_QPA_PLATFORM": platform, "PYTHONDONTWRITEBYTECODE": "1"}
    return {
        **os.environ,
        **wanted,
        "PYTHONPATH": str(REPOSITORY),
    }


def test_widgets(python, tmp_path):
    run_widgets([python], environment(), tmp_path)


PLATFORM = "from {} import QtWidgets; print(QtWidgets.QApplication([]).platformName())"


def test_widgets_on_a_display(tmp_path):
    """By this Python: windows of an X server, where elsewhere they are drawn to memory alone."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("There is no xvfb-run: windows were tried without a display alone.")
    if not pytest.importorskip("efficienttam.window.qt").sound():
        pytest.skip("This PySide6 aborts Pythons before 3.12: use one before 6.12.")
    command, place = ["xvfb-run", "-a", sys.executable], environment("xcb")
    ask = [*command, "-c", PLATFORM.format("efficienttam.window.qt")]
    done = subprocess.run(ask, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=60)
    if done.returncode:
        pytest.skip("Qt cannot open a window on an X server here: " + done.stderr.strip()[-300:])
    assert done.stdout.split() == ["xcb"]
    run_widgets(command, place, tmp_path)


def run_widgets(python, place, tmp_path):
    """Runs the tests of the widgets by a Python; all of them have to pass."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [*python, "-m", "pytest", "-q", "--noconftest", "-c", str(tmp_path / "pytest.ini")]
    command += ["-p", "no:cacheprovider"]
    command += [
        str(REPOSITORY / "tests/window" / name) for name in ("test_widgets.py", "test_window_in_host.py")
    ]
    done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout


def tell_story(python, folder):
    done = subprocess.run(
        [python, str(REPOSITORY / "tests/window/story.py"), sys.executable, str(folder)],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "The story ends well."


def test_a_whole_story(storyteller, two_things):
    tell_story(storyteller, two_things)


def test_a_whole_story_beside_the_engine(two_things):
    pytest.importorskip("PySide6", reason="PySide6 is not installed beside the engine.")
    if not pytest.importorskip("efficienttam.window.qt").sound():
        pytest.skip("This PySide6 aborts Pythons before 3.12: use one before 6.12.")
    tell_story(sys.executable, two_things)
