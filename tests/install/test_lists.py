"""The lists with sums: readable, complete for every platform and Python, and what pip is given of them."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from hashed_list import Pin, pins_for, read_list, write_list
from outcome import InstallError
from packages import PLAIN_LISTS, list_path, torch_pins
from platform_tags import PLATFORMS, PYTHONS, Platform, parse_python, read_wheel, wheel_fits
from stand_in import INSTALL, REPOSITORY
from torch_choice import TorchChoice, plain_flavour

PLACES = list(PLATFORMS.values())


@pytest.mark.parametrize("python", PYTHONS, ids=str)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_every_platform_and_python_has_all_of_it(place: Platform, python: tuple[int, int]) -> None:
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    for kind, extras in (("run", ("movie",)), ("dev", ("dev",))):
        pins = pins_for(read_list(list_path(str(INSTALL), kind, place)), python)
        names = [pin.key for pin in pins]
        assert len(names) == len(set(names)), "one version of each"
        assert all(pin.hashes for pin in pins)
        plain = pins_for(read_list(str(INSTALL / PLAIN_LISTS[kind])), python)
        versions = {pin.key: pin.version for pin in pins}
        for pin in plain:
            if pin.key != "torch":
                assert versions[pin.key] == pin.version, "the same versions as in the list without sums"
        wanted = setup["options"]["install_requires"] if kind == "run" else ""
        wanted += "\n".join(setup["options.extras_require"][extra] for extra in extras)
        for line in wanted.splitlines():
            if line and not line.startswith(("#", "torch", "av")):
                assert line.split()[0].lower().split(";")[0] in names
    torch = torch_pins(str(INSTALL), TorchChoice(plain_flavour(place), ""), place, python)
    assert {pin.version for pin in torch if pin.key == "torch"} == {"2.13.0"}
    assert all(pin.hashes for pin in torch)


def test_windows_has_what_only_windows_needs() -> None:
    windows, linux = (
        {pin.key for pin in read_list(list_path(str(INSTALL), "run", PLATFORMS[name]))}
        for name in ("windows-amd64", "linux-x86_64")
    )
    assert windows - linux == {"colorama"}


def test_a_build_without_a_list_is_pinned_all_the_same() -> None:
    pins = torch_pins(str(INSTALL), TorchChoice("cu126", ""), PLATFORMS["linux-x86_64"], (3, 12))
    assert pins == [Pin("torch", "2.13.0+cu126")]


def test_lists_come_back_as_they_were_written(tmp_path: Path) -> None:
    pins = [
        Pin("a-b", "1.0", "", ("0" * 64, "1" * 64)),
        Pin("c", "2.0+x", 'python_version >= "3.11" and python_version < "3.12"', ("2" * 64,)),
    ]
    path = str(tmp_path / "list.txt")
    write_list(path, pins, "a list\nof two")
    assert read_list(path) == pins
    assert [pin.name for pin in pins_for(pins, (3, 10))] == ["a-b"]
    assert [pin.name for pin in pins_for(pins, (3, 11))] == ["a-b", "c"]
    assert [pin.name for pin in pins_for(pins, (3, 12))] == ["a-b"]


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy>=1", "-r other.txt", "--index-url http://evil", "git+https://x/y", "a==1 --hash=md5:00"],
)
def test_what_is_no_exact_version_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(line + "\n")
    with pytest.raises(InstallError, match="no exact version"):
        read_list(str(path))


def test_a_marker_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="cannot read"):
        pins_for([Pin("a", "1", 'sys_platform == "win32"')], (3, 11))


@pytest.mark.parametrize(
    ("file", "fits"),
    [
        ("a-1.0-py3-none-any.whl", {"linux-x86_64", "windows-amd64", "macos-arm64"}),
        ("a-1.0-py2.py3-none-any.whl", {"linux-x86_64", "windows-amd64", "macos-arm64"}),
        ("a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", {"linux-x86_64"}),
        ("a-1.0-cp39-abi3-manylinux_2_28_x86_64.whl", {"linux-x86_64"}),
        ("a-1.0-cp312-abi3-manylinux_2_28_x86_64.whl", set()),
        ("a-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", set()),
        ("a-1.0-cp311-cp311t-win_amd64.whl", set()),
        ("a-1.0-cp310-cp310-win_amd64.whl", set()),
        ("a-1.0-cp311-cp311-win_amd64.whl", {"windows-amd64"}),
        ("a-1.0-cp311-cp311-win32.whl", set()),
        ("a-1.0-cp311-cp311-macosx_14_0_arm64.whl", {"macos-arm64"}),
        ("a-1.0-cp311-cp311-macosx_10_9_universal2.whl", {"macos-arm64"}),
        ("a-1.0-cp311-cp311-macosx_15_0_arm64.whl", set()),
        ("a-1.0-cp311-cp311-macosx_11_0_x86_64.whl", set()),
    ],
)
def test_which_wheels_fit(file: str, fits: set[str]) -> None:
    wheel = read_wheel(file)
    assert wheel is not None
    assert {place.name for place in PLACES if wheel_fits(wheel, place, (3, 11))} == fits


@pytest.mark.parametrize(
    "file", ["../a-1.0-py3-none-any.whl", "a/b-1.0-py3-none-any.whl", "a.whl", "a.zip", ""]
)
def test_what_is_no_wheel(file: str) -> None:
    assert read_wheel(file) is None


def test_pythons_of_the_lists() -> None:
    assert parse_python("3.11") == parse_python("3.11.7") == (3, 11)
    for wrong in ("3.9", "3", "x", "3.11; rm"):
        with pytest.raises(InstallError, match="listed for"):
            parse_python(wrong)


def test_a_marker_of_this_machine_in_a_plain_list() -> None:
    import platform

    here, elsewhere = platform.system(), "Plan9"
    pins = [Pin("a", "1", f'platform_system == "{here}"'), Pin("b", "1", f'platform_system == "{elsewhere}"')]
    assert [pin.name for pin in pins_for(pins, (3, 11))] == ["a"]
