"""Whatever part of a job is tracked, objects go through the network with whom they go in a whole run."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.passes import Between, Direction, Recall
from efficienttam.tracking.options import TrackerOptions
from efficienttam.tracking.range_tracker import RangeTracker

FIRST, LAST = 1, 24
frames = st.integers(FIRST, LAST)


def planned(prompted, options, direction, only, exact, first=FIRST, last=LAST):
    tracks = {
        id: SimpleNamespace(id=id, prompts=dict.fromkeys(sorted(keys))) for id, keys in enumerate(prompted)
    }
    tracker = SimpleNamespace(
        plate=SimpleNamespace(frames=range(FIRST, LAST + 1)),
        objects=tracks,
        track_of=tracks.__getitem__,
        check_prompted=lambda tracks: None,
        options=options,
        model=SimpleNamespace(config=SimpleNamespace(mask_side=4)),
    )
    return RangeTracker(tracker, first, last, direction, only, exact).runs


def together(runs, reverse):
    return {
        frame: {id for id, one in runs.items() if one.visits(frame, reverse)}
        for frame in range(FIRST, LAST + 1)
    }


@given(
    prompted=st.lists(st.sets(frames, min_size=1, max_size=4), min_size=1, max_size=4),
    wanted=st.lists(st.sets(frames, max_size=6), min_size=4, max_size=4),
    between=st.sampled_from(Between),
    recall=st.sampled_from(Recall),
    direction=st.sampled_from(Direction),
)
def test_every_frame_has_the_objects_of_a_whole_run(prompted, wanted, between, recall, direction):
    options = TrackerOptions(between=between, recall=recall)
    only = {id: [range(frame, frame + 1) for frame in wanted[id]] for id in range(len(prompted))}
    whole = planned(prompted, options, direction, None, True)
    plain = planned(prompted, options, direction, only, False)
    exact = planned(prompted, options, direction, only, True)
    for reverse in (False, True) if any(one.wanted for one in exact.values()) else ():
        full, less, mine = (together(runs, reverse) for runs in (whole, plain, exact))
        for frame in range(FIRST, LAST + 1):
            assert less[frame] <= mine[frame]
            assert mine[frame] in (set(), full[frame])
    assert {id: one.wanted for id, one in exact.items()} == {id: one.wanted for id, one in plain.items()}


def test_nothing_more_is_tracked_where_all_prompts_are_on_the_same_frames():
    options = TrackerOptions()
    only = {0: [range(9, 13)], 1: [range(9, 13)]}
    prompted = [{1, 8, 16}, {1, 8, 16}]
    for exact in (False, True):
        runs = planned(prompted, options, Direction.BOTH, only, exact)
        assert [one.forward for one in runs.values()] == [{8: 12}, {8: 12}]
        assert [one.backward for one in runs.values()] == [{}, {}]
