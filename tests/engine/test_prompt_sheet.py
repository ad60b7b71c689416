"""The prompt sheet as a value: changes, its text, and what it becomes in a job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.errors import JobError
from efficienttam.contract.prompt_sheet import (
    COLORS,
    SHEET_VERSION,
    PromptSheet,
    sheet_from_json,
    sheet_to_json,
)
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Region

COORDINATES = st.floats(-1e4, 1e4).map(lambda value: round(value, 3))
POINTS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4, unique=True)


@st.composite
def sheets(draw):
    sheet = PromptSheet()
    for _ in range(draw(st.integers(0, 4))):
        sheet = sheet.with_object()
        id = sheet.objects[-1].id
        for frame in draw(st.lists(st.integers(-5, 2000), max_size=4)):
            sheet = sheet.with_prompt(id, Prompt(frame, include=draw(POINTS)))
        sheet = sheet.shown(id, solo=draw(st.booleans()), mute=draw(st.booleans()))
    return sheet


@given(sheets())
def test_a_sheet_survives_its_text(sheet):
    assert sheet_from_json(sheet_to_json(sheet)) == sheet
    assert "\n" not in sheet_to_json(sheet)


def test_an_empty_text_is_an_empty_sheet():
    assert sheet_from_json("") == sheet_from_json(" ") == PromptSheet()


def test_a_roto_survives_its_text():
    sheet = PromptSheet().with_object("hero", "a1")
    sheet = sheet.with_prompt("a1", Prompt(1001, mask=RotoFile("roto.%04d.exr", "mask.a")))
    assert sheet_from_json(sheet_to_json(sheet)) == sheet
    assert "region" not in sheet_to_json(sheet)
    sheet = sheet.in_region("a1", Region())
    assert sheet_from_json(sheet_to_json(sheet)) == sheet
    assert sheet.tracked()[0].region == Region()


def test_objects_keep_id_and_get_names_and_colours_of_their_own():
    sheet = PromptSheet().with_object().with_object().with_object("hero")
    assert [thing.name for thing in sheet.objects] == ["object1", "object2", "hero"]
    assert [thing.color for thing in sheet.objects] == list(COLORS[:3])
    renamed = sheet.renamed(sheet.objects[0].id, "left")
    assert renamed.objects[0].id == sheet.objects[0].id
    assert sheet.objects[0].name == "object1"
    assert renamed.with_object().objects[-1].name == "object1"


@pytest.mark.parametrize("name", ["", "1st", "a b", "a.b", "ä", "a\n"])
def test_names_that_no_file_or_layer_can_have_are_refused(name):
    sheet = PromptSheet().with_object("hero")
    with pytest.raises(JobError):
        sheet.renamed(sheet.objects[0].id, name)


def test_a_name_that_is_taken_is_refused_but_its_own_is_not():
    sheet = PromptSheet().with_object("a").with_object("b")
    with pytest.raises(JobError, match="already"):
        sheet.renamed(sheet.objects[0].id, "b")
    assert sheet.renamed(sheet.objects[0].id, "a") == sheet


def test_a_prompt_takes_the_place_of_the_one_on_its_frame():
    sheet = PromptSheet().with_object("a", "a")
    for frame in (5, 3, 9):
        sheet = sheet.with_prompt("a", Prompt(frame, include=((1, 1),)))
    sheet = sheet.with_prompt("a", Prompt(3, box=(0, 0, 5, 5)))
    assert [prompt.frame for prompt in sheet.object("a").prompts] == [5, 3, 9]
    assert sheet.object("a").prompted == (3, 5, 9)
    assert sheet.object("a").prompt_on(3).box == (0, 0, 5, 5)
    assert sheet.without_prompt("a", 3).prompted == (5, 9)
    assert sheet.with_copied_prompt("a", 5, 7).object("a").prompt_on(7).include == ((1, 1),)
    with pytest.raises(JobError, match="no prompt on frame 4"):
        sheet.with_copied_prompt("a", 4, 7)


def test_a_job_gets_the_objects_that_have_prompts():
    sheet = PromptSheet().with_object("a", "a").with_object("b", "b")
    sheet = sheet.with_prompt("b", Prompt(1, include=((1, 1),)))
    assert [thing.name for thing in sheet.tracked()] == ["b"]


def test_solo_wins_over_others_and_mute_over_solo():
    sheet = PromptSheet().with_object("a", "a").with_object("b", "b").with_object("c", "c")

    def names(sheet):
        return [thing.name for thing in sheet.visible]

    assert names(sheet) == ["a", "b", "c"]
    assert names(sheet.shown("b", mute=True)) == ["a", "c"]
    assert names(sheet.shown("b", solo=True).shown("c", solo=True, mute=True)) == ["b"]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"version": 0}',
        '{"objects": []}',
        f'{{"version": {SHEET_VERSION + 1}, "objects": []}}',
        f'{{"version": {SHEET_VERSION}, "objects": [], "more": 1}}',
        f'{{"version": {SHEET_VERSION}, "objects": [{{"id": "a", "name": "x", "color": "red"}}]}}',
        f'{{"version": {SHEET_VERSION}, "objects": [{{"id": "a", "name": "x"}}, {{"id": "a", "name": "y"}}]}}',  # noqa: E501
    ],
)
def test_a_text_that_is_no_sheet_is_refused_with_a_sentence(text):
    with pytest.raises(JobError) as caught:
        sheet_from_json(text)
    assert caught.value.message.endswith(".") and caught.value.remedy
