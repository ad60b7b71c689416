"""The gizmo as Nuke will read it: knobs, links, buttons, inner nodes, and that a broken one is refused."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_nuke import ScriptError, have_tcl, load_script
from fake_nuke.expressions import Expression
from fake_nuke.knobs import KINDS, Array_Knob
from fake_nuke.node_classes import CLASSES, knobs_of
from fake_nuke.script import ScriptNode, UserKnob, split_list

import efficienttam

REPOSITORY = Path(__file__).resolve().parents[1]
GIZMO = REPOSITORY / "gizmos" / "EfficientTAM.gizmo"
PACKAGE = REPOSITORY / "nuke_plugin" / "efficienttam_nuke"
TEXT = GIZMO.read_text(encoding="utf-8")
_NO_TOOLTIP = {"Tab_Knob", "Text_Knob"}
_COMPONENTS = {"x", "y", "z", "r", "g", "b", "a", "w", "h", "t"}

pytestmark = pytest.mark.skipif(
    not have_tcl(), reason="This Python was built without tkinter, which holds Tcl."
)


@pytest.fixture(scope="module")
def gizmo() -> ScriptNode:
    (node,) = load_script(TEXT).nodes
    return node


def functions_of(module: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def constant_of(module: Path, name: str) -> object:
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == name for t in node.targets):
            return ast.literal_eval(node.value)
    raise AssertionError(f"{module.name} has no {name}")


def knob_names(node: ScriptNode) -> set[str]:
    return set(knobs_of(node.cls)) | set(node.user_knobs)


def faults(node: ScriptNode, parent: ScriptNode | None = None) -> Iterator[str]:
    """What Nuke would choke on or leave dead: classes, knobs, expressions, links, buttons, tooltips."""
    where = node.name or node.cls
    if node.cls not in CLASSES:
        yield f"{where}: {node.cls} is no known class"
        return
    for name, text in node.knobs.items():
        if name not in knob_names(node):
            yield f"{where}: {node.cls} has no knob {name}"
        elif parent is not None:
            yield from (f"{where}.{name}: {fault}" for fault in value_faults(node, name, text, parent))
    for knob in node.user_knobs.values():
        yield from (f"{where}.{knob.name}: {fault}" for fault in user_knob_faults(knob, node))
    names = [child.name for child in node.children]
    yield from (f"{where}: two nodes {name}" for name in set(names) if names.count(name) > 1)
    for child in node.children:
        if len(child.inputs) > CLASSES.get(child.cls, CLASSES["Dot"]).inputs[1]:
            yield f"{child.name}: {len(child.inputs)} inputs"
        yield from faults(child, node)


def value_faults(node: ScriptNode, name: str, text: str, parent: ScriptNode) -> Iterator[str]:
    """An enumeration's word, a number, or an expression whose names are there."""
    kind, default = knobs_of(node.cls).get(name, ("", None))
    if kind == "Enumeration_Knob":
        words = {value.split("\t")[0] for value in default}
        if text not in words:
            yield f"{text!r} is none of {sorted(words)}"
    elif kind and issubclass(KINDS[kind], Array_Knob) and not re.fullmatch(r"true|false|0x[0-9a-f]+", text):
        for word in split_list(text):
            if not re.fullmatch(r"-?[\d.]+(e-?\d+)?", word):
                yield from expression_faults(word, node, parent)


def expression_faults(text: str, node: ScriptNode, parent: ScriptNode) -> Iterator[str]:
    for name in Expression(text).names:
        parts = name.split(".")
        if parts[0] == "parent":
            owner: ScriptNode | None = parent
        else:
            owner = parent.child(parts[0])
        if owner is None or len(parts) < 2 or parts[1] not in knob_names(owner):
            yield f"{name} leads nowhere"
        elif len(parts) > 2 and parts[2] not in _COMPONENTS:
            yield f"{name} has no such part"


def user_knob_faults(knob: UserKnob, node: ScriptNode) -> Iterator[str]:
    hidden = "+INVISIBLE" in knob.flags
    if not knob.tooltip and not hidden and knob.kind not in _NO_TOOLTIP:
        yield "has no tooltip"
    if knob.kind == "Enumeration_Knob" and len(set(knob.values)) != len(knob.values):
        yield "has an entry twice"
    if knob.kind == "Enumeration_Knob" and not knob.values:
        yield "has no entries"
    if knob.kind == "Link_Knob":
        inner, _, name = knob.target.rpartition(".")
        child = node.child(inner)
        if child is None or name not in knob_names(child):
            yield f"link to {knob.target} leads nowhere"
    if knob.kind == "PyScript_Knob":
        yield from button_faults(knob.target)


def button_faults(text: str) -> Iterator[str]:
    match = re.fullmatch(
        r"import efficienttam_nuke\.actions; efficienttam_nuke\.actions\.(\w+)\(nuke\.thisNode\(\)\)", text
    )
    if "\n" in text or match is None:
        yield f"{text!r} is not one line that calls efficienttam_nuke.actions"
    else:
        action = functions_of(PACKAGE / "actions.py").get(match.group(1))
        if action is None or match.group(1).startswith("_"):
            yield f"efficienttam_nuke.actions has no {match.group(1)}"
        elif len(action.args.args) - len(action.args.defaults) != 1:
            yield f"{match.group(1)} does not take the node alone"


def test_the_gizmo_is_sound(gizmo: ScriptNode) -> None:
    assert list(faults(gizmo)) == []


def test_it_is_a_group_so_that_the_script_holds_all_of_it(gizmo: ScriptNode) -> None:
    assert gizmo.cls == "Group"
    outside = [node for node in gizmo.children if node.cls in ("Group", "Gizmo", "LiveGroup")]
    assert outside == [], "groups in the group are harder to deliver"
    assert [node.cls for node in gizmo.children].count("Read") == 1
    assert [node.cls for node in gizmo.children].count("Output") == 1


def test_inputs_are_the_plate_and_the_roto(gizmo: ScriptNode) -> None:
    inputs = {node.name: node.knobs.get("number", "0") for node in gizmo.children if node.cls == "Input"}
    assert inputs == {"plate": "0", "roto": "1"}
    assert len(gizmo.inputs) == 2


def test_every_inner_node_is_reached_from_the_output(gizmo: ScriptNode) -> None:
    (output,) = (node for node in gizmo.children if node.cls == "Output")
    reached: list[ScriptNode] = []
    waiting = [output]
    while waiting:
        node = waiting.pop()
        if not any(node is other for other in reached):
            reached.append(node)
            waiting += [above for above in node.inputs if above is not None]
    dead = [node.name for node in gizmo.children if not any(node is other for other in reached)]
    assert dead == ["roto"], "the roto is only sampled"


def test_versions(gizmo: ScriptNode) -> None:
    assert int(gizmo.knobs["node_version"]) == constant_of(PACKAGE / "knobs.py", "NODE_VERSION")
    told = re.search(r"EfficientTAM for Nuke (\d[\w.]*)", gizmo.user_knobs["info"].target)
    assert told is not None, "the Info tab tells no version"
    assert told.group(1) == efficienttam.__version__


def test_silent_knobs_are_those_that_no_node_inside_asks(gizmo: ScriptNode) -> None:
    silent = set(runpy.run_path(str(PACKAGE / "knobs.py"))["SILENT"])
    asked = set(re.findall(r"parent\.(\w+)", TEXT))
    assert len(asked) > 10 and not silent & asked
    tabs_buttons_and_titles = {20, 22, 26}
    said = {name for name, knob in gizmo.user_knobs.items() if knob.type_id not in tabs_buttons_and_titles}
    assert said - asked - silent == {"output"}, "a link to a knob inside"
    assert silent <= set(gizmo.user_knobs)


def test_every_knob_that_the_code_names_is_there(gizmo: ScriptNode) -> None:
    known = set(gizmo.user_knobs) | {node.name for node in gizmo.children}
    namespace: dict[str, object] = {}
    exec((PACKAGE / "knobs.py").read_text(encoding="utf-8"), namespace)
    for constant in ("UUID", "VERSION", "SHEET", "TRACKED", "HANDLES_STATE", "STATE", "STATUS", "HAS_MATTES"):
        assert namespace[constant] in known
    for constant, value in namespace.items():
        named = [value] if isinstance(value, str) else value
        if (
            constant.isupper()
            and constant not in ("NONE", "NUKE_LAYERS")
            and isinstance(named, (list, tuple))
        ):
            assert set(named) <= known, f"{constant}: the gizmo has no {set(named) - known}"


def test_every_knob_that_an_action_names_is_there(gizmo: ScriptNode) -> None:
    """``tracker.whole("first")`` and its kin, in all of the package."""
    readers = {"text", "choice", "flag", "whole", "numbers", "number", "put", "offer", "path"}
    for module in sorted(PACKAGE.glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in readers
                and getattr(node.func.value, "id", "") in ("tracker", "self")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                name = node.args[0].value
                assert name in gizmo.user_knobs, f"{module.name}:{node.lineno}: no knob {name}"


def test_callbacks_call_what_is_there(gizmo: ScriptNode) -> None:
    known = functions_of(PACKAGE / "callbacks.py")
    for name in ("onCreate", "knobChanged", "updateUI"):
        tree = ast.parse(gizmo.knobs[name])
        called = [
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in known
        ]
        assert called, f"{name} calls nothing of efficienttam_nuke.callbacks"
        assert isinstance(tree.body[0], ast.Try), "a script without the plugin must load in silence"


def test_no_path_of_a_machine_and_no_version_of_nuke() -> None:
    assert not re.search(r"(/home/|/work/|[A-Z]:[/\\]|^version )", TEXT, re.MULTILINE)


def without_a_line(part: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines()
        place = next(index for index, line in enumerate(lines) if part in line)
        return "\n".join(lines[:place] + lines[place + 1 :])

    return change


def instead(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


MUTATIONS: dict[str, Callable[[str], str]] = {
    "cut off": lambda text: text[: len(text) // 2],
    "no end_group": without_a_line("end_group"),
    "an end_group more": lambda text: text + "\nend_group\n",
    "a brace less": lambda text: text[: text.rindex("}")] + text[text.rindex("}") + 1 :],
    "a quote less": lambda text: text.replace('"', "", 1),
    "a knob without a value": instead(" postage_stamp false\n", " postage_stamp\n"),
    "push of nothing": instead("push $P", "push $NoSuchNode"),
    "inputs in words": instead("inputs 4", "inputs four"),
    "a user knob without a type": instead("addUserKnob {7 threshold", "addUserKnob {threshold"),
    "a user knob of no type": instead("addUserKnob {7 threshold", "addUserKnob {99 threshold"),
    "a user knob twice": instead("addUserKnob {7 softness", "addUserKnob {7 threshold"),
    "a program run": lambda text: text + "\n[exec touch /tmp/pwned]\n",
    "a file opened": lambda text: text + "\nset f [open /etc/passwd r]\n",
    "a class that is none": instead(" Blur {", " BlurBlur {"),
    "a knob that is none": instead("black_clamp true", "black_klamp true"),
    "a choice that is none": instead("operation max", "operation maximum"),
    "an expression to nowhere": instead("{{max(0,parent.threshold-", "{{max(0,parent.treshold-"),
    "a link to nowhere": instead("T ResultMatte.to0", "T ResultMatte.to9"),
    "a link to no node": instead("T ResultMatte.to0", "T Result.to0"),
    "a button of two lines": instead(
        "actions.stop(nuke.thisNode())", "actions.stop(nuke.thisNode())\\nprint(1)"
    ),
    "a button of no action": instead("actions.stop(nuke", "actions.halt(nuke"),
    "no tooltip": lambda text: re.sub(r'(\{7 feather l feather) t "[^"]*"', r"\1", text),
    "two nodes of one name": instead("name Feather", "name Grow"),
}


def refusals(text: str) -> list[str]:
    try:
        return [fault for node in load_script(text).nodes for fault in faults(node)]
    except ScriptError as error:
        return [str(error)]


def test_the_text_itself_is_not_refused() -> None:
    assert refusals(TEXT) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_gizmo_is_refused(name: str) -> None:
    broken = MUTATIONS[name](TEXT)
    assert broken != TEXT
    assert refusals(broken) != []


def test_nothing_was_run() -> None:
    assert not Path("/tmp/pwned").exists()
