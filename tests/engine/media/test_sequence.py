from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from efficienttam.contract.errors import JobError, PlateError
from efficienttam.contract.sequence import (
    SequencePattern,
    format_frames,
    missing_frames,
    parse_frames,
    stand_in,
    tell_frames,
)

REPOSITORY = Path(__file__).resolve().parents[3]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


@pytest.mark.parametrize(
    ("text", "frame", "expected"),
    [
        ("a.%04d.exr", 7, "a.0007.exr"),
        ("a.%d.exr", 7, "a.7.exr"),
        ("a.####.exr", 12345, "a.12345.exr"),
        ("a.#.exr", 7, "a.7.exr"),
        ("a.$F4.exr", -1, "a.-001.exr"),
        ("a.$F.exr", -12, "a.-12.exr"),
        ("v#1/a.%03d.exr", 7, "v#1/a.007.exr"),
        ("%04d/a.%04d.exr", 7, "0007/a.0007.exr"),
        ("still.exr", 7, "still.exr"),
    ],
)
def test_path_of_a_frame(text: str, frame: int, expected: str) -> None:
    assert SequencePattern(text).path(frame) == expected


def test_views_fill_in_and_are_asked_for() -> None:
    assert SequencePattern("%V/a_%v.%04d.exr").path(1, "left") == "left/a_l.0001.exr"
    with pytest.raises(PlateError, match="view"):
        SequencePattern("a_%V.%04d.exr").path(1)


def test_frames_on_disk_are_those_of_the_very_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.0007.exr", "a.8.exr", "a.-002.exr", "a.12345.exr", "a.0009.jpg", "ab.0009.exr")
    assert SequencePattern(f"{tmp_path}/a.%04d.exr").frames_on_disk() == [-2, 7, 12345]
    assert SequencePattern(f"{tmp_path}/a.#.exr").frames_on_disk() == [8, 12345]
    assert SequencePattern(f"{tmp_path}/none/a.#.exr").frames_on_disk() == []


def test_frame_tokens_in_folders_and_signs_with_a_meaning_elsewhere(tmp_path: Path) -> None:
    touch(tmp_path, "s[1]+(x)/0003/p.0003.exr", "s[1]+(x)/0004/p.0003.exr", "s[1]+(x)/0005/p.0005.exr")
    assert SequencePattern(f"{tmp_path}/s[1]+(x)/%04d/p.%04d.exr").frames_on_disk() == [3, 5]


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "p.0003.exr")
    monkeypatch.chdir(tmp_path)
    assert SequencePattern("p.####.exr").frames_on_disk() == [3]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.sets(st.integers(-120, 20000), min_size=1, max_size=12),
    width=st.integers(1, 6),
    style=st.sampled_from(["%", "#", "$F"]),
)
def test_agrees_with_fileseq(tmp_path: Path, frames: set[int], width: int, style: str) -> None:
    fileseq = pytest.importorskip("fileseq")
    hashes = "#" * width
    token = {"%": f"%0{width}d", "#": hashes, "$F": f"$F{width}"}[style]
    folder = tmp_path / "sequence"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    ours = SequencePattern(f"{folder}/plate.{token}.exr")
    theirs = fileseq.FileSequence(f"{folder}/plate.{hashes}.exr", pad_style=fileseq.PAD_STYLE_HASH1)
    for frame in frames:
        assert ours.path(frame) == theirs.frame(frame)
        Path(ours.path(frame)).touch()
    assert ours.frames_on_disk() == sorted(frames)
    on_disk = fileseq.findSequenceOnDisk(
        f"{folder}/plate.{hashes}.exr", strictPadding=True, pad_style=fileseq.PAD_STYLE_HASH1
    )
    assert sorted(on_disk.frameSet()) == sorted(frames)
    gaps = missing_frames(frames, min(frames), max(frames))
    theirs = fileseq.FrameSet(sorted(frames)).invertedFrameRange()  # may name steps, which ours never does
    assert gaps == (sorted(fileseq.FrameSet(theirs)) if theirs else [])
    assert not gaps or sorted(fileseq.FrameSet(format_frames(gaps))) == gaps
    assert gaps == [] or parse_frames(format_frames(gaps)) == gaps


def test_ranges() -> None:
    assert parse_frames("1001-1004, 1010") == [1001, 1002, 1003, 1004, 1010]
    assert parse_frames("-3--1,1-9x4") == [-3, -2, -1, 1, 5, 9]
    for wrong in ("", "banana", "5-1", "1-9x0", "1-", "1-9999999999"):
        with pytest.raises(JobError):
            parse_frames(wrong)


def test_stand_in_is_the_frame_before() -> None:
    assert [stand_in(frame, [3, 5]) for frame in (1, 3, 4, 5, 9)] == [3, 3, 3, 5, 5]


@pytest.mark.parametrize(
    ("name", "frame"), [("a.1001.exr", 1001), ("a_0012.jpg", 12), ("img2.png", 1), ("a.exr", 1)]
)
def test_number_of_a_still(name: str, frame: int) -> None:
    assert SequencePattern(name).still_frame() == frame


def test_frames_are_told_in_their_number() -> None:
    assert tell_frames([1003], "is missing", "are missing") == "Frame 1003 is missing"
    assert tell_frames([5, 3, 4, 7], "is missing", "are missing") == "Frames 3-5, 7 are missing"


def test_names_of_sequences_work_under_python_3_7(tmp_path: Path) -> None:
    pythons = sorted(Path.home().glob(".pyenv/versions/3.7.*/bin/python"))
    python = str(pythons[-1]) if pythons else shutil.which("python3.7") or ""
    if not python or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip("Python 3.7 is not installed here.")
    touch(tmp_path, "a.0007.exr")
    code = (
        "import sys; from efficienttam.media import SequencePattern, parse_frames;"
        "print(SequencePattern(sys.argv[1]).frames_on_disk(), 'numpy' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [python, "-c", code, f"{tmp_path}/a.####.exr"], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[7] False", done.stderr
