"""The doctor: what it finds well, what it finds ill, and what it must not tell."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from efficienttam.cli import main
from efficienttam.contract.settings_in_force import SETTINGS
from efficienttam.doctor import machine
from efficienttam.doctor.report import as_text, failed, shareable, warned


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, a cache of its own."""
    for known in SETTINGS.values():
        monkeypatch.delenv(known.variable, raising=False)
    for name in ("EFFICIENTTAM_SETTINGS", "OCIO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EFFICIENTTAM_CACHE", str(tmp_path / "embeddings"))


def diagnosis(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, list[str]]]:
    """Exit code, and the states of each name, with what was told of those that are not well."""
    code = main(["doctor", "--json", "--no-trial", *words])
    report = json.loads(capsys.readouterr().out)
    found: dict[str, list[str]] = {}
    for check in report["checks"]:
        told = "" if check["state"] == "pass" else f": {check['told']} -> {check['remedy']}"
        found.setdefault(check["name"], []).append(check["state"] + told)
    assert report["failed"] == (code == 7)
    return code, found


def test_a_machine_that_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = diagnosis(capsys, "--device", "cpu")
    assert code == 0, found
    for name in ("engine", "system", "torch", "settings", "cache", "colour", "device"):
        assert found[name][0].startswith(("pass", "warn: ")), found
    assert "pass" in found["weights"]


def test_the_trial_makes_a_matte(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--device", "cpu"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("pass  trial") and "made a matte" in last


def test_what_is_ill_is_told_with_its_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OCIO", str(tmp_path / "no.ocio"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("EFFICIENTTAM_CACHE", str(tmp_path / "file" / "cache"))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "efficienttam_s.pt").write_text("x")
    (tmp_path / "weights" / "efficienttam_s.pt.json").write_text("{}")
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", str(tmp_path / "weights"))
    code, found = diagnosis(capsys, "--device", "cuda:77")
    assert code == 7
    assert "no.ocio" in found["colour"][0] and "Check the path or $OCIO" in found["colour"][0]
    assert found["cache"][0].startswith("warn") and "slower" in found["cache"][0]
    assert found["weights"][0].startswith("fail") and "Delete this small file" in found["weights"][0]
    assert found["device"][0].startswith("fail: Device cuda:77")


def test_a_wrong_file_of_the_site(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "site.json").write_text('{"threds": 4}')
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(tmp_path / "site.json"))
    code, found = diagnosis(capsys)
    assert code == 7 and "threds" in found["settings"][0]
    assert found["torch"], "the rest is told all the same"


@pytest.mark.skipif(os.name == "nt", reason="Plays nvidia-smi with a script.")
def test_a_card_that_pytorch_cannot_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    script = tmp_path / "nvidia-smi"
    script.write_text("#!/bin/sh\necho 'NVIDIA RTX A6000, 570.86.15'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert machine.nvidia_driver() == "NVIDIA RTX A6000, 570.86.15"
    if torch.version.cuda:
        pytest.skip("This PyTorch has CUDA.")
    _, found = diagnosis(capsys)
    assert "install again with --torch cuda" in found["torch"][0].lower()


def test_a_broken_check_is_a_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    monkeypatch.setenv("EFFICIENTTAM_CACHE_SIZE", "1G")
    code, found = diagnosis(capsys)
    assert code == 7 and "RuntimeError: odd" in found["disk"][0]


def test_what_is_pasted_into_a_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", "/home/alice")
    assert shareable("in /home/alice/x, /home/alice and /home/alicetoo") == "in ~/x, ~ and /home/alicetoo"
    assert shareable("'/home/alice' is a folder.\nSo it is.") == "'~' is a folder. So it is."
    assert shareable("at https://me:secret@mirror.example/x") == "at https://***@mirror.example/x"
    text = as_text([failed("cache", "at /home/alice/c", "do"), warned("a", "b", "c")])
    assert text.splitlines() == [
        "fail  cache     at ~/c",
        "                -> do",
        "warn  a         b",
        "                -> c",
    ]


def test_memory_is_told() -> None:
    free = machine.free_memory()
    assert free is None or 2**20 < free < 2**50
