"""Memory of a task does not grow with its frames."""

import os

import numpy as np
import pytest
from small_shots import small_job
from task_processes import Tasks

from efficienttam.batch.footage import Footage
from efficienttam.batch.open_job import OpenJob
from efficienttam.batch.progress import SilentProgress
from efficienttam.batch.track_records import TrackRecords
from efficienttam.contract.document import write_job
from efficienttam.contract.job import FrameRange, Mattes, Plate
from efficienttam.contract.sequence import MissingFrames
from efficienttam.media import write_mattes
from efficienttam.tracking.result_file import ObjectResult

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Processes cannot be forked here.")

SIZE = (480, 640)
FEW, MANY = 12, 60


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    served = Tasks(tmp_path_factory.mktemp("embeddings"))
    yield served
    served.close()


@pytest.mark.long
def test_mattes_of_many_records_take_the_memory_of_few(tmp_path, tasks):
    """Records of a still, made up: a matte takes 1.2 MB, those of two objects on 48 more frames 118 MB."""
    rng = np.random.default_rng(3)
    picture = rng.random(SIZE).astype(np.float32)
    write_mattes(tmp_path / "plate.exr", {"red": picture, "green": picture, "blue": picture})
    job = small_job(
        plate=Plate("plate.exr", missing=MissingFrames.HOLD),
        range=FrameRange(1001, 1000 + MANY),
        mattes=Mattes(steady_frames=1),
    )
    write_job(job, str(tmp_path / "shot.job.json"))
    opened = OpenJob(Footage(job, str(tmp_path)), SilentProgress(), lambda: False, load=None)
    opened.groups("")
    records = TrackRecords(opened.job.output, "", opened.stamp)
    side = opened.network.mask_side
    ys, xs = np.mgrid[0:side, 0:side]
    for frame in range(1001, 1001 + MANY):
        for thing in job.objects:
            logits = side / 4 - np.hypot(xs - side / 3 - frame % 7, ys - side / 2)
            part = ObjectResult(records.made_of(frame, thing.name), logits.astype(np.float32), 4.0, 0.9)
            records.write(frame, thing.name, part)
    peaks = []
    for count in (FEW, MANY):
        code, log = tasks.run(tmp_path, "--step", "mattes", "--frames", f"1001-{1000 + count}")
        assert code == 0, log
        peaks.append(tasks.peak)
    assert peaks[1] - peaks[0] < 30e6, peaks
