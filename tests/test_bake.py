"""Bake leaves nodes that give the very pixels of the EfficientTAM node, without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from efficienttam.media import write_mattes, write_png

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE / "host", HERE.parent / "nuke_plugin"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

WIDTH, HEIGHT = 96, 54


@pytest.fixture
def nuke(tmp_path: Path) -> Iterator[Any]:
    import fake_nuke

    for name in [name for name in sys.modules if name.startswith("efficienttam_nuke")]:
        del sys.modules[name]
    session = fake_nuke.install(gui=True, plugin_path=[str(HERE.parent / "gizmos")])
    import nuke as module

    module.session = session
    yield module
    fake_nuke.uninstall()


def disc(x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.clip(12.5 - np.hypot(columns - x, rows - y), 0, 1).astype(np.float32)


@pytest.fixture
def tracked(nuke: Any, tmp_path: Path) -> Any:
    """A node with two objects whose mattes are on disk."""
    plate = np.random.default_rng(3).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    write_png(str(tmp_path / "plate.1001.png"), plate)
    mattes = {"hero.alpha": disc(30, 20), "stone.alpha": disc(60, 30)}
    write_mattes(str(tmp_path / "m.1001.exr"), mattes)
    span = {"first": 1001, "last": 1001, "origfirst": 1001, "origlast": 1001}
    read = nuke.nodes.Read(file=str(tmp_path / "plate.%04d.png"), **span)
    node = nuke.createNode("EfficientTAM")
    node.setInput(0, read)
    nuke.frame(1001)
    for name in ("hero", "stone"):
        node["object_name"].setValue(name)
        node["add_object"].execute()
    from efficienttam_nuke import inner_graph
    from efficienttam_nuke.tracker_node import TrackerNode

    inner_graph.show_mattes(TrackerNode(node), str(tmp_path / "m.%04d.exr"), 1001, 1001)
    return node


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"threshold": 0.6, "softness": 0.3},
        {"grow": 3, "feather": 2},
        {"invert": True, "premultiply": True},
        {"grow": -2, "invert": True, "feather": 3, "premultiply": True},
        {"object_layers": True},
        {"object_layers": True, "grow": 2, "invert": True, "premultiply": True},
    ],
    ids=str,
)
def test_the_same_pixels(nuke: Any, tracked: Any, knobs: dict[str, Any]) -> None:
    for name, value in knobs.items():
        tracked[name].setValue(value)
    there = {node.name() for node in nuke.allNodes()}
    tracked["bake"].execute()
    made = [node for node in nuke.allNodes() if node.name() not in there]
    above = {
        node.input(number).name() for node in made for number in range(node.inputs()) if node.input(number)
    }
    (last,) = [node for node in made if node.name() not in above]
    want, got = nuke.session.picture(tracked, 1001), nuke.session.picture(last, 1001)
    for channel in ("rgba.red", "rgba.green", "rgba.blue", "rgba.alpha", "hero.alpha", "stone.alpha"):
        np.testing.assert_array_equal(got.whole(channel), want.whole(channel))
    assert want.whole("rgba.alpha").sum() > 100
    assert set(got.channels) == set(want.channels)
    assert ("stone.alpha" in got.channels) == ("object_layers" in knobs)
    assert tracked.name() not in above


def test_both_objects_are_in_the_matte_unless_muted(nuke: Any, tracked: Any) -> None:
    both = nuke.session.picture(tracked, 1001).whole("rgba.alpha")
    np.testing.assert_allclose(both, np.maximum(disc(30, 20), disc(60, 30))[::-1], atol=1e-3)
    tracked["mute"].setValue(True)
    one = nuke.session.picture(tracked, 1001).whole("rgba.alpha")
    np.testing.assert_allclose(one, disc(30, 20)[::-1], atol=1e-3)
