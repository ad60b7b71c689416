"""Which PyTorch a machine gets, by what nvidia-smi says there; the words are those of real drivers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from outcome import InstallError
from platform_tags import PLATFORMS, platform_named, platform_of
from torch_choice import Gpu, TorchChoice, choose, find_gpus, in_wheelhouse

LINUX, WINDOWS, MAC = (PLATFORMS[name] for name in ("linux-x86_64", "windows-amd64", "macos-arm64"))


def smi(*answers: str | None) -> list[Gpu]:
    """The cards of a machine whose nvidia-smi answers so, one question after the other."""
    left = list(answers)

    def run(command: Sequence[str]) -> str | None:
        assert command[0] == "nvidia-smi" and "--format=csv,noheader" in command
        return left.pop(0) if left else None

    return find_gpus(run)


def test_cards_are_read() -> None:
    two = smi("NVIDIA RTX A6000, 570.86.15, 8.6\nQuadro P4000, 570.86.15, 6.1\n")
    assert two == [
        Gpu("NVIDIA RTX A6000", (570, 86, 15), (8, 6)),
        Gpu("Quadro P4000", (570, 86, 15), (6, 1)),
    ]
    # Drivers before 510 do not know compute_cap, and say so on stdout with a status of 2.
    assert smi(None, "Tesla K80, 470.57.02\n") == [Gpu("Tesla K80", (470, 57, 2))]
    assert smi(None, None) == []
    assert smi("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n") == []
    assert smi("NVIDIA H100, [N/A], 9.0\n") == []


@pytest.mark.parametrize(
    ("place", "told", "flavour"),
    [
        (LINUX, "NVIDIA H200, 580.65.06, 9.0", "cu130"),
        (LINUX, "NVIDIA GeForce RTX 5090, 580.65.06, 12.0", "cu130"),
        (LINUX, "NVIDIA RTX A6000, 550.54.15, 8.6", "cu126"),
        (LINUX, "NVIDIA RTX A6000, 525.60.13, 8.6", "cu126"),
        (LINUX, "NVIDIA RTX A6000, 515.105.01, 8.6", "cpu"),
        (LINUX, "Quadro P4000, 580.65.06, 6.1", "cu126"),
        (LINUX, "Tesla V100, 580.65.06, 7.0", "cu126"),
        (LINUX, "Tesla K80, 470.57.02, 3.7", "cpu"),
        # Of the builds only those of CUDA 13 have code for a Blackwell card.
        (LINUX, "NVIDIA GeForce RTX 5090, 570.124.06, 12.0", "cpu"),
        (WINDOWS, "NVIDIA RTX A5000, 527.41, 8.6", "cpu"),
        (WINDOWS, "NVIDIA RTX A5000, 528.33, 8.6", "cu126"),
        (WINDOWS, "NVIDIA GeForce RTX 4090, 581.15, 8.9", "cu130"),
        # The weaker of two cards decides.
        (LINUX, "NVIDIA H200, 580.65.06, 9.0\nQuadro P4000, 580.65.06, 6.1", "cu126"),
    ],
)
def test_the_driver_and_the_card_decide(place: object, told: str, flavour: str) -> None:
    choice = choose("auto", "", place, smi(told))
    assert choice.flavour == flavour
    if flavour == "cpu":
        assert "newer driver" in choice.why
        with pytest.raises(InstallError, match="no CUDA build"):
            choose("cuda", "", place, smi(told))


def test_without_a_card() -> None:
    assert choose("auto", "", LINUX, []).flavour == "cpu"
    assert choose("auto", "", MAC, []).flavour == "mps"
    assert choose("cu126", "", LINUX, []).flavour == "cu126"
    with pytest.raises(InstallError, match="finds no card"):
        choose("cuda", "", LINUX, [])
    with pytest.raises(InstallError, match="no CUDA on a Mac"):
        choose("cuda", "", MAC, [])
    assert choose("auto", "", None, []).version("2.13.0", None) == "2.13.0"


@pytest.mark.parametrize(
    ("place", "flavour", "version", "fallback"),
    [
        (LINUX, "cpu", "2.13.0+cpu", "https://download.pytorch.org/whl/cpu"),
        (LINUX, "cu130", "2.13.0", ""),
        (LINUX, "cu126", "2.13.0+cu126", "https://download.pytorch.org/whl/cu126"),
        (WINDOWS, "cpu", "2.13.0", ""),
        (WINDOWS, "cu130", "2.13.0+cu130", "https://download.pytorch.org/whl/cu130"),
        (MAC, "mps", "2.13.0", ""),
    ],
)
def test_where_builds_come_from(place: object, flavour: str, version: str, fallback: str) -> None:
    choice = TorchChoice(flavour, "")
    assert (choice.version("2.13.0", place), choice.fallback(place)) == (version, fallback)


def test_an_index_of_ones_own() -> None:
    choice = choose("auto", "https://mirror.example/torch/cu126/", LINUX, [])
    assert (choice.flavour, choice.index) == ("cu126", "https://mirror.example/torch/cu126/")
    choice = choose("cpu", "https://mirror.example/simple", LINUX, [])
    assert (choice.version("2.13.0", LINUX), choice.fallback(LINUX)) == ("2.13.0+cpu", "")
    with pytest.raises(InstallError, match="does not end with the"):
        choose("auto", "https://mirror.example/simple", LINUX, [])


def test_a_wheelhouse_decides_unless_asked() -> None:
    cpu = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
    cuda = "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    other = [
        "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl",
        "torch-2.12.0-cp311-cp311-win_amd64.whl",
    ]

    def chosen(flavour: str, asked: str, files: list[str]) -> str:
        return in_wheelhouse(TorchChoice(flavour, ""), asked, files, "2.13.0", LINUX, (3, 11)).flavour

    assert chosen("cu130", "auto", [cpu, cuda]) == "cu130"
    assert chosen("cpu", "auto", [cpu, cuda]) == "cpu"
    assert chosen("cu126", "auto", [cpu, cuda]) == "cpu"
    assert chosen("cpu", "auto", [cuda, *other]) == "cu130"
    with pytest.raises(InstallError, match="it has torch-2"):
        chosen("cpu", "cpu", [cuda])
    with pytest.raises(InstallError, match="no torch that fits"):
        chosen("cpu", "auto", other)


def test_platforms() -> None:
    assert platform_of("linux", "x86_64") is LINUX
    assert platform_of("win32", "AMD64") is WINDOWS
    assert platform_of("darwin", "arm64") is MAC
    assert platform_of("linux", "aarch64") is None
    for refused in (lambda: platform_of("darwin", "x86_64"), lambda: platform_named("macos-x86_64")):
        with pytest.raises(InstallError, match="Intel"):
            refused()
    assert platform_named("macos") is MAC
    with pytest.raises(InstallError, match="no platform 'amiga'"):
        platform_named("amiga")
