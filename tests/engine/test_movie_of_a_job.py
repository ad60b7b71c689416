"""Movies for review: what a player, or an editor, decodes from them."""

import dataclasses
import json
import os
import shutil
import struct
import subprocess
import sys
from fractions import Fraction

import cv2
import numpy as np
import pytest

from efficienttam.cli import main
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import Cancelled, IncompleteError, JobError, OutputError
from efficienttam.contract.job import Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.passes import Direction
from efficienttam.contract.prompts import Prompt
from efficienttam.media import FrameSequence, PlateInfo, Window, write_matte, write_mattes
from efficienttam.movie import Look, make_movies

av = pytest.importorskip("av")
FRAMES = range(1001, 1005)
WIDTH, HEIGHT = 95, 53


def disc(frame, x=30):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip((14 - np.hypot(columns - x - 6 * (frame - 1001), rows - 25)) / 8 + 0.5, 0, 1).astype(
        np.float32
    )


@pytest.fixture
def shot(tmp_path):
    """A finished job: a plate of odd size at 23.976 with timecode, and soft mattes of two objects."""
    window = Window(0, 0, WIDTH, HEIGHT)
    for frame in FRAMES:
        rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
        picture = {"red": columns / WIDTH, "green": rows / HEIGHT, "blue": 0 * rows + 0.18}
        info = PlateInfo("", "openexr", "half", window, window, 2.0, frame_rate=(24000, 1001))
        info = dataclasses.replace(
            info, timecode=(0x10203000 + frame - 1001, 0), channels=(), pixel_aspect=2.0
        )
        write_mattes(tmp_path / f"plate.{frame}.exr", picture, plate=info)
        for name, x in (("hero", 30), ("car", 60)):
            (tmp_path / "mattes").mkdir(exist_ok=True)
            write_matte(tmp_path / "mattes" / f"{name}.{frame}.exr", disc(frame, x))
    return TrackJob(
        plate=Plate("plate.%04d.exr"),
        objects=tuple(TrackedObject(name, (Prompt(1001, include=((30, 25),)),)) for name in ("hero", "car")),
        output=Output("mattes/{object}.%04d.exr"),
    )


def decoded(path, kind):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.to_ndarray(format=kind) for frame in container.decode(stream)]


def test_prores_keeps_alpha_and_colour(shot, tmp_path):
    (made,) = make_movies(shot, str(tmp_path / "hero.mov"), folder=str(tmp_path), objects=["hero"])
    assert (made.frames, made.rate) == (FRAMES, Fraction(24000, 1001))
    with av.open(made.path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.codec_tag) == ("prores", "yuva444p12le", "ap4h")
        assert (context.width, context.height) == (WIDTH, HEIGHT)
        assert stream.average_rate == Fraction(24000, 1001) and stream.frames == len(FRAMES)
        assert stream.sample_aspect_ratio == 2
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 13, 1)
        assert context.color_range == 1
        assert stream.metadata["timecode"] == "10:20:30:00"
    plate = FrameSequence(str(tmp_path / "plate.%04d.exr"))
    for frame, alpha in zip(FRAMES, decoded(made.path, "rgba64le"), strict=True):
        expected = disc(frame)
        # Half in the matte's file, ten bits to the encoder, sixteen from it.
        np.testing.assert_allclose(alpha[..., 3] / 65535, expected, atol=1.5 / 1023)
        off = np.abs(alpha[..., :3] / 65535 - plate.read(frame))
        assert off.mean() < 0.003 and off.max() < 0.06, (off.mean(), off.max())


def atoms(data, wanted):
    """Payloads of the boxes of that name in a QuickTime file, wherever they are: ISO 14496-12, by hand."""
    inside = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf"}
    found, place = [], 0
    while place + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        start = place + 8
        if size == 1:
            size, start = struct.unpack(">Q", data[place + 8 : place + 16])[0], place + 16
        end = place + size if size >= 8 else len(data)
        if name == wanted:
            found.append(data[start:end])
        if name in inside:
            found += atoms(data[start:end], wanted)
        place = end
    return found


def test_a_movie_s_boxes_say_what_it_is(shot, tmp_path):
    """The file itself, without FFmpeg's reader: codec, size, depth, colour, pixel aspect, frames."""
    (made,) = make_movies(shot, str(tmp_path / "hero.mov"), folder=str(tmp_path), objects=["hero"])
    with open(made.path, "rb") as file:
        data = file.read()
    told = {one[12:16]: one[8:] for one in atoms(data, b"stsd")}
    assert set(told) == {b"ap4h", b"tmcd"}
    entry = told[b"ap4h"]
    assert struct.unpack(">HH", entry[32:36]) == (WIDTH, HEIGHT)
    assert struct.unpack(">H", entry[82:84]) == (32,), "32 bits a pixel in QuickTime's words: with alpha"
    extensions = entry[86:]
    (color,), (aspect,) = atoms(extensions, b"colr"), atoms(extensions, b"pasp")
    assert color[:4] in (b"nclc", b"nclx") and struct.unpack(">HHH", color[4:10]) == (1, 13, 1)
    # Each frame says it again: primaries, transfer (2, unknown: ProRes has no number for sRGB), matrix.
    headers = [data[at + 4 : at + 24] for at in range(len(data)) if data.startswith(b"icpf", at)]
    assert len(headers) == len(FRAMES) and {header[8:12] for header in headers} == {entry[32:36]}
    assert all((one[14], one[15] in (0, 2), one[16]) == (1, True, 1) for one in headers)
    across, down = struct.unpack(">II", aspect)
    assert across == 2 * down
    counts = [struct.unpack(">II", one[4:12])[1] for one in atoms(data, b"stsz")]
    assert counts[0] == len(FRAMES)
    scale = struct.unpack(">I", atoms(atoms(data, b"trak")[0], b"mdhd")[0][12:16])[0]
    step = struct.unpack(">I", atoms(data, b"stts")[0][12:16])[0]
    assert Fraction(scale, step) == Fraction(24000, 1001)


@pytest.mark.parametrize("name", ["look.mov", "look.mp4"])
def test_movies_play_in_another_build_of_the_decoders(shot, tmp_path, name):
    """OpenCV brings an FFmpeg of its own, and its own way from luma and chroma to colours."""
    (made,) = make_movies(shot, str(tmp_path / name), folder=str(tmp_path))
    movie = cv2.VideoCapture(made.path, cv2.CAP_FFMPEG)
    if not movie.isOpened():
        pytest.skip("This OpenCV was built without FFmpeg.")
    assert movie.get(cv2.CAP_PROP_FPS) == pytest.approx(24000 / 1001)
    pictures = [picture[..., ::-1] / 255 for _, picture in iter(movie.read, (False, None))]
    plate = FrameSequence(str(tmp_path / "plate.%04d.exr"))
    assert len(pictures) == len(FRAMES)
    for frame, picture in zip(FRAMES, pictures, strict=True):
        shown = plate.read(frame)
        clear = np.maximum(disc(frame, 30), disc(frame, 60)) == 0 if name.endswith("mp4") else ...
        off = np.abs(picture[:HEIGHT, :WIDTH] - shown)[clear]
        assert off.mean() < 0.02, off.mean()


def test_ffprobe_reads_what_was_written(shot, tmp_path):
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        pytest.skip("ffprobe is not on PATH.")
    (made,) = make_movies(shot, str(tmp_path / "hero.mov"), folder=str(tmp_path), objects=["hero"])
    command = [
        ffprobe,
        "-v",
        "error",
        "-count_frames",
        "-select_streams",
        "v",
        "-show_streams",
        "-of",
        "json",
    ]
    done = subprocess.run([*command, made.path], check=True, capture_output=True)
    (stream,) = json.loads(done.stdout)["streams"]
    assert (stream["codec_tag_string"], stream["width"], stream["height"]) == ("ap4h", WIDTH, HEIGHT)
    assert (stream["color_primaries"], stream["color_space"]) == ("bt709", "bt709")
    assert stream.get("color_transfer", "unknown") in ("unknown", "iec61966-2-1")
    assert stream["color_range"] == "tv"
    assert stream["r_frame_rate"] == "24000/1001" and int(stream["nb_read_frames"]) == len(FRAMES)


def test_all_objects_share_the_alpha_and_frames_may_be_chosen(shot, tmp_path):
    (made,) = make_movies(shot, str(tmp_path / "all.mov"), folder=str(tmp_path), frames=(1002, 1003))
    alpha = [picture[..., 3] / 65535 for picture in decoded(made.path, "rgba64le")]
    assert len(alpha) == 2
    for frame, found in zip((1002, 1003), alpha, strict=True):
        np.testing.assert_allclose(found, np.maximum(disc(frame, 30), disc(frame, 60)), atol=2 / 1023)


def test_objects_that_must_not_overlap_show_no_seam(shot, tmp_path):
    ramp = np.broadcast_to(np.clip(np.arange(WIDTH) / 16 - 2, 0, 1), (HEIGHT, WIDTH)).astype(np.float32)
    for frame in FRAMES:
        write_matte(tmp_path / "mattes" / f"hero.{frame}.exr", ramp)
        write_matte(tmp_path / "mattes" / f"car.{frame}.exr", 1 - ramp)
    apart = dataclasses.replace(shot, tracking=dataclasses.replace(shot.tracking, non_overlapping=True))
    (made,) = make_movies(apart, str(tmp_path / "all.mov"), folder=str(tmp_path), frames=(1001, 1002))
    for picture in decoded(made.path, "rgba64le"):
        assert picture[..., 3].min() / 65535 > 0.995


def test_a_drop_frame_mark_at_24_leaves_the_timecode(tmp_path):
    picture = np.full((32, 32), 0.2, np.float32)
    window = Window(0, 0, 32, 32)
    for frame in (1001, 1002):
        timecode = (0x01000040 + frame - 1001, 0)
        info = PlateInfo("", "openexr", "half", window, window, frame_rate=(24, 1), timecode=timecode)
        write_mattes(tmp_path / f"p.{frame}.exr", {"R": picture, "G": picture, "B": picture}, plate=info)
        write_matte(tmp_path / f"m.{frame}.exr", picture)
    job = TrackJob(
        Plate("p.%04d.exr"), (TrackedObject("a", (Prompt(1001, include=((1, 1),)),)),), Output("m.%04d.exr")
    )
    (made,) = make_movies(job, str(tmp_path / "tc.mov"), folder=str(tmp_path))
    with av.open(made.path) as container:
        assert container.streams.video[0].metadata["timecode"] == "01:00:00:00"


@pytest.mark.parametrize("name", ["a.mov", "a.mp4"])
def test_a_plate_without_timecode_counts_by_its_frame_numbers(tmp_path, name):
    picture = np.full((32, 32), 0.2, np.float32)
    for frame in (1001, 1002):
        write_mattes(tmp_path / f"p.{frame}.exr", {"R": picture, "G": picture, "B": picture})
        write_matte(tmp_path / f"m.{frame}.exr", picture)
    job = TrackJob(
        Plate("p.%04d.exr"), (TrackedObject("a", (Prompt(1001, include=((1, 1),)),)),), Output("m.%04d.exr")
    )
    (made,) = make_movies(job, str(tmp_path / name), folder=str(tmp_path))
    with av.open(made.path) as container:
        assert container.streams.video[0].metadata["timecode"] == "00:00:41:17"
        assert container.streams.video[0].average_rate == 24
    (made,) = make_movies(job, str(tmp_path / name), folder=str(tmp_path), rate=Fraction(12))
    with av.open(made.path) as container:
        assert "timecode" not in container.streams.video[0].metadata and len(container.streams) == 1


def test_h264_shows_the_tint_at_an_even_size(shot, tmp_path):
    (made,) = make_movies(shot, str(tmp_path / "look.mp4"), folder=str(tmp_path))
    with av.open(made.path) as container:
        assert container.streams.video[0].metadata["timecode"] == "10:20:30:00"
        assert [stream.type for stream in container.streams] == ["video", "data"]
    pictures = decoded(made.path, "rgb24")
    assert pictures[0].shape == (HEIGHT + 1, WIDTH + 1, 3) and len(pictures) == len(FRAMES)
    plain = FrameSequence(str(tmp_path / "plate.%04d.exr")).read(1001)
    inside = np.abs(pictures[0][25, 30] / 255 - plain[25, 30]).max()
    outside = np.abs(pictures[0][50, 90] / 255 - plain[50, 90]).max()
    assert inside > 0.15 > outside


def test_frames_that_tracking_does_not_reach_are_clear(shot, tmp_path):
    tracking = dataclasses.replace(shot.tracking, direction=Direction.FORWARD)
    words = (Prompt(1003, include=((30, 25),)),)
    late = tuple(dataclasses.replace(thing, prompts=words) for thing in shot.objects)
    job = dataclasses.replace(shot, tracking=tracking, objects=late)
    for name in ("hero", "car"):
        os.remove(tmp_path / "mattes" / f"{name}.1001.exr")
    (made,) = make_movies(job, str(tmp_path / "a.mov"), folder=str(tmp_path))
    alpha = decoded(made.path, "rgba64le")
    assert alpha[0][..., 3].max() == 0 and alpha[2][..., 3].max() >= 65520


def test_what_is_missing_is_told_and_nothing_is_left(shot, tmp_path):
    os.remove(tmp_path / "mattes" / "car.1003.exr")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(IncompleteError, match="Frame 1003 has no matte of car"):
        make_movies(shot, str(tmp_path / "a.mov"), folder=str(tmp_path))
    (tmp_path / "mattes" / "car.1003.exr").write_bytes(b"broken")
    with pytest.raises(IncompleteError, match="damaged"):
        make_movies(shot, str(tmp_path / "a.mov"), folder=str(tmp_path))
    with pytest.raises(Cancelled):
        make_movies(shot, str(tmp_path / "a.mov"), folder=str(tmp_path), stop=lambda: True)
    with pytest.raises(JobError, match="no alpha"):
        make_movies(shot, str(tmp_path / "a.mp4"), folder=str(tmp_path), look=Look.ALPHA)
    with pytest.raises(JobError, match=r"\.mov or \.mp4"):
        make_movies(shot, str(tmp_path / "a.avi"), folder=str(tmp_path))
    with pytest.raises(JobError, match="no object 'hera'"):
        make_movies(shot, str(tmp_path / "a.mov"), folder=str(tmp_path), objects=["hera"])
    assert sorted(os.listdir(tmp_path)) == before


def test_the_command(shot, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_job(shot, "shot.job.json")
    quiet = ["--progress", "none"]
    assert (
        main(["movie", "shot.job.json", "--out", "review/a.mov", "--rate", "25", "--object", "car", *quiet])
        == 0
    )
    assert capsys.readouterr().out == "review/a.mov\n" and os.listdir("review") == ["a.mov"]
    with av.open("review/a.mov") as container:
        assert container.streams.video[0].average_rate == 25
    assert main(["movie", "shot.job.json", "--out", "a.mov", "--rate", "fast", *quiet]) == 2
    assert main(["movie", "shot.job.json", "--out", "plate.1001.exr", *quiet]) == 2
    assert main(["movie", "shot.job.json", "--out", "a.mov", "--frames", "1001-1009", *quiet]) == 3


@pytest.fixture
def stereo(tmp_path, monkeypatch):
    """A finished job of two views, of one grey each and one white matte; the working folder is its."""
    monkeypatch.chdir(tmp_path)
    for view, grey in (("left", 0.1), ("right", 0.5)):
        os.mkdir(view)
        picture = np.full((32, 48), grey, np.float32)
        for frame in (1, 2):
            write_mattes(f"{view}/p.{frame}.exr", dict.fromkeys("RGB", picture))
            write_matte(f"m_{view}.{frame}.exr", np.ones_like(picture))
    thing = TrackedObject("a", (Prompt(1, include=((1, 1),)),))
    job = TrackJob(Plate("%V/p.%d.exr"), (thing,), Output("m_%V.%d.exr"), views=("left", "right"))
    write_job(job, "shot.job.json")
    return job


@pytest.mark.parametrize(
    "out, more, made",
    [
        ("a.%V.mov", [], {"a.left.mov": 0.1, "a.right.mov": 0.5}),
        ("%v/a.mov", [], {"l/a.mov": 0.1, "r/a.mov": 0.5}),
        ("a.%V.mov", ["--view", "right"], {"a.right.mov": 0.5}),
        ("a.mov", ["--view", "right"], {"a.mov": 0.5}),
    ],
)
def test_views_get_a_movie_each(stereo, capsys, out, more, made):
    assert main(["movie", "shot.job.json", "--out", out, "--progress", "json", *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("{")] == list(made)
    assert sorted(path for path in os.listdir() if path.endswith(".mov")) == sorted(
        path for path in made if "/" not in path
    )
    for path, linear in made.items():
        pictures = decoded(path, "rgb24")
        shade = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
        assert len(pictures) == 2 and abs(pictures[0].mean() - shade) < 3
    steps = [json.loads(line) for line in lines if line.startswith("{")]
    assert f"{2 * len(made)}" in json.dumps(steps[0])


@pytest.mark.parametrize(
    "out, more, words",
    [
        ("new/a.mov", [], "%V into the name, or choose a view with --view"),
        ("new/%V.mov", ["--view", "middle"], "no view 'middle'"),
        ("m_%V.2.exr", [], "overwrite a matte"),
    ],
)
def test_views_that_cannot_be_meant_are_told_before_work(stereo, capsys, out, more, words):
    before = sorted(os.listdir())
    assert main(["movie", "shot.job.json", "--out", out, "--progress", "none", *more]) == 2
    assert words in capsys.readouterr().err and sorted(os.listdir()) == before


def test_views_of_one_initial_need_the_whole_name(stereo):
    job = dataclasses.replace(stereo, views=("left", "lower"))
    with pytest.raises(JobError, match="left, lower would write the same movie"):
        make_movies(job, "a.%v.mov")
    with pytest.raises(JobError, match="no views"):
        make_movies(dataclasses.replace(job, views=()), "a.%V.mov")


def test_what_is_missing_of_any_view_is_told_before_the_first_movie(stereo):
    os.remove("m_right.2.exr")
    with pytest.raises(IncompleteError, match="Frame 2 has no matte of a in the view right"):
        make_movies(stereo, "a.%V.mov")
    assert not os.path.exists("a.left.mov")


def test_without_pyav_it_is_told(shot, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(OutputError, match="needs PyAV"):
        make_movies(shot, str(tmp_path / "a.mov"), folder=str(tmp_path))
    assert not (tmp_path / "a.mov").exists()
