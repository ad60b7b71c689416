"""Who decides on a frame, by property."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.passes import Between, Direction
from efficienttam.tracking.object_track import ObjectTrack
from efficienttam.tracking.spans import Word, heard, neighbours, share, spans_touched

prompted_frames = st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True).map(sorted)


@given(prompted_frames, st.integers(0, 60), st.sampled_from(Between), st.sampled_from(Direction))
def test_a_direction_reaches_what_has_a_share(prompted, frame: int, between: Between, way: Direction) -> None:
    assert way.reaches(frame, prompted[::-1]) == (share(frame, prompted, between, way) is not None)


@given(prompted_frames, st.integers(0, 60), st.sampled_from(Between))
def test_both_directions_reach_every_frame(prompted, frame: int, between: Between) -> None:
    part = share(frame, prompted, between, Direction.BOTH)
    assert part is not None and (part.forward or part.backward)
    assert 0 <= part.weight <= 1
    if frame < prompted[0]:
        assert not part.forward
    if frame > prompted[-1]:
        assert not part.backward


@given(prompted_frames, st.integers(0, 60))
def test_the_nearer_prompt_decides(prompted, frame: int) -> None:
    part = share(frame, prompted, Between.NEAREST, Direction.BOTH)
    nearest = min(abs(frame - key) for key in prompted)
    before = [frame - key for key in prompted if key <= frame]
    assert part.forward == (bool(before) and min(before) == nearest)


def test_a_blend_moves_evenly_from_one_prompt_to_the_next() -> None:
    weights = [share(frame, [0, 4], Between.BLEND, Direction.BOTH).weight for frame in range(5)]
    assert weights == [1.0, 0.75, 0.5, 0.25, 1.0]


def test_one_direction_stops_at_its_first_prompt() -> None:
    assert share(3, [5, 9], Between.NEAREST, Direction.FORWARD) is None
    assert share(10, [5, 9], Between.NEAREST, Direction.BACKWARD) is None
    assert share(8, [5, 9], Between.NEAREST, Direction.FORWARD).forward
    assert share(6, [5, 9], Between.NEAREST, Direction.BACKWARD).backward


@given(prompted_frames, st.integers(0, 60))
def test_neighbours_are_the_closest_on_each_side(prompted, frame: int) -> None:
    found = neighbours(frame, prompted)
    assert 1 <= len(found) <= 2
    assert not [key for key in prompted if found[0] < key < found[-1]]


def test_a_correction_touches_the_span_up_to_its_neighbours() -> None:
    assert spans_touched([20], [1, 10, 20, 30, 40], 1, 50) == [range(10, 31)]
    assert spans_touched([40], [1, 10, 20, 30, 40], 1, 50) == [range(30, 51)]
    assert spans_touched([20], [1, 10, 30], 1, 50) == [range(10, 31)]
    assert spans_touched([20, 30], [1, 10, 20, 30, 40], 1, 50) == [range(10, 41)]
    assert spans_touched([], [1], 1, 50) == []


@given(st.lists(st.integers(0, 40), max_size=40))
def test_covered_ranges_hold_what_was_tracked_and_nothing_else(visited: list[int]) -> None:
    track = ObjectTrack(id=1, name="a", memory=None)
    for frame in visited:
        track.cover(frame)
    assert {frame for frame in range(41) if track.is_covered(frame)} == set(visited)
    assert all(a[1] + 1 < b[0] for a, b in zip(track.covered, track.covered[1:], strict=False))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True), st.integers(0, 30), st.data())
def test_what_is_heard_holds_the_neighbours_and_what_their_corrections_stand_on(frames, frame, data):
    corrects = [index > 0 and data.draw(st.booleans()) for index in range(len(frames))]
    words = [Word(key, word) for key, word in zip(frames, corrects, strict=True)]
    found = heard(frame, words)
    assert set(neighbours(frame, sorted(frames))) <= set(found) <= set(frames)
    for index, word in enumerate(words):
        if word.frame in found and word.corrects:
            assert set(neighbours(word.frame, sorted(frames[:index]))) <= set(found)
    if not any(corrects):
        assert found == neighbours(frame, sorted(frames))
    # Words that are not heard may be left out: the rest hears the same.
    left = [word for word in words if word.frame in found]
    assert heard(frame, left) == found
