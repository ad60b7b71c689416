"""``efficienttam demo``, once more into the folder of an earlier one."""

import shutil
from pathlib import Path

from efficienttam.cli import main


def frames_of(folder: Path) -> dict[str, bytes]:
    """Plate and truth: what a demo makes before it tracks."""
    made = sorted([*(folder / "plate").iterdir(), *(folder / "truth").iterdir()])
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in made}


def test_frames_of_another_demo_are_neither_scored_nor_kept(tmp_path, capsys):
    line = ["demo", "--device", "cpu", "--threads", "1", "--progress", "none", "--out", str(tmp_path)]
    assert main([*line, "--count", "3"]) == 0
    whole = frames_of(tmp_path)
    (tmp_path / "matte" / "hero.1003.exr").unlink()
    first, second = (tmp_path / "plate" / f"plate.{frame}.exr" for frame in (1001, 1002))
    shutil.copy(first, second)
    assert main([*line, "--count", "2", "--resume"]) == 0
    assert "over 2 frames" in capsys.readouterr().out
    assert frames_of(tmp_path) == whole
    made = second.stat().st_mtime_ns
    assert main([*line, "--count", "2", "--resume"]) == 0
    assert second.stat().st_mtime_ns == made
