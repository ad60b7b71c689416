"""What the documents say is there is there, and their commands are taken by the command line."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"
DOCUMENTS = [README, *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def shell_lines() -> list[str]:
    """Every line of the README's shell blocks, continued lines joined."""
    joined = "\n".join(blocks(README, "sh")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def test_the_two_commands_come_first_and_are_what_ci_runs() -> None:
    first = blocks(README, "sh")[0].split("\n")
    assert first[:2] == ["python3 install/install.py demo", "python3 install/install.py test"]
    gate = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert all(line in gate for line in first[:2])


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("efficienttam ")])
def test_commands_of_the_readme_are_understood(line: str) -> None:
    """Each is given to the real parser; files it names need not exist."""
    from efficienttam.cli import build_parser

    arguments = build_parser().parse_args(shlex.split(line)[1:])
    assert arguments is not None


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    named = re.findall(
        r"`((?:efficienttam|install|tests|docs|examples|benchmarks)/[\w./-]*)`", path.read_text()
    )
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def resolve(dotted: str) -> object:
    """The module or attribute of a dotted name; raises AttributeError or ImportError."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for name in parts[count:]:
            fields = getattr(thing, "__dataclass_fields__", {})
            thing = fields[name] if name in fields else getattr(thing, name)
        return thing
    raise ImportError(dotted)


def names_in(path: Path) -> set[str]:
    """Dotted names in backticks: of our modules, and of our classes in short."""
    text = path.read_text(encoding="utf-8")
    whole = set(re.findall(r"`(efficienttam(?:\.\w+)+)`", text))
    homes = {
        "EfficientTAM": "efficienttam.model.efficienttam",
        "VideoTracker": "efficienttam.tracking.video_tracker",
        "TrackerOptions": "efficienttam.tracking.options",
        "ObjectTrack": "efficienttam.tracking.object_track",
        "MemoryBank": "efficienttam.tracking.memory_bank",
        "ModelConfig": "efficienttam.model.config",
        "Recall": "efficienttam.contract.passes",
        "Between": "efficienttam.contract.passes",
        "Direction": "efficienttam.contract.passes",
    }
    short = re.findall(rf"`((?:{'|'.join(homes)})(?:\.\w+)+)`", text)
    short = [name for name in short if not name.endswith(".gizmo")]  # A file that is called as the class.
    return whole | {f"{homes[name.split('.')[0]]}.{name}" for name in short}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_names_that_are_told_exist(path: Path) -> None:
    for name in names_in(path):
        assert resolve(name) is not None


def test_a_name_that_does_not_exist_is_seen() -> None:
    with pytest.raises((AttributeError, ImportError)):
        resolve("efficienttam.tracking.video_tracker.VideoTracker.fly")


def rows(path: Path) -> list[list[str]]:
    """Left-hand cells of every table of a document."""
    tables = re.findall(r"(?:^\|.*\n?)+", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [[line.split(" | ")[0].strip("| ") for line in table.splitlines()] for table in tables]


@pytest.mark.parametrize("name", ["upstream.md", "naming.md"])
def test_nothing_is_told_twice_in_a_table(name: str) -> None:
    tables = rows(REPOSITORY / "docs" / name)
    assert tables
    assert [cell for cells in tables for cell in set(cells) if cells.count(cell) > 1] == []


def test_python_blocks_compile() -> None:
    for path in DOCUMENTS:
        for number, block in enumerate(blocks(path, "python")):
            compile(block, f"{path.name} block {number}", "exec")


def test_the_command_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "efficienttam", "--help"], cwd=REPOSITORY, capture_output=True
    )
    assert done.returncode == 0
