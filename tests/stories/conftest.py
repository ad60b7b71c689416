"""One Nuke for all stories, as an artist has it: scripts are opened one after another, the engine stays."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGIN = REPOSITORY / "nuke_plugin"
for folder in (REPOSITORY / "tests", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import fake_nuke  # noqa: E402
from shots import FIRST, Artist, Shot  # noqa: E402


def forget_plugin() -> None:
    """Modules of the plugin are bound to the nuke that was there when they were imported."""
    for name in [name for name in sys.modules if name.split(".")[0] == "efficienttam_nuke"]:
        del sys.modules[name]


def modules_of_nuke() -> dict[str, Any]:
    """Nuke's modules and the plugin's, as they are now."""
    ours = ("efficienttam_nuke", "nuke", "nukescripts")
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] in ours}


def run_like_nuke(path: Path) -> None:
    """Runs an init.py or menu.py as Nuke does: the folder is on sys.path, the file in a module of its own."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    exec(
        compile(path.read_text(encoding="utf-8"), str(path), "exec"),
        {"__file__": str(path), "__name__": path.stem},
    )


def event_loop() -> Any:
    """What lets Qt's timers run, as in Nuke's window; None where there is no Qt that lasts."""
    try:
        from efficienttam.window.qt import QtWidgets, sound
    except ImportError:
        return None
    if not sound():
        return None
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture(scope="session")
def running_nuke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Nuke with a window that read the plugin's init.py and menu.py."""
    if not fake_nuke.have_tcl():
        pytest.skip("This Python was built without tkinter, which holds Tcl.")
    os.environ.setdefault("EFFICIENTTAM_PYTHON", sys.executable)
    os.environ["EFFICIENTTAM_FEED"] = str(tmp_path_factory.mktemp("feed"))
    forget_plugin()
    session = fake_nuke.install(gui=True)
    session.event_loop = event_loop()
    run_like_nuke(PLUGIN / "init.py")
    run_like_nuke(PLUGIN / "menu.py")
    session.modules = modules_of_nuke()
    yield session
    sys.modules.update(session.modules)
    from efficienttam_nuke import jobs

    jobs.session().close()
    forget_plugin()
    fake_nuke.uninstall()


@pytest.fixture
def artist(running_nuke: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Artist]:
    """An artist with an empty script saved in a folder of the test."""
    # Another test may have had a Nuke of its own meanwhile.
    if sys.modules.get("nuke") is not running_nuke.names["nuke"]:
        forget_plugin()
        sys.modules.update(running_nuke.modules)
    running_nuke.reset()
    running_nuke.cancel_after, running_nuke.fail_writes, running_nuke.spaces = None, False, None
    for told in (running_nuke.rendered, running_nuke.printed, running_nuke.messages, running_nuke.answers):
        told.clear()
    running_nuke.shapes.clear()
    running_nuke.root["name"]._set_state(str(tmp_path / "shot_v001.nk").replace("\\", "/"))
    from efficienttam_nuke import host

    # The Script Editor shows what is printed; what nobody may read there is looked for.
    monkeypatch.setattr(host, "print", lambda text, **_: running_nuke.printed.append(text), raising=False)
    yield Artist(running_nuke)
    running_nuke.modules = modules_of_nuke()


@pytest.fixture
def shot() -> Shot:
    """A short one."""
    return Shot(3)


@pytest.fixture
def tracked(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """A node that was tracked well."""
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    status = artist.track(node)
    assert artist.score(node, shot) > 0.85, status
    return node
