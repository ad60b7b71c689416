"""docs/farm.md is true to the settings and the commands."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

from efficienttam.cli import build_parser
from efficienttam.contract.site_settings import FarmSettings, site_settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "farm.md").read_text(encoding="utf-8")


def test_every_setting_is_told_with_its_default() -> None:
    rows = {
        name: row[1].split(", ") if "[" not in row[1] else [row[1]]
        for row in (line.strip("|").split(" | ") for line in TEXT.splitlines() if line.startswith("| `"))
        if len(row) == 3
        for name in re.findall(r"`(\w+)`", row[0])
    }
    fields = {one.name: one.default for one in dataclasses.fields(FarmSettings)}
    assert set(fields) <= set(rows)
    for name in ("embed_chunk", "least_span", "minutes", "frames_per_second", "mattes_per_second"):
        assert rows[name][0] == f"{fields[name]:g}"
    for name in ("separate_mattes", "objects"):
        assert rows[name] == [f"`{fields[name].value}`"]
    assert rows["shared_cache"] == [f"`{str(fields['shared_cache']).lower()}`"]


def test_the_settings_that_are_shown_are_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    path = tmp_path / "site.json"
    path.write_text(block)
    assert (
        site_settings({"EFFICIENTTAM_SETTINGS": str(path)}).farm.cores == json.loads(block)["farm"]["cores"]
    )


def test_the_commands_that_are_shown_are_read() -> None:
    found = re.findall(r"^efficienttam (farm .*?)(?:  .*)?$", TEXT, re.MULTILINE)
    assert len(found) == 4
    for line in found:
        build_parser().parse_args(line.split())


def test_the_list_that_is_shown_has_our_columns() -> None:
    from efficienttam.farm.batch_of_jobs import COLUMNS

    assert ",".join(COLUMNS) in TEXT
