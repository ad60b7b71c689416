"""The play of a plan on machines: its bounds, its order, and what goes to and from the cache."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.job import Mattes, Model, Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.site_settings import FarmSettings
from efficienttam.farm.estimate import embedding_bytes, estimate
from efficienttam.farm.shot_job import ShotJob
from efficienttam.farm.simulation import BAR, simulate

FARM = FarmSettings(embed_chunk=50, embeddings_per_second=1.0, frames_per_second=2.0)
BOX = (1.0, 1.0, 9.0, 9.0)


def shot(name: str, keys: tuple[int, ...], steady: int = 0, priority: int | None = None) -> ShotJob:
    thing = TrackedObject("hero", tuple(Prompt(key, box=BOX) for key in keys))
    job = TrackJob(
        Plate("p.%04d.exr"),
        (thing,),
        Output(f"{name}/{{object}}.%04d.exr"),
        model=Model("efficienttam_s"),
        mattes=Mattes(steady_frames=steady),
    )
    return ShotJob(name, f"{name}.job.json", job, {"": (1001, 1200)}, (1920, 1080), priority=priority)


def played(jobs: list[ShotJob], machines: int, startup: float = 0.0):
    return simulate(jobs, [job.shot(job.name, FARM) for job in jobs], FARM, machines, startup)


def test_one_machine_works_all_the_time() -> None:
    one = played([shot("a", (1001,)), shot("b", (1001, 1101))], 1)
    assert one.busy == pytest.approx(1.0)
    assert one.hours == one.work_hours == pytest.approx(2 * (200 + 100) / 3600)


def test_a_chain_is_no_shorter_on_many_machines() -> None:
    many = played([shot("a", (1001,))], 100)
    assert many.hours == pytest.approx(many.critical_hours) == pytest.approx((50 + 100) / 3600)
    cut = played([shot("a", (1001, 1101))], 100)
    assert cut.hours == pytest.approx((50 + 50) / 3600)


@given(
    st.lists(st.sampled_from([(1001,), (1001, 1101), (1050, 1100, 1150)]), min_size=1, max_size=8),
    st.integers(1, 30),
)
def test_the_bounds_of_any_schedule_hold(keys: list[tuple[int, ...]], machines: int) -> None:
    jobs = [shot(f"s{number}", each, steady=number % 2) for number, each in enumerate(keys)]
    found = played(jobs, machines, startup=5.0)
    least = max(found.critical_hours, found.work_hours / machines)
    assert least * (1 - 1e-9) <= found.hours <= found.work_hours / machines + found.critical_hours + 1e-9
    assert 0 < found.busy <= 1 + 1e-9
    assert found.first_shot <= found.hours


def test_bytes_are_those_of_the_estimate() -> None:
    jobs = [shot("a", (1001,), steady=1), shot("b", (1001, 1101))]
    found = played(jobs, 3)
    told = estimate([(job, job.shot("x", FARM)) for job in jobs], FARM)
    assert found.cache_written == told.cache_bytes == 400 * embedding_bytes(jobs[0])
    assert found.cache_read == 400 * embedding_bytes(jobs[0])
    assert found.records_written == told.record_bytes > 0
    assert found.records_read > found.records_written
    # Three machines, each an embedding a second.
    assert found.most_written_per_second == pytest.approx(3 * embedding_bytes(jobs[0]), rel=0.01)
    assert BAR == 60.0


def test_what_is_urgent_goes_first() -> None:
    late = [shot(f"s{number}", (1001,)) for number in range(5)]
    urgent = [replace(late[-1], name="urgent", priority=90), *late[:-1]]
    assert played(urgent, 1).first_shot == pytest.approx(300 / 3600)
    behind = [*late[:-1], replace(late[-1], priority=90)]
    assert played(behind, 1).first_shot == pytest.approx(300 / 3600)
