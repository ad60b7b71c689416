"""The network for other runtimes: files that answer as it does, and files that are refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from efficienttam.contract.errors import ExitCode, IncompleteError, JobError, OutputError
from efficienttam.export import exporting, formats
from efficienttam.export.cli import main
from efficienttam.export.exporting import ExportOptions, compare, export
from efficienttam.export.formats import ONNX_PACKAGES, Format
from efficienttam.export.network_parts import NetworkPart

HAVE_ONNX = all(importlib.util.find_spec(name) for name in ONNX_PACKAGES)


def options(out: Path, format: Format, **more: object) -> ExportOptions:
    told = {"out": out, "format": format, "model": "efficienttam_demo", "threads": 1}
    return ExportOptions(**{**told, **more})  # type: ignore[arg-type]


def test_torchscript_answers_as_the_network_does(tmp_path: Path) -> None:
    said: list[str] = []
    files = export(options(tmp_path, Format.TORCHSCRIPT, points=2), said.append)
    assert [file.name for file in files] == [
        "efficienttam_demo.image_encoder.pt",
        "efficienttam_demo.mask_decoder.pt",
        "efficienttam_demo.torchscript.json",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(files) and len(said) == 4
    facts = json.loads(files[-1].read_text())
    decoder = facts["parts"]["efficienttam_demo.mask_decoder.pt"]
    assert decoder["inputs"]["points"] == {"shape": [1, 2, 2], "type": "float32"}
    assert decoder["outputs"]["mask_logits"]["shape"] == [1, 4, 64, 64]
    assert decoder["outputs"]["mask_logits"]["share"] < 1e-4


@pytest.mark.long
def test_a_program_of_torch_export_answers_as_the_network_does(tmp_path: Path) -> None:
    assert len(export(options(tmp_path, Format.TORCH_EXPORT), lambda text: None)) == 3


@pytest.mark.long
@pytest.mark.skipif(not HAVE_ONNX, reason="onnx, onnxscript and onnxruntime are not all installed.")
def test_onnx_answers_as_the_network_does(tmp_path: Path) -> None:
    assert len(export(options(tmp_path, Format.ONNX), lambda text: None)) == 3


def test_a_file_that_answers_otherwise_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tmp_path / "efficienttam_demo.image_encoder.pt"
    older.write_bytes(b"older")
    monkeypatch.setattr(formats, "write_part", None)
    monkeypatch.setattr(exporting, "write_part", lambda part, format, path: path.write_bytes(b"new"))
    monkeypatch.setattr(
        exporting, "open_part", lambda part, *_: lambda example: tuple(x * 1.01 for x in part.answer(example))
    )
    with pytest.raises(IncompleteError, match=r"embedding differs by .* It was removed"):
        export(options(tmp_path, Format.TORCHSCRIPT), lambda text: None)
    assert list(tmp_path.iterdir()) == [older] and older.read_bytes() == b"older"


def test_nan_and_other_shapes_are_differences() -> None:
    part = NetworkPart("double", _Double(), ("x",), ("y",), ((torch.ones(3),),))
    assert compare(part, lambda example: (example[0] * 2,))[0].share == 0
    assert compare(part, lambda example: (example[0] * float("nan"),))[0].share == float("inf")
    assert compare(part, lambda example: (torch.ones(4),))[0].share == float("inf")


class _Double(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def test_missing_packages_are_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "ONNX_PACKAGES", ("onnx_that_is_not_there",))
    with pytest.raises(JobError, match="pip install onnx_that_is_not_there"):
        export(options(tmp_path / "out", Format.ONNX), lambda text: None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tolerance", "inf"), "'inf' is below 0, or not finite"),
        (("--tolerance", "nan"), "'nan' is below 0, or not finite"),
        (("--points", "0"), "'0' is below 1"),
    ],
)
def test_numbers_that_check_nothing_are_refused(
    words: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["efficienttam_demo", "--format", "torchscript", "--out", str(tmp_path / "out"), *words])
    assert ended.value.code == ExitCode.USAGE and said in capsys.readouterr().err
    with pytest.raises(JobError, match="tells nothing apart"):
        export(options(tmp_path / "out", Format.TORCHSCRIPT, tolerance=float("inf")), lambda text: None)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="There is no /proc.")
def test_a_folder_that_takes_no_files_is_told_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "load_model", lambda *_, **__: pytest.fail("The model was loaded."))
    with pytest.raises(OutputError, match="Nothing can be written to /proc"):
        export(options(Path("/proc"), Format.TORCHSCRIPT), lambda text: None)


def test_what_the_writer_of_pytorch_cannot_write_is_an_error_of_the_file(tmp_path: Path) -> None:
    part = NetworkPart("double", _Double(), ("x",), ("y",), ((torch.ones(3),),))
    with pytest.raises(OSError, match="does not exist"):
        formats.write_part(part, Format.TORCHSCRIPT, tmp_path / "gone" / "double.pt")
