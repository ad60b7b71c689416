"""What an artist does while a job runs, and names that somebody gave."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shots import FIRST, HEIGHT, Artist, Shot, iou

GOOD = 0.85


@pytest.fixture
def shot() -> Shot:
    return Shot(24)


def node_on(artist: Artist, shot: Shot, folder: Path) -> Any:
    return artist.tracker(artist.read(shot.write(folder), shot))


def begin(artist: Artist, node: Any, least: int = 2) -> None:
    """Presses Track and waits for some mattes."""
    artist.press(node, "track_both")
    artist.wait(until=lambda: node["has_mattes"].value() and len(artist.files(node)) >= least)


def ellipse(shot: Shot, which: int, size: float = 1.0) -> Any:
    """A soft shape over one of the things of the shot, as a Roto would draw it."""

    def soft(x: np.ndarray, y: np.ndarray, frame: float) -> np.ndarray:
        left, top = shot.center(round(frame), which)
        return np.clip(
            (1.1 - np.hypot((x - left) / (30 * size), (y - (HEIGHT - top)) / (26 * size))) / 0.2, 0, 1
        )

    return soft


def test_a_roto_is_replaced_while_a_job_runs(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    """The job at hand keeps the shape it began with; the next one takes the new."""
    node = node_on(artist, shot, tmp_path / "plate")
    node.setInput(1, artist.nuke.nodes.Roto(name="Roto1"))
    artist.session.shapes["Roto1"] = ellipse(shot, 0)
    artist.nuke.frame(FIRST)
    artist.press(node, "use_roto")
    before = node["sheet"].getText()
    begin(artist, node)
    artist.session.shapes["Roto1"] = ellipse(shot, 1, 0.75)
    artist.press(node, "use_roto")
    assert node["sheet"].getText() != before and artist.jobs.session().is_busy(artist.uuid(node))
    artist.wait(node)
    assert node["status"].getText().startswith("Tracked"), node["status"].getText()
    assert artist.score(node, shot) > GOOD
    assert artist.track(node, "retrack").startswith("Tracked")
    assert artist.score(node, shot, which=1) > 0.7
    assert iou(artist.matte(node, FIRST), shot.truth(FIRST)) < 0.1
    # Undo brings the first shape back, and its file is there still.
    artist.session.undo()
    assert node["sheet"].getText() == before
    assert artist.track(node, "retrack").startswith("Tracked")
    assert artist.score(node, shot) > GOOD


def test_a_plate_is_not_rendered_anew_under_a_job(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    """A Grade is changed while a job reads the frames: whoever asks for new ones is told to wait."""
    from efficienttam.contract.errors import JobError
    from efficienttam_nuke.node_shot import NodeShot

    read = artist.read(shot.write(tmp_path / "plate"), shot)
    grade = artist.nuke.nodes.Grade(inputs=[read])
    node = artist.tracker(grade)
    artist.click(node, shot, FIRST)
    window = NodeShot(artist.uuid(node))
    begin(artist, node)
    artist.press(node, "submit")
    assert node["status"].getText().startswith("The job is "), "nothing had to be rendered"
    assert window.open_plate().plate.path
    grade["white"].setValue(0.5)
    del artist.session.rendered[:]
    artist.press(node, "submit")
    assert node["status"].getText() == "This node is being tracked. Press Stop first, or wait."
    with pytest.raises(JobError, match="being tracked"):
        window.open_plate()
    assert artist.session.rendered == [] and artist.jobs.session().is_busy(artist.uuid(node))
    artist.wait(node)
    assert node["status"].getText().startswith("Tracked"), node["status"].getText()
    artist.press(node, "submit")
    assert node["status"].getText().startswith("The job is ") and artist.session.rendered
    assert window.open_plate().plate.path
    window.leave()


def test_prompts_are_deleted_while_a_job_runs(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    node = node_on(artist, shot, tmp_path / "plate")
    artist.click(node, shot, FIRST)
    artist.click(node, shot, FIRST + 8)
    begin(artist, node)
    node["prompt"].setValue(next(row for row in node["prompt"].values() if row.startswith(str(FIRST + 8))))
    artist.press(node, "delete_prompt")
    assert node["prompt"].values() == [f"{FIRST} object1: +1"]
    artist.wait(node)
    assert node["status"].getText().startswith("Tracked"), node["status"].getText()
    status = artist.track(node, "retrack")
    assert status.startswith("Tracked") and not status.endswith(": 0 mattes made"), status
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")
    assert artist.score(node, shot) > GOOD


def test_an_object_goes_and_comes_back_while_a_job_runs(artist: Artist, tmp_path: Path) -> None:
    """Undo reaches across objects, whatever is tracked meanwhile."""
    shot = Shot(16)
    node = node_on(artist, shot, tmp_path / "plate")
    artist.click(node, shot, FIRST)
    artist.press(node, "add_object")
    artist.click(node, shot, FIRST, which=1)
    sheet = node["sheet"].getText()
    begin(artist, node)
    artist.session.answers.append(True)
    artist.press(node, "remove_object")
    assert node["current"].values() == ["object1"]
    artist.wait(node)
    assert artist.score(node, shot) > GOOD
    artist.session.undo()
    assert node["sheet"].getText() == sheet and node["current"].values() == ["object1", "object2"]
    assert ": 0 mattes made" in artist.track(node)
    both = artist.matte(node, shot.last) >= 0.5
    assert iou(both, shot.truth(shot.last) | shot.truth(shot.last, 1)) > GOOD


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="There is no kill -9 on this system.")
def test_an_engine_that_dies_idle_is_not_missed(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(3)
    node = node_on(artist, shot, tmp_path / "plate")
    artist.click(node, shot, FIRST)
    artist.track(node, "preview")
    pid = artist.jobs.session().client().pid
    os.kill(pid, signal.SIGKILL)
    status = artist.track(node)
    if not status.startswith("Tracked"):
        # It had not been missed when the button was pressed.
        assert "Press the button again" in status, status
        status = artist.track(node)
    assert status.startswith("Tracked"), status
    assert artist.jobs.session().client().pid != pid and artist.score(node, shot) > GOOD


@pytest.mark.parametrize("name", ["Übung 1", "a $HOME {b}", "100% ;'"])
def test_folders_of_any_name(artist: Artist, tmp_path: Path, name: str) -> None:
    shot = Shot(3)
    folder = tmp_path / name
    folder.mkdir()
    artist.session.root["name"]._set_state(str(folder / "shot_v001.nk").replace("\\", "/"))
    node = node_on(artist, shot, tmp_path / "plate")
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert status.startswith("Tracked"), status
    assert artist.score(node, shot) > GOOD
    assert len(list(folder.rglob("*.exr"))) == 3
    artist.nuke.scriptSave()
    artist.nuke.scriptOpen(str(folder / "shot_v001.nk"))
    assert ": 0 mattes made" in artist.track(artist.nuke.toNode("EfficientTAM1"))


@pytest.mark.parametrize("name", ["take [2]", "take #2"])
def test_folders_that_nuke_reads_otherwise(artist: Artist, tmp_path: Path, name: str) -> None:
    """Told before anything is made, and the place can be another."""
    shot = Shot(2)
    folder = tmp_path / name
    folder.mkdir()
    artist.session.root["name"]._set_state(str(folder / "shot_v001.nk").replace("\\", "/"))
    node = node_on(artist, shot, tmp_path / "plate")
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert status.startswith("Nuke reads the ") and "mattes to" in status, status
    assert not list(folder.rglob("*")) and node["mattes"].getText() == ""
    node["mattes"].setValue(str(tmp_path / "elsewhere" / "m.%04d.exr").replace("\\", "/"))
    assert artist.track(node).startswith("Tracked") and artist.score(node, shot) > GOOD


@pytest.mark.parametrize("name", ["größe", "my object", "2nd", "a.b", "x" * 65, "Object1", "depth"])
def test_names_that_cannot_be_are_told(artist: Artist, tmp_path: Path, name: str) -> None:
    shot = Shot(1)
    node = node_on(artist, shot, tmp_path / "plate")
    artist.press(node, "add_object")
    sheet = node["sheet"].getText()
    node["object_name"].setValue(name)
    artist.press(node, "add_object")
    assert node["sheet"].getText() == sheet
    status = node["status"].getText()
    assert status and not status.startswith("Something went wrong"), status
