"""Two shots as farm work: planned, written as bundles, run by two Open Job Description sessions, verified.

python examples/farm_with_openjd.py ab010_plate.%04d.exr 1001 812 430 300 200 farm  (pip install openjd-cli)
"""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from efficienttam import Prompt, TrackJob, write_job
from efficienttam.contract.job import Output, Plate, TrackedObject
from efficienttam.contract.site_settings import FarmSettings
from efficienttam.farm import openjd
from efficienttam.farm.batch_of_jobs import read_batch
from efficienttam.farm.bundle import make_plan, write_documents

plate, frame, *points, folder = sys.argv[1:]
farm = Path(folder).absolute()
jobs = farm / "jobs"
jobs.mkdir(parents=True, exist_ok=True)
for name, x, y in (("hero", *points[:2]), ("car", *points[2:])):
    click = Prompt(frame=int(frame), include=[(float(x), float(y))])
    mattes = farm / "mattes" / f"{name}.%04d.exr"
    job = TrackJob(Plate(str(Path(plate).absolute())), (TrackedObject(name, (click,)),), Output(str(mattes)))
    write_job(job, str(jobs / f"{name}.job.json"))

settings = FarmSettings(command=(sys.executable, "-m", "efficienttam"), cores=1)
batch = read_batch([str(jobs)], settings)
plan = make_plan("example", batch.shots, settings, str(farm))
write_documents(plan, batch.shots, str(farm))
openjd.write(plan, str(farm))
for shot, task in plan.tasks():
    print(shot.name, task.name)

program = shutil.which("openjd", path=str(Path(sys.executable).parent)) or shutil.which("openjd")


def session(bundle: Path) -> int:
    """What one machine of a farm would do."""
    parameters = f"file://{bundle / 'job_parameters.json'}"
    command = [program, "run", bundle / "template.json", "--job-param", parameters]
    return subprocess.run(command, stdout=subprocess.DEVNULL).returncode


if program:
    with ThreadPoolExecutor(max_workers=2) as machines:
        codes = list(machines.map(session, [farm / shot.name for shot in plan.shots]))
    print("sessions ended with", codes)
    sys.exit(any(codes))
print("There is no openjd here: the bundles are in", farm)
