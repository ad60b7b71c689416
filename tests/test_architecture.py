"""The house rules that a machine can check: arrows, sizes, names, and what an import brings along."""

from __future__ import annotations

import ast
import functools
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ENGINE = REPOSITORY / "efficienttam"
SOURCES = sorted(ENGINE.rglob("*.py"))
HOST = sorted((REPOSITORY / "nuke_plugin").rglob("*.py"))
PLAIN = [*SOURCES, *HOST, *sorted((REPOSITORY / "install").glob("*.py"))]

#: Room -> the rooms of ours it may import, and the packages of others. Modules that lie directly in
#: ``efficienttam/`` are the room "top".
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "contract": (set(), set()),
    "client": ({"contract"}, set()),
    "window": ({"contract", "client"}, {"PySide2", "PySide6"}),
    "model": ({"contract"}, {"torch"}),
    "weights": ({"contract", "model"}, {"torch", "safetensors"}),
    "mattes": ({"contract"}, {"numpy", "cv2"}),
    "media": ({"contract"}, {"numpy", "cv2", "OpenImageIO", "av"}),
    "tracking": ({"contract", "model", "mattes"}, {"numpy", "cv2", "torch", "PIL", "safetensors"}),
    "batch": (
        {"contract", "model", "weights", "mattes", "media", "tracking"},
        {"numpy", "torch", "tqdm"},
    ),
    "review": (
        {"contract", "mattes", "media", "tracking", "batch"},
        {"numpy", "cv2"},
    ),
    "farm": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "review", "top"},
        {"numpy", "opencue"},
    ),
    "worker": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "top"},
        {"numpy", "cv2", "torch"},
    ),
    "doctor": (
        {"contract", "client", "weights", "media", "top"},
        {"numpy", "torch", "av"},
    ),
    "evaluation": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "training", "top"},
        {"PIL", "numpy", "cv2", "torch", "matplotlib"},
    ),
    "training": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "evaluation", "top"},
        {"PIL", "numpy", "cv2", "torch", "safetensors", "matplotlib"},
    ),
    "experiments": (
        {"contract", "model", "weights", "evaluation", "training", "top"},
        {"numpy", "torch"},
    ),
    "finetune": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "training", "top"},
        {"numpy", "cv2", "torch", "safetensors"},
    ),
    "export": ({"contract", "model", "weights", "top"}, {"torch", "onnx", "onnxruntime"}),
    "top": (
        {"contract", "model", "weights", "mattes", "media", "tracking", "batch", "evaluation", "training"},
        {"numpy", "cv2", "torch"},
    ),
    "commands": (
        {"contract", "client", "window", "model", "weights", "mattes", "media", "tracking", "batch"}
        | {"doctor", "farm", "review", "evaluation", "training", "experiments", "finetune", "export", "top"},
        {"tqdm"},
    ),
}
#: The command line: who may import it.
COMMAND_LINE = {"efficienttam.cli": {"efficienttam.__main__"}, "efficienttam.commands": {"efficienttam.cli"}}
HEAVY = {"torch", "numpy", "cv2", "OpenImageIO", "av", "matplotlib", "safetensors"}
NO_NOUN = re.compile(r"^(utils?|helpers?|managers?|handlers?|base|common|core|misc)$")
CODE_LINES, FUNCTION_LINES = 400, 60
# The stdlib of the Python that runs the tests; what 3.7 lacks of it is found by running 3.7 below.
STDLIB = sys.stdlib_module_names


def name_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (ENGINE / parts[1]).is_dir() else "top"


def nodes_for_types(path: Path) -> Iterator[ast.AST]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                yield from ast.walk(statement)


def imports_of(path: Path, for_types: bool = True) -> Iterator[tuple[int, str]]:
    """Line and full name of every module a file imports, relative ones resolved, lazy ones too.

    ``for_types=False`` leaves out what only a type checker imports.
    """
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    left_out = set() if for_types else {id(node) for node in nodes_for_types(path)}
    for node in ast.walk(tree_of(path)):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                stem = ".".join([*above, *([stem] if stem else [])])
            for alias in node.names:
                whole = f"{stem}.{alias.name}"
                yield node.lineno, whole if whole in OURS else stem


OURS = {name_of(path) for path in SOURCES}


def wrong_arrows(path: Path) -> list[str]:
    module, room = name_of(path), room_of(name_of(path))
    ours, others = ROOMS[room]
    wrong = []
    for line, target in imports_of(path):
        first = target.split(".")[0]
        if first == "efficienttam":
            there = room_of(target)
            allowed = there == room or there in ours or target == "efficienttam"
            for gate, guests in COMMAND_LINE.items():
                if f"{target}.".startswith(f"{gate}."):
                    allowed = module in guests or room == "commands" == there
        else:
            allowed = first in STDLIB or first in others
        if not allowed:
            wrong.append(f"{path.relative_to(REPOSITORY)}:{line} imports {target}")
    return wrong


def test_arrows() -> None:
    assert [fault for path in SOURCES for fault in wrong_arrows(path)] == []


def test_a_wrong_arrow_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROOMS, "weights", (set(), set()))
    assert any("imports torch" in fault for fault in wrong_arrows(ENGINE / "weights" / "load.py"))
    assert any("efficienttam.model" in fault for fault in wrong_arrows(ENGINE / "weights" / "load.py"))


def test_no_circles() -> None:
    graph = {
        name_of(path): {
            target
            for _, target in imports_of(path, for_types=False)
            if target in OURS and not name_of(path).startswith(f"{target}.") and target != name_of(path)
        }
        for path in SOURCES
    }
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for target in graph[module]:
                walk(target, (*trail, module))
            done.add(module)

    for module in graph:
        walk(module, ())


def code_lines(text: str) -> int:
    """Lines that hold a token other than a comment."""
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in blank and token.type != tokenize.ENDMARKER:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines)


def test_sizes() -> None:
    for path in PLAIN:
        count = code_lines(path.read_text(encoding="utf-8"))
        assert count <= CODE_LINES, f"{path.relative_to(REPOSITORY)} has {count} code lines"
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                place = f"{path.relative_to(REPOSITORY)}:{node.lineno} {node.name}"
                assert length <= FUNCTION_LINES, f"{place} has {length} lines"


def test_every_file_has_its_noun() -> None:
    named = [*PLAIN, *(path for path in ENGINE.rglob("*") if path.is_dir())]
    assert [str(path) for path in named if NO_NOUN.match(path.stem)] == []


def test_the_engine_does_not_know_its_host() -> None:
    guilty = [path for path in SOURCES if re.search("nuke", path.read_text(encoding="utf-8"), re.IGNORECASE)]
    assert guilty == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"#.*\b(TODO|FIXME|XXX|HACK)\b",
        r"\bNotImplementedError\b",
        r"^\s*except\s*:",
        r"^\s*except (Base)?Exception\s*:\s*(pass)?$\n?\s*pass\b",
        r"^\s*#\s*[-=#*]{5,}",
    ],
)
def test_nothing_is_left_half_done(pattern: str) -> None:
    wanted = re.compile(pattern, re.MULTILINE)
    assert [str(path) for path in PLAIN if wanted.search(path.read_text(encoding="utf-8"))] == []


def unsafe_loads(tree: ast.Module) -> list[int]:
    """Lines that could run the code of a pickle: ``torch.load`` without ``weights_only=True`` written out, or
    under another name, and ``pickle`` itself."""
    safe = {
        id(call.func)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords)
    }
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("torch", "torch.serialization", "pickle"):
            wrong += [node.lineno for alias in node.names if alias.name in ("load", "loads", "Unpickler")]
        elif isinstance(node, ast.Import):
            wrong += [node.lineno for alias in node.names if alias.name == "torch" and alias.asname]
        elif isinstance(node, ast.Attribute) and id(node) not in safe:
            name = ast.unparse(node)
            if re.fullmatch(r"torch\.(serialization\.)?load|pickle\.(loads?|Unpickler)", name):
                wrong.append(node.lineno)
    return wrong


def test_no_weights_can_run_code() -> None:
    read = [*PLAIN, *sorted((REPOSITORY / "benchmarks").glob("*.py"))]
    assert [f"{path}:{line}" for path in read for line in unsafe_loads(tree_of(path))] == []


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "read = torch.load",
        "from torch import load",
        "import torch as t",
        "pickle.loads(data)",
    ],
)
def test_a_load_that_could_run_code_is_seen(code: str) -> None:
    assert unsafe_loads(ast.parse(code)) == [1]
    assert unsafe_loads(ast.parse("torch.load(path, mmap=True, weights_only=True)")) == []


def heavy_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return HEAVY & set(output.split())


def light_modules() -> list[str]:
    return sorted({"efficienttam", *(module for module in OURS if room_of(module) == "contract")})


def test_the_host_meets_neither_torch_nor_numpy() -> None:
    assert heavy_after(f"import {', '.join(light_modules())}") == set()


def test_the_check_above_can_fail() -> None:
    assert {"torch", "numpy"} <= heavy_after("import efficienttam; efficienttam.load_model")


def test_every_public_name_can_be_loaded() -> None:
    code = "import efficienttam as e; [getattr(e, name) for name in e.__all__]"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def for_old_pythons() -> list[Path]:
    return [
        ENGINE / "__init__.py",
        *sorted((ENGINE / "contract").glob("*.py")),
        *sorted((ENGINE / "client").glob("*.py")),
        *sorted((ENGINE / "window").glob("*.py")),
        *HOST,
        *sorted((REPOSITORY / "install").glob("*.py")),
    ]


@pytest.mark.parametrize("path", for_old_pythons(), ids=lambda path: path.name)
def test_the_grammar_is_that_of_python_37(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 7))


def pythons(minor: int) -> list[Path]:
    return sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python"))


@pytest.mark.parametrize("minor", [7, 9, 10, 11])
def test_a_real_old_python_imports_the_contract(minor: int) -> None:
    found = pythons(minor)
    if not found:
        pytest.skip(f"There is no Python 3.{minor} under ~/.pyenv on this machine.")
    code = f"import {', '.join(light_modules())}"
    subprocess.run([str(found[-1]), "-B", "-c", code], cwd=REPOSITORY, check=True)
    compiled = "import sys; [compile(open(f).read(), f, 'exec') for f in sys.argv[1:]]"
    files = [str(path) for path in for_old_pythons()]
    subprocess.run([str(found[-1]), "-c", compiled, *files], check=True)
