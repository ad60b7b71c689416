"""Whole shots through the node, the real worker and the demo weights; known truth decides."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from shots import FIRST, Artist, Shot, iou

GOOD = 0.85


def test_from_the_first_click_to_the_reopened_script(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))

    artist.click(node, shot, FIRST)
    artist.track(node, "preview")
    assert iou(artist.matte(node, FIRST), shot.truth(FIRST)) > GOOD
    assert len(artist.files(node)) == 1

    status = artist.track(node)
    assert status.startswith(f"Tracked {FIRST}-{shot.last}"), status
    assert artist.score(node, shot) > GOOD
    assert [path.name[-8:-4] for path in artist.files(node)] == [str(frame) for frame in shot.frames]
    assert artist.session.rendered == [], "a bare Read is read by the engine itself"
    channels = oiio.ImageInput.open(str(artist.files(node)[0])).spec()
    assert channels.channelnames == ("object1.A",) and channels.format == "half"

    late = shot.last - 1
    before = artist.mattes(node, shot.frames)
    x, y = shot.center(late)
    nuke.frame(late)
    node["point"].setValue([x + 15, 144 - y])
    artist.press(node, "include")
    status = artist.track(node, "retrack")
    after = artist.mattes(node, shot.frames)
    assert np.array_equal(before[0], after[0]), "the first prompt's frame is not concerned"
    assert artist.score(node, shot) > GOOD, status

    sheet = node["sheet"].getText()
    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    again = nuke.toNode("EfficientTAM1")
    assert again["sheet"].getText() == sheet
    assert np.array_equal(artist.mattes(again, shot.frames), after)
    status = artist.track(again)
    assert ": 0 mattes made" in status, status
    assert np.array_equal(artist.mattes(again, shot.frames), after)


def test_an_object_left_out_is_corrected_by_an_exclude(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(4)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    artist.click(node, shot, FIRST, which=1)
    artist.track(node, "preview")
    both = artist.matte(node, FIRST)
    artist.session.undo()
    artist.click(node, shot, FIRST, which=1, button="exclude")
    artist.track(node, "preview")
    one = artist.matte(node, FIRST)
    assert iou(one, shot.truth(FIRST)) > GOOD
    assert one[shot.truth(FIRST, 1)].mean() < 0.2
    assert not np.array_equal(one, both)


def test_stop_keeps_what_is_done(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(56)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    artist.press(node, "track_both")

    def two_are_seen() -> bool:
        """A Viewer looks all the while, at frames that are not there yet too."""
        if not node["has_mattes"].value():
            return False
        return bool((artist.mattes(node, shot.frames[:3]).max(axis=(1, 2)) > 0.5).sum() >= 2)

    artist.wait(until=two_are_seen)
    artist.press(node, "stop")
    artist.wait(node)
    kept = {path.name: path.read_bytes() for path in artist.files(node)}
    assert 2 <= len(kept) < 56
    assert node["status"].getText().startswith("Stopped")
    status = artist.track(node)
    assert f"{len(kept)} were there" in status, status
    assert {path.name: path.read_bytes() for path in artist.files(node) if path.name in kept} == kept
    assert artist.score(node, shot) > GOOD


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="There is no kill -9 on this system.")
def test_a_killed_worker_is_told_in_a_sentence_and_replaced(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(32)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    sheet = node["sheet"].getText()
    artist.press(node, "track_both")
    artist.wait(until=lambda: len(artist.files(node)) >= 2 if node["has_mattes"].value() else False)
    pid = artist.jobs.session().client().pid
    os.kill(pid, signal.SIGKILL)
    artist.wait(node)
    status = node["status"].getText()
    assert "killed" in status and "Press the button again" in status
    assert node["sheet"].getText() == sheet
    assert "failed" in node["state"].getText()
    status = artist.track(node)
    assert status.startswith("Tracked"), status
    assert artist.jobs.session().client().pid not in (None, pid)
    assert artist.score(node, shot) > GOOD


def test_tracking_leaves_nothing_to_undo(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(3)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    artist.click(node, shot, shot.last)
    steps, sheet = len(artist.session.undo_stack), node["sheet"].getText()
    artist.track(node)
    assert len(artist.session.undo_stack) == steps
    artist.session.undo()
    assert node["sheet"].getText() != sheet, "one undo takes the click back"
    assert node["has_mattes"].value() is True
    assert artist.score(node, shot) > GOOD


def test_two_nodes_at_once(artist: Artist, tmp_path: Path) -> None:
    shot = Shot()
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    one, other = artist.tracker(read), artist.tracker(read)
    artist.click(one, shot, FIRST)
    artist.click(other, shot, FIRST, which=1)
    artist.press(one, "track_both")
    artist.press(other, "track_both")
    artist.wait(one, other)
    assert artist.score(one, shot, 0) > GOOD
    assert artist.score(other, shot, 1) > GOOD
    assert not {*artist.files(one)} & {*artist.files(other)}


def test_two_objects_in_one_node(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(4)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    for which, name in enumerate(("hero", "ball")):
        node["object_name"].setValue(name)
        artist.press(node, "add_object")
        artist.click(node, shot, FIRST, which)
    artist.track(node)
    union = [shot.truth(frame) | shot.truth(frame, 1) for frame in shot.frames]
    assert min(iou(artist.matte(node, f), t) for f, t in zip(shot.frames, union)) > GOOD
    node["mute"].setValue(True)
    assert node["current"].value() == "ball"
    assert artist.score(node, shot, 0) > GOOD
    node["object_layers"].setValue(True)
    ball = artist.matte(node, shot.last, channel="ball.alpha")
    assert iou(ball, shot.truth(shot.last, 1)) > GOOD


def test_a_deleted_node_ends_its_tracking(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(12)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node, other = artist.tracker(read), artist.tracker(read)
    artist.click(node, shot, FIRST)
    artist.click(other, shot, FIRST)
    uuid = artist.uuid(node)
    artist.press(node, "track_both")
    artist.nuke.delete(node)
    artist.wait(until=lambda: not artist.jobs.session().is_busy(uuid))
    artist.track(other, "preview")
    assert iou(artist.matte(other, FIRST), shot.truth(FIRST)) > GOOD


def test_a_new_object_shows_nothing_of_a_removed_one(artist: Artist, tracked: Any, shot: Shot) -> None:
    node = tracked
    artist.press(node, "add_object")
    artist.click(node, shot, FIRST, which=1)
    # A part only: what was tracked before this does not name the second object, the files do.
    artist.track(node, "preview")
    artist.press(node, "remove_object")
    artist.press(node, "add_object")
    assert node["current"].values() == ["object1", "object3"]
    assert iou(artist.matte(node, FIRST), shot.truth(FIRST)) > 0.85
    assert artist.matte(node, FIRST)[shot.truth(FIRST, 1)].mean() < 0.1
    artist.nuke.scriptSave()
    artist.nuke.scriptOpen(artist.nuke.scriptName())
    node = artist.nuke.toNode("EfficientTAM1")
    node["current"].setValue("object3")
    artist.press(node, "remove_object")
    artist.press(node, "add_object")
    assert node["current"].values() == ["object1", "object3"]
    artist.click(node, shot, FIRST, which=1)
    artist.track(node)
    both = artist.matte(node, shot.last) >= 0.5
    assert iou(both, shot.truth(shot.last) | shot.truth(shot.last, 1)) > 0.85
