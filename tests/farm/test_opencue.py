"""OpenCue: specifications of the right form, launched by the real client, read as Cuebot reads them."""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scheduler_plans import NotingProgram, odd_shot, one_object, plan, stereo, words_of

from efficienttam.contract.errors import JobError
from efficienttam.contract.site_settings import OpenCue
from efficienttam.farm import opencue
from efficienttam.farm.submission import SubmissionError
from efficienttam.farm.task import FarmPlan, Shot, Step, Task

HERE = Path(__file__).parent
#: A file of Cuebot's own (cjsl-1.12.dtd or a later one), to hold specifications against it too.
OWN_FORM = "EFFICIENTTAM_CUEBOT_DTD"


@pytest.fixture(autouse=True)
def an_artist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuebot takes no jobs of root, who may run the tests."""
    monkeypatch.setenv("LOGNAME", "artist")
    if hasattr(os, "getuid"):
        monkeypatch.setattr(os, "getuid", lambda: 1234)


@pytest.fixture
def cuebot(monkeypatch: pytest.MonkeyPatch, loopback: None) -> Iterator[Any]:
    """A Cuebot on this machine that the client finds."""
    pytest.importorskip("opencue", reason="OpenCue's client is not here: pip install opencue-pycue.")
    import opencue as client
    from loopback_cuebot import LoopbackCuebot

    server = LoopbackCuebot()
    monkeypatch.setenv("CUEBOT_HOSTS", server.host)
    client.Cuebot.setHosts([server.host])
    client.Cuebot.RpcChannel = None
    yield server
    server.close()
    client.Cuebot.RpcChannel = None


def specifications(of: FarmPlan, folder: Path) -> list[ElementTree.Element]:
    return [ElementTree.parse(path).getroot() for path in opencue.write(of, str(folder))]


def commands_of(root: ElementTree.Element) -> list[list[str]]:
    """The words of every frame's command, as Cuebot puts them in and a shell parts them."""
    commands = []
    for layer in root.iter("layer"):
        first, _, last = (layer.findtext("range") or "").partition("-")
        size = int(layer.findtext("chunk") or 0)
        numbers = range(int(first), int(last or first) + 1)
        for at in range(0, len(numbers), size):
            text = layer.findtext("cmd") or ""
            text = text.replace("#FRAME_START#", str(numbers[at]))
            # Cuebot adds the chunk, whether there are so many frames or not.
            text = text.replace("#FRAME_END#", str(numbers[at] + size - 1))
            commands.append(shlex.split(text))
    return commands


@pytest.mark.parametrize("shot", [one_object(), stereo()], ids=lambda shot: shot.name)
def test_the_form_is_that_of_cuebot(shot: Shot, tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree", reason="lxml, which holds XML against a form, is not here.")
    (path,) = opencue.write(plan(shot), str(tmp_path))
    form = etree.DTD(str(HERE / "cuebot_form.dtd"))
    document = etree.parse(path)
    assert form.validate(document), form.error_log
    layer = document.find(".//layer")
    layer.remove(layer.find("range"))
    assert not form.validate(document)


@pytest.mark.parametrize("shot", [one_object(), stereo()], ids=lambda shot: shot.name)
def test_the_form_is_that_of_a_cuebots_own_file(shot: Shot, tmp_path: Path) -> None:
    own = os.environ.get(OWN_FORM)
    if not own:
        pytest.skip(f"{OWN_FORM} names no file of Cuebot's own.")
    etree = pytest.importorskip("lxml.etree", reason="lxml, which holds XML against a form, is not here.")
    (path,) = opencue.write(plan(shot), str(tmp_path))
    form = etree.DTD(own)
    assert form.validate(etree.parse(path)), form.error_log


def test_every_task_is_one_frame_of_one_layer(tmp_path: Path) -> None:
    whole = plan()
    roots = specifications(whole, tmp_path)
    assert [words for root in roots for words in commands_of(root)] == words_of(whole, "plain")


def test_layers_say_what_they_do(tmp_path: Path) -> None:
    one, two = specifications(plan(), tmp_path)
    assert [layer.get("name") for layer in one.iter("layer")] == [
        "embed_1001_1080",
        "embed_1081_1100",
        "track_1001_1061",
        "track_1062_1100",
        "verify_1001_1100",
    ]
    names = [layer.get("name") for layer in two.iter("layer")]
    assert "track_right_the_prop_1_50" in names and len(names) == 11


def test_what_a_layer_asks_for(tmp_path: Path) -> None:
    (root,) = specifications(plan(one_object()), tmp_path)
    layers = {layer.get("name"): {part.tag: part.text for part in layer} for layer in root.iter("layer")}
    track, verify = layers["track_1001_1061"], layers["verify_1001_1100"]
    assert (track["cores"], track["threadable"], track["memory"]) == ("8.0", "True", "12800m")
    assert (track["gpus"], track["gpu_memory"], track["timeout"]) == ("1", "6144m", "90")
    assert track["tags"] == "general | comp"
    assert (track["range"], track["chunk"]) == ("1001", "1")
    assert "gpus" not in verify
    assert (root.findtext("facility"), root.findtext("show"), root.findtext("shot")) == (
        "local",
        "testing",
        "sh010",
    )
    assert (root.findtext("user"), root.findtext("uid")) == ("artist", "1234")
    job = root.find("job")
    assert job is not None and job.get("name") == "comp_sh010"
    assert (job.findtext("priority"), job.findtext("maxretries")) == ("60", "2")


def test_a_layer_waits_for_all_of_the_step_before(tmp_path: Path) -> None:
    (root,) = specifications(plan(one_object()), tmp_path)
    waits = [(depend.findtext("deplayer"), depend.findtext("onlayer")) for depend in root.iter("depend")]
    assert waits == [
        ("track_1001_1061", "embed_1001_1080"),
        ("track_1001_1061", "embed_1081_1100"),
        ("track_1062_1100", "embed_1001_1080"),
        ("track_1062_1100", "embed_1081_1100"),
        ("verify_1001_1100", "track_1001_1061"),
        ("verify_1001_1100", "track_1062_1100"),
    ]


def test_the_real_client_launches_them(cuebot: Any, tmp_path: Path) -> None:
    whole = plan()
    paths = opencue.write(whole, str(tmp_path))
    names = opencue.submit(whole, str(tmp_path))
    assert names == ["testing-sh010-artist_comp_sh010", "testing-sh020_v2-artist_comp_sh020_v2"]
    assert cuebot.specifications == [Path(path).read_text(encoding="utf-8") for path in paths]


def test_names_that_cuebot_makes_alike_stay_apart(cuebot: Any, tmp_path: Path) -> None:
    shots = [dataclasses.replace(one_object(), name=name) for name in ("A-1", "a_1", "b")]
    whole = FarmPlan("My Show", tuple(shots), plan().settings)
    opencue.write(whole, str(tmp_path))
    assert opencue.submit(whole, str(tmp_path)) == [
        "testing-a_1-artist_my_show_a_1",
        "testing-a_1-artist_my_show_a_1_2",
        "testing-shot_b-artist_my_show_b",
    ]


def test_a_refusal_tells_the_reason_and_what_was_launched(cuebot: Any, tmp_path: Path) -> None:
    whole = plan(one_object(), stereo(), opencue=OpenCue(tags=("general",)))
    opencue.write(whole, str(tmp_path))
    opencue.submit(whole, str(tmp_path))
    with pytest.raises(SubmissionError, match=r"refused sh010: .*already pending.*Nothing was launched"):
        opencue.submit(whole, str(tmp_path))
    later = FarmPlan("later", whole.shots, whole.settings)
    opencue.write(later, str(tmp_path))
    text = (tmp_path / "sh020_v2" / "opencue.xml").read_text(encoding="utf-8")
    (tmp_path / "sh020_v2" / "opencue.xml").write_text(text.replace("general", "x"), encoding="utf-8")
    with pytest.raises(
        SubmissionError, match=r"name x is not .*Launched before it: testing-sh010-artist_later"
    ):
        opencue.submit(later, str(tmp_path))


def test_root_is_refused_in_cuebots_words(
    cuebot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    whole = plan(one_object())
    opencue.write(whole, str(tmp_path))
    with pytest.raises(SubmissionError, match=r"Cannot launch jobs as root\. Nothing was launched\."):
        opencue.submit(whole, str(tmp_path))


def test_a_cuebot_that_is_gone_is_told(cuebot: Any, tmp_path: Path) -> None:
    whole = plan(one_object())
    opencue.write(whole, str(tmp_path))
    cuebot.close()
    with pytest.raises(SubmissionError, match="OpenCue refused sh010"):
        opencue.submit(whole, str(tmp_path))


def test_without_the_client_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencue", None)
    whole = plan(one_object())
    (path,) = opencue.write(whole, str(tmp_path))
    with pytest.raises(SubmissionError, match="pip install opencue-pycue"):
        opencue.submit(whole, str(tmp_path))
    assert os.path.isfile(path)


def test_a_shell_gets_the_very_words(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("There is no POSIX shell here.")
    program = NotingProgram(tmp_path)
    whole = plan(odd_shot(tmp_path), command=program.command, weights="/a `b` $c/wéights")
    (root,) = specifications(whole, tmp_path)
    for layer in root.iter("layer"):
        if layer.findtext("chunk") == "1":
            subprocess.run(["/bin/sh", "-c", layer.findtext("cmd") or ""], check=True)
    assert program.calls() == [words[2:] for words in words_of(whole, "plain")[2:]]


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12), min_size=1, max_size=4)
)
@example(["/a b/c", 'a"b', "", "it's", "$HOME `x` !", "é ü", "C:\\a b\\", "\\\\server\\x y", "a\\b", "#x"])
def test_words_come_through_a_shell(words: list[str]) -> None:
    assert shlex.split(" ".join(map(opencue.quoted, words))) == words


def test_a_windows_path_with_a_blank_is_in_the_quotes_of_both(tmp_path: Path) -> None:
    assert opencue.quoted("C:\\shots of today\\sh010.json") == '"C:\\shots of today\\sh010.json"'


def test_what_cuebot_would_replace_is_refused(tmp_path: Path) -> None:
    shot = dataclasses.replace(one_object(), document="/jobs/#JOB#/sh010.job.json")
    with pytest.raises(JobError, match="what OpenCue replaces"):
        opencue.write(plan(shot), str(tmp_path))


def test_frames_below_zero_are_told_in_words(tmp_path: Path) -> None:
    tasks = (Task(Step.EMBED, (-20, -11)), Task(Step.EMBED, (-10, -1)), Task(Step.TRACK, (-20, -1)))
    whole = plan(dataclasses.replace(one_object(), tasks=tasks))
    (root,) = specifications(whole, tmp_path)
    assert commands_of(root) == words_of(whole, "plain")
    assert {layer.findtext("range") for layer in root.iter("layer")} == {"0"}


def test_more_layers_than_cuebot_takes_are_refused(tmp_path: Path) -> None:
    tasks = tuple(Task(Step.TRACK, (at, at)) for at in range(1001))
    with pytest.raises(JobError, match="1001 layers; OpenCue takes 1000"):
        opencue.write(plan(dataclasses.replace(one_object(), tasks=tasks)), str(tmp_path))
