"""From a name to a model: where weights are looked for, and on which device they land."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from efficienttam.contract.errors import DeviceError, JobError, WeightsError
from efficienttam.contract.job import Precision
from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.tracking import ImageSegmenter
from efficienttam.weights.device import choose_device, choose_precision
from efficienttam.weights.load import load_model
from efficienttam.weights.location import cache_folder, find_weights
from efficienttam.weights.record import read_record, sha256_of, write_record
from efficienttam.weights.registry import REGISTRY, find_entry

DEMO = "efficienttam_demo"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with random weights of the demo variant; nothing else is found on this machine."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv("EFFICIENTTAM_WEIGHTS", raising=False)
    folder = tmp_path / "shelf"
    folder.mkdir()
    torch.manual_seed(0)
    tensors = build_model(MODELS[DEMO]).half().state_dict()
    safetensors.torch.save_file(tensors, folder / f"{DEMO}.safetensors")
    return folder


def test_every_variant_is_registered() -> None:
    assert set(REGISTRY) == set(MODELS)
    for name, entry in REGISTRY.items():
        assert entry.licence == "Apache-2.0"
        assert entry.embedded == (name == DEMO)
        if not entry.embedded:
            assert entry.file == f"{name}.pt"
            assert entry.source == "https://huggingface.co/yunyangx/efficient-track-anything/resolve/main/"


def test_the_embedded_weights_are_those_of_the_registry() -> None:
    entry = find_entry(DEMO)
    if not entry.embedded_path.is_file():
        pytest.skip("This checkout has no demo weights yet.")
    assert entry.embedded_path.stat().st_size <= 12e6, "the README says at most 12 MB"
    assert entry.sha256 == sha256_of(entry.embedded_path)
    model = load_model(device="cpu")
    assert model.weights_hash == entry.sha256


def test_a_word_that_is_no_precision_is_told_in_a_sentence() -> None:
    with pytest.raises(JobError, match=r"'bf16' is no precision\. Use one of 'auto', 'float32'"):
        load_model(DEMO, device="cpu", precision="bf16")


def test_a_model_is_ready_and_says_where_it_came_from(shelf: Path) -> None:
    path = shelf / f"{DEMO}.safetensors"
    model = load_model(DEMO, device="cpu", weights=path, precision="bfloat16")
    assert model.weights_hash == sha256_of(path)
    assert model.precision is torch.bfloat16
    assert not model.training and model.device.type == "cpu"
    types = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    assert types["image_encoder.trunk.patch_embed.proj.weight"] is torch.bfloat16
    assert types["memory_attention.layers.0.linear1.weight"] is torch.bfloat16
    assert types["sam_mask_decoder.mask_tokens.weight"] is torch.float32, "the heads stay as they are"
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_folder_and_the_variable_are_looked_into(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shelf / f"{DEMO}.safetensors"
    assert find_weights(DEMO, shelf) == file
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", str(shelf))
    assert find_weights(DEMO) == file
    published = shelf / "efficienttam_s.pt"
    published.write_bytes(b"PK")
    assert find_weights("efficienttam_s") == published
    monkeypatch.delenv("EFFICIENTTAM_WEIGHTS")
    cache_folder().mkdir(parents=True)
    published.rename(cache_folder() / published.name)
    assert find_weights("efficienttam_s") == cache_folder() / published.name


def test_missing_weights_name_the_places_and_the_command(shelf: Path) -> None:
    with pytest.raises(WeightsError, match=r"s_1\.pt or efficienttam_s_1\.safetensors are in") as caught:
        load_model("efficienttam_s_1", device="cpu")
    assert caught.value.message.endswith(f" are in none of: {cache_folder()}.")
    assert "efficienttam weights download efficienttam_s_1" in caught.value.remedy
    assert not cache_folder().exists()
    with pytest.raises(WeightsError, match="There are no weights at"):
        load_model(DEMO, device="cpu", weights=shelf / "none.pt")
    with pytest.raises(WeightsError, match=r"for efficienttam_s\.pt and efficienttam_s\.saf") as caught:
        load_model("efficienttam_s", device="cpu", weights=shelf)
    assert "download" not in caught.value.remedy
    with pytest.raises(WeightsError, match="no variant named 'demo'"):
        load_model("demo", device="cpu")


def test_the_message_lists_the_places_in_the_order_they_are_looked_into(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", str(shelf))
    with pytest.raises(WeightsError) as caught:
        find_weights("efficienttam_s")
    assert caught.value.message.endswith(f" are in none of: {shelf}, {cache_folder()}.")
    package = find_entry(DEMO).embedded_path.parent
    monkeypatch.setattr(Path, "is_file", lambda path: False)
    with pytest.raises(WeightsError) as caught:
        find_weights(DEMO)
    assert caught.value.message.endswith(f" are in none of: {shelf}, {package}, {cache_folder()}.")


def test_a_recorded_sum_holds_at_load(shelf: Path) -> None:
    path = shelf / f"{DEMO}.safetensors"
    write_record(path, sha256_of(path), path.stat().st_size, "test")
    load_model(DEMO, device="cpu", weights=path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged or was replaced"):
        load_model(DEMO, device="cpu", weights=path)
    path.with_name(path.name + ".json").write_text("{}")
    with pytest.raises(WeightsError, match="cannot be understood"):
        read_record(path)


def test_absent_devices_are_never_replaced_in_silence(shelf: Path) -> None:
    with pytest.raises(DeviceError, match="is no device"):
        choose_device("gpu")
    with pytest.raises(DeviceError, match="is no device"):
        choose_device("cpu:1")
    with pytest.raises(DeviceError, match="cuda:99 was asked for"):
        choose_device("cuda:99")
    if not torch.backends.mps.is_available():
        with pytest.raises(DeviceError, match="Metal"):
            load_model(DEMO, device="mps", weights=shelf)
    assert choose_device(None) == choose_device("auto")
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert choose_device("auto").type == "cpu"


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx2": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bfloat16_where_it_has_units_for_it(
    units: dict[str, bool], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units, raising=False)
    assert choose_precision(torch.device("cpu"), Precision.AUTO) is expected
    assert choose_precision(torch.device("cpu"), Precision.FLOAT32) is torch.float32
    assert choose_precision(torch.device("mps"), Precision.AUTO) is torch.float16


@pytest.mark.parametrize(
    ("capability", "expected"), [((9, 0), "bfloat16"), ((7, 5), "float16"), ((6, 1), "float32")]
)
def test_a_gpu_computes_in_what_its_generation_has(
    capability: tuple[int, int], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose_precision(torch.device("cuda"), Precision.AUTO) is getattr(torch, expected)


@torch.inference_mode()
def test_a_lower_precision_draws_nearly_the_same_mask() -> None:
    """With trained weights: the mask of a click in bfloat16 against float32."""
    picture = np.full((120, 160, 3), 90, np.uint8)
    rows, columns = np.mgrid[:120, :160]
    picture[(columns - 60) ** 2 + (rows - 60) ** 2 < 900] = (200, 60, 40)
    masks = []
    for precision in ("float32", "bfloat16"):
        segmenter = ImageSegmenter(load_model(DEMO, device="cpu", precision=precision))
        segmenter.set_image(picture)
        masks.append(segmenter.predict(include=[(60, 60)], multimask=False).mask_logits[0] > 0)
    both, either = (masks[0] & masks[1]).sum(), (masks[0] | masks[1]).sum()
    assert masks[0].any() and both / either > 0.97
