"""docs/nuke.md explains every knob and knows the sentences that artists read."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = (REPOSITORY / "docs" / "nuke.md").read_text(encoding="utf-8")
GIZMO = (REPOSITORY / "gizmos" / "EfficientTAM.gizmo").read_text(encoding="utf-8")
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


def test_the_sentences_of_the_host_are_in_the_table() -> None:
    """Each row begins with words that some source really says."""
    folders = ("nuke_plugin/efficienttam_nuke", "efficienttam/client", "efficienttam/contract")
    paths = [path for folder in folders for path in (REPOSITORY / folder).glob("*.py")]
    said = " ".join(re.sub(r'"\s*\n\s*"', "", path.read_text(encoding="utf-8")) for path in paths)
    said = re.sub(r"\{[^{}]*\}|%[ds]", "...", said)
    table = PAGE.split("## When something goes wrong")[1].split("## Untried")[0]
    rows = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[2:]
    assert len(rows) > 15
    for row in rows:
        start = re.split(r"\.\.\.|\(|,| in this colour| 16 objects", row)[0].strip()
        assert start in said, start
