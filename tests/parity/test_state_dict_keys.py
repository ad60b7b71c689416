"""Official checkpoints fit because keys and shapes are exactly the published ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from efficienttam.weights.checkpoint import variant_shapes

FAMILIES = {
    f"efficienttam_{family}{suffix}": family
    for family in ("s", "ti")
    for suffix in ("", "_1", "_2", "_512x512")
}


@pytest.mark.parametrize("name", FAMILIES)
def test_keys_and_shapes_are_the_published_ones(name: str) -> None:
    text = Path(__file__).with_name(f"keys_{FAMILIES[name]}.json").read_text(encoding="utf-8")
    published = {key: tuple(shape) for key, shape in json.loads(text).items()}
    assert len(published) == 455
    assert dict(variant_shapes(name)) == published


@pytest.mark.parametrize("family", ["s", "ti"])
def test_the_copied_keys_are_those_of_the_manifest(family: str) -> None:
    manifest = Path(__file__).resolve().parents[3] / "shared" / "spec" / f"manifest_{family}.json"
    if not manifest.is_file():
        pytest.skip("The published manifests are not beside this checkout.")
    tensors = json.loads(manifest.read_text(encoding="utf-8"))["tensors"]
    copied = json.loads(Path(__file__).with_name(f"keys_{family}.json").read_text(encoding="utf-8"))
    assert copied == {key: entry["shape"] for key, entry in tensors.items()}
