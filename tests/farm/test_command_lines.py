"""The command lines of schedulers' files, run: each step as another scheduler would start it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from small_shots import another_place, small_job, sums, write_plate
from test_tractor import AlfReader, argv_of

from efficienttam.cli import main
from efficienttam.contract.document import read_job, write_job

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_a_shot_done_by_three_schedulers_equals_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.name == "nt":
        pytest.skip("There is no POSIX shell here.")
    one, many = tmp_path / "one machine", tmp_path / "many machines (of ours)"
    write_plate(one)
    another_place(one, many)
    write_job(small_job(), str(many / "disc.job.json"))
    site = tmp_path / "site.json"
    farm: dict[str, Any] = {
        "command": [sys.executable, "-m", "efficienttam"],
        # Other than the job's own: the frozen job must say so, for in bfloat16 that decides last bits.
        "cores": 2,
        "cache": str(tmp_path / "shared cache"),
        "suspicious_fails": False,
    }
    site.write_text(json.dumps({"farm": farm}), encoding="utf-8")
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(site))
    monkeypatch.setenv("LOGNAME", "artist")
    bundle = tmp_path / "the bundle"
    for scheduler in ("deadline", "opencue", "tractor"):
        assert main(["farm", scheduler, str(many / "disc.job.json"), "-o", str(bundle)]) == 0
    capsys.readouterr()

    def started(command: list[str]) -> str:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for plugin in sorted(bundle.glob("disc/deadline/*embed*.plugin.info")):
        lines = dict(line.split("=", 1) for line in plugin.read_text(encoding="utf-8").splitlines())
        told = started([lines["Executable"], *shlex.split(lines["Arguments"])])
        assert "\nProgress: 100%\n" in told
    layers = list(ElementTree.parse(bundle / "disc" / "opencue.xml").iter("layer"))
    tracks = [layer for layer in layers if (layer.get("name") or "").startswith("track")]
    for layer in tracks:
        started(["/bin/sh", "-c", layer.findtext("cmd") or ""])
    reader = AlfReader()
    (job,) = reader.read((bundle / "tractor.alf").read_text(encoding="utf-8"))
    told = started(argv_of(reader, job.all("RemoteCmd")[-1]))
    assert "TR_PROGRESS 100%" in told
    frozen = read_job(str(bundle / "disc" / "disc.job.json"))
    write_job(replace(small_job(), model=frozen.model), str(one / "disc.job.json"))
    started([*farm["command"], "track", str(one / "disc.job.json"), "--cache", "off"])
    assert len(sums(one / "out")) == 16
    assert sums(many / "out") == sums(one / "out")
