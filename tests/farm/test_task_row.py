"""Rows of tasks: what a scheduler may count off by frame numbers, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.farm.task import Step, Task
from efficienttam.farm.task_row import task_rows

TASKS = st.lists(
    st.builds(
        Task,
        st.sampled_from([Step.EMBED, Step.TRACK, Step.MATTES]),
        st.tuples(st.integers(-5, 30), st.integers(1, 4)).map(lambda pair: (pair[0], pair[0] + pair[1] - 1)),
        st.sampled_from(["", "left"]),
    ),
    max_size=12,
)
CHUNKED = st.builds(
    lambda first, size, full, rest: (
        [Task(Step.EMBED, (first + at * size, first + at * size + size - 1)) for at in range(full)]
        + ([Task(Step.EMBED, (first + full * size, first + full * size + rest - 1))] if rest < size else [])
    ),
    st.integers(0, 2000),
    st.integers(2, 60),
    st.integers(1, 9),
    st.integers(1, 60),
)


@given(TASKS, st.booleans())
def test_rows_hold_all_tasks_in_their_order(tasks: list[Task], short_last: bool) -> None:
    rows = task_rows(tasks, short_last)
    assert [task for row in rows for task in row.tasks] == tasks
    for row in rows:
        counted = [
            (at, min(at + row.size - 1, row.frames[1]))
            for at in range(row.frames[0], row.frames[1] + 1, row.size)
        ]
        assert counted == [task.frames for task in row.tasks]
        if len(row.tasks) > 1:
            assert row.first.step is not Step.TRACK and row.frames[0] >= 0
            assert len({(task.step, task.view) for task in row.tasks}) == 1
            assert short_last or len({task.count for task in row.tasks}) == 1


@given(CHUNKED)
def test_chunks_of_a_plan_are_one_row_or_a_row_and_its_end(tasks: list[Task]) -> None:
    assert len(task_rows(tasks, short_last=True)) == 1
    assert len(task_rows(tasks, short_last=False)) == 1 + (tasks[-1].count < tasks[0].count)


def test_a_row_says_what_it_is() -> None:
    (row,) = task_rows([Task(Step.MATTES, (1, 9), "left"), Task(Step.MATTES, (10, 12), "left")], True)
    assert (row.name, row.label, row.size) == ("mattes_left_1-12", "mattes left 1-12", 9)
