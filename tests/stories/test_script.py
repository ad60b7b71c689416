"""What happens to a node in its script: copies, undo, renames, baking, delivery without the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from shots import FIRST, Artist, Shot, iou

GOOD = 0.85
REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_copy_has_the_prompts_and_mattes_of_its_own(artist: Artist, shot: Shot, tracked: Any) -> None:
    nuke = artist.nuke
    for node in nuke.allNodes():
        node.setSelected(node is tracked)
    nuke.nodeCopy("%clipboard%")
    copy = nuke.nodePaste("%clipboard%")
    copy.setInput(0, tracked.input(0))
    assert copy is not tracked and copy.name() != tracked.name()
    assert json.loads(copy["sheet"].getText()) == json.loads(tracked["sheet"].getText())
    assert artist.uuid(copy) not in ("", artist.uuid(tracked))
    kept = {path: path.read_bytes() for path in artist.files(tracked)}
    artist.click(copy, shot, shot.last, which=1, button="exclude")
    status = artist.track(copy)
    assert not {*artist.files(copy)} & set(kept), status
    assert {path: path.read_bytes() for path in artist.files(tracked)} == kept


def test_a_renamed_node_is_the_same_node(artist: Artist, shot: Shot, tracked: Any) -> None:
    files = artist.files(tracked)
    tracked.setName("Hero")
    status = artist.track(tracked)
    assert ": 0 mattes made" in status, status
    assert artist.files(tracked) == files


def test_undo_takes_back_a_click_and_redo_brings_it_again(artist: Artist, shot: Shot, tracked: Any) -> None:
    before = tracked["sheet"].getText()
    handles = [tuple(tracked[f"handle{n}"].array()) for n in (1, 2)]
    artist.click(tracked, shot, FIRST, which=1, button="exclude")
    after = tracked["sheet"].getText()
    assert after != before
    while tracked["sheet"].getText() != before:
        assert artist.session.undo_stack, "undo ran out"
        artist.session.undo()
    assert [tuple(tracked[f"handle{n}"].array()) for n in (1, 2)] == handles
    for _ in range(3):
        artist.session.undo(back=False)
    assert tracked["sheet"].getText() == after


def test_dragging_a_handle_moves_its_point(artist: Artist, shot: Shot, tracked: Any) -> None:
    artist.nuke.frame(FIRST)
    x, y = tracked["handle1"].array()
    assert x == pytest.approx(shot.center(FIRST)[0]) and y == pytest.approx(144 - shot.center(FIRST)[1])
    tracked["handle1"].setValue([x + 5, y - 3])
    (prompt,) = json.loads(tracked["sheet"].getText())["objects"][0]["prompts"]
    (moved,) = prompt["include"]
    assert moved == pytest.approx([x + 5, 144 - (y - 3)])
    artist.nuke.frame(FIRST + 1)
    assert tracked["handle1"].x() < -1000, "no prompt on that frame: the handle rests outside"
    artist.nuke.frame(FIRST)
    assert tracked["handle1"].array() == pytest.approx([x + 5, y - 3])


def test_baked_nodes_give_the_same_matte(artist: Artist, shot: Shot, tracked: Any) -> None:
    tracked["grow"].setValue(2)
    expected = artist.mattes(tracked, shot.frames)
    there = set(artist.nuke.allNodes())
    artist.press(tracked, "bake")
    fresh = [node for node in artist.nuke.allNodes() if node not in there]
    assert fresh, tracked["status"].getText()
    last = [node for node in fresh if not any(node in other._inputs for other in fresh)]
    assert len(last) == 1
    assert np.allclose(artist.mattes(last[0], shot.frames), expected, atol=1e-6)
    assert not any(node.knob("efficienttam_uuid") for node in fresh)


def test_what_is_asked_and_what_is_not(artist: Artist, shot: Shot, tracked: Any) -> None:
    sheet = tracked["sheet"].getText()
    artist.session.answers[:] = [False]
    artist.press(tracked, "clear")
    assert tracked["sheet"].getText() == sheet
    artist.press(tracked, "clear")
    assert "include" not in tracked["sheet"].getText()
    assert [kind for kind, _ in artist.session.messages] == ["ask", "ask"]
    assert artist.files(tracked), "files on disk stay"


def test_errors_are_one_sentence_in_the_status_line(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    node = artist.nuke.createNode("EfficientTAM")
    artist.press(node, "track_both")
    assert "Connect the footage" in node["status"].getText()
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node.setInput(0, read)
    artist.press(node, "track_both")
    assert "Nothing says what to track" in node["status"].getText()
    node.setInput(0, artist.nuke.nodes.Grade(inputs=[read]))
    artist.click(node, shot, FIRST)
    artist.session.fail_writes = True
    artist.press(node, "track_both")
    assert "No space left on device" in node["status"].getText()
    artist.session.fail_writes, artist.session.cancel_after = False, 1
    artist.press(node, "track_both")
    assert "stopped" in node["status"].getText()
    artist.session.cancel_after = None
    assert artist.track(node).startswith("Tracked")
    assert artist.session.messages == [], "no pop-ups"
    assert not [text for text in artist.session.printed if "Traceback" in text]


@pytest.mark.parametrize("inside", [True, False], ids=["buttons run inside", "buttons run beside"])
def test_buttons_work_wherever_nuke_runs_them(
    artist: Artist, shot: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setattr(artist.session, "buttons_inside", inside)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node = artist.tracker(artist.nuke.nodes.Grade(inputs=[read]))
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status


def test_a_delivered_script_renders_its_mattes_without_the_plugin(
    artist: Artist, shot: Shot, tracked: Any, tmp_path: Path
) -> None:
    expected = artist.mattes(tracked, shot.frames)
    tracked.setSelected(True)
    out = str(tmp_path / "out.%04d.exr").replace("\\", "/")
    artist.nuke.nodes.Write(inputs=[tracked], file=out, file_type="exr", channels="rgba", name="Final")
    script = str(tmp_path / "delivered.nk")
    artist.nuke.scriptSaveAs(script)
    farm = (
        "import sys, nuke\n"
        f"nuke.scriptOpen({script!r})\n"
        f"nuke.execute('Final', {shot.first}, {shot.last})\n"
        "ours = {'efficienttam', 'efficienttam_nuke'} & {name.split('.')[0] for name in sys.modules}\n"
        "assert not ours, ours\n"
    )
    (tmp_path / "farm.py").write_text(farm)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    command = [sys.executable, "-m", "fake_nuke", "-t", str(tmp_path / "farm.py")]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    for index, frame in enumerate(shot.frames):
        image = oiio.ImageBuf(str(tmp_path / f"out.{frame}.exr"))
        alpha = image.get_pixels(oiio.FLOAT)[:, :, list(image.spec().channelnames).index("A")]
        assert np.allclose(alpha, expected[index], atol=1e-3)
        assert iou(alpha, shot.truth(frame)) > GOOD


def test_the_document_beside_the_mattes_is_the_job(
    artist: Artist, shot: Shot, tracked: Any, tmp_path: Path
) -> None:
    """The command line tracks what the button wrote, and finds every matte there already."""
    (document,) = artist.files(tracked)[0].parent.glob("*.job.json")
    files = {path: path.read_bytes() for path in artist.files(tracked)}
    command = [sys.executable, "-m", "efficienttam", "track", str(document), "--resume"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in artist.files(tracked)} == files
