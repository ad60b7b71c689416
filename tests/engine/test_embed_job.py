"""Jobs over the embedding cache: what is not done again, and that no pixel depends on it."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import pytest

from efficienttam.batch.progress import SilentProgress
from efficienttam.cli import main
from efficienttam.contract.cache_settings import (
    CacheSettings,
    FileIdentity,
    Storage,
    cache_settings,
)
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import Cancelled, ExitCode, JobError, OutputError
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.sizes import format_size, parse_size
from efficienttam.embed import embed_job
from efficienttam.media import FrameSequence
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.run import preview_job, run_job

OFF = CacheSettings()


@pytest.fixture
def job(job):
    """On one thread: nothing may depend on how sums are shared out."""
    return dataclasses.replace(job, model=dataclasses.replace(job.model, threads=1))


@pytest.fixture
def cache(tmp_path):
    return CacheSettings(str(tmp_path / "embeddings"), 2**30)


@pytest.fixture
def counted(monkeypatch):
    """How often the image encoder ran and pixels of the plate were read, since this was last cleared."""
    counts = {"encoded": 0, "read": 0}
    encode, read = EfficientTAM.encode_image, FrameSequence.read

    def encoding(self, image):
        counts["encoded"] += 1
        return encode(self, image)

    def reading(self, frame):
        counts["read"] += 1
        return read(self, frame)

    monkeypatch.setattr(EfficientTAM, "encode_image", encoding)
    monkeypatch.setattr(FrameSequence, "read", reading)

    def take():
        taken = (counts["encoded"], counts["read"])
        counts.update(encoded=0, read=0)
        return taken

    return take


def sums(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def embeddings(cache):
    return [name for _, _, names in os.walk(cache.folder) for name in names]


@pytest.mark.parametrize("storage", Storage)
def test_mattes_are_the_same_with_a_cold_a_warm_and_no_cache(job, tiny_plate, cache, counted, storage):
    cache = dataclasses.replace(cache, storage=storage)
    folder = str(tiny_plate)
    run_job(job, folder=folder, cache=cache)
    cold = sums(tiny_plate / "out")
    assert counted() == (6, 6) and len(embeddings(cache)) == 6

    run_job(job, folder=folder, cache=cache)
    assert counted() == (0, 0)
    assert sums(tiny_plate / "out") == cold

    run_job(job, folder=folder, cache=dataclasses.replace(OFF, storage=storage))
    assert counted() == (6, 6)
    assert sums(tiny_plate / "out") == cold


def test_another_word_costs_no_image_encoder(job, tiny_plate, cache, counted):
    run_job(job, folder=str(tiny_plate), cache=cache)
    counted()
    hero, sky = job.objects
    more = dataclasses.replace(sky, prompts=(*sky.prompts, Prompt(1006, include=((40, 10),))))
    run_job(dataclasses.replace(job, objects=(hero, more)), folder=str(tiny_plate), cache=cache)
    assert counted() == (0, 0)
    preview_job(job, 1004, folder=str(tiny_plate), cache=cache)
    assert counted() == (0, 1), "the preview shows the plate"


def test_a_touched_or_changed_frame_and_a_bad_file_are_made_anew(job, tiny_plate, cache, counted):
    run_job(job, folder=str(tiny_plate), cache=cache)
    whole, counts = sums(tiny_plate / "out"), counted()
    plate = tiny_plate / "plate.1004.exr"
    state = os.stat(plate)
    os.utime(plate, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    run_job(job, folder=str(tiny_plate), cache=cache)
    assert counts == (6, 6) and counted() == (1, 1)

    one = sorted(embeddings(cache))[0]
    path = os.path.join(cache.folder, one[:2], one)
    with open(path, "r+b") as file:
        file.truncate(1000)
    os.utime(plate, ns=(state.st_atime_ns, state.st_mtime_ns))
    run_job(job, folder=str(tiny_plate), cache=cache)
    assert counted()[0] <= 1
    assert sums(tiny_plate / "out") == whole


def test_any_part_may_be_embedded_and_nothing_twice(job, tiny_plate, cache, counted):
    folder = str(tiny_plate)
    first = embed_job(job, folder=folder, frames=(1003, 1004), cache=cache)
    assert (first.made, first.kept, counted()) == (2, 0, (2, 2))
    rest = embed_job(job, folder=folder, cache=cache)
    assert (rest.made, rest.kept, counted()) == (4, 2, (4, 4))
    assert (embed_job(job, folder=folder, cache=cache).made, counted()) == (0, (0, 0))
    run_job(job, folder=folder, cache=cache)
    assert counted() == (0, 0)
    with pytest.raises(JobError, match=r"not in the job's range"):
        embed_job(job, folder=folder, frames=(1, 2), cache=cache)


def test_copies_share_embeddings_by_content(job, tiny_plate, cache, counted, tmp_path_factory):
    cache = dataclasses.replace(cache, identity=FileIdentity.CONTENT)
    embed_job(job, folder=str(tiny_plate), cache=cache)
    counted()
    other = tmp_path_factory.mktemp("farm")
    for path in tiny_plate.glob("plate.*.exr"):
        (other / path.name).write_bytes(path.read_bytes())
    assert embed_job(job, folder=str(other), cache=cache).made == 0
    assert (
        embed_job(job, folder=str(other), cache=dataclasses.replace(cache, identity=FileIdentity.STAT)).made
        == 6
    )


def test_embedding_tells_why_it_cannot_keep_anything(job, tiny_plate, tmp_path, cache):
    with pytest.raises(JobError, match="cache is off"):
        embed_job(job, folder=str(tiny_plate), cache=OFF)
    (tmp_path / "file").touch()
    blocked = dataclasses.replace(cache, folder=str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match=r"kept in .*: .*file is a file\. Remove that file, or name"):
        embed_job(job, folder=str(tiny_plate), cache=blocked)
    with pytest.raises(OutputError, match="may hold 1000 bytes"):
        embed_job(job, folder=str(tiny_plate), cache=dataclasses.replace(cache, budget=1000))
    run_job(job, folder=str(tiny_plate), cache=blocked)


def test_stopping_and_progress(job, tiny_plate, cache):
    class Told(SilentProgress):
        def __init__(self):
            self.files, self.begun, self.said = [], None, []

        def begin(self, count, kept, unit="matte"):
            self.begun = (count, kept, unit)

        def wrote(self, frame, view, path):
            self.files.append(path)

        def status(self, text):
            self.said.append(text)

    told = Told()
    with pytest.raises(Cancelled):
        embed_job(job, told, folder=str(tiny_plate), cache=cache, stop=lambda: len(told.files) >= 2)
    assert told.begun == (6, 0, "embedding") and len(embeddings(cache)) == 2
    size = os.path.getsize(told.files[0])
    small = CacheSettings(cache.folder + "2", 3 * size)
    told = Told()
    with pytest.raises(OutputError) as caught:
        embed_job(job, told, folder=str(tiny_plate), cache=small)
    assert any("the oldest will be dropped" in text for text in told.said)
    there = len(embeddings(small))
    assert there <= 3
    assert caught.value.message.startswith(f"6 embeddings made, 0 kept, and {there} of 6 are there")
    assert "--cache-size" in caught.value.remedy and caught.value.exit_code is ExitCode.OUTPUT


@pytest.fixture
def document(job, tiny_plate):
    path = tiny_plate / "hero.job.json"
    write_job(job, str(path))
    return str(path)


@pytest.mark.slow
def test_two_processes_that_fill_one_cache_at_once_give_the_files_of_one(job, document, tiny_plate, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "efficienttam", "embed", document, "--cache", str(tmp_path / "two")]
    both = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    alone = CacheSettings(str(tmp_path / "one"), 2**30)
    embed_job(job, folder=str(tiny_plate), cache=alone)
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == ExitCode.OK, said
    assert len(sums(tmp_path / "one")) == 6
    assert sums(tmp_path / "two") == sums(tmp_path / "one")


def test_the_cache_commands(document, tmp_path, capsys):
    place = ["--cache", str(tmp_path / "c"), "--cache-size", "1G"]

    def say(*arguments):
        code = main(["cache", *arguments, *place])
        return code, capsys.readouterr().out

    assert main(["embed", document, *place, "--progress", "json"]) == ExitCode.OK
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["embeddings"] for event in events if event["event"] == "begin"] == [6]
    assert sum(event["event"] == "wrote" for event in events) == 6
    assert not any(event["event"] == "passing" for event in events)

    code, text = say("info", "--json")
    about = json.loads(text)
    assert (code, about["embeddings"], about["budget"]) == (ExitCode.OK, 6, 2**30)
    assert "6 embeddings" in say("info")[1]
    assert say("verify") == (ExitCode.OK, "6 embeddings, none bad\n")

    bad = sorted((tmp_path / "c").rglob("*.safetensors"))[0]
    bad.write_bytes(b"something else")
    (tmp_path / "c" / "notes.txt").touch()
    code, text = say("verify")
    assert code == ExitCode.INCOMPLETE and str(bad) in text and "6 embeddings, 1 bad" in text and bad.exists()
    code, text = say("verify", "--remove")
    assert code == ExitCode.OK and "removed" in text and not bad.exists()

    old = sorted((tmp_path / "c").rglob("*.safetensors"))[0]
    os.utime(old, (0, 0))
    assert say("clear", "--older-than", "30d")[1].startswith("removed 1 embedding, ")
    assert say("clear", "--older-than", "soon")[0] == ExitCode.USAGE
    assert say("clear")[1].startswith("removed 4 embeddings")
    assert [path.name for path in (tmp_path / "c").rglob("*") if path.is_file()] == ["notes.txt"]


@pytest.mark.parametrize("what", ["info", "verify", "clear"])
def test_the_cache_commands_with_no_cache(what, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "ab").symlink_to("ab")
    (tmp_path / "held" / "cd").touch()
    for place, said in {
        "off": "cache is off. Name its folder with --cache",
        str(tmp_path / "none"): f"There is no embedding cache {tmp_path / 'none'}. Name its folder",
        str(tmp_path / "file"): f"{tmp_path / 'file'} is no folder: a file is in its place. Name its folder",
        str(tmp_path / "file" / "c"): "is no folder",
        str(tmp_path / "loop"): f"cache {tmp_path / 'loop'} cannot be looked through",
        str(tmp_path / "held"): f"cannot be looked through: {tmp_path / 'held' / 'ab'}: ",
    }.items():
        assert main(["cache", what, "--cache", place]) == ExitCode.USAGE
        told = capsys.readouterr()
        assert said in told.err and told.out == ""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EFFICIENTTAM_CACHE", "")
    assert main(["cache", what]) == ExitCode.OK, "nothing was cached yet, and no place was named"


def test_a_folder_under_the_name_of_an_embedding(job, tiny_plate, cache, capsys):
    place = ["--cache", cache.folder]
    assert embed_job(job, folder=str(tiny_plate), cache=cache).made == 6
    empty, full = (os.path.join(cache.folder, name[:2], name) for name in sorted(embeddings(cache))[:2])
    for path in (empty, full):
        os.remove(path)
        os.mkdir(path)
    with open(os.path.join(full, "notes.txt"), "w"):
        pass
    assert main(["cache", "verify", *place]) == ExitCode.INCOMPLETE
    told = capsys.readouterr().out
    assert f"{empty}: it is a folder\n" in told and f"{full}: it is a folder\n" in told and "2 bad" in told
    assert main(["cache", "verify", "--remove", *place]) == ExitCode.INCOMPLETE
    told = capsys.readouterr().out
    assert f"{empty}: it is a folder, removed\n" in told
    assert f"{full}: it is a folder, cannot be removed: remove it by hand\n" in told
    with pytest.raises(OutputError, match=r"in the embedding cache is no embedding.*Remove it by hand"):
        embed_job(job, folder=str(tiny_plate), cache=cache)
    assert main(["cache", "clear", *place]) == ExitCode.OUTPUT
    assert full in capsys.readouterr().err and os.listdir(full) == ["notes.txt"]


def test_settings_come_from_the_options_then_the_environment_then_the_platform(monkeypatch, tmp_path):
    for name in ("EFFICIENTTAM_CACHE", "EFFICIENTTAM_CACHE_SIZE", "EFFICIENTTAM_CACHE_IDENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plain = cache_settings()
    if sys.platform == "linux":
        assert plain.folder == str(tmp_path / "efficienttam" / "embeddings")
    assert 0 < plain.budget <= 20 * 2**30 and plain.storage is Storage.FLOAT16
    assert list(tmp_path.iterdir()) == [], "looking makes no folder"
    monkeypatch.setenv("EFFICIENTTAM_CACHE", str(tmp_path / "shared"))
    monkeypatch.setenv("EFFICIENTTAM_CACHE_SIZE", "1.5T")
    monkeypatch.setenv("EFFICIENTTAM_CACHE_IDENTITY", "content")
    said = cache_settings()
    assert (said.folder, said.budget) == (str(tmp_path / "shared"), 3 * 2**39)
    assert said.identity is FileIdentity.CONTENT
    mine = cache_settings(str(tmp_path / "mine"), "500 MB", "int8", "stat")
    assert mine == CacheSettings(str(tmp_path / "mine"), 500 * 2**20, Storage.INT8, FileIdentity.STAT)
    assert cache_settings("off").folder == "" == cache_settings(size="0").folder
    monkeypatch.setenv("EFFICIENTTAM_CACHE", "OFF")
    assert cache_settings().budget == 0
    with pytest.raises(JobError, match="identify"):
        cache_settings(identity="colour")
    monkeypatch.setenv("EFFICIENTTAM_CACHE", "x")
    with pytest.raises(JobError, match="not a size"):
        cache_settings(size="much")


@pytest.mark.parametrize(
    ("text", "count"),
    [("20G", 20 * 2**30), ("1.5 GiB", 3 * 2**29), ("7", 7), ("2k", 2048), (" 3 tb ", 3 * 2**40)],
)
def test_sizes(text, count):
    assert parse_size(text) == count
    assert abs(parse_size(format_size(count).replace(" bytes", "")) - count) <= count * 0.05


@pytest.mark.parametrize("text", ["", "G", "-1G", "1X", "1e9", "١٢x"])
def test_what_is_no_size(text):
    with pytest.raises(JobError):
        parse_size(text)
