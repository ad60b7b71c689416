"""Files of weights: read safely, refused with every key named, loaded to the last bit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from efficienttam.contract.errors import WeightsError
from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.weights.checkpoint import (
    compare,
    load_checkpoint,
    read_checkpoint,
    resembling,
    shapes_of,
    variant_shapes,
)

DEMO = "efficienttam_demo"


@pytest.fixture(scope="module")
def demo() -> EfficientTAM:
    torch.manual_seed(0)
    return build_model(MODELS[DEMO])


@pytest.fixture
def blank() -> EfficientTAM:
    with torch.device("meta"):
        model = build_model(MODELS[DEMO])
    return model.to_empty(device="cpu")


def state(model: EfficientTAM, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    return {key: tensor.to(dtype) for key, tensor in model.state_dict().items()}


def write(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    if path.suffix == ".pt":
        torch.save({"model": tensors}, path)
    else:
        safetensors.torch.save_file(tensors, path)
    return path


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_both_formats_load_and_halves_grow(
    demo: EfficientTAM, blank: EfficientTAM, tmp_path: Path, suffix: str, dtype: torch.dtype
) -> None:
    path = write(tmp_path / f"weights{suffix}", state(demo, dtype))
    load_checkpoint(blank, path)
    for key, tensor in blank.state_dict().items():
        assert tensor.dtype is torch.float32
        assert torch.equal(tensor, demo.state_dict()[key].to(dtype).float()), key


def test_the_old_pickle_format_is_read_too(demo: EfficientTAM, tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({"model": state(demo)}, path, _use_new_zipfile_serialization=False)
    assert shapes_of(read_checkpoint(path)) == variant_shapes(DEMO)


def test_the_format_is_told_from_the_content(demo: EfficientTAM, tmp_path: Path) -> None:
    path = write(tmp_path / "weights.safetensors", state(demo)).rename(tmp_path / "weights.pt")
    assert shapes_of(read_checkpoint(path)) == variant_shapes(DEMO)


def test_every_wrong_key_is_named(demo: EfficientTAM, blank: EfficientTAM, tmp_path: Path) -> None:
    tensors = state(demo)
    gone = sorted(tensors)[::40]
    for key in gone:
        del tensors[key]
    tensors["no_mem_embed"] = torch.zeros(1, 1, 7)
    strangers = {"head.weight": torch.zeros(2), "head.bias": torch.zeros(2)}
    with pytest.raises(WeightsError) as caught:
        load_checkpoint(blank, write(tmp_path / "odd.pt", {**tensors, **strangers}))
    message = caught.value.message
    assert all(key in message for key in (*gone, *strangers))
    assert "no_mem_embed is [1, 1, 7], not [1, 1, 128]" in message
    assert f"{len(gone)} missing" in message and "2 unexpected" in message
    assert "It seems to be efficienttam_demo, with changes." in message


def test_a_file_of_another_variant_is_recognised(blank: EfficientTAM, tmp_path: Path) -> None:
    zeros = {
        key: torch.zeros(shape, dtype=torch.float16)
        for key, shape in variant_shapes("efficienttam_ti").items()
    }
    with pytest.raises(
        WeightsError, match=r"seems to be efficienttam_ti, efficienttam_ti_1, .* or"
    ) as caught:
        load_checkpoint(blank, write(tmp_path / "ti.pt", zeros))
    assert "Choose that variant" in caught.value.remedy


def test_resemblance() -> None:
    assert resembling(variant_shapes(DEMO)) == DEMO
    assert resembling({"layer1.0.conv1.weight": (64, 64, 3, 3)}) == ""
    assert not compare(variant_shapes("efficienttam_s_2"), variant_shapes("efficienttam_s"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(demo: EfficientTAM, tmp_path: Path, value: float) -> None:
    tensors = {key: tensor.clone() for key, tensor in state(demo).items()}
    tensors["no_obj_ptr"][0, 3] = value
    with pytest.raises(WeightsError, match="NaN or infinite values in: no_obj_ptr"):
        read_checkpoint(write(tmp_path / "diverged.safetensors", tensors))


def test_other_number_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"a \(torch.int8\)"):
        read_checkpoint(write(tmp_path / "q.pt", {"a": torch.zeros(2, dtype=torch.int8)}))


class Harmful:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.folder,)


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    torch.save({"model": Harmful(str(trap))}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="which was not run"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "git-lfs pointer"),
        (b"<!doctype html><title>Sign in</title>", "a web page"),
        (b"GIF89a and so on", "neither a PyTorch nor a safetensors file"),
    ],
)
def test_files_that_hold_no_weights(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("share", [0.0005, 0.5, 0.999])
def test_a_cut_file_is_refused(demo: EfficientTAM, tmp_path: Path, suffix: str, share: float) -> None:
    whole = write(tmp_path / f"whole{suffix}", state(demo)).read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsError, match="cut short or damaged"):
        read_checkpoint(path)


def test_a_file_without_the_model_key(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "epoch": 3}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="it has: state_dict, epoch"):
        read_checkpoint(tmp_path / "other.pt")
    torch.save({"model": {"a": torch.zeros(1), "step": 3}}, tmp_path / "mixed.pt")
    with pytest.raises(WeightsError, match="no tensors: step"):
        read_checkpoint(tmp_path / "mixed.pt")
