"""From a click to its overlay, a correction and stopping, through the worker: what an artist waits for.

Makes the demo's plate (640 x 360) and opens it in a real ``python -m efficienttam.worker`` with the demo
weights through ``WorkerClient``, polled every 15 ms as the prompt window does. On each frame that was readied
before (``Preview`` without mattes, as when an artist looks at it) it says one point more at a time: the time
counts from before ``send`` until the reply was handed out and its PNG decoded. Frames without prompts
elsewhere, then corrections on frames of an object that was prompted on the first. After that, with all
embeddings cached:

- a correction in the middle of the tracked plate, clicked at once after arriving there (nothing was readied),
  and tracking again what it changes (other mattes are kept), from ``send`` until the last one is on disk: of
  an object that was prompted on the first frame, and of one prompted at a quarter and three quarters too;
- stopping: from ``cancel`` to the answer, after 4, 8, ... frames of a job without shaping, with edges
  refined, and with edges steadied over three frames each way; and the frames that were told after the cancel.

Run from the root:

    python benchmarks/click.py [--frames 48] [--clicks 5] [--side 1024]
"""

from __future__ import annotations

import argparse
import base64
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from efficienttam.client import WorkerClient, engine_command
from efficienttam.contract.job import Mattes, Output, Plate, Refine, TrackedObject, TrackJob
from efficienttam.contract.messages import (
    Done,
    FrameDone,
    Message,
    OpenPlate,
    PlateOpened,
    Preview,
    Previewed,
    Request,
    TrackRequest,
)
from efficienttam.contract.prompts import Point, Prompt
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.media import write_png
from efficienttam.training.clips import demo_clip

POLL_SECONDS = 0.015
PLATE = Plate(path="plate.%04d.png")
#: Frames of the plate that clicks are timed on.
CLICKED = 8
#: The forms of mattes that stopping is timed with.
FORMS = {
    "plain": Mattes(),
    "edges refined": Mattes(refine=Refine.UNMIX),
    "edges steadied over 3 frames": Mattes(steady_frames=3),
}


def make_plate(folder: str, frames: int) -> list[Point]:
    """Writes ``plate.1001.png`` and on; a point inside the largest thing of each frame."""
    clip, points = demo_clip(frames), []
    for step in range(frames):
        picture, mattes = clip.render(step)
        write_png(os.path.join(folder, f"plate.{1001 + step}.png"), np.rint(255 * picture).astype(np.uint8))
        thing = mattes[int(mattes.sum(axis=(1, 2)).argmax())]
        points.append(prompt_from_truth(PromptKind.CLICK, 1001, thing).include[0])
    return points


class Hand:
    """Asks the worker and waits as a window does."""

    def __init__(self, folder: str, side: int) -> None:
        self._client = WorkerClient(engine_command(sys.executable), dict(os.environ))
        self._side, self._folder = side, folder
        opened = self.ask(OpenPlate(0, "shot", PLATE, folder=folder))
        if not isinstance(opened, PlateOpened):
            raise SystemExit(f"The plate was not opened: {opened}")

    def ask(self, request: Request) -> Message:
        """The reply to a request."""
        replies: list[Message] = []
        number = self._client.send(request, replies.append)
        self._client.wait(number, pause=POLL_SECONDS)
        return replies[-1]

    def click(self, prompts: tuple[Prompt, ...]) -> float:
        """Seconds until the overlay of an object with these prompts can be painted."""
        started = time.perf_counter()
        frame = prompts[-1].frame
        request = Preview(0, "shot", frame, (TrackedObject("hero", prompts),), self._side)
        reply = self.ask(request)
        if not isinstance(reply, Previewed):
            raise SystemExit(f"There was no preview: {reply}")
        cv2.imdecode(np.frombuffer(base64.b64decode(reply.mattes[0].png), np.uint8), cv2.IMREAD_GRAYSCALE)
        return time.perf_counter() - started

    def ready(self, frame: int, prompts: tuple[Prompt, ...] = ()) -> None:
        """Has a frame readied for a word more."""
        objects = (TrackedObject("hero", prompts),) if prompts else ()
        self.ask(Preview(0, "shot", frame, objects, mattes=False))

    def track(self, prompts: tuple[Prompt, ...], out: str, mattes: Mattes | None = None) -> tuple[int, float]:
        """Tracks the plate, keeping mattes that are good; how many were made, in so many seconds."""
        started = time.perf_counter()
        reply = self.ask(self._job(prompts, out, mattes or Mattes()))
        if not isinstance(reply, Done):
            raise SystemExit(f"It was not tracked: {reply}")
        return reply.made, time.perf_counter() - started

    def cancel(self, prompts: tuple[Prompt, ...], out: str, mattes: Mattes, frames: int) -> tuple[float, int]:
        """Cancels a job after so many frames: seconds until the answer, and frames told after the cancel."""
        heard: list[Message] = []
        number = self._client.send(self._job(prompts, out, mattes), heard.append)
        told = 0
        while told < frames and self._client.is_open(number):
            self._client.poll()
            told = sum(isinstance(message, FrameDone) for message in heard)
            time.sleep(POLL_SECONDS)
        started = time.perf_counter()
        self._client.cancel(number)
        self._client.wait(number, pause=POLL_SECONDS)
        took = time.perf_counter() - started
        if isinstance(heard[-1], Done):
            raise SystemExit("It was done before it could be cancelled: give it more frames.")
        return took, sum(isinstance(message, FrameDone) for message in heard) - told

    def _job(self, prompts: tuple[Prompt, ...], out: str, mattes: Mattes) -> TrackRequest:
        path = os.path.join(out, "{object}.%04d.exr")
        job = TrackJob(PLATE, (TrackedObject("hero", prompts),), Output(path=path), mattes=mattes)
        return TrackRequest(0, job, self._folder, side=self._side)

    def close(self) -> None:
        """Ends the worker."""
        self._client.close(2.0)


def clicks_on(hand: Hand, frame: int, place: Point, count: int, before: tuple[Prompt, ...]) -> list[float]:
    """Seconds of ``count`` clicks on a frame, each a point more."""
    hand.ready(frame, before)
    points: tuple[Point, ...] = ()
    times = []
    for number in range(count):
        points += ((place[0] + 1.5 * number, place[1] + number % 2),)
        times.append(hand.click((*before, Prompt(frame, include=points))))
    return times


def row(name: str, seconds: list[float], *more: object) -> None:
    """Prints how many there were, and their median, 95th percentile and slowest in milliseconds."""
    seconds = sorted(seconds)
    p95 = seconds[min(len(seconds) - 1, int(np.ceil(0.95 * len(seconds))) - 1)]
    figures = [f"{1000 * figure:.0f}" for figure in (statistics.median(seconds), p95, seconds[-1])]
    print("| " + " | ".join([name, str(len(seconds)), *figures, *map(str, more)]) + " |", flush=True)


def time_clicks(hand: Hand, points: list[Point], clicks: int) -> None:
    """Clicks on frames without prompts elsewhere, and corrections, on frames that were readied."""
    first = Prompt(1001, include=(points[0],))
    hand.click((first,))
    print("| clicks | count | median, ms | p95, ms | slowest, ms |\n|---|---|---|---|---|")
    for name, before in (("on a first frame", ()), ("corrections", (first,))):
        times: list[float] = []
        for step in range(1, CLICKED):
            times += clicks_on(hand, 1001 + step, points[step], clicks, before)
        row(name, times)


def time_corrections(hand: Hand, points: list[Point], rounds: int) -> None:
    """A correction in the middle of a tracked plate, and tracking again what it changes."""
    steps = {"prompted once": (0,), "prompted on 3 frames": (0, len(points) // 4, 3 * len(points) // 4)}
    print("\n| a correction | count | median, ms | p95, ms | slowest, ms | mattes made |")
    print("|---|---|---|---|---|---|")
    for name, prompted in steps.items():
        before = tuple(Prompt(1001 + step, include=(points[step],)) for step in prompted)
        clicks, again, made = [], [], []
        for number in range(rounds):
            step = len(points) // 2 + number
            hand.track(before, name)
            hand.ready(1001 + step)
            x, y = points[step]
            prompts = (*before, Prompt(1001 + step, include=((x, y), (x + 2, y + 1))))
            clicks.append(hand.click(prompts))
            count, seconds = hand.track(prompts, name)
            again.append(seconds)
            made.append(count)
        row(f"{name}: to the overlay", clicks, "")
        row(f"{name}: tracking again", again, f"{min(made)} to {max(made)} of {len(points)}")


def time_stopping(hand: Hand, points: list[Point], rounds: int) -> None:
    """From cancelling a job to its answer."""
    first = Prompt(1001, include=(points[0],))
    print("\n| stopping | count | median, ms | p95, ms | slowest, ms | frames told after, at most |")
    print("|---|---|---|---|---|---|")
    for name, mattes in FORMS.items():
        times, after = [], []
        for number in range(rounds):
            seconds, told = hand.cancel((first,), f"{name} {number}", mattes, 4 + 4 * number)
            times.append(seconds)
            after.append(told)
        row(name, times, max(after))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--clicks", type=int, default=5, help="on each frame; and rounds of what comes after")
    parser.add_argument("--side", type=int, default=1024)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EFFICIENTTAM_CACHE"] = os.path.join(folder, "embeddings")
        points = make_plate(folder, arguments.frames)
        hand = Hand(folder, arguments.side)
        hand.track((Prompt(1001, include=(points[0],)),), "to fill the cache")
        time_clicks(hand, points, arguments.clicks)
        time_corrections(hand, points, arguments.clicks)
        time_stopping(hand, points, arguments.clicks)
        hand.close()


if __name__ == "__main__":
    main()
