"""Segments of everything on an image against golden numbers."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic_weights as synthetic
from golden_files import Golden

from efficienttam.tracking import AutomaticOptions, AutomaticSegmenter

#: What the golden runs clicked and kept.
OPTIONS = {
    "grid": AutomaticOptions(8, predicted_iou=0.3, stability=0.85, stability_offset=0.1, same=0.985),
    "crops": AutomaticOptions(
        6, predicted_iou=0.3, stability=0.85, stability_offset=0.1, same=0.985, crop_layers=1
    ),
    "m2m": AutomaticOptions(
        4, predicted_iou=0.3, stability=0.85, stability_offset=0.1, same=0.985, redraw=True
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_everything(golden: Golden, case: str) -> None:
    golden.require(f"amg/{case}/bbox")
    boxes = golden[f"amg/{case}/bbox"]
    found = AutomaticSegmenter(golden.model, OPTIONS[case]).segment(synthetic.scene(3, 300, 400))
    told = {
        name: golden[f"amg/{case}/{name}"]
        for name in ("area", "iou", "stability", "point", "crop_box", "bits")
    }
    assert len(found) == len(boxes)
    for index, segment in enumerate(found):
        left, top, right, bottom = segment.box
        assert [left, top, right - left, bottom - top] == boxes[index].tolist()
        assert abs(segment.area - int(told["area"][index])) <= 2
        assert segment.predicted_iou == pytest.approx(told["iou"][index], abs=1e-3)
        assert segment.stability == pytest.approx(told["stability"][index], abs=1e-3)
        assert segment.point == pytest.approx(told["point"][index].tolist())
        assert [0, 0, 400, 300] == told["crop_box"][index].tolist() == [*segment.crop]
        bits = np.packbits(segment.mask[::4, ::4], axis=-1)
        assert synthetic.agreement(bits, told["bits"][index]) >= 0.9995
