"""What the engine does for small things and for edges, told by the node's knobs; the real worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from shots import FIRST, HEIGHT, WIDTH, Artist, Shot, iou


class SmallThing(Shot):
    """The ellipse is of 18 by 16 pixels: four cells of the network's mask."""

    def truth(self, frame: int, which: int = 0) -> np.ndarray:
        if which:
            return super().truth(frame, which)
        x, y = self.center(frame)
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
        return np.hypot((columns - x) / 9, (rows - y) / 8) <= 1


@pytest.fixture
def shot() -> Shot:
    return SmallThing(4)


@pytest.fixture
def node(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """Tracked in the whole frame, from a box."""
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    x, y = shot.center(FIRST)
    node["box"].setValue([x - 10, HEIGHT - y - 9, x + 10, HEIGHT - y + 9])
    artist.press(node, "use_box")
    status = artist.track(node)
    assert status.startswith("Tracked"), status
    return node


def document(artist: Artist, node: Any) -> Any:
    (path,) = artist.files(node)[0].parent.glob("*.job.json")
    return json.loads(path.read_text(encoding="utf-8"))


def recipe(path: Path) -> str:
    image = oiio.ImageInput.open(str(path))
    assert image is not None
    return " ".join(f"{one.name}={one.value}" for one in image.spec().extra_attribs)


def test_a_small_thing_in_a_region_with_its_edge_refined(artist: Artist, shot: Shot, node: Any) -> None:
    whole = artist.mattes(node, shot.frames)
    plain, told = document(artist, node), recipe(artist.files(node)[0])
    assert "mattes" not in plain and "region" not in plain["objects"][0]

    node["region"].setValue("follow the object")
    assert "Press Re-track changed" in node["status"].getText()
    node["refine"].setValue("unmix")
    node["set_softness"].setValue(True)
    status = artist.track(node, "retrack")
    assert status.startswith(f"Tracked {FIRST}-{shot.last}: 4 mattes made"), status
    job = document(artist, node)
    assert job["objects"][0]["region"] == {"follow": "track", "padding": 0.5, "smoothing": 8}
    assert (job["mattes"]["refine"], job["mattes"]["softness"]) == ("unmix", 2)
    assert recipe(artist.files(node)[0]) != told
    for number, frame in enumerate(shot.frames):
        better, truth = artist.matte(node, frame), shot.truth(frame)
        assert iou(better, truth) > 0.8, frame
        assert np.abs(better - truth).sum() < np.abs(whole[number] - truth).sum(), frame
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")

    # Live controls go on top, and nothing is tracked for them.
    solid = float(artist.matte(node, FIRST).sum())
    node["grow"].setValue(3)
    assert artist.matte(node, FIRST).sum() > 1.3 * solid
    node["softness"].setValue(0)
    assert set(np.unique(artist.matte(node, FIRST))) <= {0.0, 1.0}
    assert artist.track(node, "retrack").endswith("were there: nothing changed.")

    sheet, files = node["sheet"].getText(), artist.files(node)
    artist.nuke.scriptSave()
    artist.nuke.scriptOpen(artist.nuke.scriptName())
    again = artist.nuke.toNode("EfficientTAM1")
    assert (again["sheet"].getText(), artist.files(again)) == (sheet, files)
    assert again["region"].value() == "follow the object" and again["refine"].value() == "unmix"
    assert ": 0 mattes made" in artist.track(again)


def test_a_drawn_region_and_back(artist: Artist, shot: Shot, node: Any) -> None:
    before = artist.mattes(node, shot.frames)
    (x, y), (right, bottom) = shot.center(FIRST), shot.center(shot.last)
    node["box"].setValue([x - 20, HEIGHT - bottom - 20, right + 20, HEIGHT - y + 20])
    artist.press(node, "draw_region")
    status = artist.track(node, "retrack")
    (drawn,) = document(artist, node)["objects"][0]["region"]["boxes"]
    assert drawn == {"frame": FIRST, "box": [x - 20, y - 20, right + 20, bottom + 20]}
    assert artist.score(node, shot) > 0.8, status
    assert artist.matte(node, FIRST)[:, 200:].max() == 0, "black outside of the region"
    artist.press(node, "erase_region")
    artist.track(node, "retrack")
    assert np.array_equal(artist.mattes(node, shot.frames), before)


def test_a_preview_in_a_region(artist: Artist, shot: Shot, node: Any) -> None:
    node["region"].setValue("follow the object")
    artist.nuke.frame(FIRST + 2)
    status = artist.track(node, "preview")
    assert iou(artist.matte(node, FIRST + 2), shot.truth(FIRST + 2)) > 0.8, status
    status = artist.track(node, "retrack")
    assert status.startswith(f"Tracked {FIRST}-{shot.last}") and artist.score(node, shot) > 0.8, status


def test_a_region_by_prompts_that_have_no_size(artist: Artist, shot: Shot, tmp_path: Path) -> None:
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    node["region"].setValue("by its prompts")
    artist.press(node, "track_both")
    status = node["status"].getText()
    assert "none has a box or a mask" in status and "choose follow the object" in status
