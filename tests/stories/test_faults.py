"""What goes wrong is told in a sentence with a remedy, costs no prompt, and the next press works."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, Artist, Shot

GOOD = 0.85
HELLO = '{"kind": "Hello", "version": 99, "software": "9.9", "python": "3.20", "pid": 1}'


@pytest.fixture
def shot() -> Shot:
    return Shot(3)


@pytest.fixture
def clicked(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """A node with a prompt, not tracked."""
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    return node


def test_missing_weights(artist: Artist, shot: Shot, clicked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = clicked["sheet"].getText()
    clicked["model"].setValue("efficienttam_s")
    status = artist.track(clicked)
    assert "efficienttam_s" in status and "weights" in status.lower(), status
    assert "Traceback" not in status and clicked["sheet"].getText() == sheet
    clicked["model"].setValue("efficienttam_demo")
    clicked["weights"].setValue("/no/such/file.pt")
    status = artist.track(clicked)
    assert status == "weights: There is no file '/no/such/file.pt'. Check the path."
    clicked["weights"].setValue("")
    status = artist.track(clicked)
    assert artist.score(clicked, shot) > GOOD, status


def other_engine(tmp_path: Path, code: str) -> str:
    """A program that stands for the engine's Python."""
    program = tmp_path / "other_python"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.skipif(os.name == "nt", reason="A script is no program on Windows.")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            f"print({HELLO!r}, flush=True)\nimport time; time.sleep(30)",
            ("version 99", "one release"),
        ),
        ("import sys; print('No module named torch', file=sys.stderr); sys.exit(1)", ("torch", "Python")),
        ("print('hello there', flush=True)\nimport time; time.sleep(30)", ("hello there", "same release")),
        ("import os; os.kill(os.getpid(), 9)", ("ended before it began",)),
    ],
    ids=["another version", "no torch", "no messages", "killed at once"],
)
def test_an_engine_that_is_none(
    artist: Artist,
    shot: Shot,
    clicked: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    words: tuple[str, ...],
) -> None:
    sheet = clicked["sheet"].getText()
    with monkeypatch.context() as patch:
        patch.setenv("EFFICIENTTAM_PYTHON", other_engine(tmp_path, code))
        status = artist.track(clicked)
    for word in words:
        assert word in status
    assert clicked["sheet"].getText() == sheet and "failed" in clicked["state"].getText()
    assert artist.session.messages == []


def test_an_engine_that_is_not_installed(
    artist: Artist, clicked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTTAM_PYTHON", str(tmp_path / "none"))
    artist.press(clicked, "track_both")
    status = clicked["status"].getText()
    assert "not installed" in status and "install.py" in status


def test_a_frame_that_is_missing(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(5)
    pattern = shot.write(tmp_path / "plate")
    node = artist.tracker(artist.read(pattern, shot))
    artist.click(node, shot, FIRST)
    Path(pattern % 1003).unlink()
    artist.press(node, "track_both")
    artist.wait(node)
    assert "1003" in node["status"].getText()
    assert artist.session.messages == []


def test_mattes_that_cannot_be_written(artist: Artist, clicked: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    clicked["mattes"].setValue((tmp_path / "file" / "m.%04d.exr").as_posix())
    artist.press(clicked, "track_both")
    artist.wait(clicked)
    assert str(tmp_path / "file") in clicked["status"].getText()


def test_a_colour_configuration_with_other_names(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(2)
    artist.session.spaces = [
        "default\tdefault (ACES - ACES2065-1)",
        "ACES - ACEScg\tACES/ACES - ACEScg",
        "Utility - sRGB - Texture\tUtility/Utility - sRGB - Texture",
        "Output - Rec.709\tOutput/Output - Rec.709",
    ]
    artist.nuke.root()["colorManagement"].setValue("OCIO")
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.fed(node, read, FIRST) < 2 / 255
    assert artist.session.rendered, "OCIO is Nuke's affair: the plate is rendered"
    assert artist.score(node, shot) > GOOD, status


def test_a_colour_configuration_without_srgb(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(2)
    artist.session.spaces = ["default", "house_log", "house_linear"]
    artist.nuke.root()["colorManagement"].setValue("OCIO")
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    artist.press(node, "track_both")
    status = node["status"].getText()
    assert "house_log" in status and "sRGB" in status, status


def test_ranges(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(8), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, 1003)
    node["frame_range"].setValue("custom")
    node["first"].setValue(1003)
    node["last"].setValue(1005)
    artist.track(node)
    assert [path.name[-8:-4] for path in artist.files(node)] == ["1003", "1004", "1005"]
    node["handles"].setValue(1)
    artist.track(node)
    assert len(artist.files(node)) == 5
    viewer = nuke.createNode("Viewer", inpanel=False)
    viewer["frame_range"].setValue("1001-1007")
    node["handles"].setValue(0)
    node["frame_range"].setValue("in-out")
    viewer["frame_range_lock"].setValue(True)
    artist.track(node)
    assert len(artist.files(node)) == 7
    # Of earlier on: the Viewer shows the range of the script now.
    viewer["frame_range"].setValue("1001-1002")
    viewer["frame_range_lock"].setValue(False)
    artist.track(node)
    assert len(artist.files(node)) == 8
    nuke.frame(1008)
    node["frame_range"].setValue("input")
    artist.track(node, "track_forward")
    assert len(artist.files(node)) == 8
    assert artist.score(node, shot) > GOOD


def test_a_click_outside_of_the_plate(artist: Artist, clicked: Any) -> None:
    sheet = clicked["sheet"].getText()
    clicked["point"].setValue([5000, 20])
    artist.press(clicked, "include")
    assert clicked["sheet"].getText() == sheet
    assert "not on the plate (256x144)" in clicked["status"].getText()


def test_more_objects_than_the_node_can_show(artist: Artist, clicked: Any) -> None:
    for _ in range(17):
        artist.press(clicked, "add_object")
    assert len(clicked["current"].values()) == 18
    assert "16" in clicked["status"].getText(), clicked["status"].getText()
