"""docs/nuke.md explains every knob and knows the sentences that artists read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = (REPOSITORY / "docs" / "nuke.md").read_text(encoding="utf-8")
GIZMO = (REPOSITORY / "gizmos" / "EfficientTAM.gizmo").read_text(encoding="utf-8")
TABLE = PAGE.split("## When something goes wrong")[1].split("## Untried")[0]
ROWS = re.findall(r"^\| ([^|]+) \|", TABLE, re.MULTILINE)[1:]
#: Who says what artists read in the status line.
FOLDERS = (
    "nuke_plugin/efficienttam_nuke",
    "efficienttam/client",
    "efficienttam/contract",
    "efficienttam/batch",
    "efficienttam/weights",
    "efficienttam/worker",
)
#: Errors by the name they are raised with; the last two tell what became of the engine.
ERRORS = {
    *("JobError", "SettingsError", "PromptError", "PlateError", "ColorError", "WeightsError"),
    *("OutputError", "DeviceError", "IncompleteError", "Cancelled", "NotSubmitted", "EngineFailed"),
    *("_break_off", "_ended"),
}
#: Tabs, titles and groups of knobs.
NO_KNOBS = {"20", "26"}


def test_every_knob_is_explained() -> None:
    knobs = re.findall(r"^ addUserKnob \{(\d+) (\w+)(.*)\}$", GIZMO, re.MULTILINE)
    shown = [name for kind, name, rest in knobs if kind not in NO_KNOBS and "+INVISIBLE" not in rest]
    assert len(shown) > 60
    handles = {f"handle{number}" for number in range(2, 8)}
    assert [name for name in shown if name not in handles and f"`{name}`" not in PAGE] == []


def test_every_explained_knob_is_there() -> None:
    named = re.findall(r"^\|[^|]*\| ((?:`\w+`(?:, | to )?)+) \|", PAGE, re.MULTILINE)
    names = {name for cell in named for name in re.findall(r"`([a-z_0-9]+)`", cell)}
    assert len(names) > 50
    assert [name for name in sorted(names) if not re.search(rf"addUserKnob \{{\d+ {name}\b", GIZMO)] == []


def test_the_rows_are_said() -> None:
    """Each row holds words that some source really says."""
    paths = [path for folder in FOLDERS for path in (REPOSITORY / folder).glob("*.py")]
    said = " ".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8")) for path in paths)
    said = re.sub(r"\{[^{}]*\}|%[ds]", "...", said)
    assert len(ROWS) > 50
    for row in ROWS:
        pieces = [piece.strip() for piece in re.split(r"\.\.\.|\(|\)|, |: | 16 objects", row)]
        assert max(pieces, key=len) in said, row


#: Sentences without a row: those that say all, with their remedy, to who pressed the button just now.
SAY_ALL = (
    "This is no EfficientTAM node.",
    "There is no name in the field.",
    "There is no object yet.",
    "There is no prompt yet.",
    "There are no mattes yet.",
    "There are no mattes on disk.",
    "There is no window in a terminal.",
    "The point of this handle is gone.",
    "The node is gone.",
    "The engine was stopped.",
    "Tracking was stopped.",
    # The node asks for no compiling.
    "The image encoder cannot be compiled here: ...",
)


def test_every_error_has_a_row() -> None:
    paths = [path for folder in FOLDERS[:2] for path in sorted((REPOSITORY / folder).glob("*.py"))]
    paths.append(REPOSITORY / "efficienttam" / "batch" / "failures.py")
    said = {sentence: path.name for path in paths for sentence in sentences(path)}
    assert len(said) > 50
    patterns = [pattern_of(row) for row in ROWS]
    lacking = {s for s in said if s not in SAY_ALL and not any(pattern.match(s) for pattern in patterns)}
    assert {sentence: said[sentence] for sentence in lacking} == {}
    assert [sentence for sentence in SAY_ALL if sentence not in said] == []


def test_a_sentence_without_a_row_is_found(tmp_path: Path) -> None:
    """The check above can fail, however the sentence is put together."""
    path = tmp_path / "rooms.py"
    path.write_text(
        "def f(a):\n"
        "    message = 'The {} is wet.'.format(a)\n"
        "    raise JobError('The roof {} leaks. Look up.'.format(a), 'Mend it.')\n"
        "    raise PlateError(f'There is no {a} here.', '')\n"
        "    raise PlateError(tell_frames(a, 'is wet.', 'are wet.'), '')\n",
        encoding="utf-8",
    )
    assert list(sentences(path)) == [
        "The ... is wet.",
        "The roof ... leaks.",
        "There is no ... here.",
        "Frame ... is wet.",
    ]
    assert not any(pattern_of(row).match("The roof ... leaks.") for row in ROWS)
    assert pattern_of("There is no ... here (or there)").match("There is no ... here.")


def sentences(path: Path) -> Iterator[str]:
    """First sentences of the errors of a source file, in order, with ... for what is put in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        told: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ERRORS:
                told = node.args[:1]
            elif name == "Failed":
                told = node.args[1:2]
        elif isinstance(node, ast.Assign):
            targets = [one for t in node.targets for one in (t.elts if isinstance(t, ast.Tuple) else [t])]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            told = [v for t, v in zip(targets, values) if isinstance(t, ast.Name) and t.id == "message"]
        for text in map(template, told):
            if text is not None:
                yield re.split(r"(?<=[^.][.]) ", text)[0]


def template(node: ast.expr) -> str | None:
    """A text with ... in each gap; None for one that was made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "..." for p in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = template(node.func.value)
        return None if text is None else re.sub(r"\{[^{}]*\}", "...", text)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tell_frames":
        return f"Frame ... {template(node.args[1])}"
    return None


def pattern_of(row: str) -> re.Pattern[str]:
    """What a row stands for: ... is anything, what is in brackets is not said."""
    plain = re.sub(r"\s*\([^)]*\)", "", row).rstrip(". ") if not row.endswith("...") else row
    return re.compile(".+?".join(re.escape(piece) for piece in plain.split("...")))
