"""Every form of output from a job that runs for real: the same mattes, resumed, and read by others."""

import dataclasses
import json
import os
import struct

import cv2
import numpy as np
import pytest

from efficienttam.batch.matte_form import matte_form
from efficienttam.cli import main
from efficienttam.contract.document import from_json, to_json, write_job
from efficienttam.contract.job import Compression, DataWindow, Depth, Layout, Output, PlateMetadata
from efficienttam.media import read_roto, read_texts
from efficienttam.run import run_job
from efficienttam.worker.disk_mattes import disk_mattes, scored_mattes

FORMS = {
    "exr": Output("out/{object}.%04d.exr", depth=Depth.FLOAT),
    "content": Output("out/{object}.%04d.exr", depth=Depth.FLOAT, data_window=DataWindow.CONTENT),
    "dwaa": Output("out/all.%04d.exr", Layout.LAYER_PER_OBJECT, compression=Compression.DWAA),
    "cryptomatte": Output("out/ids.%04d.exr", Layout.CRYPTOMATTE),
    "ids_in_a_box": Output("out/ids.%04d.exr", Layout.CRYPTOMATTE, "ids", data_window=DataWindow.CONTENT),
    "png": Output("out/{object}.%04d.png"),
    "png_rgba": Output("out/{object}.%04d.png", layer="rgba"),
    "tiff": Output("out/{object}.%04d.tif"),
    "tiff_rgba_float": Output("out/{object}.%04d.tiff", layer="rgba", depth=Depth.FLOAT),
}
FRAMES = range(1001, 1004)


@pytest.fixture
def apart(job):
    """The job with each pixel given to one object, over three frames: what any form can hold."""
    tracking = dataclasses.replace(job.tracking, non_overlapping=True)
    hero, sky = job.objects
    hero = dataclasses.replace(hero, prompts=hero.prompts[:1])
    frames = dataclasses.replace(job.range, first=FRAMES[0], last=FRAMES[-1])
    return dataclasses.replace(job, tracking=tracking, objects=(hero, sky), range=frames)


def mattes_on_disk(job, folder):
    output = dataclasses.replace(job.output, path=os.path.join(folder, job.output.path))
    form, found = matte_form(output), {}
    for frame in FRAMES:
        for name in ("hero", "sky"):
            path = output.path.replace("{object}", name) % frame
            found[name, frame] = form.read(path, [name])[name]
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_mattes_and_resumes(apart, tiny_plate, form):
    folder = str(tiny_plate)
    plain = dataclasses.replace(apart, output=Output("plain/{object}.%04d.exr", depth=Depth.FLOAT))
    run_job(plain, folder=folder)
    truth = mattes_on_disk(plain, folder)
    assert any(0.01 < matte.mean() < 0.99 for matte in truth.values())

    job = from_json(to_json(dataclasses.replace(apart, output=FORMS[form])))
    first = run_job(job, folder=folder)
    assert (first.made, first.kept) == (6, 0)
    found = mattes_on_disk(job, folder)
    for key, matte in truth.items():
        np.testing.assert_allclose(found[key], matte, atol=6e-4 if form == "dwaa" else 1e-5, err_msg=str(key))

    again = run_job(job, folder=folder, resume=True)
    assert (again.made, again.kept) == (0, 6)
    with open(first.written[1], "r+b") as file:
        file.truncate(os.path.getsize(first.written[1]) - 20)
    repaired = run_job(job, folder=folder, resume=True)
    assert first.written[1] in repaired.written and repaired.kept >= 4
    renamed = dataclasses.replace(job, tracking=dataclasses.replace(job.tracking, fill_hole_area=0))
    assert run_job(renamed, folder=folder, resume=True).made == 6


@pytest.mark.parametrize("form", FORMS)
def test_hosts_are_shown_every_form(apart, tiny_plate, form):
    job = dataclasses.replace(apart, output=FORMS[form])
    run_job(job, folder=str(tiny_plate), frames=(1002, 1002))
    output = dataclasses.replace(FORMS[form], path=str(tiny_plate / FORMS[form].path))
    shown = disk_mattes(output, ["sky", "hero"], 1002, "", 64)
    assert [matte.name for matte in shown] == ["sky", "hero"]
    assert all(matte.png and matte.score.predicted_iou for matte in shown)
    (alone,) = disk_mattes(output, ["hero"], 1002, "", 64)
    assert alone == shown[1]
    told = scored_mattes(output, ["sky", "hero"], 1002, "")
    assert [matte.score for matte in told] == [matte.score for matte in shown]
    assert disk_mattes(output, ["sky", "nobody"], 1003, "", 64) == ()


def test_a_picture_is_read_by_others_and_tells_what_made_it(apart, tiny_plate):
    Image = pytest.importorskip("PIL.Image")
    for form in ("png", "tiff"):
        job = dataclasses.replace(apart, output=FORMS[form])
        (path, _) = run_job(job, folder=str(tiny_plate), frames=(1002, 1002)).written
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("I;16", (96, 54))
            pixels = np.asarray(image)
            note = image.info["Description"] if form == "png" else image.tag_v2[270]
            assert not {"srgb", "gamma"} & set(image.info)
        np.testing.assert_allclose(pixels / 65535, read_roto(path), atol=1e-6)
        told = json.loads(note)
        assert told["efficienttam/frame"] == "1002" and len(told["efficienttam/recipe"]) == 64
        assert read_texts(path, ["efficienttam/recipe"]) == {
            "efficienttam/recipe": told["efficienttam/recipe"]
        }


def test_the_date_of_a_tiff_is_one(apart, tiny_plate):
    """TIFF 6.0: 20 bytes, the last one 0. The same in every file: files are the same from run to run."""
    Image = pytest.importorskip("PIL.Image")
    (path, _) = run_job(
        dataclasses.replace(apart, output=FORMS["tiff"]), folder=str(tiny_plate), frames=(1002, 1002)
    ).written
    with Image.open(path) as image:
        assert image.tag_v2[306] == "1970:01:01 00:00:00"
    with open(path, "rb") as file:
        data = file.read()
    assert data.count(b"1970:01:01 00:00:00\0") == 1
    assert struct.pack("<HHI", 306, 2, 20) in data


def test_rgba_pictures_hold_the_matte_in_every_channel(apart, tiny_plate):
    Image = pytest.importorskip("PIL.Image")
    job = dataclasses.replace(apart, output=FORMS["png_rgba"])
    (path, _) = run_job(job, folder=str(tiny_plate), frames=(1002, 1002)).written
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    assert (pixels == pixels[..., :1]).all() and pixels.any()


PICTURES = {
    "png": (FORMS["png"], np.uint16, 2),
    "png_rgba": (FORMS["png_rgba"], np.uint16, 3),
    "tiff": (FORMS["tiff"], np.uint16, 2),
    "tiff_rgba": (Output("out/{object}.%04d.tif", layer="rgba"), np.uint16, 3),
    "tiff_float": (Output("out/{object}.%04d.tif", depth=Depth.FLOAT), np.float32, 2),
    "tiff_rgba_float": (FORMS["tiff_rgba_float"], np.float32, 3),
}


@pytest.mark.parametrize("form", PICTURES)
def test_pictures_have_the_same_pixels_in_full_depth_for_another_reader(apart, tiny_plate, form):
    """libpng and libtiff by OpenCV against the OpenEXR binding: no reader of ours on either side."""
    OpenEXR = pytest.importorskip("OpenEXR")
    output, depth, dimensions = PICTURES[form]
    plain = dataclasses.replace(apart, output=Output("plain/{object}.%04d.exr", depth=Depth.FLOAT))
    run_job(plain, folder=str(tiny_plate), frames=(1002, 1002))
    job = dataclasses.replace(apart, output=output)
    written = run_job(job, folder=str(tiny_plate), frames=(1002, 1002)).written
    greys = 0
    for path in written:
        name = os.path.basename(path).split(".")[0]
        with OpenEXR.File(str(tiny_plate / f"plain/{name}.1002.exr"), separate_channels=True) as file:
            truth = file.channels()["A"].pixels
        pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        assert (pixels.dtype, pixels.ndim, pixels.shape[:2]) == (depth, dimensions, truth.shape)
        largest = 65535 if depth is np.uint16 else 1
        for plane in np.atleast_3d(pixels).transpose(2, 0, 1):
            np.testing.assert_allclose(plane / largest, truth, atol=0.51 / 65535)
        assert dimensions == 2 or pixels.shape[2] == 4
        greys += np.count_nonzero((truth > 0) & (truth < 1))
    assert len(written) == 2 and greys > 100


HEADED = {
    "exr": FORMS["exr"],
    "layers": Output("out/all.%04d.exr", Layout.LAYER_PER_OBJECT),
    "cryptomatte": FORMS["cryptomatte"],
}


def add_to_headers(oiio, folder):
    """What a camera, a renderer and a studio write into plates."""
    for frame in FRAMES:
        path = str(folder / f"plate.{frame}.exr")
        source = oiio.ImageInput.open(path)
        spec, pixels = source.spec(), source.read_image("half")
        source.close()
        spec.attribute("worldToCamera", oiio.TypeMatrix, (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, frame, 0, 0, 1))
        spec.attribute("cameraFocalLength", 35.0)
        spec.attribute("reelName", "A001")
        spec.attribute("comments", f"take 3, frame {frame}")
        spec.attribute("framesPerSecond", oiio.TypeRational, (24000, 1001))
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, (0x01020304 + frame - 1001, 0))
        spec.attribute("compression", "piz")
        spec.attribute("cryptomatte/1234567/name", "stale")
        spec.attribute("chromaticities", "float[8]", (0.7, 0.3, 0.2, 0.7, 0.1, 0.0, 0.3, 0.3))
        spec.attribute("studio/node_hash", "0123")
        target = oiio.ImageOutput.create(path)
        assert target.open(path, spec) and target.write_image(pixels) and target.close()


@pytest.mark.parametrize("form", HEADED)
def test_the_plate_s_header_goes_on_as_far_as_asked(apart, tiny_plate, form):
    oiio = pytest.importorskip("OpenImageIO")
    add_to_headers(oiio, tiny_plate)

    def attributes(carry):
        output = dataclasses.replace(HEADED[form], plate_metadata=carry)
        job = dataclasses.replace(apart, output=output)
        path = run_job(job, folder=str(tiny_plate), frames=(1002, 1002)).written[0]
        source = oiio.ImageInput.open(path)
        found = {entry.name: entry.value for entry in source.spec().extra_attribs}
        source.close()
        return found, (found.get("framesPerSecond"), found.get("smpte:TimeCode"))

    found, clock = attributes(PlateMetadata.NONE)
    assert not {"worldToCamera", "reelName", "cameraFocalLength", "ImageDescription"} & set(found)
    assert clock == (None, None)
    found, clock = attributes(PlateMetadata.ESSENTIAL)
    assert found["reelName"] == "A001" and "worldToCamera" not in found
    assert clock == ((24000, 1001), (0x01020305, 0))
    found, clock = attributes(PlateMetadata.ALL)
    assert found["worldToCamera"][12] == 1002 and found["cameraFocalLength"] == 35
    # OpenImageIO's word for EXR's "comments".
    assert found["ImageDescription"] == "take 3, frame 1002"
    assert clock == ((24000, 1001), (0x01020305, 0))
    assert found["compression"] == "zips" and "chromaticities" not in found
    stale = [name for name, value in found.items() if "node_hash" in name or value == "stale"]
    own = {name.split("/")[1] for name in found if name.startswith("cryptomatte/")}
    assert stale == [] and "1234567" not in own and len(own) == (form == "cryptomatte")


def test_a_picture_s_description_holds_the_essentials_of_the_plate(apart, tiny_plate):
    oiio = pytest.importorskip("OpenImageIO")
    add_to_headers(oiio, tiny_plate)
    picture = dataclasses.replace(apart, output=FORMS["tiff"])
    path = run_job(picture, folder=str(tiny_plate), frames=(1002, 1002)).written[0]
    told = read_texts(path, ["timecode", "framesPerSecond", "reelName"])
    assert told == {"timecode": "01:02:03:05", "framesPerSecond": "24000/1001", "reelName": "A001"}
    assert read_texts(path, ["comments"]) == {"comments": ""}
    everything = dataclasses.replace(FORMS["tiff"], plate_metadata=PlateMetadata.ALL)
    job = dataclasses.replace(apart, output=everything)
    path = run_job(job, folder=str(tiny_plate), frames=(1002, 1002)).written[0]
    assert read_texts(path, ["comments"]) == {"comments": "take 3, frame 1002"}


@pytest.mark.parametrize("form", ["cryptomatte", "png", "dwaa"])
def test_every_form_is_reviewed(apart, tiny_plate, form, monkeypatch, capsys):
    monkeypatch.chdir(tiny_plate)
    job = dataclasses.replace(apart, output=FORMS[form])
    run_job(job, folder=str(tiny_plate))
    write_job(job, "shot.job.json")
    before = main(["review", "shot.job.json", "--json", "--progress", "none"])
    of_the_job = json.loads(capsys.readouterr().out)
    assert before == 0 and os.path.isfile("shot.review/index.html")
    assert main(["review", FORMS[form].path, "--json", "--progress", "none"]) == 0
    of_files = json.loads(capsys.readouterr().out)
    for told in (of_the_job, of_files):
        text = json.dumps(told)
        assert "hero" in text and "sky" in text and "no matte" not in text
