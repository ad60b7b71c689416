"""Write a job document with two objects, then run it as the farm would.

python examples/job_from_python.py ab010_plate.%04d.exr 1001 812 430 640 300 mattes.%04d.exr
"""

import sys
from pathlib import Path

from efficienttam import Prompt, TrackJob, read_job, run_job, write_job
from efficienttam.contract.job import Layout, Output, Plate, TrackedObject

plate, frame, x1, y1, x2, y2, out = sys.argv[1:]

job = TrackJob(
    plate=Plate(path=plate),
    objects=(
        TrackedObject("hero", (Prompt(frame=int(frame), include=[(float(x1), float(y1))]),)),
        TrackedObject("car", (Prompt(frame=int(frame), include=[(float(x2), float(y2))]),)),
    ),
    output=Output(path=out, layout=Layout.LAYER_PER_OBJECT),
)
document = Path(out).parent / "mattes.job.json"
write_job(job, str(document))

summary = run_job(read_job(str(document)), resume=True)
print(f"{document}: {summary.made} mattes made, {summary.kept} kept")
