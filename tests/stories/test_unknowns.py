"""Where Nuke's manual is silent the node must work either way."""

from __future__ import annotations

from pathlib import Path

import pytest
from shots import FIRST, Artist, Shot

GOOD = 0.85
SILENT = {
    "onCreate before the inner nodes": {"created_early": True},
    "knobChanged not for what Python sets": {"python_tells": False},
    "knobChanged not for undo": {"undo_tells": False},
    "buttons run inside of the group": {"buttons_inside": True},
}


@pytest.fixture(params=SILENT)
def either_way(request: pytest.FixtureRequest, artist: Artist, monkeypatch: pytest.MonkeyPatch) -> Artist:
    for name, value in SILENT[request.param].items():
        monkeypatch.setattr(artist.session, name, value)
    return artist


def test_a_shot_with_an_undo_and_a_reopened_script(either_way: Artist, tmp_path: Path) -> None:
    artist, shot, nuke = either_way, Shot(3), either_way.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    assert artist.uuid(node)
    artist.click(node, shot, FIRST)
    right = node["sheet"].getText()
    artist.click(node, shot, FIRST, which=1)
    while node["sheet"].getText() != right:
        artist.session.undo()
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status
    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    again = nuke.toNode("EfficientTAM1")
    assert again["sheet"].getText() == right
    assert artist.score(again, shot) > GOOD
    artist.click(again, shot, FIRST, which=1, button="exclude")
    status = artist.track(again, "retrack")
    assert artist.score(again, shot) > GOOD, status
    for other in nuke.allNodes():
        other.setSelected(other is again)
    nuke.nodeCopy("%clipboard%")
    copy = nuke.nodePaste("%clipboard%")
    assert artist.uuid(copy) != artist.uuid(again)
    assert copy["sheet"].getText() == again["sheet"].getText()
