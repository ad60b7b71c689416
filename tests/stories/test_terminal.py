"""``nuke -t``: no dialogs, exit codes, and the smoke test that studios run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fake_nuke
import OpenImageIO as oiio
import pytest
from shots import FIRST, HEIGHT, Artist, Shot, iou

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    not fake_nuke.have_tcl(), reason="This Python was built without tkinter, which holds Tcl."
)


def terminal(script: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a fake ``nuke -t`` that has the plugin on its NUKE_PATH."""
    environment = {
        **os.environ,
        "NUKE_PATH": str(REPOSITORY / "nuke_plugin"),
        "PYTHONPATH": str(REPOSITORY / "tests"),
        "EFFICIENTTAM_PYTHON": sys.executable,
        "EFFICIENTTAM_FEED": str(folder / "feed"),
        **variables,
    }
    command = [sys.executable, "-m", "fake_nuke", "-t", str(script)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_smoke_test_passes(tmp_path: Path) -> None:
    done = terminal(REPOSITORY / "tests" / "nuke_smoke.py", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\npass  ") == 16
    assert "FAIL" not in done.stdout and "All steps passed." in done.stdout


def test_the_smoke_test_fails_without_an_engine(tmp_path: Path) -> None:
    done = terminal(
        REPOSITORY / "tests" / "nuke_smoke.py", tmp_path, EFFICIENTTAM_PYTHON=str(tmp_path / "none")
    )
    assert done.returncode == 1
    assert "FAIL  preview" in done.stdout
    assert "The engine is not installed" in done.stdout


def test_a_script_ends_with_the_exit_code_of_the_command_line(tmp_path: Path) -> None:
    shot = Shot(3)
    pattern = shot.write(tmp_path / "plate")
    x, y = shot.center(FIRST)
    script = tmp_path / "batch.py"
    script.write_text(
        "import sys, nuke\n"
        "from efficienttam.contract.errors import EfficientTAMError\n"
        "from efficienttam_nuke import actions\n"
        f"read = nuke.nodes.Read(file={pattern!r}, first=1001, last=1003, origfirst=1001, origlast=1003)\n"
        "nuke.frame(1001)\n"
        "node = nuke.createNode('EfficientTAM')\n"
        "node.setInput(0, read)\n"
        f"node['mattes'].setValue({(tmp_path / 'mattes' / 'm.%04d.exr').as_posix()!r})\n"
        f"node['point'].setValue([{x}, {HEIGHT - y}])\n"
        "actions.include_point(node)\n"
        "actions.track(node)\n"
        "assert nuke.thisNode() is not node\n"
        "node['mattes'].setValue('/proc/no/such/place.%04d.exr')\n"
        "try:\n"
        "    actions.track(node)\n"
        "except EfficientTAMError as error:\n"
        "    print(error)\n"
        "    sys.exit(int(error.exit_code))\n"
    )
    done = terminal(script, tmp_path)
    assert len(list((tmp_path / "mattes").glob("m.*.exr"))) == 3, done.stdout + done.stderr
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "/proc/no" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="A script is no program on Windows.")
def test_a_farm_render_starts_no_worker(artist: Artist, shot: Shot, tracked: Any, tmp_path: Path) -> None:
    artist.nuke.nodes.Write(
        inputs=[tracked], file=(tmp_path / "out.%04d.exr").as_posix(), channels="rgba", name="Out"
    )
    saved, began, program = tmp_path / "shot_v002.nk", tmp_path / "began", tmp_path / "python"
    artist.nuke.scriptSaveAs(str(saved))
    program.write_text(f"#!{sys.executable}\nopen({str(began)!r}, 'w').close()\n")
    program.chmod(0o755)
    script = tmp_path / "render.py"
    script.write_text(
        "import os, nuke\n"
        f"nuke.scriptOpen({str(saved)!r})\n"
        f"nuke.execute('Out', {shot.first}, {shot.last})\n"
        f"print('began:', os.path.exists({str(began)!r}))\n"
        # What starts one is a button; so the program above can tell.
        f"nuke.toNode({tracked.name()!r})['track_both'].execute()\n"
    )
    done = terminal(script, tmp_path, EFFICIENTTAM_PYTHON=str(program))
    assert "began: False" in done.stdout, done.stdout + done.stderr
    assert began.exists(), done.stdout + done.stderr
    for frame in shot.frames:
        alpha = oiio.ImageBuf(str(tmp_path / f"out.{frame}.exr")).get_pixels(oiio.FLOAT)[:, :, 3]
        assert iou(alpha, shot.truth(frame)) > 0.85
