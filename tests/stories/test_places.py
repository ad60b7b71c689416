"""Where things lie: two nodes at one place, paths that do not say where, scripts opened meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, Artist, Shot

from efficienttam.contract.document import read_job


@pytest.fixture
def shot() -> Shot:
    return Shot(4)


@pytest.fixture
def node(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """A node with a prompt, not tracked."""
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    return node


def test_two_nodes_do_not_write_one_place(artist: Artist, shot: Shot, node: Any, tmp_path: Path) -> None:
    node["mattes"].setValue(str(tmp_path / "m" / "hero.%04d.exr"))
    artist.track(node)
    before = artist.mattes(node, shot.frames)
    copy = artist.tracker(node.input(0))
    artist.click(copy, shot, FIRST, which=1)
    copy["mattes"].setValue(node["mattes"].getText())
    artist.press(copy, "track_both")
    told = f"EfficientTAM1 writes its mattes to {node['mattes'].getText()} too."
    assert copy["status"].getText().startswith(told)
    assert (artist.mattes(node, shot.frames) == before).all()
    # The one that was there first goes on, and so does the other at a place of its own.
    assert ": 0 mattes made" in artist.track(node)
    copy["mattes"].setValue("")
    assert artist.track(copy).startswith("Tracked")
    assert (artist.mattes(node, shot.frames) == before).all()


def test_two_nodes_do_not_write_one_place_at_once(
    artist: Artist, node: Any, shot: Shot, tmp_path: Path
) -> None:
    other = artist.tracker(node.input(0))
    artist.click(other, shot, FIRST, which=1)
    for one in (node, other):
        one["mattes"].setValue(str(tmp_path / "m" / "hero.%04d.exr"))
    artist.press(node, "track_both")
    artist.press(other, "track_both")
    assert "writes its mattes" in other["status"].getText()
    artist.wait(node)
    assert node["status"].getText().startswith("Tracked")


def test_home_is_told_by_its_sign(
    artist: Artist, shot: Shot, node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    node["mattes"].setValue("~/m/hero.%04d.exr")
    node["feed"].setValue("render")
    node["feed_folder"].setValue("~/f")
    assert artist.track(node).startswith("Tracked")
    assert len(list((tmp_path / "m").glob("hero.*.exr"))) == 4 and list((tmp_path / "f").iterdir())
    assert artist.score(node, shot) > 0.85


def test_a_place_without_a_folder_is_refused(artist: Artist, node: Any) -> None:
    node["mattes"].setValue("m/hero.%04d.exr")
    artist.press(node, "track_both")
    assert "does not say in which folder" in node["status"].getText()


def test_a_script_and_a_plate_named_from_here(
    artist: Artist, shot: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document beside the mattes is run by others, elsewhere."""
    nuke = artist.nuke
    monkeypatch.chdir(tmp_path)
    shot.write(tmp_path / "plate")
    node = artist.tracker(artist.read("plate/plate.%04d.exr", shot))
    artist.click(node, shot, FIRST)
    nuke.scriptSaveAs("shot.nk", 1)
    assert artist.track(node).startswith("Tracked")
    (document,) = (tmp_path / "mattes").rglob("*.job.json")
    job = read_job(str(document))
    assert os.path.isabs(job.plate.path) and os.path.isabs(job.output.path), json.loads(document.read_text())


def test_a_script_that_is_opened_while_it_tracks_keeps_its_mattes(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(30), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    nuke.scriptSaveAs(str(tmp_path / "shot.nk"), 1)
    artist.press(node, "track_both")
    artist.wait(until=lambda: node["state"].getText().startswith("tracking"))
    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    again = nuke.toNode("EfficientTAM1")
    uuid, place = artist.uuid(again), again["mattes"].getText()
    artist.wait(again)
    artist.click(again, shot, FIRST + 20)
    assert (artist.uuid(again), again["mattes"].getText()) == (uuid, place)
    assert "were there" in artist.track(again)


def test_a_plate_without_a_range_is_told(artist: Artist, shot: Shot, node: Any) -> None:
    node.input(0)["file"].setValue("")
    artist.press(node, "track_both")
    assert "report" not in node["status"].getText() and "Nuke cannot tell" in node["status"].getText()


def test_scripts_give_frames_as_knobs_have_them(artist: Artist, node: Any) -> None:
    from efficienttam.contract.document import JobFaults
    from efficienttam_nuke import actions

    actions.track(node, float(FIRST), FIRST + 1.0)
    artist.wait(node)
    assert node["status"].getText().startswith(f"Tracked {FIRST}-{FIRST + 1}:")
    for wrong in ("1001", 1001.5, float("nan"), float("inf"), True):
        with pytest.raises(JobFaults, match=r"first: .*is not a frame number"):
            actions.track(node, wrong)


def test_a_long_status_goes_to_the_script_editor(artist: Artist, node: Any) -> None:
    from efficienttam_nuke.tracker_node import TrackerNode

    TrackerNode(node).tell("tensor " * 400)
    status = node["status"].getText()
    assert len(status) < 1050 and status.endswith("The Script Editor has the rest.")
    assert artist.session.printed[-1].count("tensor") == 400


def test_tcl_in_the_place_of_the_mattes(artist: Artist, shot: Shot, node: Any, tmp_path: Path) -> None:
    told = "[file dirname [value root.name]]/[value EfficientTAM1.model]/hero.%04d.exr"
    node["mattes"].setValue(told)
    status = artist.track(node)
    assert status.startswith("Tracked"), status
    assert node["mattes"].getText() == told
    files = artist.files(node)
    assert len(files) == 4 and {path.parent for path in files} == {tmp_path / "efficienttam_demo"}
    assert ": 0 mattes made" in artist.track(node)


def test_tcl_that_nuke_cannot_work_out_is_told(artist: Artist, shot: Shot, node: Any, tmp_path: Path) -> None:
    place = node["mattes"].getText()
    for told in ("/m/[value vers]/hero.%04d.exr", "/m/[getenv SHOW]/hero.%04d.exr"):
        node["mattes"].setValue(told)
        artist.press(node, "track_both")
        status = node["status"].getText()
        assert status.startswith(f"Nuke cannot work out {told} in mattes to: "), status
        # Its own affair: another node goes on.
        other = artist.tracker(node.input(0))
        artist.click(other, shot, FIRST)
        artist.press(other, "preview")
        artist.wait(other)
        assert "Nuke cannot work out" not in other["status"].getText()
    node["mattes"].setValue(place)
    assert artist.track(node).startswith("Tracked")
