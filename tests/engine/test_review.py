"""A review as a user meets it: real mattes on disk, the page, the JSON, exit codes."""

import base64
import dataclasses
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from efficienttam.cli import main
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.frames_to_check import checks
from efficienttam.contract.job import Layout, Model, Output, Plate, TrackedObject, Tracking, TrackJob
from efficienttam.contract.matte_score import MatteScore, parse_score, score_attribute
from efficienttam.contract.passes import Between
from efficienttam.contract.prompts import Prompt
from efficienttam.media import PlateInfo, Window, read_roto, read_texts, write_matte, write_mattes
from efficienttam.review.both_ways import legs
from efficienttam.review.page import page
from efficienttam.review.shot import Strand
from efficienttam.review.thumbnails import Thumbnail, wanted
from efficienttam.review.timeline import timeline
from efficienttam.review.verdict import judge
from efficienttam.run import run_job


@pytest.fixture
def tracked(job, tiny_plate):
    """A job document with all its mattes."""
    write_job(job, str(tiny_plate / "shot.job.json"))
    run_job(job, folder=str(tiny_plate))
    return tiny_plate / "shot.job.json"


def review(*arguments):
    return main(["review", *map(str, arguments), "--progress", "none"])


def told(folder):
    return json.loads((folder / "review.json").read_text())


class Page(HTMLParser):
    """Every tag must be closed; every link must lead somewhere on the page."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.tags, self.text = [], set(), [], [], set(), ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.add(tag)
        assert not any(name.startswith("on") for name in found), "no script in an attribute"
        self.sources += [value for name, value in attributes if name in ("src", "srcset", "data", "action")]
        self.links += [found["href"]] if "href" in found else []
        if "id" in found:
            assert found["id"] not in self.ids
            self.ids.add(found["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def check_page(text):
    seen = Page(text)
    assert not seen.tags & {"script", "link", "iframe", "object", "base", "form"}
    assert all(source.startswith("data:image/") for source in seen.sources)
    assert all(link[0] == "#" and link[1:] in seen.ids for link in seen.links)
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    return seen


def test_a_job_is_reviewed_to_a_page_a_sheet_and_json(tracked, capsys):
    assert review(tracked) == ExitCode.OK
    folder = tracked.parent / "shot.review"
    assert {path.name for path in folder.iterdir()} == {"index.html", "review.json", "contact_sheet.png"}
    seen = check_page((folder / "index.html").read_text())
    assert "shot.job.json" in seen.text
    document = told(folder)
    assert [thing["name"] for thing in document["objects"]] == ["hero", "sky"]
    assert cv2.imread(str(folder / "contact_sheet.png")).shape[1] > 300
    for thing in document["objects"]:
        scores = {}
        for row in thing["scores"]:
            path = tracked.parent / "out" / f"{thing['name']}.{row['frame']}.exr"
            attribute = score_attribute(thing["name"])
            scores[row["frame"]] = parse_score(read_texts(str(path), [attribute])[attribute])
            matte = read_roto(str(path))
            assert row["area"] == pytest.approx(matte.mean(), abs=1e-3)
            assert (row["box"] is None) == (not (matte >= 0.5).any())
            assert row["prompted"] == (
                (thing["name"], row["frame"]) in {("hero", 1001), ("hero", 1005), ("sky", 1003)}
            )
        flagged = {check["frame"]: check["reasons"] for check in thing["checks"]}
        expected = {
            frame: [reason.words for reason in check.reasons] for frame, check in checks(scores).items()
        }
        assert flagged == expected
        for place in thing["places"]:
            assert f"m{document['objects'].index(thing)}f{place['first']}" in seen.ids
            assert f"f{place['first']}" in seen.ids
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(folder / "index.html")


def test_a_review_is_the_same_each_time_and_takes_the_place_of_the_one_before(tracked):
    folder = tracked.parent / "shot.review"
    assert review(tracked) == 0
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert review(tracked) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert [
        path.name for path in tracked.parent.iterdir() if "part" in path.name or ".old" in path.name
    ] == []


def test_a_folder_with_anything_besides_a_review_is_refused(tracked, capsys):
    folder = tracked.parent / "shot.review"
    assert review(tracked) == 0
    (folder / "notes.txt").write_text("mine")
    assert review(tracked) == ExitCode.USAGE
    assert "holds something else than a review" in capsys.readouterr().err
    assert (folder / "notes.txt").read_text() == "mine"
    other = tracked.parent / "dailies"
    other.mkdir()
    (other / "review.json").write_text('{"dailies": [1]}')
    assert review(tracked, "--out", other) == ExitCode.USAGE
    assert (other / "review.json").read_text() == '{"dailies": [1]}'


def test_a_matte_that_was_cut_short_is_missing(tracked, capsys):
    matte = tracked.parent / "out" / "sky.1002.exr"
    whole = matte.read_bytes()
    matte.write_bytes(whole[: -len(whole) // 8])
    assert review(tracked, "--fail", "--json") == ExitCode.TO_CHECK
    assert [thing["missing"] for thing in json.loads(capsys.readouterr().out)["objects"]] == [[], [1002]]


def test_fail_and_json_are_for_farms(tracked, capsys):
    (tracked.parent / "out" / "sky.1002.exr").write_bytes(b"cut short")
    (tracked.parent / "out" / "hero.1004.exr").unlink()
    assert review(tracked, "--fail", "--json") == ExitCode.TO_CHECK
    document = json.loads(capsys.readouterr().out)
    assert document == told(tracked.parent / "shot.review")
    hero, sky = document["objects"]
    assert (hero["missing"], sky["missing"]) == ([1004], [1002])
    assert any(check == {"frame": 1004, "doubt": 2.0, "reasons": ["no matte"]} for check in hero["checks"])
    assert document["to_check"] >= 2


def test_no_network_is_imported(tracked):
    code = (
        "import sys; from efficienttam.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, "review", str(tracked), "--progress", "none"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()})


@pytest.mark.parametrize("layout", list(Layout))
def test_mattes_without_their_job(tracked, job, layout, capsys):
    path = "{}/{{object}}.%04d.exr" if layout is Layout.FILE_PER_OBJECT else "{}/all.%04d.exr"
    other = dataclasses.replace(job, output=Output(path.format("again"), layout))
    run_job(other, folder=str(tracked.parent))
    assert review(tracked.parent / other.output.path, "--plate", tracked.parent / "plate.%04d.exr") == 0
    name = "review" if layout is Layout.FILE_PER_OBJECT else "all.review"
    document = told(tracked.parent / "again" / name)
    assert review(tracked) == 0
    assert [thing["name"] for thing in document["objects"]] == ["hero", "sky"]
    assert [thing["scores"] for thing in document["objects"]] == [
        thing["scores"] for thing in told(tracked.parent / "shot.review")["objects"]
    ]


@pytest.mark.parametrize(
    "output",
    [
        Output("again/all.%04d.exr", Layout.CRYPTOMATTE, "roto_ids"),
        Output("again/all.%04d.exr", Layout.LAYER_PER_OBJECT, "x.core"),
    ],
    ids=["cryptomatte", "layers"],
)
def test_no_object_of_mattes_without_their_job_is_left_out(tracked, job, output):
    """Also where a matte's place is not called as it is unless told."""
    run_job(dataclasses.replace(job, output=output), folder=str(tracked.parent))
    for path in (tracked.parent / "again").iterdir():
        # Without scores in the header what is judged are pixels.
        hide_scores(path)
    assert review(tracked.parent / output.path) == 0
    document = told(tracked.parent / "again" / "all.review")
    assert [thing["name"] for thing in document["objects"]] == ["hero", "sky"]
    assert review(tracked) == 0
    for thing, known in zip(
        document["objects"], told(tracked.parent / "shot.review")["objects"], strict=True
    ):
        assert not thing["missing"]
        areas, truth = ([score["area"] for score in one["scores"]] for one in (thing, known))
        # Where both claim a pixel a Cryptomatte holds half of each.
        np.testing.assert_allclose(areas, truth, atol=0.01)


def hide_scores(path):
    """Writes an EXR again without what is said of its objects' scores."""
    import OpenImageIO as oiio

    picture = oiio.ImageBuf(str(path))
    names = [entry.name for entry in picture.spec().extra_attribs if "score" in entry.name]
    assert names
    for name in names:
        picture.specmod().erase_attribute(name)
    assert picture.write(str(path))


def test_layers_that_are_not_there_are_told(tmp_path, capsys):
    """The header, kept by another program, tells of two objects; the file holds a layer of one."""
    matte = np.ones((20, 30), np.float32)
    write_mattes(tmp_path / "all.1001.exr", {"hero.A": matte}, metadata={"efficienttam/object": "hero,sky"})
    assert review(tmp_path / "all.%04d.exr") == ExitCode.INPUT
    words = capsys.readouterr().err
    assert "tells of mattes of hero, sky and has no layer of sky; it has hero.A." in words


def test_mattes_of_others_are_judged_by_their_pixels(tmp_path):
    for frame in range(1, 7):
        matte = np.zeros((40, 60), np.float32)
        matte[10:30, 10 : 20 + 20 * (frame == 4)] = 1
        write_matte(tmp_path / f"roto.{frame:04d}.exr", matte)
    assert review(tmp_path / "roto.%04d.exr", "--fail") == ExitCode.TO_CHECK
    (thing,) = told(tmp_path / "roto.review")["objects"]
    assert thing["name"] == "roto"
    assert [check["frame"] for check in thing["checks"]] == [4, 5]
    assert "area jumps +200 %" in thing["checks"][0]["reasons"]


@pytest.mark.parametrize(
    "mattes, folder",
    [
        ("one.%04d.exr", "one.review"),
        ("two.####.exr", "two.review"),
        ("{object}.%04d.exr", "review"),
        ("%V/a_%V.$F4.exr", "left/a_left.review"),
        ("shots/{object}/hero_v02.%d.exr", "shots/hero_v02.review"),
        ("shots/{object}/{object}-%d-matte.exr", "shots/matte.review"),
        ("still.1001.exr", "still.1001.review"),
    ],
)
def test_a_review_is_named_after_the_sequence(tmp_path, monkeypatch, capsys, mattes, folder):
    monkeypatch.chdir(tmp_path)
    for name in ("one.0001", "two.0001", "left/a_left.0001", "shots/a/hero_v02.1", "shots/b/b-1-matte"):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        write_matte(name + ".exr", np.ones((20, 30), np.float32))
    write_matte("still.1001.exr", np.ones((20, 30), np.float32))
    assert review(mattes, *(["--view", "left"] if "%V" in mattes else [])) == 0
    assert capsys.readouterr().out.splitlines()[-1] == os.path.join(folder, "index.html")
    assert [os.path.relpath(found, tmp_path) for found in sorted(tmp_path.rglob("*review"))] == [folder]
    assert told(tmp_path / folder)["to_check"] == 0


@pytest.mark.parametrize(
    "frames, first, last, missing",
    [((), 1, 6, [3, 4]), (("--frames", "3-5"), 3, 5, [3, 4]), (("--frames", "0-9"), 1, 6, [3, 4])],
)
def test_a_gap_in_mattes_without_a_job_is_told(tmp_path, capsys, frames, first, last, missing):
    matte = np.zeros((40, 60), np.float32)
    matte[10:30, 10:20] = 1
    for frame in (1, 2, 5, 6):
        write_matte(tmp_path / f"roto.{frame:04d}.exr", matte)
        write_matte(tmp_path / f"other.{frame + 1}.exr", matte)
    assert review(tmp_path / "roto.%04d.exr", *frames, "--fail", "--json") == ExitCode.TO_CHECK
    (thing,) = json.loads(capsys.readouterr().out)["objects"]
    assert (thing["first"], thing["last"], thing["missing"]) == (first, last, missing)
    assert [(place["first"], place["last"], place["reasons"]) for place in thing["places"]] == [
        (3, 4, ["no matte"])
    ]
    assert review(tmp_path / "{object}.%d.exr", *frames, "--json") == 0
    (thing,) = json.loads(capsys.readouterr().out)["objects"]
    assert thing["name"] == "other" and set(thing["missing"]) == {4, 5}


def test_both_ways_compares_and_reads_no_plate_that_was_tracked(tracked, monkeypatch):
    def read(plate, frame):
        raise AssertionError(f"frame {frame} was read")

    monkeypatch.setattr("efficienttam.review.report.wanted", lambda verdicts: [])
    monkeypatch.setattr("efficienttam.media.frame_sequence.FrameSequence.read", read)
    plain = review(tracked)
    before = told(tracked.parent / "shot.review")
    assert review(tracked, "--both-ways") == plain == 0
    after = told(tracked.parent / "shot.review")
    for old, new in zip(before["objects"], after["objects"], strict=True):
        assert {check["frame"] for check in old["checks"]} <= {check["frame"] for check in new["checks"]}
        known = [row["agreement"] for row in new["scores"]]
        assert all(value is None or 0 <= value <= 1 for value in known)
        assert any(value is not None for value in known) or all(row["area"] == 0 for row in new["scores"])


def disc(x, y):
    """A matte of 240 x 135 with a round thing."""
    rows, columns = np.mgrid[:135, :240] + 0.5
    return ((columns - x) ** 2 + (rows - y) ** 2 < 25**2).astype(np.float32)


def test_a_track_that_goes_over_to_another_thing_is_found_by_both_ways(tmp_path, capsys):
    """Hand-made mattes on two discs: *over* is on the other disc from frame 9 on, *true* stays on its own."""
    ground = np.random.default_rng(5).random((135, 240)).astype(np.float32) * 0.02 + 0.03
    for frame in range(1, 18):
        one, other = disc(60.5, 60.5 + frame), disc(175.5, 80.5 - frame)
        channels = {
            "red": ground + 0.7 * one,
            "green": ground + 0.4 * one + 0.1 * other,
            "blue": ground + 0.6 * other,
        }
        write_mattes(tmp_path / f"plate.{frame:04d}.exr", channels)
        for name, matte in (("over", one if frame < 9 else other), ("true", one)):
            # Each frame is the same share of the plate; the centre is kept quiet, as after a slow leak.
            told = MatteScore(5.0, 0.95, float(one.mean()), 0.9, (0.5, 0.5), prompted=frame == 1)
            write_matte(
                tmp_path / f"{name}.{frame:04d}.exr", matte, metadata={score_attribute(name): str(told)}
            )
    job = TrackJob(
        Plate("plate.%04d.exr"),
        tuple(TrackedObject(name, (Prompt(1, include=((60.5, 61.5),)),)) for name in ("over", "true")),
        Output("{object}.%04d.exr"),
        model=Model(device="cpu"),
    )
    write_job(job, str(tmp_path / "discs.job.json"))
    assert review(tmp_path / "discs.job.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["to_check"] == 0
    assert review(tmp_path / "discs.job.json", "--both-ways", "--json") == 0
    over, true = json.loads(capsys.readouterr().out)["objects"]
    known = {row["frame"]: row["agreement"] for row in over["scores"]}
    assert known[1] is None and all(known[frame] < 0.1 for frame in range(2, 18))
    assert [check["frame"] for check in over["checks"]] == list(range(2, 18))
    assert all("disagree" in check["reasons"][0] for check in over["checks"])
    assert all(row["agreement"] > 0.85 for row in true["scores"][1:]) and true["checks"] == []


def test_blended_spans_tell_their_agreement_and_others_none(tracked, job):
    blended = dataclasses.replace(
        job, tracking=Tracking(between=Between.BLEND), output=Output("blend/{object}.%04d.exr")
    )
    run_job(blended, folder=str(tracked.parent))
    write_job(blended, str(tracked.parent / "blend.job.json"))
    assert review(tracked.parent / "blend.job.json") == 0
    hero, sky = told(tracked.parent / "blend.review")["objects"]
    told_by = {row["frame"]: row["agreement"] for row in hero["scores"]}
    assert [frame for frame, value in told_by.items() if value is not None] == [1002, 1003, 1004]
    assert all(row["agreement"] is None for row in sky["scores"])


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["shot.job.json", "--plate", "p.%04d.exr"], "--plate"),
        (["out/{object}.%04d.exr", "--both-ways"], "--both-ways"),
        (["out/{object}.%04d.exr", "--color-space", "sRGB"], "--color-space"),
        (["shot.job.json", "--frames", "1001-x"], "frame range"),
        (["shot.job.json", "--frames", "2001-2002"], "No frame"),
        (["shot.job.json", "--out", "out"], "something else"),
        (["shot.job.json", "--out", "shot.job.json"], "is a file"),
        (["out/%V.{object}.%04d.exr"], "--view"),
    ],
)
def test_what_cannot_be_meant_is_told(tracked, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tracked.parent)
    kept = {path.name for path in (tracked.parent / "out").iterdir()}
    assert review(*arguments) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert words in error and error.startswith("efficienttam: ") and len(error.splitlines()) == 1
    assert {path.name for path in (tracked.parent / "out").iterdir()} == kept


def off(pixels, color):
    """How far the farthest channel of any pixel is from a colour."""
    return np.abs(pixels.astype(int) - np.array(color)).max()


def test_pictures_show_the_plate_and_the_matte_tinted_over_it(tmp_path):
    for frame in range(1, 7):
        grey = np.full((180, 320), 0.2, np.float32)
        write_mattes(tmp_path / f"plate.{frame:04d}.exr", dict.fromkeys(("red", "green", "blue"), grey))
        matte = np.zeros((180, 320), np.float32)
        matte[60:120, 60 : 120 + 60 * (frame == 4)] = 1
        write_matte(tmp_path / f"roto.{frame:04d}.exr", matte)
    assert review(tmp_path / "roto.%04d.exr", "--plate", tmp_path / "plate.%04d.exr") == 0
    text = (tmp_path / "roto.review" / "index.html").read_text()
    figures = re.findall(r'id="m0f(\d+)".*?base64,([^"]*)"', text)
    assert [frame for frame, _ in figures] == ["4", "5"]
    sheet = cv2.imread(str(tmp_path / "roto.review" / "contact_sheet.png"))[..., ::-1]
    for index, (frame, packed) in enumerate(figures):
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(packed), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert shown.shape == (180, 320, 3)
        right = 180 if frame == "4" else 120
        # 0.2 linear is 124 in sRGB; half of it and half of (0.90, 0.62, 0.00).
        for picture in (shown, sheet[4:184, 4 + 324 * index :]):
            assert off(picture[70:110, 70 : right - 10], (177, 141, 62)) < 8
            assert off(picture[130:170, 20:300], (124, 124, 124)) < 4
            assert off(picture[66:114, right + 10 : 300], (124, 124, 124)) < 8
        assert off(shown[90, 60], (230, 158, 0)) < 60, "the outline is the tint itself"
    label = sheet[4:25, 4:40]
    assert label.min() < 40 and label.max() > 200


def a_jump(folder, aspect=1.0):
    """Plate and mattes of 90 x 90 pixels of some aspect; on frame 4 the object's area jumps."""
    window = Window(0, 0, 90, 90)
    info = PlateInfo("", "openexr", "half", window, window, pixel_aspect=aspect)
    for frame in range(1, 7):
        grey = np.full((90, 90), 0.2, np.float32)
        layers = dict.fromkeys(("red", "green", "blue"), grey)
        write_mattes(folder / f"plate.{frame:04d}.exr", layers, plate=info)
        matte = np.zeros((90, 90), np.float32)
        matte[30:60, 20 : 50 + 30 * (frame == 4)] = 1
        write_matte(folder / f"roto.{frame:04d}.exr", matte, plate=info)


@pytest.mark.parametrize("arguments", [[], ["--plate", "plate.%04d.exr"]])
def test_pictures_have_square_pixels(tmp_path, monkeypatch, arguments):
    a_jump(tmp_path, aspect=2.0)
    monkeypatch.chdir(tmp_path)
    assert review("roto.%04d.exr", *arguments) == 0
    assert pictures(tmp_path / "roto.review")["4"].shape == (160, 320, 3)


def test_a_damaged_plate_is_black_on_the_page(tmp_path, monkeypatch):
    """On the frame of a picture; the other one is shown."""
    a_jump(tmp_path)
    path = tmp_path / "plate.0004.exr"
    path.write_bytes(path.read_bytes()[:-200])
    monkeypatch.chdir(tmp_path)
    assert review("roto.%04d.exr", "--plate", "plate.%04d.exr") == 0
    shown = pictures(tmp_path / "roto.review")
    assert shown["4"].shape == shown["5"].shape == (320, 320, 3)
    assert off(shown["4"][200:, :40], (24, 24, 24)) < 8
    assert off(shown["5"][240:, :40], (124, 124, 124)) < 8


def pictures(folder):
    """Frame -> picture on the page of the one object reviewed."""
    figures = re.findall(r'id="m0f(\d+)".*?base64,([^"]*)"', (folder / "index.html").read_text())
    return {
        frame: cv2.imdecode(np.frombuffer(base64.b64decode(packed), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        for frame, packed in figures
    }


def points_of(drawn, kind):
    """Points (x, y) of every line of a kind."""
    lines = re.findall(rf'<polyline class="{kind}" points="([^"]*)"/>', drawn)
    return [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]


def test_lines_are_drawn_through_every_score():
    scores = {
        frame: MatteScore(5.0, frame / 10, 0.02 * frame, 0.5, prompted=frame == 3)
        for frame in range(1, 11)
        if frame != 7
    }
    verdict = judge(Strand("hero", "", range(1, 11)), scores)
    drawn = timeline(verdict, lambda frame: f"#{frame}")
    before, after = points_of(drawn, "network")
    assert len(before) == 6 and len(after) == 3, "broken where frame 7 is missing"
    steps = np.diff([x for x, _ in before + after])
    np.testing.assert_allclose(steps, [92] * 5 + [184] + [92] * 2, atol=0.11)
    # The field is 120 high and begins at 8: 1 is at 8, 0 at 128.
    tenths = [y for _, y in before + after]
    np.testing.assert_allclose(tenths, [128 - 12 * frame for frame in scores], atol=0.06)
    np.testing.assert_allclose([y for line in points_of(drawn, "area") for _, y in line], tenths, atol=0.06)
    assert {y for line in points_of(drawn, "edge") for _, y in line} == {68.0}
    assert points_of(drawn, "ways") == []
    assert drawn.count('<circle class="prompt"') == 1
    assert drawn.count('<rect class="check"') == len(verdict.places) > 0


def test_mattes_that_are_not_there(tmp_path, capsys):
    assert review(tmp_path / "{object}.%04d.exr") == ExitCode.INPUT
    assert "There are no mattes named" in capsys.readouterr().err


def flagged_run(name, frames, worst):
    """A verdict that flags every frame of a run, the worst in its midst."""
    scores = {frame: MatteScore(5.0, 0.1 if frame == worst else 0.3, 0.1) for frame in frames}
    return judge(Strand(name, "", frames), scores)


def leads_to(text, id):
    """The tag that is around an anchor, or is it itself: a figure or a row of a table."""
    before = text[: text.index(f'id="{id}"')]
    return "figure" if before.rfind("<figure") > before.rfind("<tr") else "tr"


def test_every_frame_to_check_has_an_anchor_with_a_picture_or_without():
    run = flagged_run("hero", range(1001, 1010), 1005)
    (place,) = run.places
    assert (place.first, place.worst, place.last) == (1001, 1005, 1009) and len(run.checks) == 9
    chosen = wanted([run])
    pictures = [Thumbnail(run, one.frame, np.zeros((9, 16, 3), np.uint8)) for one in chosen]
    text = "".join(page("run", [run], chosen, pictures))
    seen = check_page(text)
    for frame in run.checks:
        assert {f"f{frame}", f"m0f{frame}"} <= seen.ids
        tag = "figure" if frame in (1001, 1005, 1009) else "tr"
        assert (leads_to(text, f"f{frame}"), leads_to(text, f"m0f{frame}")) == (tag, tag)
    assert "#m0f1001" in seen.links


def test_anchors_where_there_are_more_pictures_than_a_page_takes():
    one, other = (
        judge(
            Strand(name, "", range(200)),
            {frame: MatteScore(5.0, 0.9 - 0.7 * (frame % 3 == 0), 0.1) for frame in range(start, 200)},
        )
        for name, start in (("hero", 0), ("car", 90))
    )
    chosen = wanted([one, other])
    assert len(chosen) == 60 < len(one.checks) + len(other.checks)
    pictures = [Thumbnail(it.verdict, it.frame, np.zeros((9, 16, 3), np.uint8)) for it in chosen]
    text = "".join(page("many", [one, other], chosen, pictures))
    seen = check_page(text)
    pictured = {it.frame for it in chosen}
    for index, verdict in enumerate((one, other)):
        assert len(verdict.checks) > 60
        for frame in verdict.checks:
            assert {f"f{frame}", f"m{index}f{frame}"} <= seen.ids
            assert leads_to(text, f"f{frame}") == ("figure" if frame in pictured else "tr")


def test_names_cannot_break_out_of_the_page():
    name = "\"><script>alert(1)</script>&'"
    verdict = judge(Strand(name, name, range(1, 4)), {1: MatteScore(1.0, 0.1, 0.1), 3: MatteScore(-1.0, 0.1)})
    seen = check_page("".join(page(name, [verdict], [], [])))
    assert name in seen.text


def test_a_page_of_a_long_shot_stays_small():
    scores = {frame: MatteScore(5.0, 0.5 + 0.4 * (frame % 7 > 0), 0.1) for frame in range(20000)}
    verdict = judge(Strand("hero", "", range(20000)), scores)
    text = "".join(page("long", [verdict], [], []))
    assert len(text) < 3_000_000


def test_legs_reach_from_every_prompt_outward_and_stop_where_the_object_is_lost():
    seen = MatteScore(5.0, 0.9, 0.1)
    scores = dict.fromkeys(range(1, 21), seen)
    scores[5] = dataclasses.replace(seen, prompted=True)
    scores[15] = MatteScore(-1.0, 0.1)
    assert list(legs(scores, 4)) == [
        [[1, 2, 3, 4, 5]],
        [[9, 8, 7, 6, 5], [13, 12, 11, 10, 9], [14, 13], [20, 19, 18, 17, 16]],
    ]
