"""The fake itself: as strict as Nuke, on old Pythons too, and with no name that Nuke lacks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_nuke
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    not fake_nuke.have_tcl(), reason="This Python was built without tkinter, which holds Tcl."
)
#: Real, documented, and missing in types-nuke.
NOT_IN_STUBS = {"nodes"}


@pytest.fixture
def session() -> Iterator[fake_nuke.Session]:
    before = {name: sys.modules.get(name) for name in ("nuke", "nukescripts", "nukescripts.panels")}
    yield fake_nuke.install(plugin_path=[str(REPOSITORY / "gizmos")])
    fake_nuke.uninstall()
    sys.modules.update({name: module for name, module in before.items() if module is not None})


@pytest.fixture
def nuke(session: fake_nuke.Session) -> Any:
    return sys.modules["nuke"]


def names_in_stubs() -> dict[str, set[str]]:
    """Public names of types-nuke; for classes their methods."""
    nuke_stubs = pytest.importorskip("mypy") and Path(sys.prefix, "lib")
    found: dict[str, set[str]] = {}
    for stub in nuke_stubs.glob("python*/site-packages/nuke-stubs/*.pyi"):
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                found[node.name] = {*methods, *(name for base in bases for name in found.get(base, ()))}
            elif isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, set())
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = set()
    if not found:
        pytest.skip("types-nuke is not installed.")
    return found


def test_every_name_of_the_fake_is_one_of_nuke(nuke: Any) -> None:
    known = names_in_stubs()
    unknown = [
        name for name in vars(nuke) if not name.startswith("_") and name not in {*known, *NOT_IN_STUBS}
    ]
    assert unknown == []


def test_every_method_of_the_fake_is_one_of_nuke(nuke: Any) -> None:
    known = names_in_stubs()
    every = {*known["Knob"], *known["Node"]}
    extra = {}
    for name, cls in vars(nuke).items():
        if isinstance(cls, type):
            mine = {method for method in dir(cls) if method[0] != "_" and callable(getattr(cls, method))}
            extra[name] = mine - every - known[name]
    assert {name: methods for name, methods in extra.items() if methods} == {"Format": {"text"}}


def test_unknown_things_raise(nuke: Any) -> None:
    with pytest.raises(AttributeError):
        nuke.addProgressTask()
    with pytest.raises(RuntimeError, match="Unknown command"):
        nuke.createNode("NoSuchNode")
    with pytest.raises(RuntimeError, match="Unknown command"):
        nuke.nodes.NoSuchNode()
    node = nuke.nodes.Blur()
    with pytest.raises(NameError, match="knob no_such_knob does not exist"):
        node["no_such_knob"]
    with pytest.raises(NameError):
        nuke.nodes.Blur(no_such_knob=1)
    with pytest.raises(TypeError):
        node["filter"].setValue("no such filter")
    with pytest.raises(ValueError):
        node["channels"].setValue("no_such_layer")
    assert node.knob("no_such_knob") is None and nuke.toNode("NoSuchNode") is None


def test_a_deleted_node_is_dead(nuke: Any) -> None:
    node = nuke.createNode("EfficientTAM")
    inner = node.node("Grow")
    nuke.delete(node)
    for dead in (node, inner):
        with pytest.raises(ValueError, match="not attached"):
            dead.name()
    nuke.undo()
    assert nuke.toNode(node.name()) is node and inner.name() == "Grow"


def test_knobs_are_of_the_main_thread(nuke: Any) -> None:
    node, caught = nuke.nodes.Blur(), []

    def read() -> None:
        try:
            node["size"].value()
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert caught and "main thread" in caught[0]


def test_no_rendering_in_a_callback(nuke: Any, tmp_path: Path) -> None:
    write = nuke.nodes.Write(inputs=[nuke.nodes.Constant()], file=str(tmp_path / "a.exr"), file_type="exr")
    caught = []

    def changed() -> None:
        try:
            nuke.execute(write, 1, 1)
        except RuntimeError as error:
            caught.append(str(error))

    nuke.addKnobChanged(changed, nodeClass="Blur")
    nuke.nodes.Blur()["size"].setValue(3)
    nuke.addOnCreate(changed, nodeClass="Grade")
    grade = nuke.nodes.Grade()
    nuke.tests_changed = changed
    grade["updateUI"].setValue("nuke.tests_changed()")
    nuke.frame(2)
    assert caught == ["I'm already executing something else"] * 3
    nuke.execute(write, 1, 1)


def test_expressions_and_text_round_trip(nuke: Any, tmp_path: Path) -> None:
    node = nuke.createNode("EfficientTAM")
    node["threshold"].setValue(0.25)
    node["softness"].setValue(0.5)
    node["sheet"].setValue('{"a": [1, "x {", "$y", "back\\\\slash"], "b": null}')
    node["point"].setValueAt(10, 1001, 0)
    node["point"].setValueAt(20, 1011, 0)
    assert node.node("Threshold")["blackpoint"].value() == 0
    script = str(tmp_path / "a.nk")
    nuke.scriptSaveAs(script)
    nuke.scriptOpen(script)
    again = nuke.toNode("EfficientTAM1")
    assert again["sheet"].getText() == '{"a": [1, "x {", "$y", "back\\\\slash"], "b": null}'
    assert again["threshold"].value() == 0.25
    assert again.node("Threshold")["whitepoint"].value() == 0.5
    assert again["point"].getValueAt(1006, 0) == 15
    with pytest.raises(RuntimeError, match="invalid command name"):
        again["sheet"].value()
    first = Path(script).read_text()
    nuke.scriptSaveAs(script)
    assert Path(script).read_text() == first


def test_a_script_keeps_the_wires_of_groups_beside_each_other(nuke: Any, tmp_path: Path) -> None:
    read = nuke.nodes.Read()
    for _ in range(2):
        group = nuke.nodes.Group()
        with group:
            nuke.nodes.Output(inputs=[nuke.nodes.Blur(inputs=[nuke.nodes.Input()])])
        group.setInput(0, read)
    path = tmp_path / "groups.nk"
    nuke.scriptSaveAs(str(path))
    names = re.findall(r"(?m)^set (\S+) \[stack 0\]$", path.read_text())
    assert len(names) == len(set(names)) == 9 and all(re.match(r"N[0-9a-f]+$", name) for name in names)
    nuke.scriptOpen(str(path))
    assert [node.input(0) for node in nuke.allNodes("Group")] == 2 * [nuke.toNode("Read1")]
    for group in nuke.allNodes("Group"):
        assert [node.input(0) for node in group.nodes()] == [None, *group.nodes()[:2]]


def test_a_terminal_has_no_dialogs() -> None:
    code = (
        "import fake_nuke; fake_nuke.install(gui=False); import nuke\n"
        "for call in (nuke.message, nuke.ask, nuke.menu):\n"
        "    try: call('Nodes')\n"
        "    except RuntimeError: continue\n"
        "    raise SystemExit(call)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY / "tests", check=True)


@pytest.mark.parametrize("minor", [7, 9, 10])
def test_it_runs_without_numpy_on_old_pythons(minor: int) -> None:
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python"))
    if not found:
        pytest.skip(f"There is no Python 3.{minor} under ~/.pyenv on this machine.")
    code = (
        "import fake_nuke, sys\n"
        "if not fake_nuke.have_tcl(): sys.exit()\n"
        f"fake_nuke.install(plugin_path=[{str(REPOSITORY / 'gizmos')!r}])\n"
        "import nuke\n"
        "node = nuke.createNode('EfficientTAM'); node.setInput(0, nuke.nodes.Constant())\n"
        "assert node.format().width() == 2048\n"
        "assert 'numpy' not in sys.modules\n"
    )
    subprocess.run([str(found[-1]), "-c", code], cwd=REPOSITORY / "tests", check=True)
