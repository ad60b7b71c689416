"""The knobs of *How the plate reaches the engine*: each changes what is rendered, or what is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from shots import FIRST, Artist, Shot


@pytest.fixture
def shot() -> Shot:
    return Shot(2)


@pytest.fixture
def read(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    return artist.read(shot.write(tmp_path / "plate"), shot)


@pytest.fixture
def node(artist: Artist, shot: Shot, read: Any) -> Any:
    """A node with a prompt, whose Read the engine may read itself."""
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    return node


def fed(artist: Artist, node: Any) -> dict[str, Any]:
    """The job with its plate as the button for a farm leaves them; no engine is at work."""
    artist.session.rendered.clear()
    artist.press(node, "submit")
    status = node["status"].getText()
    assert status.startswith("The job is "), status
    job: dict[str, Any] = json.loads(Path(status[11:].split(": run it")[0]).read_text(encoding="utf-8"))
    return job


def rendered(artist: Artist) -> list[tuple[int, str]]:
    return [(frame, view) for _, frame, view in artist.session.rendered]


def plate_on_disk(job: dict[str, Any], frame: int, view: str = "") -> np.ndarray:
    path = job["plate"]["path"].replace("%V", view) % frame
    return np.asarray(oiio.ImageBuf(path).get_pixels(oiio.FLOAT))[:, :, :3]


def test_render_renders_what_the_engine_could_read(artist: Artist, shot: Shot, node: Any, read: Any) -> None:
    assert fed(artist, node)["plate"]["path"] == read["file"].getText()
    assert rendered(artist) == []
    node["feed"].setValue("render")
    job = fed(artist, node)
    assert artist.uuid(node) in job["plate"]["path"] and job["plate"]["color_space"] == "raw"
    assert rendered(artist) == [(frame, "main") for frame in shot.frames]
    assert artist.fed(node, read, FIRST) < 2 / 255


@pytest.mark.parametrize("depth", [1, 2])
def test_what_changes_above_a_group_is_seen_in_it(artist: Artist, shot: Shot, read: Any, depth: int) -> None:
    nuke = artist.nuke
    grade, other = (nuke.nodes.Grade(inputs=[read], name=name) for name in ("Above", "Other"))
    groups, above = [], (grade, other)
    for _ in range(depth):
        groups.append(nuke.nodes.Group())
        groups[-1].begin()
        inside = tuple(nuke.nodes.Input(number=number) for number in (0, 1))
        # A Group has as many inputs as there are Inputs in it.
        assert all(groups[-1].setInput(number, node) for number, node in enumerate(above))
        above = inside
    node = artist.tracker(above[0])
    for group in groups:
        group.end()
    artist.click(node, shot, FIRST)
    fed(artist, node)
    assert rendered(artist) == [(frame, "main") for frame in shot.frames]
    fed(artist, node)
    assert rendered(artist) == [], "nothing changed"
    grade["white"].setValue(0.5)
    fed(artist, node)
    assert len(rendered(artist)) == 2 and artist.fed(node, grade, FIRST) < 2 / 255
    groups[0].setInput(0, other)
    groups[0].setInput(1, grade)
    fed(artist, node)
    assert len(rendered(artist)) == 2 and artist.fed(node, other, FIRST) < 2 / 255


def test_what_expressions_ask_of_a_group_and_of_the_project_is_seen(
    artist: Artist, shot: Shot, read: Any
) -> None:
    """And nothing else of them: the node itself lies in both, with its prompts."""
    nuke = artist.nuke
    group = nuke.nodes.Group()
    group.addKnob(nuke.Double_Knob("gain"))
    group["gain"].setValue(0.8)
    with group:
        grade = nuke.nodes.Grade(inputs=[nuke.nodes.Input()])
        node = artist.tracker(grade)
    group.setInput(0, read)
    grade["white"].setExpression("parent.gain")
    grade["gamma"].setExpression("root.fps/24")
    artist.click(node, shot, FIRST)
    node["feed"].setValue("render")
    fed(artist, node)
    assert len(rendered(artist)) == 2
    artist.click(node, shot, FIRST + 1, which=1, button="exclude")
    nuke.root()["frame"].setValue(FIRST + 1)
    fed(artist, node)
    assert rendered(artist) == [], "a prompt and a frame change no plate"
    for knob, value in ((group["gain"], 0.5), (nuke.root()["fps"], 48)):
        knob.setValue(value)
        fed(artist, node)
        assert len(rendered(artist)) == 2 and artist.fed(node, grade, FIRST) < 2 / 255


def test_a_submitted_plate_stays_as_it_was(artist: Artist, shot: Shot, read: Any) -> None:
    grade = artist.nuke.nodes.Grade(inputs=[read])
    node = artist.tracker(grade)
    artist.click(node, shot, FIRST)
    job = fed(artist, node)
    before = [plate_on_disk(job, frame) for frame in shot.frames]
    assert fed(artist, node) == job, "the same plate is submitted from the same place"
    grade["white"].setValue(0.5)
    artist.nuke.frame(FIRST)
    artist.track(node, "preview")
    assert artist.fed(node, grade, FIRST) < 2 / 255
    assert all((plate_on_disk(job, frame) == old).all() for frame, old in zip(shot.frames, before))
    again = fed(artist, node)
    assert again["plate"]["path"] != job["plate"]["path"]
    assert np.abs(plate_on_disk(again, FIRST) - before[0]).max() > 0.1
    assert all((plate_on_disk(job, frame) == old).all() for frame, old in zip(shot.frames, before))


def test_mattes_of_a_submitted_plate_are_the_nodes(artist: Artist, shot: Shot, node: Any) -> None:
    """The farm's frames are told from the node's by neither time nor size, so that mattes are kept."""
    node["feed"].setValue("render")
    artist.track(node)
    job = fed(artist, node)
    live = Path(job["plate"]["path"]).parent.parent
    for frame in shot.frames:
        path = Path(job["plate"]["path"] % frame)
        assert path.stat().st_mtime_ns == (live / path.name).stat().st_mtime_ns
    assert ": 0 mattes made" in artist.track(node)


def test_no_step_of_undo_is_left_by_a_render_in_proxy_mode(artist: Artist, node: Any) -> None:
    node["feed"].setValue("render")
    proxy = artist.nuke.root()["proxy"]
    proxy.setValue(True)
    steps = artist.nuke.Undo.undoSize()
    artist.press(node, "submit")
    assert rendered(artist) and proxy.value() is True
    assert artist.nuke.Undo.undoSize() == steps
    proxy.setValue(False)


def test_what_is_display_referred_goes_out_as_it_is(artist: Artist, shot: Shot, node: Any) -> None:
    node["feed"].setValue("render")
    converted = plate_on_disk(fed(artist, node), FIRST)
    node["feed_as"].setValue("display-referred")
    as_it_is = plate_on_disk(fed(artist, node), FIRST)
    assert len(rendered(artist)) == 2, "frames of before are stale"
    assert np.allclose(as_it_is, shot.picture(FIRST), atol=2e-3)
    assert np.abs(converted - as_it_is).max() > 0.1


def test_the_artists_name_of_srgb_is_the_writes(artist: Artist, node: Any) -> None:
    from efficienttam_nuke import plate

    artist.session.spaces = ["default", "house_linear", "House - sRGB view\tHouse/House - sRGB view"]
    node["feed"].setValue("render")
    artist.press(node, "submit")
    assert "House - sRGB view" in node["status"].getText(), "it asks"
    node["feed_colorspace"].setValue("house - srgb view")
    written: list[Any] = []
    execute = plate.execute
    plate.execute = lambda write, *rest: (written.append(write["colorspace"].value()), execute(write, *rest))
    try:
        fed(artist, node)
    finally:
        plate.execute = execute
    assert written == ["House - sRGB view"]
    node["feed_colorspace"].setValue("house_linear")
    fed(artist, node)
    assert len(rendered(artist)) == 2, "frames of before are stale"


def test_temporary_frames_go_into_the_folder_that_is_named(artist: Artist, node: Any, tmp_path: Path) -> None:
    node["feed"].setValue("render")
    node["feed_folder"].setValue((tmp_path / "fast disk").as_posix())
    job = fed(artist, node)
    folder = tmp_path / "fast disk" / artist.uuid(node)
    assert Path(job["plate"]["path"]).parent.parent == folder
    assert len(list(folder.glob("plate.*.exr"))) == 2


def test_views_that_are_named_are_rendered_and_no_others(artist: Artist, tmp_path: Path) -> None:
    left, right = Shot(2), Shot(2, shift=12)
    left.write(tmp_path / "plate", "left")
    pattern = right.write(tmp_path / "plate", "right")
    artist.session.views, artist.session.view = ["left", "right"], "left"
    node = artist.tracker(artist.read(pattern, left))
    artist.click(node, left, FIRST)
    node["feed"].setValue("render")
    node["feed_as"].setValue("display-referred")
    node["views"].setValue("right")
    job = fed(artist, node)
    assert job["views"] == ["right"]
    assert rendered(artist) == [(frame, "right") for frame in right.frames]
    assert np.allclose(plate_on_disk(job, FIRST, "right"), right.picture(FIRST), atol=2e-3)

    artist.session.rendered.clear()
    node["views"].setValue("right, middle")
    artist.press(node, "track_both")
    told = "There is no view 'middle' in the script. Views: left, right."
    assert node["status"].getText() == told and rendered(artist) == []


def test_proxy_files_are_no_part_of_the_plate(artist: Artist, tmp_path: Path) -> None:
    """Nuke tells them as the files of a Read while proxy mode is on; what is rendered is full size."""
    shot, nuke = Shot(2), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot, proxy=str(tmp_path / "half.%04d.exr"))
    node = artist.tracker(nuke.nodes.Grade(inputs=[read], multiply=1.1))
    artist.click(node, shot, FIRST)
    assert artist.track(node).startswith("Tracked")
    rendered = len(artist.session.rendered)
    nuke.root()["proxy"].setValue(True)
    steps = len(artist.session.undo_stack)
    assert ": 0 mattes made" in artist.track(node)
    assert len(artist.session.rendered) == rendered == 2
    assert nuke.root()["proxy"].value() and len(artist.session.undo_stack) == steps
