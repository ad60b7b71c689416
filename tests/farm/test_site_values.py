"""Settings that would fail on every farm machine are refused as they are read, by their field's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from efficienttam.contract.errors import JobError
from efficienttam.contract.site_settings import SiteSettings, site_settings


def read(folder: Path, document: Any) -> SiteSettings:
    path = folder / "site.json"
    path.write_text(json.dumps(document))
    return site_settings({"EFFICIENTTAM_SETTINGS": str(path)})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"farm": {"device": "gpu"}}, "farm.device: 'gpu' is not a device. Write auto, cpu, mps, cuda or"),
        ({"farm": {"cache": "rel/cache"}}, "farm.cache: 'rel/cache' is not the whole path"),
        ({"farm": {"cache": "~/cache"}}, "farm.cache: "),
        ({"farm": {"weights": "weights"}}, "farm.weights: 'weights' is not the whole path"),
        ({"farm": {"weights": "off"}}, "farm.weights: "),
        ({"farm": {"cache_size": "4X"}}, "farm.cache_size: '4X' is not a size. Write a number and K, M, G"),
        ({"path_map": [{"linux": "mnt", "windows": "S:\\show"}]}, r"path_map[0].linux: 'mnt' is not"),
        ({"path_map": [{"linux": "/mnt", "windows": "show"}]}, r"path_map[0].windows: 'show' is not"),
        ({"path_map": [{"linux": "/mnt"}, {"macos": "S:\\show"}]}, r"path_map[1].macos: "),
        ({"path_map": [{"windows": "/mnt/show"}]}, r"path_map[0].windows: "),
        ({"farm": {"device": 3, "cache_size": 4, "cache": 5}}, "farm.cache: 5 is not"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(tmp_path: Path, document: Any, told: str) -> None:
    with pytest.raises(JobError) as caught:
        read(tmp_path, document)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "cache", ["", "off", "OFF", "/mnt/cache", "S:\\cache", "S:/cache", "\\\\nas\\c", "//nas/c"]
)
def test_folders_that_farm_machines_can_find_are_taken(tmp_path: Path, cache: str) -> None:
    assert read(tmp_path, {"farm": {"cache": cache}}).farm.cache == cache


def test_everything_that_is_right_is_taken(tmp_path: Path) -> None:
    storage = {"linux": "/mnt/show", "macos": "/Volumes/show", "windows": "S:"}
    farm = {"device": "cuda:1", "weights": "\\\\nas\\weights", "cache_size": "1.5 TB"}
    settings = read(tmp_path, {"farm": farm, "path_map": [storage, {}]})
    assert (settings.farm.device, settings.farm.cache_size) == ("cuda:1", "1.5 TB")
    assert settings.path_map[0].windows == "S:"
