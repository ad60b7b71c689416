"""One file for a site: who says a value, in which order, and who listens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from efficienttam.cli import main
from efficienttam.contract import installed, settings_in_force, site_settings
from efficienttam.contract.cache_settings import FileIdentity, cache_settings
from efficienttam.contract.errors import DeviceError, JobError, WeightsError
from efficienttam.contract.settings_in_force import SETTINGS, all_settings, setting
from efficienttam.weights.device import choose_device
from efficienttam.weights.download import fetch_weights
from efficienttam.weights.location import find_weights

FILE = {
    "device": "cpu",
    "threads": 3,
    "cache": {"folder": "embeddings", "size": "7G", "identity": "content"},
    "weights": {"folder": "weights", "source": "shelf", "offline": True},
    "farm": {"priority": 70, "deadline": {"pool": "gpu"}},
    "path_map": [{"linux": "/mnt/x", "windows": "X:/"}],
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's file in force, and nothing said by the environment."""
    for known in SETTINGS.values():
        monkeypatch.delenv(known.variable, raising=False)
    file = tmp_path / "site" / "settings.json"
    file.parent.mkdir()
    file.write_text(json.dumps(FILE))
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(file))
    return file


def test_the_order(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert setting("cache.size") == settings_in_force.InForce("cache.size", "7G", str(site))
    monkeypatch.setenv("EFFICIENTTAM_CACHE_SIZE", "8G")
    assert (setting("cache.size").value, setting("cache.size").origin) == ("8G", "EFFICIENTTAM_CACHE_SIZE")
    assert (setting("cache.size", "9G").value, setting("cache.size", "9G").origin) == ("9G", "command line")
    monkeypatch.delenv("EFFICIENTTAM_SETTINGS")
    monkeypatch.delenv("EFFICIENTTAM_CACHE_SIZE")
    nobody = setting("cache.size")
    assert not nobody.said and nobody.origin.startswith("default: 20 GB")


def test_paths_are_taken_from_the_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert setting("cache.folder").value == str(site.parent / "embeddings")
    monkeypatch.chdir(site.parent.parent)
    monkeypatch.setenv("EFFICIENTTAM_CACHE", "here")
    assert setting("cache.folder").value == str(site.parent.parent / "here")
    monkeypatch.setenv("EFFICIENTTAM_CACHE", "OFF")
    assert cache_settings().folder == ""
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS_SOURCE", "https://mirror.example/x/")
    assert setting("weights.source").value == "https://mirror.example/x/"


def test_who_listens(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_settings()
    assert (cache.folder, cache.budget) == (str(site.parent / "embeddings"), 7 * 2**30)
    assert cache.identity is FileIdentity.CONTENT
    assert choose_device("auto").type == "cpu"
    with pytest.raises(WeightsError, match=str(site.parent / "weights")):
        find_weights("efficienttam_s")
    with pytest.raises(WeightsError, match="shelf"):
        fetch_weights("efficienttam_s", tmp_path / "here")
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS_SOURCE", "https://mirror.example/x/")
    with pytest.raises(WeightsError, match="offline"):
        fetch_weights("efficienttam_s", tmp_path / "here")
    monkeypatch.setenv("EFFICIENTTAM_OFFLINE", "0")
    assert setting("weights.offline").value is False
    monkeypatch.setenv("EFFICIENTTAM_DEVICE", "cuda:77")
    with pytest.raises(DeviceError, match="cuda:77"):
        choose_device(None)
    assert choose_device("cpu").type == "cpu"


def test_a_variable_that_means_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTTAM_THREADS", "many")
    with pytest.raises(JobError, match="is no count"):
        setting("threads")


@pytest.mark.parametrize(
    ("variable", "text", "remedy"),
    [
        ("EFFICIENTTAM_OFFLINE", "maybe", "Write 1, true, yes, on, or 0, false, no, off."),
        ("EFFICIENTTAM_DEVICE", "gpu9", "Write auto, cpu"),
        ("EFFICIENTTAM_CACHE_SIZE", "lots", "like 20G"),
        ("EFFICIENTTAM_CACHE_IDENTITY", "name", "Write stat or content."),
        ("EFFICIENTTAM_THREADS", "99999", "Write a whole number"),
    ],
)
def test_a_word_that_is_not_known(
    site: Path,
    variable: str,
    text: str,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, text)
    assert main(["settings"]) == 2
    told = capsys.readouterr().err
    assert f"{variable} is '{text}'" in told and remedy in told


def test_flags_are_said_in_many_ways(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for word, meant in (("Yes", True), ("ON", True), (" 1 ", True), ("off", False), ("FALSE", False)):
        monkeypatch.setenv("EFFICIENTTAM_OFFLINE", word)
        assert setting("weights.offline").value is meant


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"device": "gpu9"}', "device: "),
        ('{"cache": {"size": "lots"}}', "cache.size: "),
        ('{"cache": {"identity": "name"}}', "cache.identity: "),
        ('{"threads": 1, "device": "cpu", "threads": 2}', "threads: The name is given twice."),
        ('{"cache": {"size": "1G", "size": "1G"}}', "size: The name is given twice."),
    ],
)
def test_a_file_that_means_nothing(
    site: Path, text: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(text)
    assert main(["settings"]) == 2
    assert f"\n  {place}" in capsys.readouterr().err


def test_passwords_are_not_printed(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(json.dumps({"weights": {"source": "https://me:secret@mirror.example/x?key=hidden"}}))
    for words in (["settings"], ["settings", "--json"]):
        assert main(words) == 0
        told = capsys.readouterr().out
        assert "https://***@mirror.example/x?***" in told
        assert "secret" not in told and "hidden" not in told
    assert setting("weights.source").value == "https://me:secret@mirror.example/x?key=hidden"


def test_wrong_files_are_told_at_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text('{"cache": {"foldr": "x"}, "threads": "4"}')
    assert main(["settings"]) == 2
    told = capsys.readouterr().err
    assert "cache.foldr" in told and "threads" in told and "folder" in told


def test_everything_is_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["threads"] == {"value": 3, "from": str(site)}
    assert told["farm.priority"] == {"value": 70, "from": str(site)}
    assert told["farm.deadline.pool"]["from"] == str(site)
    assert told["farm.retries"]["from"] == "default"
    assert told["python"]["from"].startswith("default: ")
    assert main(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(told) == len(list(all_settings()))
    assert any(line.split() == ["cache.size", "7G", str(site)] for line in lines)


def test_the_file_of_an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the package counts first, then the folder of all versions; the host looks there too."""
    root = tmp_path / "versions" / "1.0.0"
    root.mkdir(parents=True)
    assert installed.installed_prefix(str(root)) == ""
    (tmp_path / installed.MARK).touch()
    assert installed.installed_prefix(str(root)) == str(tmp_path)
    monkeypatch.setattr(site_settings, "package_root", lambda: str(root))
    monkeypatch.setattr(site_settings, "installed_prefix", lambda: str(tmp_path))
    assert site_settings.settings_file({}) == ""
    (tmp_path / site_settings.FILE).write_text("{}")
    assert site_settings.settings_file({}) == str(tmp_path / site_settings.FILE)
    (root / site_settings.FILE).write_text("{}")
    assert site_settings.settings_file({}) == str(root / site_settings.FILE)
