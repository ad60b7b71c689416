"""A plan on a number of machines, played through: when it is done, who waits, what the cache has to carry.

Arithmetic on the site's rates: machines are alike, none fails, and the storage is as fast as it is asked.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Sequence

from ..contract.site_settings import FarmSettings
from .estimate import embedding_bytes, pictures_of, record_bytes, task_seconds
from .plan import embeds_ahead
from .shot_job import ShotJob
from .task import Shot, Step, Task

#: Seconds of one bar of the traffic.
BAR = 60.0
#: Seconds from the start of a task until it does its first frame: Python, torch, weights.
STARTUP = 10.0


@dataclasses.dataclass(frozen=True)
class Load:
    """What a task takes: seconds of a machine, bytes to and from the cache, bytes of records."""

    seconds: float
    cache_written: int = 0
    cache_read: int = 0
    records_written: int = 0
    records_read: int = 0


@dataclasses.dataclass(frozen=True)
class Simulation:
    """``hours`` until all is done, of which ``critical_hours`` is the longest chain of tasks in one shot;
    ``busy`` is the share of the machines' time that tasks had, ``work_hours`` what they had in all.

    ``waiting`` tasks at most were ready and had no machine; ``mean_wait`` and ``longest_wait`` are hours.
    ``first_shot`` is when the first shot was done. Bytes per second are of the busiest minute.
    """

    machines: int
    tasks: int
    hours: float
    work_hours: float
    critical_hours: float
    busy: float
    waiting: int
    mean_wait: float
    longest_wait: float
    first_shot: float
    cache_written: int
    cache_read: int
    most_written_per_second: float
    most_read_per_second: float
    records_written: int
    records_read: int


def load_of(job: ShotJob, task: Task, settings: FarmSettings, startup: float = STARTUP) -> Load:
    """What a task takes, by the site's rates."""
    seconds = startup + task_seconds(job, task, settings)
    things = len(task.objects) or len(job.job.objects)
    if task.step is Step.EMBED:
        return Load(seconds, cache_written=task.count * pictures_of(job) * embedding_bytes(job))
    if task.step is Step.TRACK:
        # At most: what is passed twice is often in memory still.
        read = (task.count + task.passed) * embedding_bytes(job) if embeds_ahead(settings) else 0
        left = task.count * things * record_bytes(job) if task.records else 0
        return Load(seconds, cache_read=read, records_written=left)
    if task.step is Step.MATTES:
        beside = 2 * job.job.mattes.steady_frames
        return Load(seconds, records_read=(task.count + beside) * things * record_bytes(job))
    return Load(seconds)


class _Farm:
    """The state of one play: what is ready, what runs, what was waited for."""

    def __init__(
        self, shots: Sequence[Shot], loads: dict[tuple[int, int], Load], priority: Sequence[int]
    ) -> None:
        self.shots, self.loads, self.priority = shots, loads, priority
        self.ready: list[tuple[int, int, int]] = []
        self.since: dict[tuple[int, int], float] = {}
        self.left = [{step: len(shot.of(step)) for step in shot.steps()} for shot in shots]
        self.running: list[tuple[float, int, int]] = []
        self.waits: list[float] = []
        self.most_waiting = 0
        for index, shot in enumerate(shots):
            self.release(index, shot.steps()[0], 0.0)

    def release(self, index: int, step: Step, now: float) -> None:
        """The tasks of a step may begin."""
        for number, task in enumerate(self.shots[index].tasks):
            if task.step is step:
                heapq.heappush(self.ready, (-self.priority[index], index, number))
                self.since[index, number] = now

    def start(self, now: float, machines: int) -> list[tuple[float, Load]]:
        """Free machines take what is ready, first shots first; what was begun, and when."""
        begun = []
        while self.ready and len(self.running) < machines:
            _, index, number = heapq.heappop(self.ready)
            self.waits.append(now - self.since.pop((index, number)))
            load = self.loads[index, number]
            heapq.heappush(self.running, (now + load.seconds, index, number))
            begun.append((now, load))
        self.most_waiting = max(self.most_waiting, len(self.ready))
        return begun

    def finish(self) -> tuple[float, int, bool]:
        """The next task ends: when, of which shot, and whether that is done."""
        now, index, number = heapq.heappop(self.running)
        step, steps = self.shots[index].tasks[number].step, self.shots[index].steps()
        self.left[index][step] -= 1
        following = steps[steps.index(step) + 1 :][:1]
        if not self.left[index][step] and following:
            self.release(index, following[0], now)
        return now, index, not self.left[index][step] and not following


def simulate(
    jobs: Sequence[ShotJob],
    shots: Sequence[Shot],
    settings: FarmSettings,
    machines: int,
    startup: float = STARTUP,
) -> Simulation:
    """Plays a plan through. Machines take tasks of the shot with the highest priority, first ones first."""
    loads = {
        (index, number): load_of(job, task, settings, startup)
        for index, (job, shot) in enumerate(zip(jobs, shots))
        for number, task in enumerate(shot.tasks)
    }
    priority = [settings.priority if shot.priority is None else shot.priority for shot in shots]
    farm = _Farm(shots, loads, priority)
    traffic: dict[str, dict[int, float]] = {"written": defaultdict(float), "read": defaultdict(float)}
    now, first = 0.0, 0.0
    while farm.ready or farm.running:
        for begun, load in farm.start(now, machines):
            _spread(traffic["written"], begun, load.seconds, load.cache_written)
            _spread(traffic["read"], begun, load.seconds, load.cache_read)
        now, _, done = farm.finish()
        first = first or (now if done else 0.0)
    work = sum(load.seconds for load in loads.values())
    return Simulation(
        machines=machines,
        tasks=len(loads),
        hours=now / 3600,
        work_hours=work / 3600,
        critical_hours=max(_critical(index, shot, loads) for index, shot in enumerate(shots)) / 3600,
        busy=work / (now * machines),
        waiting=farm.most_waiting,
        mean_wait=sum(farm.waits) / len(farm.waits) / 3600,
        longest_wait=max(farm.waits) / 3600,
        first_shot=first / 3600,
        cache_written=sum(load.cache_written for load in loads.values()),
        cache_read=sum(load.cache_read for load in loads.values()),
        most_written_per_second=max(traffic["written"].values(), default=0.0) / BAR,
        most_read_per_second=max(traffic["read"].values(), default=0.0) / BAR,
        records_written=sum(load.records_written for load in loads.values()),
        records_read=sum(load.records_read for load in loads.values()),
    )


def _critical(index: int, shot: Shot, loads: dict[tuple[int, int], Load]) -> float:
    """Seconds of the longest chain of tasks of a shot."""
    longest: dict[Step, float] = defaultdict(float)
    for number, task in enumerate(shot.tasks):
        longest[task.step] = max(longest[task.step], loads[index, number].seconds)
    return sum(longest.values())


def _spread(bars: dict[int, float], start: float, seconds: float, count: int) -> None:
    """Adds bytes to the minutes that a task goes over."""
    if not count:
        return
    end = start + seconds
    for bar in range(int(start // BAR), int(end // BAR) + 1):
        share = min(end, (bar + 1) * BAR) - max(start, bar * BAR)
        bars[bar] += count * share / seconds
