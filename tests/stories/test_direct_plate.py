"""When the engine reads the file itself, condition by condition; a Format that is not the file's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, HEIGHT, WIDTH, Artist, Shot


def _as_it_is(artist: Artist, read: Any) -> Any:
    return read


def _set(**knobs: Any) -> Callable[[Artist, Any], Any]:
    def change(artist: Artist, read: Any) -> Any:
        for name, value in knobs.items():
            read[name].setValue(value)
        return read

    return change


def _project(**knobs: Any) -> Callable[[Artist, Any], Any]:
    def change(artist: Artist, read: Any) -> Any:
        for name, value in knobs.items():
            artist.nuke.root()[name].setValue(value)
        return read

    return change


def _below(*classes: str) -> Callable[[Artist, Any], Any]:
    def change(artist: Artist, read: Any) -> Any:
        for cls in classes:
            read = getattr(artist.nuke.nodes, cls)(inputs=[read])
        return read

    return change


def _gone(artist: Artist, read: Any) -> Any:
    Path(artist.session.file_name(read["file"].getText(), FIRST + 1)).unlink()
    return read


def _renamed(ending: str) -> Callable[[Artist, Any], Any]:
    def change(artist: Artist, read: Any) -> Any:
        pattern = read["file"].getText()
        for frame in range(FIRST, FIRST + 3):
            path = Path(artist.session.file_name(pattern, frame))
            path.rename(path.with_suffix(ending))
        read["file"].setValue(pattern.replace(".exr", ending))
        return read

    return change


def _one_file(artist: Artist, read: Any) -> Any:
    read["file"].setValue(artist.session.file_name(read["file"].getText(), FIRST))
    return read


def _another_size(artist: Artist, read: Any) -> Any:
    read["format"].setValue("PC_Video")
    return read


def _of_the_script(artist: Artist, read: Any) -> Any:
    """As a Read whose file was set by Python, before it was looked at."""
    artist.nuke.root()["format"].setValue("HD_1080")
    artist.session.reads_formats = False
    return read


def _own_size(artist: Artist, read: Any) -> Any:
    read["format"].setValue(read.format())
    return _of_the_script(artist, read)


def _own_size_in_proxy(artist: Artist, read: Any) -> Any:
    return _project(proxy=True)(artist, _own_size(artist, read))


def _before_the_plate(artist: Artist, read: Any) -> Any:
    artist.nuke.frame(FIRST - 20)
    return _set(before="black")(artist, _own_size(artist, read))


def _tcl(artist: Artist, read: Any) -> Any:
    """The folder's name comes from a knob of the Read."""
    knob = artist.nuke.String_Knob("vers")
    read.addKnob(knob)
    knob.setValue("plate")
    read["file"].setValue(read["file"].getText().replace("/plate/", "/[value vers]/"))
    assert read.metadata("input/width") == WIDTH
    return read


#: What is changed -> the colour space in which the engine reads the file, None where Nuke renders.
CASES: list[tuple[str, Callable[[Artist, Any], Any], str | None]] = [
    ("a bare Read", _as_it_is, "linear"),
    ("Dots below it", _below("Dot", "Dot"), "linear"),
    ("a Grade below it", _below("Grade"), None),
    ("a Dot without input", lambda artist, read: artist.nuke.nodes.Dot(), None),
    ("disabled", _set(disable=True), None),
    ("a frame expression", _set(frame="frame + 1"), None),
    ("premultiplied", _set(premultiplied=True), None),
    ("black on errors", _set(on_error="black"), None),
    ("a shorter range than the files'", _set(last=FIRST + 1), None),
    ("a longer range than the files'", _set(last=FIRST + 5, origlast=FIRST + 5), None),
    ("a frame that is missing", _gone, None),
    ("OCIO", _project(colorManagement="OCIO"), None),
    ("raw", _set(raw=True, colorspace="sRGB"), "linear"),
    ("sRGB in the file", _set(colorspace="sRGB"), "raw"),
    ("a space that the engine has not", _set(colorspace="rec709"), None),
    ("floats are sRGB in this project", _project(floatLut="sRGB"), "raw"),
    (
        "floats are sRGB, and this Read is linear",
        lambda a, r: _project(floatLut="sRGB")(a, _set(colorspace="linear")(a, r)),
        "linear",
    ),
    ("no EXR", _renamed(".tif"), None),
    ("Tcl in its file", _tcl, None),
    ("one file", _one_file, None),
    ("a Format of another size", _another_size, None),
    ("the script's Format", _of_the_script, None),
    ("the file's size, chosen", _own_size, "linear"),
    ("the file's size in proxy mode", _own_size_in_proxy, "linear"),
    ("on a frame where there is no plate", _before_the_plate, "linear"),
]


@pytest.fixture
def source(artist: Artist, tmp_path: Path) -> Any:
    shot = Shot(3)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    yield read
    artist.session.reads_formats = True


@pytest.mark.parametrize(("change", "space"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_read_or_rendered(artist: Artist, source: Any, change: Any, space: str | None) -> None:
    from efficienttam_nuke import plate

    above = change(artist, source)
    direct = plate.direct_plate(above, ())
    assert (None if direct is None else direct.color_space) == space
    assert direct is None or direct.path == source["file"].getText()


def test_tcl_in_the_file_of_the_plate(artist: Artist, source: Any) -> None:
    """It speaks of the Read; our node may have a knob of that name, and has another value in it."""
    node = artist.tracker(_tcl(artist, source))
    node.addKnob(artist.nuke.String_Knob("vers"))
    node["vers"].setValue("elsewhere")
    artist.click(node, Shot(3), FIRST)
    status = artist.track(node)
    assert artist.score(node, Shot(3)) > 0.85, status
    assert len(artist.session.rendered) == 3


def test_views_in_the_name(artist: Artist, tmp_path: Path) -> None:
    from efficienttam_nuke import plate

    left, right = Shot(2), Shot(2)
    left.write(tmp_path / "plate", "left")
    artist.session.views, artist.session.view = ["left", "right"], "left"
    read = artist.read(right.write(tmp_path / "plate", "right"), right)
    plain = artist.read(left.write(tmp_path / "plain"), left)
    assert plate.direct_plate(read, ("left", "right")) is not None
    assert plate.direct_plate(read, ()) is None
    assert plate.direct_plate(plain, ("left", "right")) is None
    assert plate.direct_plate(plain, ()) is not None


def test_a_format_that_is_not_the_files(artist: Artist, tmp_path: Path) -> None:
    """The picture lies in a corner of a larger Format: prompts are told there, and hit."""
    shot = Shot(2)
    read = artist.read(shot.write(tmp_path / "plate"), shot)
    read["format"].setValue("PC_Video")
    node = artist.tracker(read)
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert "Tracked" in status
    assert len(artist.session.rendered) == 2
    for frame in shot.frames:
        matte = artist.matte(node, frame)
        assert matte.shape == (480, 640)
        part = matte[-HEIGHT:, :WIDTH]
        truth = shot.truth(frame)
        assert (part >= 0.5)[truth].mean() > 0.7 and (matte >= 0.5).sum() < 2 * truth.sum()
