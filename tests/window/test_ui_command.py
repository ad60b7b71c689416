"""``efficienttam ui`` up to the window: the document it opens, and what it refuses."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from efficienttam.cli import main
from efficienttam.commands import ui
from efficienttam.contract.disk import place_at
from efficienttam.contract.document import read_job, write_job
from efficienttam.contract.errors import ExitCode

LIGHT = """
import sys
from efficienttam.cli import main
code = main(sys.argv[1:])
heavy = {"torch", "numpy", "OpenImageIO", "cv2", "safetensors"} & set(sys.modules)
print("heavy:", *sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def shown(monkeypatch):
    """What would be shown: (path, job)."""
    seen = []
    monkeypatch.setattr(ui, "_show", lambda path, job: seen.append((path, job)) or 0)
    return seen


@pytest.mark.parametrize(
    "plate, document",
    [
        ("ab010_plate.%04d.exr", "ab010_plate.job.json"),
        ("shots/plate.####.exr", "plate.job.json"),
        ("plate_$F4.exr", "plate.job.json"),
        ("plate.%V.%d.exr", "plate.job.json"),
        ("%04d.exr", "shot.job.json"),
        ("still.1001.exr", "still.1001.job.json"),
    ],
)
def test_a_document_is_named_after_the_plate(plate, document, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["ui", plate, "--views", "left,right" if "%V" in plate else ""]) == 0
    assert shown[0][0] == document


def test_a_new_job_lies_beside_its_mattes(tiny_plate, shown, monkeypatch):
    monkeypatch.chdir(tiny_plate)
    words = ["--frames", "1001-1004", "--device", "cpu", "--threads", "2", "--missing", "hold"]
    assert main(["ui", "plate.%04d.exr", "--job", "jobs/hero.json", *words]) == 0
    ((path, job),) = shown
    assert path == "jobs/hero.json" and os.path.isdir("jobs") and not os.path.exists(path)
    assert job.plate.path == os.path.join("..", "plate.%04d.exr")
    assert os.path.normpath(os.path.join("jobs", job.output.path)) == "jobs/mattes/{object}.%04d.exr"
    assert (job.range.first, job.range.last, job.model.device, job.model.threads) == (1001, 1004, "cpu", 2)


def test_a_document_is_opened_again_as_it_is(job, tiny_plate, shown, monkeypatch, capsys):
    monkeypatch.chdir(tiny_plate)
    write_job(job, "hero.job.json")
    assert main(["ui", "plate.%04d.exr", "--job", "hero.job.json"]) == 0
    assert main(["ui", "hero.job.json"]) == 0
    assert [seen[1] for seen in shown] == [read_job("hero.job.json")] * 2
    assert main(["ui", "other.%04d.exr", "--job", "hero.job.json"]) == ExitCode.USAGE
    assert "about another plate" in capsys.readouterr().err


def test_a_document_in_a_linked_folder_means_the_same_files(job, tiny_plate, shown, monkeypatch):
    (tiny_plate / "show").mkdir()
    (tiny_plate / "elsewhere" / "deep").mkdir(parents=True)
    (tiny_plate / "show" / "logical").symlink_to(tiny_plate / "elsewhere" / "deep")
    monkeypatch.chdir(tiny_plate / "show")
    pathlib.Path("my.ocio").write_text("ocio_profile_version: 1\n")
    words = ["ui", "../plate.%04d.exr", "--job", "logical/ab/q.json", "--out", "mq/a.%04d.exr"]
    assert main([*words, "--ocio", "my.ocio"]) == 0
    ((path, made),) = shown
    for told, meant in (
        (made.plate.path, tiny_plate / "plate.%04d.exr"),
        (made.output.path, tiny_plate / "show" / "mq" / "a.%04d.exr"),
        (made.plate.ocio_config, tiny_plate / "show" / "my.ocio"),
    ):
        assert os.path.realpath(place_at(told, os.path.dirname(path))) == os.path.realpath(meant)
    write_job(dataclasses.replace(made, objects=job.objects[:1]), path)
    assert main(words) == 0
    assert shown[1][1].plate == made.plate and shown[1][1].output == made.output


@pytest.mark.parametrize(
    "words, told",
    [
        (["missing.json"], "There is no job"),
        (["plate.%04d.exr", "--device", "toaster"], "--device: 'toaster' is not a device"),
        (["plate.%04d.exr", "--out", "matte.%04d.jpg"], "--out: 'matte.%04d.jpg' is no EXR, PNG or TIFF"),
        (["plate.%04d.exr", "--frames", "9-1"], "runs backwards"),
        (["plate.%V.%04d.exr"], "The plate's name has %V but there are no views"),
        (["plate.%04d.exr", "--job", "plate.1001.exr"], "cannot be read"),
    ],
)
def test_what_cannot_be_is_told(words, told, tiny_plate, shown, monkeypatch, capsys):
    monkeypatch.chdir(tiny_plate)
    assert main(["ui", *words]) == ExitCode.USAGE
    assert told in capsys.readouterr().err and shown == []


def test_without_a_display_it_is_told_and_nothing_heavy_is_imported(tiny_plate):
    if not sys.platform.startswith("linux"):
        pytest.skip("Only on Linux can there be no display.")
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["PYTHONPATH"] = os.getcwd()
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "ui", "plate.%04d.exr"],
        cwd=tiny_plate,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == ExitCode.USAGE
    told, heavy = done.stderr.splitlines()
    assert told.startswith("efficienttam: ") and heavy.split() == ["heavy:"]


def test_without_qt_it_is_told_how_to_get_it(tiny_plate, tmp_path):
    for name in ("PySide6", "PySide2"):
        folder = tmp_path / "without" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise ImportError('not here')\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "without"), os.getcwd()])}
    done = subprocess.run(
        [sys.executable, "-m", "efficienttam", "ui", "plate.%04d.exr"],
        cwd=tiny_plate,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == ExitCode.USAGE
    assert "pip install" in done.stderr and len(done.stderr.splitlines()) == 1


def children(pid):
    """The processes whose parent is this one and that have not ended."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_opens_the_plate_and_ends_its_worker_when_it_is_told_to(
    number, tiny_plate, random_weights, tmp_path
):
    """The real command as a process: nothing of it is replaced."""
    pytest.importorskip("PySide6", reason="PySide6 is not installed beside the engine.")
    if not pytest.importorskip("efficienttam.window.qt").sound():
        pytest.skip("This PySide6 aborts Pythons before 3.12: use one before 6.12.")
    if not sys.platform.startswith("linux"):
        pytest.skip("Only on Linux are the processes of another one looked up like this.")
    pictures = tmp_path / "temporary"
    pictures.mkdir()
    told = {"PYTHONPATH": os.getcwd(), "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(pictures)}
    words = ["plate.%04d.exr", "--device", "cpu", "--weights", str(random_weights)]
    window = subprocess.Popen(
        [sys.executable, "-m", "efficienttam", "ui", *words],
        cwd=tiny_plate,
        env={**os.environ, **told},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The worker makes a folder for pictures with the first one it is asked for: the plate is open then.
        until = time.monotonic() + 120
        while not list(pictures.glob("efficienttam-*")):
            assert window.poll() is None, window.stderr.read()
            assert time.monotonic() < until, "The plate was not opened."
            time.sleep(0.05)
        (worker,) = children(window.pid)
        window.send_signal(number)
        _, said = window.communicate(timeout=60)
    finally:
        window.kill()
    assert window.returncode == 0, said
    # Qt itself may warn, of its own affairs and with the names of our windows.
    assert "efficienttam: " not in said and "Traceback" not in said
    assert not os.path.exists(f"/proc/{worker}"), "The worker outlived the window."
