"""From what uv resolves to a list per platform, without uv."""

from __future__ import annotations

from typing import Any

import pytest
from hashed_list import Pin
from list_making import _pins, marker_of
from outcome import InstallError
from platform_tags import PLATFORMS

pytest.importorskip("pip._vendor.packaging.markers")


def package(name: str, *wheels: str, marker: str = "") -> dict[str, Any]:
    """A package of a pylock.toml; the sums are the places of its wheels."""
    files = [
        {"url": f"https://x/{file.replace('+', '%2B')}", "hashes": {"sha256": str(index)}}
        for index, file in enumerate(wheels)
    ]
    return {"name": name, "version": "1.0", "marker": marker, "wheels": files}


def pins(place: str, *packages: dict[str, Any]) -> list[Pin]:
    return _pins(packages, PLATFORMS[place], lambda name: name != "torch")


def test_each_platform_gets_what_fits_it() -> None:
    both = package("a", "a-1.0-cp311-cp311-win_amd64.whl", "a-1.0-cp311-abi3-manylinux_2_28_x86_64.whl")
    only = package("b", "b-1.0-py3-none-any.whl", marker="sys_platform == 'win32'")
    torch = package("torch", "torch-1.0+cpu-cp311-cp311-win_amd64.whl")
    assert pins("windows-amd64", both, only, torch) == [
        Pin("a", "1.0", "", ("0",)),
        Pin("b", "1.0", "", ("0",)),
    ]
    assert pins("linux-x86_64", both, only, torch) == [Pin("a", "1.0", "", ("1",))]
    with pytest.raises(InstallError, match="no wheel for macos-arm64"):
        pins("macos-arm64", both)


def test_pythons_become_markers_of_ours() -> None:
    old = package("a", "a-1.0-cp310-cp310-win_amd64.whl", marker="python_full_version < '3.11'")
    new = package(
        "a",
        "a-1.0-cp311-cp311-win_amd64.whl",
        "a-1.0-cp310-cp310-win_amd64.whl",
        marker="python_full_version >= '3.11' and python_full_version < '3.15'",
    )
    assert pins("windows-amd64", old, new) == [
        Pin("a", "1.0", 'python_version < "3.11"', ("0",)),
        Pin("a", "1.0", 'python_version >= "3.11"', ("0",)),
    ]
    assert marker_of([(3, 11)]) == 'python_version >= "3.11" and python_version < "3.12"'
    assert marker_of([(3, 10), (3, 11), (3, 12), (3, 13)]) == ""
