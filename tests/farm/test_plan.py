"""The plan, by property: nothing is made twice, nothing is left out, nothing waits for itself."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.job import Layout, Mattes, Output, Plate, Refine, TrackedObject, Tracking, TrackJob
from efficienttam.contract.passes import Between, Direction, Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.contract.site_settings import FarmSettings, SeparateMattes, TrackObjects
from efficienttam.farm.plan import chunks, object_groups, plan_shot, separate_mattes, tracked_together
from efficienttam.farm.task import Shot, Step, Task
from efficienttam.tracking.spans import heard, words_of

FIRST, LAST = 1001, 1040
CLICK, BOX = {"include": ((3.0, 4.0),)}, {"box": (1.0, 2.0, 3.0, 4.0)}

frames = st.integers(FIRST, LAST)
regions = st.sampled_from([None, None, Region(), Region(name="both"), Region(Follow.PROMPTS)])


@st.composite
def things(draw: st.DrawFn) -> tuple[TrackedObject, ...]:
    shared = draw(st.lists(frames, max_size=3, unique=True))
    made = []
    for number in range(draw(st.integers(1, 3))):
        own = draw(st.lists(frames, min_size=1, max_size=3, unique=True))
        order = draw(st.permutations(sorted({*own, *shared})))
        prompts = tuple(Prompt(frame, **(draw(st.sampled_from([CLICK, BOX])))) for frame in order)
        made.append(TrackedObject(f"object{number}", prompts, draw(regions)))
    return tuple(made)


jobs = st.builds(
    TrackJob,
    plate=st.just(Plate("plate.%04d.exr")),
    objects=things(),
    output=st.builds(Output, st.just("{object}.%04d.exr"), st.sampled_from(Layout)),
    tracking=st.builds(
        Tracking,
        direction=st.sampled_from(Direction),
        between=st.sampled_from(Between),
        recall=st.sampled_from(Recall),
        non_overlapping=st.booleans(),
    ),
    mattes=st.builds(Mattes, refine=st.sampled_from(Refine), steady_frames=st.integers(0, 2)),
)
settings = st.builds(
    FarmSettings,
    embed_chunk=st.integers(1, 50),
    matte_chunk=st.integers(1, 50),
    separate_mattes=st.sampled_from(SeparateMattes),
    objects=st.sampled_from(TrackObjects),
    least_span=st.integers(1, 15),
    shared_cache=st.booleans(),
)
views = st.sampled_from([{"": (FIRST, LAST)}, {"left": (FIRST, LAST), "right": (FIRST, LAST + 3)}])


def of(tasks: tuple[Task, ...], step: Step) -> list[Task]:
    return [task for task in tasks if task.step is step]


def own_frames(job: TrackJob, thing: TrackedObject, ends: tuple[int, int]) -> set[int]:
    prompted = [prompt.frame for prompt in thing.prompts]
    return {f for f in range(ends[0], ends[1] + 1) if job.tracking.direction.reaches(f, prompted)}


def names_of(job: TrackJob, task: Task) -> tuple[str, ...]:
    return task.objects or tuple(thing.name for thing in job.objects)


@given(jobs, views, settings)
def test_every_matte_is_in_one_tracking_task(job: TrackJob, ranges, farm: FarmSettings) -> None:
    tasks = plan_shot(job, ranges, farm)
    made = Counter(
        (task.view, name, frame)
        for task in of(tasks, Step.TRACK)
        for name in names_of(job, task)
        for frame in range(task.frames[0], task.frames[1] + 1)
    )
    wanted = {
        (view, thing.name, frame)
        for view, ends in ranges.items()
        for thing in job.objects
        for frame in own_frames(job, thing, ends)
    }
    assert wanted <= set(made)
    assert set(made.values()) == {1}


@given(jobs, views, settings)
def test_spans_tile_what_is_reached_and_begin_where_all_are_prompted(job, ranges, farm) -> None:
    tasks = plan_shot(job, ranges, farm)
    for view, ends in ranges.items():
        for names in {names_of(job, task) for task in of(tasks, Step.TRACK)}:
            held = [thing for thing in job.objects if thing.name in names]
            cut = [t.frames for t in of(tasks, Step.TRACK) if t.view == view and names_of(job, t) == names]
            reached = set().union(*(own_frames(job, thing, ends) for thing in held))
            assert [f for a, b in cut for f in range(a, b + 1)] == sorted(reached)
            for start, _ in cut[1:]:
                assert all(start in {p.frame for p in thing.prompts} for thing in held)
            if len(cut) > 1:
                assert min(b - a + 1 for a, b in cut) >= min(farm.least_span, 2)
                assert job.tracking.recall is Recall.NEIGHBOURS


@given(jobs, views, settings)
def test_chunks_hold_every_reached_frame_once(job: TrackJob, ranges, farm: FarmSettings) -> None:
    tasks = plan_shot(job, ranges, farm)
    for step, size in ((Step.EMBED, farm.embed_chunk), (Step.MATTES, farm.matte_chunk)):
        for view, ends in ranges.items():
            held = [task.frames for task in of(tasks, step) if task.view == view]
            reached = set().union(*(own_frames(job, thing, ends) for thing in job.objects))
            assert not held or [f for a, b in held for f in range(a, b + 1)] == sorted(reached)
            assert all(b - a + 1 <= size for a, b in held)


@given(st.integers(-50, 50), st.integers(1, 300), st.integers(1, 60))
def test_chunks_are_few_and_of_one_length(first: int, count: int, size: int) -> None:
    *all_but_last, last = (b - a + 1 for a, b in chunks((first, first + count - 1), size))
    assert len(all_but_last) == -(-count // size) - 1
    assert len(set(all_but_last)) <= 1 and last <= max(all_but_last, default=size)
    assert sum(all_but_last) + last == count


parts = st.tuples(frames, frames).map(sorted).map(tuple)


@given(jobs, parts, settings)
def test_a_part_of_the_range_is_all_that_is_made(job: TrackJob, part, farm: FarmSettings) -> None:
    tasks = plan_shot(job, {"": (FIRST, LAST)}, farm, part)
    made = {
        (name, frame)
        for task in of(tasks, Step.TRACK)
        for name in names_of(job, task)
        for frame in range(task.frames[0], task.frames[1] + 1)
    }
    wanted = {
        (thing.name, frame)
        for thing in job.objects
        for frame in own_frames(job, thing, (FIRST, LAST)) & set(range(part[0], part[1] + 1))
    }
    assert wanted <= made
    assert {frame for _, frame in made} <= set(range(part[0], part[1] + 1))
    assert all(task.passed >= 0 for task in tasks)


@given(jobs, views, settings)
def test_no_step_waits_for_a_later_one_and_names_are_apart(job: TrackJob, ranges, farm) -> None:
    shot = Shot("sh010", "sh010.job.json", "", plan_shot(job, ranges, farm))
    order = list(Step)
    steps = shot.steps()
    for step in steps:
        assert all(order.index(before) < order.index(step) for before in shot.needed(step))
    assert [len(shot.needed(step)) for step in steps] == [0] + [1] * (len(steps) - 1)
    assert [task.step for task in shot.tasks] == sorted((t.step for t in shot.tasks), key=order.index)
    assert len({task.name for task in shot.tasks}) == len(shot.tasks)
    assert steps[-1] is Step.VERIFY and len(shot.of(Step.VERIFY)) == 1


@given(jobs, settings)
def test_who_writes_a_shared_file_has_all_objects(job: TrackJob, farm: FarmSettings) -> None:
    shared = job.output.layout is not Layout.FILE_PER_OBJECT or job.tracking.non_overlapping
    tasks = plan_shot(job, {"": (FIRST, LAST)}, farm)
    apart = separate_mattes(job, farm)
    assert all(task.records == apart for task in of(tasks, Step.TRACK))
    assert bool(of(tasks, Step.MATTES)) == apart
    writers = of(tasks, Step.MATTES if apart else Step.TRACK)
    if shared:
        assert all(task.objects == () for task in writers)
    if farm.separate_mattes is not SeparateMattes.AUTO:
        assert apart == (farm.separate_mattes is SeparateMattes.ALWAYS)


@given(jobs)
def test_a_first_pass_is_planned_where_a_region_follows_tracking(job: TrackJob) -> None:
    tasks = plan_shot(job, {"": (FIRST, LAST)}, FarmSettings())
    follows = any(thing.region and thing.region.follow is Follow.TRACK for thing in job.objects)
    assert len(of(tasks, Step.REGIONS)) == follows


@given(things(), st.booleans())
def test_passed_frames_are_those_that_heard_corrections_need(held, every: bool) -> None:
    """Held against a walk per frame: what each frame hears, and how far off each heard correction is."""
    recall = Recall.ALL if every else Recall.NEIGHBOURS
    wish = Tracking(recall=recall)
    job = TrackJob(Plate("p.%04d.exr"), held, Output("{object}.%04d.exr"), tracking=wish)
    farm = FarmSettings(objects=TrackObjects.APART, least_span=1)
    for task in of(plan_shot(job, {"": (FIRST, LAST)}, farm), Step.TRACK):
        (thing,) = [thing for thing in held if thing.name in names_of(job, task)]
        order = [prompt.frame for prompt in thing.prompts]
        words = words_of(thing.prompts)
        needed = set(order) if every else set()
        for frame in range(task.frames[0], task.frames[1] + 1):
            needed.update(() if every else heard(frame, words))
        expected = sum(
            min(abs(word.frame - earlier) for earlier in order[:at])
            for at, word in enumerate(words)
            if word.corrects and word.frame in needed
        )
        assert task.passed == expected


def planned(*held: TrackedObject, first: int = 1001, last: int = 1040, **more: object) -> list[Task]:
    job = TrackJob(Plate("p.%04d.exr"), held, Output("{object}.%04d.exr"))
    farm = FarmSettings(least_span=1)
    job = replace(job, **{name: value for name, value in more.items() if name in ("tracking", "mattes")})
    farm = replace(farm, **{name: value for name, value in more.items() if hasattr(farm, name)})
    return of(plan_shot(job, {"": (first, last)}, farm), Step.TRACK)


def hero(*frames: int, name: str = "hero", **more: object) -> TrackedObject:
    return TrackedObject(name, tuple(Prompt(frame, **BOX) for frame in frames), **more)


def test_a_shot_is_cut_at_its_prompts() -> None:
    assert [task.span for task in planned(hero(1010, 1020))] == ["1001-1009", "1010-1019", "1020-1040"]


def test_a_prompt_on_the_last_frame_begins_no_span() -> None:
    assert [task.span for task in planned(hero(1001, 1040))] == ["1001-1040"]


def test_backward_the_last_span_holds_its_prompt() -> None:
    tracking = Tracking(direction=Direction.BACKWARD)
    assert [t.span for t in planned(hero(1010, 1020), tracking=tracking)] == ["1001-1009", "1010-1020"]


def test_short_spans_are_joined() -> None:
    keys = hero(*range(1001, 1041, 5))
    assert [task.span for task in planned(keys, least_span=12)] == ["1001-1015", "1016-1040"]


def test_objects_of_one_picture_stay_together_and_those_of_regions_do_not() -> None:
    found = planned(
        hero(1001, 1020),
        hero(1001, 1010, 1020, name="sky"),
        hero(1001, name="hand", region=Region()),
    )
    assert [(task.objects, task.span) for task in found] == [
        (("hero", "sky"), "1001-1019"),
        (("hero", "sky"), "1020-1040"),
        (("hand",), "1001-1040"),
    ]


def test_a_correction_is_reached_by_the_spans_beside_it_alone() -> None:
    thing = TrackedObject(
        "hero", (Prompt(1001, **BOX), Prompt(1030, **BOX), Prompt(1011, **CLICK), Prompt(1035, **BOX))
    )
    told = [(task.span, task.passed) for task in planned(thing)]
    assert told == [("1001-1010", 10), ("1011-1029", 10), ("1030-1034", 0), ("1035-1040", 0)]


def test_what_steadies_the_ends_of_a_span_is_passed() -> None:
    never = {"mattes": Mattes(steady_frames=2), "separate_mattes": SeparateMattes.NEVER}
    assert [task.passed for task in planned(hero(1001, 1020), **never)] == [1, 2]
    assert [task.passed for task in planned(hero(1001, 1020), mattes=Mattes(steady_frames=2))] == [0, 0]


def test_a_part_is_tracked_to_from_its_prompt() -> None:
    job = TrackJob(Plate("p.%04d.exr"), (hero(1001),), Output("{object}.%04d.exr"))
    (task,) = of(plan_shot(job, {"": (1001, 1040)}, FarmSettings(), (1021, 1025)), Step.TRACK)
    assert (task.span, task.passed) == ("1021-1025", 19)


def test_a_blend_is_tracked_twice() -> None:
    (task, _) = planned(hero(1001, 1011), tracking=Tracking(between=Between.BLEND))
    assert task.passed == 9


def test_objects_that_share_a_file_are_grouped_by_the_settings() -> None:
    held = (hero(1001), hero(1001, name="sky"))
    job = TrackJob(Plate("p.%04d.exr"), held, Output("all.%04d.exr", Layout.LAYER_PER_OBJECT))
    apart = FarmSettings(objects=TrackObjects.APART)
    assert [len(group) for group in object_groups(job, FarmSettings())] == [2]
    assert [len(group) for group in object_groups(job, apart)] == [1, 1]
    never = replace(apart, separate_mattes=SeparateMattes.NEVER)
    assert [len(group) for group in object_groups(job, never)] == [2]


def test_a_shared_region_is_one_group() -> None:
    held = (hero(1001, region=Region(name="both")), hero(1001, name="sky", region=Region(name="both")))
    job = TrackJob(Plate("p.%04d.exr"), held, Output("{object}.%04d.exr"))
    assert [len(group) for group in tracked_together(job)] == [2]


@pytest.mark.parametrize("module", ["plan", "task"])
def test_planning_needs_no_network_library(module: str) -> None:
    code = f"import sys, efficienttam.farm.{module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numpy", "cv2", "OpenImageIO"} & set(loaded.split())
