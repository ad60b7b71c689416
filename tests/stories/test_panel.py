"""The prompt window as a panel of Nuke, on a plate that Nuke has to render, with the real engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, Artist, Shot

GOOD = 0.85
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="There is no kill -9 on this system.")


@pytest.fixture
def shot() -> Shot:
    return Shot(40)


@pytest.fixture
def node(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """A node with a prompt, under a Grade."""
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node = artist.tracker(artist.nuke.nodes.Grade(inputs=[read], multiply=1.1, name="Grade1"))
    artist.click(node, shot, FIRST)
    return node


@pytest.fixture
def panel(artist: Artist, node: Any) -> Iterator[Any]:
    """The panel on that node, its plate open."""
    if artist.session.event_loop is None:
        pytest.skip("There is no Qt here.")
    from efficienttam_nuke import panel

    artist.press(node, "open_window")
    widget = panel.make_widget()
    widget.show()
    artist.wait(until=lambda: widget._window.session.plate is not None)
    yield widget
    widget.shut()
    widget.deleteLater()
    panel._open, panel._wanted = None, ""


def rest(artist: Artist, panel: Any) -> None:
    """Until the window shows its frame."""
    window = panel._window
    artist.wait(until=lambda: window.session.alive and window.seen_frame == window.edits.frame)


def kill_engine(artist: Artist) -> None:
    client = artist.jobs.session().client()
    os.kill(client.pid, signal.SIGKILL)
    artist.wait(until=lambda: client.pid is None)


def trouble(panel: Any) -> str:
    """What the window says where Nuke refused to render."""
    said = str(panel._window.status.text())
    return said if "executing" in said or "could not render" in said else ""


def test_no_callback_renders(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    """Knobs and frames change, with and without an engine: what must be rendered is, but later."""
    grade = artist.nuke.toNode("Grade1")
    window = panel._window
    rest(artist, panel)
    for step, change in enumerate(
        (
            lambda: node["set_softness"].setValue(True),
            lambda: node.setInput(0, grade),
            lambda: artist.nuke.frame(FIRST + 3),
        )
    ):
        grade["multiply"].setValue(1.2 + step / 10)
        if step == 2:
            kill_engine(artist)
        rendered = len(artist.session.rendered)
        change()
        assert len(artist.session.rendered) == rendered and not trouble(panel)
        artist.wait(until=lambda rendered=rendered: len(artist.session.rendered) > rendered)
        rest(artist, panel)
        assert not trouble(panel)
        assert len(artist.session.rendered) == rendered + len(shot.frames)
    assert window.edits.frame == FIRST + 3


def begin(artist: Artist, node: Any, panel: Any) -> None:
    """The window tracks, and some mattes are there."""
    rest(artist, panel)
    panel._window.do("track")
    artist.wait(until=lambda: node["has_mattes"].value() and len(artist.files(node)) >= 2)
    assert artist.jobs.session().is_busy(artist.uuid(node)) and node["state"].getText() == "tracking"


def test_a_tracking_outlives_its_window(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    """The panel goes to another node and is closed: the node is told of the end and shows all mattes."""
    begin(artist, node, panel)
    other = artist.nuke.createNode("EfficientTAM", inpanel=False)
    artist.press(other, "open_window")
    assert panel._shot.uuid == artist.uuid(other)
    artist.press(node, "track_both")
    assert "being tracked" in node["status"].getText()
    panel.shut()
    artist.wait(node)
    assert node["status"].getText().startswith("Tracked"), node["status"].getText()
    assert node["state"].getText() == f"tracked {FIRST}-{shot.last}"
    assert len(artist.files(node)) == len(shot.frames) and artist.score(node, shot) > GOOD
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")


def test_stop_ends_what_a_closed_window_tracks(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    begin(artist, node, panel)
    panel.shut()
    artist.press(node, "stop")
    assert node["state"].getText() == "stopping"
    artist.wait(node)
    assert node["state"].getText() == "stopped" and "Stopped" in node["status"].getText()
    assert len(artist.files(node)) < len(shot.frames)
    assert artist.track(node).startswith("Tracked") and artist.score(node, shot) > GOOD


def test_an_engine_killed_under_the_window(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    begin(artist, node, panel)
    kill_engine(artist)
    # Its last words may still be on their way.
    artist.wait(node)
    assert "failed" in node["state"].getText() and "killed" in node["status"].getText()
    assert node["tracked"].getText() == "" and not artist.jobs.session().is_busy(artist.uuid(node))
    window = panel._window
    window.do("on")
    rest(artist, panel)
    window.do("track")
    artist.wait(node)
    assert node["state"].getText() == f"tracked {FIRST}-{shot.last}", node["status"].getText()


def test_a_name_that_nuke_has_loses_nothing(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    """It is refused; the window goes on with what the node holds: clicks arrive, tracking is the node's."""
    rest(artist, panel)
    window = panel._window
    (thing,) = window.edits.sheet.objects
    for name in ("mask", "rgba"):
        window.side.objects.renamed.emit(thing.id, name)
        assert f"Nuke has a layer {name} of its own" in window.status.text()
        assert window.edits.sheet == panel._shot.sheet and window.edits.object.name == "object1"
    x, y = shot.center(FIRST)
    window._clicked(x + 6, y, True)
    assert "+2" in node["table"].getText(), window.status.text()
    window.do("track")
    artist.wait(node)
    assert artist.score(node, shot) > GOOD, node["status"].getText()
    assert [thing["name"] for thing in json.loads(node["tracked"].getText())["objects"]] == ["object1"]
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")
    window.do("undo")
    assert "+1" in node["table"].getText() and window.edits.sheet == panel._shot.sheet


def test_a_deleted_node_takes_no_word(artist: Artist, shot: Shot, node: Any, panel: Any) -> None:
    rest(artist, panel)
    window = panel._window
    before = window.edits.sheet
    artist.nuke.delete(node)
    window._clicked(100.0, 100.0, True)
    assert "The node is gone" in window.status.text() and window.edits.sheet == before
    artist.nuke.Undo.undo()
    x, y = shot.center(FIRST)
    window._clicked(x + 6, y, True)
    node = artist.nuke.toNode("EfficientTAM1")
    assert "+2" in node["table"].getText() and window.edits.sheet == panel._shot.sheet
