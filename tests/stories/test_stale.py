"""Mattes on disk that are not what Track would make now: **Re-track changed** finds them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, Artist, Shot


def nothing_is_left(artist: Artist, node: Any) -> bool:
    """True where Track finds no matte to make."""
    return ": 0 mattes made" in artist.track(node)


def forget(artist: Artist, node: Any, frame: int) -> None:
    row = next(row for row in node["prompt"].values() if row.startswith(str(frame)))
    node["prompt"].setValue(row)
    artist.press(node, "delete_prompt")


@pytest.mark.parametrize("change", ["moved", "excluded", "deleted"])
def test_an_earlier_prompt_changes_what_later_clicks_corrected(
    artist: Artist, tmp_path: Path, change: str
) -> None:
    """A later click corrects what tracking shows, so what it gives hangs on the prompts before it."""
    shot = Shot(9)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    for frame in (FIRST, FIRST + 4, FIRST + 8):
        artist.click(node, shot, frame)
    artist.track(node)
    artist.nuke.frame(FIRST)
    if change == "moved":
        x, y = node["handle1"].value()
        node["handle1"].setValue([x + 12, y + 5])
    elif change == "excluded":
        node["point"].setValue([5, 5])
        artist.press(node, "exclude")
    else:
        forget(artist, node, FIRST)
    assert ": 9 mattes made" in artist.track(node, "retrack")
    assert nothing_is_left(artist, node)


def previewed(artist: Artist, node: Any, shot: Shot) -> None:
    artist.click(node, shot, FIRST + 2)
    artist.track(node, "preview")
    forget(artist, node, FIRST + 2)


def tracked_in_part(artist: Artist, node: Any, shot: Shot) -> None:
    artist.click(node, shot, FIRST + 2)
    artist.track(node, "track_forward")
    forget(artist, node, FIRST + 2)


def lost(artist: Artist, node: Any, shot: Shot) -> None:
    artist.files(node)[1].unlink()


def replaced(artist: Artist, node: Any, shot: Shot) -> None:
    artist.files(node)[1].write_bytes(artist.files(node)[2].read_bytes())


@pytest.mark.parametrize("change", [previewed, tracked_in_part, lost, replaced])
def test_what_was_made_or_lost_since_the_last_tracking(
    artist: Artist, tmp_path: Path, change: Callable[[Artist, Any, Shot], None]
) -> None:
    shot = Shot(5)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    artist.track(node)
    before = artist.mattes(node, shot.frames)
    change(artist, node, shot)
    assert ": 0 mattes made" not in artist.track(node, "retrack")
    assert (artist.mattes(node, shot.frames) == before).all()
    assert nothing_is_left(artist, node)


def test_what_changes_no_pixel_of_the_plate(artist: Artist, tmp_path: Path) -> None:
    """Other names, Dots and Groups above: the mattes are those of the same pictures."""
    shot, nuke = Shot(3), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    grade = nuke.nodes.Grade(inputs=[read], white=0.9)
    node = artist.tracker(grade)
    artist.click(node, shot, FIRST)
    artist.track(node)
    del artist.session.rendered[:]
    grade.setName("Balance")
    assert nothing_is_left(artist, node)
    node.setInput(0, nuke.nodes.Dot(inputs=[grade]))
    assert nothing_is_left(artist, node) and artist.session.rendered == []
    group = nuke.nodes.Group()
    with group:
        inner = nuke.nodes.Grade(inputs=[nuke.nodes.Input()], white=0.9)
        nuke.nodes.Output(inputs=[inner])
    group.setInput(0, read)
    node.setInput(0, group)
    assert nothing_is_left(artist, node) and len(artist.session.rendered) == 3
    inner["white"].setValue(0.8)
    assert ": 3 mattes made" in artist.track(node)


@pytest.mark.parametrize("between", [False, True])
def test_a_node_above_that_hands_the_plate_on(artist: Artist, tmp_path: Path, between: bool) -> None:
    """What is said to it, and its mattes, change nothing of the plate."""
    shot, nuke = Shot(3), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    upper = artist.tracker(nuke.nodes.Grade(inputs=[read], white=0.9))
    artist.click(upper, shot, FIRST)
    lower = artist.tracker(nuke.nodes.Grade(inputs=[upper], white=0.9) if between else upper)
    artist.click(lower, shot, FIRST, which=1)
    artist.track(upper)
    artist.track(lower)
    del artist.session.rendered[:]
    upper["object_color"].setValue([0, 0.5, 1])
    artist.click(upper, shot, FIRST + 1)
    assert nothing_is_left(artist, lower) and artist.session.rendered == []
    artist.track(upper)
    assert nothing_is_left(artist, lower)
    assert bool(artist.session.rendered) == between
    upper["show"].setValue("Overlay")
    assert ": 3 mattes made" in artist.track(lower)


def test_a_grade_that_a_part_of_the_range_was_tracked_with(artist: Artist, tmp_path: Path) -> None:
    """The plate is rendered by then, and the other mattes are still of the old one."""
    shot = Shot(6)
    grade = artist.nuke.createNode("Grade", inpanel=False)
    grade.setInput(0, artist.read(shot.write(tmp_path / "plate"), shot))
    node = artist.tracker(grade)
    artist.click(node, shot, FIRST)
    artist.track(node)
    grade["white"].setValue(0.7)
    artist.nuke.frame(FIRST + 3)
    assert ": 3 mattes made" in artist.track(node, "track_forward")
    assert ": 3 mattes made" in artist.track(node, "retrack")
    assert nothing_is_left(artist, node)
