"""The curve of a training."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from efficienttam.training.curve import draw_curve

LOG = "step,seconds,rate,click,loss\n10,5,1e-3,0.4,2.5\n20,9,1e-3,0.6,1.5\n"


def test_a_curve_shows_the_stages_that_have_a_log(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The curve is drawn by matplotlib.")
    curve = tmp_path / "curve.png"
    draw_curve(tmp_path, curve)
    assert not curve.exists()
    widths = []
    for stage in ("stills", "sequences"):
        (tmp_path / f"{stage}.csv").write_text(LOG)
        draw_curve(tmp_path, curve)
        widths.append(Image.open(curve).width)
    assert widths == [360, 720]
