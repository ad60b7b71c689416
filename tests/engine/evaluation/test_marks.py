"""Which frames count, which frame is worst, and tables whose numbers are worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.evaluation.marks import Marks, ScoredFrames, rate, worst_frame
from efficienttam.evaluation.marks_report import (
    Results,
    mean_and_error,
    still_summary,
    summary,
    to_csv,
    to_json,
    to_markdown,
)
from efficienttam.evaluation.still_clicks import StillMarks


def _marks(name: str, j: tuple[float, ...], f: tuple[float, ...], **more) -> Marks:
    frames = tuple(range(1, len(j) + 1))
    told = {"protocol": "semi", "setting": "mask", "counted": frames[1:-1], "prompted": (1,)} | more
    return Marks("clip", name, frames=frames, j=j, f=f, **told)


def test_frames_that_count() -> None:
    frames = [10, 15, 20, 25]
    assert ScoredFrames.DAVIS.choose(frames, 10) == [15, 20]
    assert ScoredFrames.AFTER.choose(frames, 10) == [15, 20, 25]
    assert ScoredFrames.ALL.choose(frames, 10) == frames
    # An object that comes later is scored from there; one on the last frame not at all.
    assert ScoredFrames.DAVIS.choose(frames, 15) == [20]
    assert ScoredFrames.DAVIS.choose(frames, 25) == ScoredFrames.AFTER.choose(frames, 25) == []


@settings(max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=1, unique=True).map(sorted), st.data())
def test_rules_are_nested(frames: list[int], data) -> None:
    first = data.draw(st.sampled_from(frames))
    davis, after, all_of_them = (
        set(rule.choose(frames, first)) for rule in (ScoredFrames.DAVIS, ScoredFrames.AFTER, ScoredFrames.ALL)
    )
    assert davis <= after < all_of_them
    assert all_of_them - after == {first} and after - davis <= {frames[-1]}


def test_void_pixels_are_not_scored() -> None:
    truth, void = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    void[15:45, 15:55] = True
    truth[20:40, 20:50], void[20:40, 20:50] = True, False
    wide = truth | void
    # 600 pixels of the object in a mask of 30 x 40.
    assert rate(wide, truth) == (pytest.approx(0.5), 0)
    assert rate(wide, truth, void) == (1, 1)
    # What lies beyond the void counts: 10 x 10 pixels more.
    more = wide.copy()
    more[:10, :10] = True
    assert rate(more, truth, void)[0] == pytest.approx(600 / 700)
    assert rate(void, np.zeros_like(void), void) == (1, 1)


def test_the_worst_frame_is_a_new_one() -> None:
    scores = {3: (0.5, 1.0), 1: (0.2, 0.1), 2: (0.5, 0.0), 4: (1.0, 1.0)}
    assert worst_frame(scores, []) == 1
    assert worst_frame(scores, [1]) == 2
    assert worst_frame(scores, [1, 2, 3]) is None
    assert worst_frame({}, []) is None


def test_marks_are_means_over_the_frames_that_count() -> None:
    one = _marks("a", (1.0, 0.8, 0.6, 0.0), (1.0, 0.4, 0.2, 0.0))
    assert one.region.mean == pytest.approx(0.7) and one.boundary.mean == pytest.approx(0.3)
    assert one.j_and_f == pytest.approx(0.5) and one.first_j == 1


def test_a_summary_is_the_mean_over_objects_not_over_frames() -> None:
    long = _marks("a", (1.0, 1.0, 1.0, 1.0, 1.0, 1.0), (1.0,) * 6)
    short = _marks("b", (1.0, 0.2, 0.0), (1.0, 0.0, 0.0), clicks=3)
    nothing = _marks("c", (1.0,), (1.0,), counted=())
    results = Results({"model": "none"}, [long, short, nothing])
    (row,) = summary(results)
    assert (row["objects"], row["frames"]) == (2, 5)
    assert row["j_mean"] == pytest.approx(0.6) and row["f_mean"] == pytest.approx(0.5)
    assert row["j_and_f"] == pytest.approx(0.55) and row["j_recall"] == 0.5 and row["clicks"] == 1.5
    # J&F of 1 and 0.1: the standard error of two values is half their distance.
    assert row["error"] == pytest.approx(0.45)
    text = to_markdown(results)
    assert "1 rows left out" in text and "| clip    | a      | 1.000 |" in text and "- model: none" in text


def test_tables_hold_every_frame() -> None:
    still = StillMarks("clip", "a", 7, (0.5, 0.9, 0.9, 0.9, 1.0))
    results = Results({}, [_marks("a", (1.0, 0.5, 0.25), (1.0, 0.5, 0.125))], [still])
    rows = list(csv.DictReader(io.StringIO(to_csv(results))))
    assert [row["counted"] for row in rows[:3]] == ["0", "1", "0"] and rows[2]["f"] == "0.125"
    assert [row["setting"] for row in rows[3:5]] == ["1 click", "2 clicks"] and rows[3]["j"] == "0.5"
    found = json.loads(to_json(results))
    assert found["summary"][0]["error"] is None and found["marks"][0]["counted"] == [2]
    first, *_, last = still_summary(results)
    assert first["miou"] == 0.5 and first["above_075"] == 0 and last["miou"] == last["above_075"] == 1


def test_the_mean_of_too_little() -> None:
    assert math.isnan(mean_and_error([])[0])
    mean, error = mean_and_error([0.5, math.nan])
    assert mean == 0.5 and math.isnan(error)
