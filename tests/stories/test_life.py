"""Nodes of other versions, in other places, over the life of a script."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shots import FIRST, Artist, Shot, iou

GOOD = 0.85
_GIZMO = Path(__file__).parents[2] / "gizmos" / "EfficientTAM.gizmo"
NODE_VERSION = int(re.findall(r"(?m)^ node_version (\d+)$", _GIZMO.read_text(encoding="utf-8"))[0])


@pytest.fixture
def tracked(artist: Artist, tracked: Any) -> Any:
    """With a node below it."""
    artist.nuke.nodes.Grade(inputs=[tracked], name="Below")
    return tracked


def reopened(artist: Artist, old: str, new: str) -> Any:
    """The script saved, one place of its text altered, and opened again."""
    nuke = artist.nuke
    nuke.scriptSave()
    path = Path(nuke.scriptName())
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    nuke.scriptOpen(str(path))
    return nuke.toNode("EfficientTAM1")


def test_a_node_of_an_earlier_version_is_brought_up(artist: Artist, shot: Shot, tracked: Any) -> None:
    sheet, uuid = tracked["sheet"].getText(), artist.uuid(tracked)
    mattes = artist.mattes(tracked, shot.frames)
    node = reopened(artist, f" node_version {NODE_VERSION}\n", " node_version 1\n")
    assert node["node_version"].value() == NODE_VERSION, node["status"].getText()
    assert node["sheet"].getText() == sheet and artist.uuid(node) == uuid
    assert artist.nuke.toNode("Below").input(0) is node and node.input(0).Class() == "Read"
    assert np.array_equal(artist.mattes(node, shot.frames), mattes)
    assert len([n for n in artist.nuke.allNodes() if n.knob("efficienttam_uuid")]) == 1
    assert ": 0 mattes made" in artist.track(node)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_tracked_node_of_version(artist: Artist, shot: Shot, tracked: Any, version: int) -> None:
    """The node as it was in an earlier version, with the mattes that it made: none of them is made again."""
    nuke, mattes = artist.nuke, artist.mattes(tracked, shot.frames)
    said = {name: tracked[name].getText() for name in ("sheet", "tracked", "mattes", "state")}
    read = {name: tracked.node("Mattes")[name].value() for name in ("file", "first", "last")}
    above = tracked.input(0)
    blend = tracked["roto_blend"].value()
    nuke.delete(tracked)
    old = nuke.nodePaste(str(Path(__file__).parents[1] / "nodes" / f"version{version}.nk"))
    old.setInput(0, above)
    nuke.toNode("Below").setInput(0, old)
    for name, value in (*said.items(), ("has_mattes", True), ("grow", 1), ("fill_hole_area", 8)):
        old[name].setValue(value)
    if version >= 2:
        old["roto_blend"].setValue(blend)  # Unless told it was another then.
    for name, value in read.items():
        old.node("Mattes")[name].setValue(value)
    node = reopened(artist, " grow 1\n", " grow 0\n")
    assert node["node_version"].value() == NODE_VERSION and node.knob("region"), node["status"].getText()
    assert {name: node[name].getText() for name in said} == said
    assert nuke.toNode("Below").input(0) is node and node.input(0).Class() == "Read"
    assert np.array_equal(artist.mattes(node, shot.frames), mattes)
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")
    assert ": 0 mattes made" in artist.track(node)
    node["region"].setValue("follow the object")
    assert ": 3 mattes made" in artist.track(node, "retrack")


def test_two_nodes_on_one_plate(artist: Artist, shot: Shot, tracked: Any) -> None:
    nuke = artist.nuke
    second = artist.tracker(tracked.input(0))
    artist.click(second, shot, FIRST, which=1)
    assert artist.track(second).startswith("Tracked")
    names = [node.name() for node in (tracked, second)]
    mattes = [artist.mattes(node, shot.frames) for node in (tracked, second)]
    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    for which, (name, expected) in enumerate(zip(names, mattes)):
        node = nuke.toNode(name)
        assert node.input(0) is nuke.toNode("Read1"), node.input(0)
        assert np.array_equal(artist.mattes(node, shot.frames), expected)
        assert artist.score(node, shot, which) > GOOD
        assert ": 0 mattes made" in artist.track(node)


@pytest.mark.parametrize("versions", [(1, 2), (1, 1), (2, 3)], ids=str)
def test_two_nodes_of_earlier_versions_on_one_plate(
    artist: Artist, shot: Shot, tmp_path: Path, versions: tuple[int, int]
) -> None:
    nuke, read = artist.nuke, artist.read(shot.write(tmp_path / "plate"), shot)
    names = ("Hero", "Stone")
    for name, version in zip(names, versions):
        old = nuke.nodePaste(str(Path(__file__).parents[1] / "nodes" / f"version{version}.nk"))
        old.setName(name)
        old.setInput(0, read)
        nuke.nodes.Grade(inputs=[old], name="Below" + name)
    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    for which, name in enumerate(names):
        node = nuke.toNode(name)
        assert node["node_version"].value() == NODE_VERSION, node["status"].getText()
        assert node.input(0) is nuke.toNode("Read1"), node.input(0)
        assert nuke.toNode("Below" + name).input(0) is node
        artist.click(node, shot, FIRST, which)
        artist.track(node)
    for which, name in enumerate(names):
        assert artist.score(nuke.toNode(name), shot, which) > GOOD, nuke.toNode(name)["status"].getText()


def test_a_node_of_a_later_version_is_left_alone(artist: Artist, shot: Shot, tracked: Any) -> None:
    sheet = tracked["sheet"].getText()
    mattes = artist.mattes(tracked, shot.frames)
    node = reopened(artist, f" node_version {NODE_VERSION}\n", " node_version 7\n")
    artist.click(node, shot, FIRST, which=1)
    assert "version 7" in node["status"].getText() and "Update" in node["status"].getText()
    assert node["sheet"].getText() == sheet and node["node_version"].value() == 7
    assert np.array_equal(artist.mattes(node, shot.frames), mattes)


def test_prompts_of_a_later_version_are_left_alone(artist: Artist, shot: Shot, tracked: Any) -> None:
    sheet = json.loads(tracked["sheet"].getText())
    later = json.dumps(dict(sheet, version=9))
    tracked["sheet"].setValue(later)
    artist.click(tracked, shot, FIRST, which=1)
    assert tracked["sheet"].getText() == later
    assert "version 9" in tracked["status"].getText()


def test_damaged_prompts_are_told_and_an_undo_brings_them_back(
    artist: Artist, shot: Shot, tracked: Any
) -> None:
    sheet = tracked["sheet"].getText()
    tracked["sheet"].setValue(sheet[:40])
    assert "not JSON" in tracked["status"].getText()
    artist.press(tracked, "track_both")
    assert tracked["sheet"].getText() == sheet[:40]
    artist.session.undo()
    assert tracked["sheet"].getText() == sheet
    assert artist.track(tracked).startswith("Tracked")


def test_the_script_goes_a_version_up(artist: Artist, shot: Shot, tracked: Any, tmp_path: Path) -> None:
    nuke, files = artist.nuke, artist.files(tracked)
    nuke.scriptSaveAs(str(tmp_path / "shot_v002.nk"))
    nuke.scriptOpen(nuke.scriptName())
    node = nuke.toNode("EfficientTAM1")
    assert artist.files(node) == files and artist.score(node, shot) > GOOD
    assert ": 0 mattes made" in artist.track(node)


def test_a_node_in_a_group(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    nuke = artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    group = nuke.nodes.Group(inputs=[read], name="Comp")
    with group:
        inside = nuke.nodes.Input()
        graded = nuke.nodes.Grade(inputs=[inside], multiply=1.1)
        node = nuke.nodes.EfficientTAM(inputs=[graded])
        nuke.nodes.Output(inputs=[node])
    group.setInput(0, read)
    assert node.fullName() == "Comp.EfficientTAM1" and artist.uuid(node)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status
    assert artist.score(group, shot) > GOOD


def test_a_script_without_a_name(
    artist: Artist, shot: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    artist.nuke.root()["name"]._set_state("")
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status
    assert str(tmp_path / "temporary") in str(artist.files(node)[0])


def test_a_still(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    pattern = shot.write(tmp_path / "plate")
    still = tmp_path / "still.exr"
    Path(pattern % FIRST).rename(still)
    one = Shot(1)
    node = artist.tracker(artist.read(still.as_posix(), one))
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert iou(artist.matte(node, FIRST), one.truth(FIRST)) > GOOD, status


def test_the_plate_is_swapped_for_another(artist: Artist, shot: Shot, tracked: Any, tmp_path: Path) -> None:
    other = Shot(3, shift=20)
    read = artist.read(other.write(tmp_path / "other"), other)
    tracked.setInput(0, None)
    artist.press(tracked, "track_both")
    assert "Connect the footage" in tracked["status"].getText()
    tracked.setInput(0, read)
    status = artist.track(tracked)
    assert artist.score(tracked, other) > 0.8, status


def test_the_same_script_read_in_twice(artist: Artist, shot: Shot, tracked: Any) -> None:
    nuke = artist.nuke
    nuke.scriptSave()
    nuke.scriptReadFile(nuke.scriptName())
    ours = [node for node in nuke.allNodes("Group") if node.knob("efficienttam_uuid")]
    assert len({artist.uuid(node) for node in ours}) == 2
    assert len({node["sheet"].getText() for node in ours}) == 1


def test_a_node_pasted_into_another_shot(artist: Artist, shot: Shot, tracked: Any, tmp_path: Path) -> None:
    """It shows the mattes it came with until it is tracked; then it writes its own."""
    nuke, first = artist.nuke, artist.files(tracked)
    before = [path.read_bytes() for path in first]
    tracked.setSelected(True)
    nuke.nodeCopy("%clipboard%")
    nuke.scriptSave()
    nuke.scriptClear()
    (tmp_path / "other").mkdir()
    nuke.scriptSaveAs((tmp_path / "other" / "shot_v001.nk").as_posix())
    other = Shot(3, shift=20)
    read = artist.read(other.write(tmp_path / "other_plate"), other)
    node = nuke.nodePaste("%clipboard%")
    node.setInput(0, read)
    assert artist.files(node) == first
    status = artist.track(node, "retrack")
    assert ": 3 mattes made" in status and artist.score(node, other) > 0.8, status
    assert {path.parents[2] for path in artist.files(node)} == {tmp_path / "other"}
    assert [path.read_bytes() for path in first] == before


def test_a_script_saved_while_it_tracks(artist: Artist, tmp_path: Path) -> None:
    """Opened in another Nuke the node does not say that it still tracks."""
    long = Shot(24)
    node = artist.tracker(artist.read(long.write(tmp_path / "plate"), long))
    artist.click(node, long, FIRST)
    artist.press(node, "track_both")
    artist.wait(until=lambda: node["state"].getText().startswith("tracking"))
    artist.nuke.scriptSaveAs(str(tmp_path / "meanwhile.nk"))
    artist.press(node, "stop")
    artist.wait(node)
    artist.nuke.scriptOpen(str(tmp_path / "meanwhile.nk"))
    node = artist.nuke.toNode("EfficientTAM1")
    assert node["state"].getText() == "stopped" and "ended with the script" in node["status"].getText()
    assert artist.track(node).startswith("Tracked") and artist.score(node, long) > GOOD
