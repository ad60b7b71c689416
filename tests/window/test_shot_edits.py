"""What the artist does to a shot, without a window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.errors import JobError, PromptError
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.window.shot_edits import ShotEdits, beside, checked, ready_objects, unready_names


def test_the_first_click_makes_the_first_object():
    edits = ShotEdits(frame=1001)
    assert edits.click(10, 20, True)
    assert [thing.name for thing in edits.sheet.objects] == ["object1"]
    assert edits.prompt == Prompt(1001, include=((10, 20),))
    assert edits.undo() and edits.sheet == PromptSheet() and edits.object is None
    assert edits.redo() and edits.prompt == Prompt(1001, include=((10, 20),))


def test_a_point_said_twice_is_as_said_last():
    edits = ShotEdits(frame=1)
    edits.click(10, 20, True)
    edits.click(10, 20, False)
    edits.click(30, 20, True)
    assert edits.prompt == Prompt(1, include=((30, 20),), exclude=((10, 20),))


def test_a_box_joins_points_and_a_roto():
    sheet = PromptSheet().with_object("hero", "a").with_prompt("a", Prompt(5, mask=RotoFile("r.exr")))
    edits = ShotEdits(sheet, 5)
    edits.click(1, 2, False)
    edits.drag((50, 40), (10, 20))
    assert edits.prompt == Prompt(5, (), ((1, 2),), (10, 20, 50, 40), RotoFile("r.exr"))
    with pytest.raises(PromptError):
        edits.drag((50, 40), (51, 90))


def test_erasing_takes_the_nearest_point_and_at_last_the_prompt():
    edits = ShotEdits(frame=1)
    edits.click(10, 10, True)
    edits.click(14, 10, False)
    assert not edits.erase(40, 40, 5)
    assert edits.erase(13, 10, 5) and edits.prompt == Prompt(1, include=((10, 10),))
    assert edits.erase(13, 10, 5) and edits.prompt is None


def test_what_tells_the_object_goes_first():
    edits = ShotEdits(frame=10)
    edits.click(1, 1, False)
    assert ready_objects(edits.sheet) == () and unready_names(edits.sheet) == ("object1",)
    edits.frame = 20
    edits.click(2, 2, True)
    assert [prompt.frame for prompt in edits.object.prompts] == [20, 10]
    assert unready_names(edits.sheet) == ()
    edits.delete_prompt(edits.current, 20)
    assert unready_names(edits.sheet) == ("object1",)


def test_undo_goes_to_the_frame_of_the_change():
    edits = ShotEdits(frame=1)
    edits.click(1, 1, True)
    edits.frame = 30
    edits.click(2, 2, True)
    edits.frame = 7
    assert edits.last_change.what == "Include a point of object1"
    edits.undo()
    assert edits.frame == 30 and edits.sheet.prompted == (1,)
    edits.undo()
    assert edits.frame == 1 and not edits.undo()


def test_the_current_object_is_always_one_of_the_sheet():
    edits = ShotEdits(frame=1)
    edits.add_object()
    edits.add_object()
    assert edits.object.name == "object2"
    edits.remove_object(edits.current)
    assert edits.object.name == "object1"
    edits.undo()
    assert edits.object.name == "object2"
    edits.undo()
    edits.undo()
    assert edits.object is None and edits.sheet.objects == ()


def test_names_that_a_job_would_refuse():
    edits = ShotEdits(PromptSheet().with_object("hero", "a").with_object("car", "b"))
    for name in ("Hero", "two words", "", "x" * 65, "1st"):
        with pytest.raises(JobError):
            edits.rename_object("b", name)
    assert edits.rename_object("b", "Car") and not edits.rename_object("b", "Car")


def test_hovering_adds_to_what_is_said_on_the_frame_and_changes_nothing():
    edits = ShotEdits(frame=3)
    hovered = edits.hovered(5, 6, "hover_")
    assert hovered.prompts == (Prompt(3, include=((5, 6),)),) and edits.sheet == PromptSheet()
    edits.click(1, 1, True)
    edits.click(9, 9, False)
    assert edits.hovered(5, 6, "hover_").prompts == (Prompt(3, ((1, 1), (5, 6)), ((9, 9),)),)
    edits.frame = 4
    assert edits.hovered(5, 6, "hover_").prompts == (Prompt(4, include=((5, 6),)),)


def test_prompts_are_copied_to_the_current_frame():
    edits = ShotEdits(frame=3)
    edits.click(1, 1, True)
    edits.frame = 9
    edits.copy_prompt(edits.current, 3)
    assert edits.prompt == Prompt(9, include=((1, 1),))


def test_what_cannot_be_tracked_is_told():
    edits = ShotEdits(frame=3)
    assert "Nothing" in checked(edits.sheet, 1, 10).message
    edits.click(1, 1, True)
    assert checked(edits.sheet, 1, 10) is None
    assert "Frame 3" in checked(edits.sheet, 4, 10).message


def test_frames_beside():
    assert beside((1, 5, 9), 5, 1) == 9 and beside((1, 5, 9), 5, -1) == 1
    assert beside((1, 5, 9), 9, 1) is None and beside((), 9, -1) is None


deeds = st.one_of(
    st.tuples(st.just("click"), st.integers(0, 50), st.integers(0, 50), st.booleans()),
    st.tuples(
        st.just("drag"), st.tuples(st.integers(0, 20), st.just(0)), st.tuples(st.just(40), st.just(30))
    ),
    st.tuples(st.just("erase"), st.integers(0, 50), st.integers(0, 50), st.just(8)),
    st.tuples(st.just("add_object")),
    st.tuples(st.just("go"), st.integers(1, 4)),
)


@given(st.lists(deeds, max_size=25))
def test_undo_and_redo_walk_the_same_way(story):
    edits = ShotEdits(frame=1)
    seen = [edits.sheet]
    for name, *words in story:
        if name == "go":
            edits.frame = words[0]
        elif getattr(edits, name)(*words):
            seen.append(edits.sheet)
        assert all(thing.prompts[0].stands_alone for thing in ready_objects(edits.sheet))
        assert (edits.object is None) == (not edits.sheet.objects)
    for sheet in reversed(seen[:-1]):
        assert edits.undo() and edits.sheet == sheet
    assert not edits.undo()
    for sheet in seen[1:]:
        assert edits.redo() and edits.sheet == sheet
    assert not edits.redo()
