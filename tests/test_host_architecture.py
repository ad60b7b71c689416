"""The house rules of ``nuke_plugin``: who imports nuke, what it imports of the engine, and nothing heavy."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_architecture import HEAVY, HOST, REPOSITORY, STDLIB

PACKAGE = REPOSITORY / "nuke_plugin" / "efficienttam_nuke"
#: The only files that touch Nuke.
TOUCH_NUKE = {"startup", "host", "tracker_node", "inner_graph", "native_nodes", "graph_key", "plate"}
ENGINE_ROOMS = ("efficienttam.contract", "efficienttam.client", "efficienttam.window")
#: Files that build on Qt; all others are imported by a farm too.
HAVE_WINDOWS = {"panel_widget", "node_shot"}
NUKE = {"nuke", "nukescripts"}
#: What Nuke calls for nodes of every class, unless it is told of which; opening and saving are the script's.
CALLBACK = re.compile(
    r"add("
    r"On(User)?Create|OnDestroy|KnobChanged|UpdateUI|Autolabel|RenderProgress|DefaultColorspaceMapper"
    r"|(Before|After)(Background)?(Frame)?Render|(Before|After)(Recording|Replay)"
    r"|(AutoSave(Delete|Restore)?|Filename)Filter|ValidateFilename|\w*Callback"
    r")$"
)


def imported(source: str) -> list[tuple[str, bool]]:
    """Every absolute module a text imports, and whether at its top level."""
    tree = ast.parse(source)
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node.module or "", id(node) in top))
    return found


def wrong_imports(name: str, source: str) -> list[str]:
    wrong = []
    for module, at_top in imported(source):
        first = module.split(".")[0]
        if first in NUKE:
            allowed = name in TOUCH_NUKE
        elif first == "efficienttam":
            allowed = f"{module}.".startswith(tuple(f"{room}." for room in ENGINE_ROOMS))
            if module.startswith("efficienttam.window"):
                allowed = allowed and (not at_top or name in HAVE_WINDOWS)
        elif first == "efficienttam_nuke":
            allowed = name in ("init", "menu")
        else:
            allowed = first in STDLIB
        if not allowed:
            wrong.append(f"{name} imports {module}")
    return wrong


def test_arrows_of_the_host() -> None:
    assert [
        fault for path in HOST for fault in wrong_imports(path.stem, path.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("jobs", "import nuke"),
        ("actions", "from nuke import toNode"),
        ("plate", "import numpy"),
        ("jobs", "from efficienttam.tracking import VideoTracker"),
        ("settings", "import efficienttam.contractor"),
        ("host", "from efficienttam.window import qt"),
        ("panel", "import PySide6"),
        ("settings", "def f():\n    import torch"),
    ],
)
def test_a_wrong_import_is_seen(name: str, line: str) -> None:
    assert wrong_imports(name, line) != []


def unscoped_callbacks(source: str) -> list[str]:
    """Callbacks that are not called by name, or without the class of node that they are for."""
    tree = ast.parse(source)
    scoped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(
            word.arg == "nodeClass"
            and isinstance(word.value, ast.Constant)
            and word.value.value not in ("", "*")
            for word in node.keywords
        ):
            scoped.add(id(node.func))
    wrong = []
    for node in ast.walk(tree):
        names: list[object] = []
        if isinstance(node, ast.Attribute) and id(node) not in scoped:
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant):
            names = [node.value]
        wrong += [name for name in names if isinstance(name, str) and CALLBACK.match(name)]
    return wrong


def test_nuke_calls_us_for_our_own_nodes_only() -> None:
    """By knobs of the node itself; a callback without a scope would run for each node of each script."""
    assert {
        path.name: found for path in HOST if (found := unscoped_callbacks(path.read_text(encoding="utf-8")))
    } == {}


@pytest.mark.parametrize(
    "line",
    [
        "nuke.addKnobChanged(changed)",
        "nuke.addUpdateUI(shown, nodeClass='*')",
        "nuke.addBeforeRender(rendering)",
        "nuke.addAfterFrameRender(rendered, (), {})",
        "nuke.addOnCreate(created, nodeClass=every)",
        "nuke.addOnDestroy(gone, nodeClass='')",
        "nuke.addFilenameFilter(mapped)",
        "nuke.callbacks.addOnUserCreate(created)",
        "listen = nuke.addKnobChanged",
        "from nuke import addAutolabel",
        "getattr(nuke, 'addBeforeBackgroundRender')(rendering)",
    ],
)
def test_a_callback_for_all_nodes_is_seen(line: str) -> None:
    assert unscoped_callbacks(line) != []


@pytest.mark.parametrize(
    "line",
    [
        "nuke.addOnScriptLoad(loaded)",
        "nuke.addFormat('200 100 small')",
        "node.addKnob(knob)",
        "nuke.addKnobChanged(changed, nodeClass='EfficientTAM')",
    ],
)
def test_what_is_not_for_all_nodes_may_be_added(line: str) -> None:
    assert unscoped_callbacks(line) == []


def test_the_smoke_test_needs_nothing_but_nuke() -> None:
    source = (REPOSITORY / "tests" / "nuke_smoke.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    foreign = {module.split(".")[0] for module, _ in imported(source)} - STDLIB
    assert foreign == {"nuke", "efficienttam_nuke"}


@pytest.mark.parametrize("name", ["init.py", "menu.py"])
def test_what_nuke_runs_has_two_statements(name: str) -> None:
    body = ast.parse((REPOSITORY / "nuke_plugin" / name).read_text(encoding="utf-8")).body
    statements = [
        node for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert len(statements) == 2


def loaded_after(code: str, gui: bool) -> set[str]:
    """Modules of a Python that has the fake nuke and runs ``code``."""
    begin = f"import fake_nuke, sys; fake_nuke.install(gui={gui})\n"
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        str(REPOSITORY / folder) for folder in ("tests", "nuke_plugin", ".")
    )
    output = subprocess.run(
        [sys.executable, "-c", f"{begin}{code}\nprint(*sys.modules)"],
        cwd=REPOSITORY / "nuke_plugin",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(output.split())


def started(name: str) -> str:
    path = str(REPOSITORY / "nuke_plugin" / name)
    return f"exec(open({path!r}).read(), {{'__file__': {path!r}, '__name__': 'init'}})"


def test_starting_nuke_loads_nothing_heavy() -> None:
    loaded = loaded_after(f"{started('init.py')}\n{started('menu.py')}", gui=True)
    assert "efficienttam_nuke.startup" in loaded
    assert HEAVY & loaded == set()


def test_a_farm_render_meets_neither_windows_nor_qt_nor_a_worker() -> None:
    loaded = loaded_after(started("init.py"), gui=False)
    windows = {name for name in loaded if name.split(".")[0] in ("PySide2", "PySide6", "shiboken6")}
    assert windows | {name for name in loaded if name.startswith("efficienttam.window")} == set()
    assert "efficienttam.client.worker_client" not in loaded


def test_every_module_of_the_host_is_light() -> None:
    light = [path.stem for path in sorted(PACKAGE.glob("*.py")) if path.stem not in HAVE_WINDOWS]
    lines = [
        started("init.py"),
        *(f"import efficienttam_nuke.{name}" for name in light if name != "__init__"),
    ]
    assert HEAVY & loaded_after("\n".join(lines), gui=True) == set()


def test_the_checks_above_can_fail() -> None:
    assert {"numpy"} <= loaded_after("import efficienttam.mattes.matte", gui=False)


@pytest.mark.parametrize("name", sorted(TOUCH_NUKE))
def test_who_may_touch_nuke_is_there(name: str) -> None:
    assert Path(PACKAGE / f"{name}.py").is_file()
