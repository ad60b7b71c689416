"""Right pixels: views, proxy, pixel aspect, grades, retimes, offsets, roto, the live controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from shots import FIRST, HEIGHT, WIDTH, Artist, Shot, iou

GOOD = 0.85


def test_each_view_has_its_own_matte(artist: Artist, tmp_path: Path) -> None:
    left, right = Shot(4), Shot(4, shift=12)
    left.write(tmp_path / "plate", "left")
    pattern = right.write(tmp_path / "plate", "right")
    artist.session.views, artist.session.view = ["left", "right"], "left"
    node = artist.tracker(artist.read(pattern, left))
    artist.click(node, left, FIRST)
    status = artist.track(node)
    assert artist.score(node, left, view="left") > GOOD, status
    assert artist.score(node, right, view="right") > GOOD
    assert len({*artist.files(node, "left"), *artist.files(node, "right")}) == 8


@pytest.mark.parametrize("proxied", [True, False], ids=["proxied formats", "full formats"])
def test_proxy_mode_changes_no_matte(
    artist: Artist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxied: bool
) -> None:
    monkeypatch.setattr(artist.session, "proxied_formats", proxied)
    shot, root = Shot(4), artist.nuke.root()
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    graded = artist.nuke.nodes.Grade(inputs=[read], multiply=0.9)
    node = artist.tracker(graded)
    root["proxy"].setValue(True)
    root["proxy_scale"].setValue(0.5)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert root["proxy"].value() is True
    assert artist.session.rendered, status
    spec = oiio.ImageInput.open(str(artist.files(node)[0])).spec()
    assert (spec.full_width, spec.full_height) == (WIDTH, HEIGHT)
    half = artist.matte(node, FIRST)
    assert half.shape == (HEIGHT // 2, WIDTH // 2)
    assert iou(half, shot.truth(FIRST)[::2, ::2]) > 0.8
    root["proxy"].setValue(False)
    assert artist.score(node, shot) > GOOD


def test_anamorphic_pixels(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(4, aspect=2.0)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    # Read by the engine itself, and rendered for it.
    for above in (read, artist.nuke.nodes.Grade(inputs=[read], multiply=1.1)):
        node = artist.tracker(above)
        artist.click(node, shot, FIRST)
        status = artist.track(node)
        assert artist.score(node, shot) > GOOD, status
        header = oiio.ImageInput.open(str(artist.files(node)[0])).spec()
        assert header.getattribute("PixelAspectRatio") == 2.0


def test_grades_and_retimes_are_rendered_once(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(6), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    graded = nuke.nodes.Grade(inputs=[read], multiply=1.2, gamma=0.9)
    moved = nuke.nodes.TimeOffset(inputs=[graded], time_offset=-1000)
    node = artist.tracker(moved)
    there = Shot(6, first=1)
    artist.click(node, there, 1)
    status = artist.track(node)
    assert [frame for _, frame, _ in artist.session.rendered] == list(range(1, 7)), status
    assert artist.score(node, there) > GOOD
    assert [path.name[-8:-4] for path in artist.files(node)] == [f"{frame:04d}" for frame in range(1, 7)]
    writes = [inner for inner in node.nodes() if inner.Class() == "Write"]
    assert writes == [], "the temporary Write is gone"

    artist.session.rendered.clear()
    artist.click(node, there, 5)
    artist.track(node, "retrack")
    assert artist.session.rendered == [], "a re-track renders nothing"
    graded["multiply"].setValue(1.0)
    artist.track(node)
    assert len(artist.session.rendered) == 6, "another grade is another plate"


def test_what_the_engine_is_fed_is_what_nuke_shows(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(2), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    flipped = nuke.nodes.Reformat(inputs=[read], type="to box", box_width=WIDTH, box_height=HEIGHT, flop=True)
    node = artist.tracker(flipped)
    nuke.frame(FIRST)
    x, y = shot.center(FIRST)
    node["point"].setValue([WIDTH - x, HEIGHT - y])
    artist.press(node, "include")
    status = artist.track(node)
    assert iou(artist.matte(node, FIRST), shot.truth(FIRST)[:, ::-1]) > GOOD, status
    assert artist.fed(node, flipped, FIRST) < 2 / 255


def test_every_view_has_the_format_of_the_plate(
    artist: Artist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot, nuke = Shot(2), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    read["format"].setValue(read.format())
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    artist.track(node)
    plain = artist.matte(node, FIRST)
    nuke.root()["format"].setValue("HD_1080")
    monkeypatch.setattr(artist.session, "reads_formats", False)
    for view in ("Result", "Matte", "Overlay", "Plate"):
        node["show"].setValue(view)
        assert (node.width(), node.height()) == (WIDTH, HEIGHT), view
    node["show"].setValue("Matte")
    assert np.array_equal(artist.matte(node, FIRST, channel="rgba.red"), plain)


def test_overscan_is_passed_over(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(3), artist.nuke
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    wide = nuke.nodes.Crop(inputs=[read], box=[-20, -10, WIDTH + 20, HEIGHT + 10], crop=False)
    node = artist.tracker(wide)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status


def test_a_display_window_that_begins_elsewhere(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(3)
    read = artist.read(shot.write(tmp_path / "plate", corner=(40, 24)), shot)
    assert (read.width(), read.height()) == (WIDTH, HEIGHT)
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status


def test_a_roto_is_the_shape(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Shot(4), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    roto = nuke.nodes.Roto(name="Roto1")
    node.setInput(1, roto)

    def soft(x: np.ndarray, y: np.ndarray, frame: float) -> np.ndarray:
        left, top = shot.center(round(frame))
        away = np.hypot((x - left) / 30, (y - (HEIGHT - top)) / 26)
        return np.clip((1.1 - away) / 0.2, 0, 1)

    artist.session.shapes["Roto1"] = soft
    nuke.frame(FIRST)
    artist.press(node, "use_roto")
    prompt = node["sheet"].getText()
    assert '"path"' in prompt, node["status"].getText()
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status
    edge = artist.matte(node, FIRST)
    assert ((edge > 0.1) & (edge < 0.9)).any(), "softness is kept"
    assert artist.session.rendered and {frame for _, frame, _ in artist.session.rendered} == {FIRST}


@pytest.mark.parametrize("size", [(300, 200), (160, 124)], ids=str)
def test_a_roto_of_another_format(artist: Artist, tmp_path: Path, size: tuple[int, int]) -> None:
    """A Roto without input has the script's format: its shape lies on the plate by the lower left corners."""
    shot, nuke = Shot(3), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    node.setInput(1, nuke.nodes.Roto(name="Roto1"))
    nuke.addFormat("{0} {1} 1 script_{0}x{1}".format(*size))
    nuke.root()["format"].setValue("script_{}x{}".format(*size))
    left, top = shot.center(FIRST)
    assert (nuke.toNode("Roto1").width(), nuke.toNode("Roto1").height()) == size
    artist.session.shapes["Roto1"] = lambda x, y, frame: (
        np.hypot((x - left) / 30, (y - HEIGHT + top) / 26) <= 1
    )
    nuke.frame(FIRST)
    artist.press(node, "use_roto")
    (path,) = tmp_path.rglob("prompts/*.exr")
    header = oiio.ImageInput.open(str(path)).spec()
    assert (header.full_width, header.full_height) == (WIDTH, HEIGHT), node["status"].getText()
    assert [inner for inner in node.nodes() if inner.Class() == "Write"] == []
    status = artist.track(node)
    assert iou(artist.matte(node, FIRST), shot.truth(FIRST)) > 0.8, status
    assert artist.score(node, shot) > 0.8, status


def test_a_roto_without_a_plate_is_told(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(1)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    node.setInput(1, artist.nuke.nodes.Roto())
    node.setInput(0, None)
    artist.press(node, "use_roto")
    assert "Nothing is connected to the input plate" in node["status"].getText()
    assert node["sheet"].getText() == ""


def test_a_box(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(3)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    x, y = shot.center(FIRST)
    node["box"].setValue([x - 31, HEIGHT - y - 27, x + 31, HEIGHT - y + 27])
    artist.press(node, "use_box")
    status = artist.track(node)
    assert artist.score(node, shot) > GOOD, status


def test_live_controls_need_no_tracking(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(2)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    artist.track(node)
    plain = artist.matte(node, FIRST)
    node["grow"].setValue(4)
    assert artist.matte(node, FIRST).sum() > plain.sum() + 300
    node["grow"].setValue(-4)
    assert artist.matte(node, FIRST).sum() < plain.sum() - 300
    node["grow"].setValue(0)
    node["softness"].setValue(0)
    hard = artist.matte(node, FIRST)
    assert ((hard < 0.01) | (hard > 0.99)).mean() > 0.99
    node["softness"].setValue(1)
    for threshold in (0.1, 0.8):
        node["threshold"].setValue(threshold)
        moved = artist.matte(node, FIRST)
        assert np.all(moved[plain > 0.999] > 0.99) and np.all(moved[plain == 0] == 0), (
            "what is solid stays so"
        )
        assert (moved.sum() > plain.sum()) == (threshold < 0.5)
    node["threshold"].setValue(0.5)
    node["invert"].setValue(True)
    assert np.allclose(artist.matte(node, FIRST), 1 - plain, atol=1e-6)
    node["invert"].setValue(False)
    node["premultiply"].setValue(True)
    red = artist.matte(node, FIRST, channel="rgba.red")
    assert np.allclose(red, artist.matte(read, FIRST, channel="rgba.red") * plain, atol=1e-5)
    node["premultiply"].setValue(False)
    for view, channel in (("Result", "rgba.red"), ("Plate", "rgba.red")):
        node["show"].setValue(view)
        assert np.array_equal(
            artist.matte(node, FIRST, channel=channel), artist.matte(read, FIRST, channel=channel)
        )
    node["show"].setValue("Matte")
    assert np.allclose(artist.matte(node, FIRST, channel="rgba.green"), plain, atol=1e-6)
    node["show"].setValue("Overlay")
    overlay, plate = (artist.matte(n, FIRST, channel="rgba.red") for n in (node, read))
    inside, outside = plain > 0.99, plain < 0.01
    assert np.allclose(overlay[outside], plate[outside], atol=6e-3)
    assert np.allclose(overlay[inside], plate[inside] * 0.5 + 0.5, atol=2e-2)


def test_the_overlay_has_the_colour_and_the_opacity_of_its_knobs(artist: Artist, tracked: Any) -> None:
    inside = artist.matte(tracked, FIRST) > 0.99
    tracked["show"].setValue("Overlay")
    tracked["overlay_color"].setValue([0.0, 0.5, 0.9])
    tracked["overlay_opacity"].setValue(0.2)
    for channel, color in (("rgba.red", 0.0), ("rgba.green", 0.5), ("rgba.blue", 0.9)):
        overlay, plate = (artist.matte(n, FIRST, channel=channel) for n in (tracked, tracked.input(0)))
        assert np.allclose(overlay[inside], plate[inside] * 0.8 + color * 0.2, atol=1e-2), channel


def test_an_own_channel_leaves_the_alpha_alone(artist: Artist, tmp_path: Path) -> None:
    shot = Shot(2)
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot, auto_alpha=True))
    artist.click(node, shot, FIRST)
    artist.press(node, "own_channel")
    artist.track(node)
    assert artist.matte(node, FIRST).min() == 1
    assert iou(artist.matte(node, FIRST, channel="efficienttam.object1"), shot.truth(FIRST)) > GOOD
