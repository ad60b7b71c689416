"""The doctor: what it finds well, what it finds ill, and what it must not tell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from efficienttam.cli import main
from efficienttam.contract.errors import WeightsError
from efficienttam.contract.settings_in_force import SETTINGS
from efficienttam.doctor import installation, machine
from efficienttam.doctor.report import State, as_text, failed, shareable, typed_path, warned
from efficienttam.weights import location

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "nuke"
#: Every check of the engine itself.
NAMES = {"engine", "system", "torch", "memory", "disk", "settings", "weights", "cache", "colour", "movies"}
NAMES |= {"device", "trial"}


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
    code = main(["doctor", "--json", "--no-trial", "--engine-only", *words])
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
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("pass  trial") and "made a matte" in lines[-1]
    names = [line.split()[1] for line in lines if not line.startswith(" ")]
    assert names[:4] == ["install", HOST, "plugin", "engine"], (
        "what the installer beside it tells comes first"
    )


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
    assert main(["doctor", "--engine-only"]) == 7
    told = capsys.readouterr().out
    assert told.count("'threds' is not a field") == 1, "a fault is told once"
    names = {line.split()[1] for line in told.splitlines() if not line.startswith(" ")}
    assert names == NAMES, "the rest is told all the same"
    assert "fail  trial     cannot be checked because the settings are wrong" in told


@pytest.mark.parametrize("fault", ["raise ImportError('no libcudart')", "raise RuntimeError('odd')"])
def test_without_torch_every_check_is_told(tmp_path: Path, fault: str) -> None:
    (tmp_path / "torch.py").write_text(fault)
    done = subprocess.run(
        [sys.executable, "-m", "efficienttam", "doctor", "--engine-only", "--json"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])},
    )
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 7 and set(found) == NAMES
    assert "libcudart" in found["torch"]["told"] or "odd" in found["torch"]["told"]
    for name in ("device", "trial"):
        assert found[name]["state"] == "fail"
        assert "because torch does not load" in found[name]["told"]


def test_missing_weights_are_told_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(name: str) -> Path:
        raise WeightsError(f"no {name}", "x")

    monkeypatch.setattr(location, "find_weights", nowhere)
    code, found = diagnosis(capsys, "--device", "cpu")
    assert code == 7 and len(found["weights"]) == 1, found["weights"]
    assert "no efficienttam_demo" in found["weights"][0] and "install.py setup" in found["weights"][0]


def test_who_tells_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "package_root", lambda: str(tmp_path))
    (alone,) = installation.check_installation()
    assert alone.state is State.PASS and "no installer lies beside it" in alone.told
    (tmp_path / "install").mkdir()
    (tmp_path / "install" / "doctor_host.py").touch()
    program = tmp_path / "install" / "install.py"
    program.write_text(
        "import json, sys\n"
        "row = dict(name='x', state='warn', told=' '.join(sys.argv[1:]), remedy='y')\n"
        "print(json.dumps(dict(checks=[row])))\n"
    )
    (told,) = installation.check_installation()
    assert told.state is State.WARN and told.told == "doctor --json --without-engine", "no loop"
    program.write_text("raise SystemExit('broken off')")
    (ill,) = installation.check_installation()
    assert ill.state is State.FAIL and "broken off" in ill.told and "install.py" in ill.remedy


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
    assert "install.py setup --torch cuda" in found["torch"][0]


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
    assert shareable("at https://me:s@cret@mirror.example/x?key=y") == "at https://***@mirror.example/x?***"
    if sys.platform != "win32":
        assert typed_path("/home/alice/my tools/x") == "~/'my tools/x'"
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
