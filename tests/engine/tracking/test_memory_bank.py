"""What a frame recalls, by property against a second reading of the rules."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.tracking.memory_bank import FrameMemory, MemoryBank, Reach, nearest_prompted, select

FIRST, LAST = 1001, 1060
frames = st.integers(FIRST, LAST)


@st.composite
def situations(draw: st.DrawFn) -> tuple[int, list[int], set[int], bool]:
    prompted = draw(st.lists(frames, min_size=1, max_size=6, unique=True))
    tracked = draw(st.sets(frames)) - set(prompted)
    return draw(frames), prompted, tracked, draw(st.booleans())


@given(situations())
def test_all_prompted_frames_come_first_in_slot_zero(situation) -> None:
    frame, prompted, tracked, reverse = situation
    maps = select(frame, prompted, tracked, first=FIRST, last=LAST, reverse=reverse).maps
    assert [key for key, slot in maps if slot == 0] == prompted
    assert len(maps) - len(prompted) <= 6


@given(situations())
def test_tracked_slots_count_distance(situation) -> None:
    frame, prompted, tracked, reverse = situation
    maps = select(frame, prompted, tracked, first=FIRST, last=LAST, reverse=reverse).maps
    sign = 1 if reverse else -1
    expected = [
        (frame + sign * distance, 7 - distance)
        for distance in range(6, 0, -1)
        if frame + sign * distance in tracked
    ]
    assert [pair for pair in maps if pair[1] > 0] == expected


@given(situations())
def test_pointers_come_from_the_past_only(situation) -> None:
    frame, prompted, tracked, reverse = situation
    pointers = select(frame, prompted, tracked, first=FIRST, last=LAST, reverse=reverse).pointers
    assert all(other >= frame if reverse else other <= frame for other in pointers)
    assert len(set(pointers)) == len(pointers)
    assert len([other for other in pointers if other in tracked]) <= 15


@given(situations(), st.integers(2, 4))
def test_a_limit_takes_one_on_each_side_first(situation, limit: int) -> None:
    frame, prompted, _, _ = situation
    chosen = nearest_prompted(frame, prompted, limit)
    assert len(chosen) == min(limit, len(prompted))
    before = [key for key in prompted if key < frame]
    after = [key for key in prompted if key >= frame]
    assert not before or max(before) in chosen
    assert not after or min(after) in chosen


@given(situations(), st.integers(2, 4))
def test_a_stride_recalls_its_multiples_and_the_neighbour(situation, stride: int) -> None:
    frame, prompted, tracked, reverse = situation
    reach = Reach(stride=stride)
    maps = select(frame, prompted, tracked, first=FIRST, last=LAST, reverse=reverse, reach=reach).maps
    neighbour = frame + 1 if reverse else frame - 1
    for other, slot in maps:
        if slot == 6:
            assert other == neighbour
        elif slot:
            assert (other - FIRST) % stride == 0


def memory() -> FrameMemory:
    return FrameMemory(
        logits=torch.zeros(4, 4),
        predicted_iou=torch.ones(1),
        object_score=1.0,
        pointer=torch.zeros(8),
        memory_map=torch.zeros(2, 1, 1, dtype=torch.bfloat16),
    )


@settings(max_examples=40)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=3, unique=True), st.booleans(), st.integers(1, 3))
def test_pruning_never_drops_what_a_pass_recalls(prompted, reverse: bool, stride: int) -> None:
    """A pass with pruning recalls the same frames as one that keeps everything."""
    reach = Reach(stride=stride)
    bank = MemoryBank(reach, prompted={key: memory() for key in prompted})
    everything: set[int] = set()
    order = range(300, -1, -1) if reverse else range(301)
    for frame in order:
        if frame in bank.prompted:
            continue
        arguments = dict(first=0, last=300, reverse=reverse, reach=reach)
        kept = select(frame, prompted, bank.tracked, **arguments)
        assert kept == select(frame, prompted, everything, **arguments)
        assert all(bank.get(other).memory_map is not None for other, _ in kept.maps)
        bank.tracked[frame] = memory()
        everything.add(frame)
        bank.prune(frame)
        assert len(bank.tracked) <= (len(prompted) + 1) * (2 * max(16, 7 * stride) + 1)
