"""From a click to its overlay, through the worker: what an artist waits for.

Makes the demo's plate (640 x 360) and opens it in a real ``python -m efficienttam.worker`` with the demo
weights through ``WorkerClient``, polled every 15 ms as the prompt window does. On each frame that was readied
before (``Preview`` without mattes, as when an artist looks at it) it says one point more at a time: the time
counts from before ``send`` until the reply was handed out and its PNG decoded. Frames without prompts
elsewhere, then corrections on frames of an object that was prompted on the first. Run from the root:

    python benchmarks/click.py [--frames 8] [--clicks 5] [--side 1024]
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
from efficienttam.contract.job import Plate, TrackedObject
from efficienttam.contract.messages import Message, OpenPlate, PlateOpened, Preview, Previewed, Request
from efficienttam.contract.prompts import Point, Prompt
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.media import write_png
from efficienttam.training.clips import demo_clip

POLL_SECONDS = 0.015


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
        self._side = side
        opened = self.ask(OpenPlate(0, "shot", Plate(path="plate.%04d.png"), folder=folder))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--side", type=int, default=1024)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EFFICIENTTAM_CACHE"] = os.path.join(folder, "embeddings")
        points = make_plate(folder, arguments.frames)
        hand = Hand(folder, arguments.side)
        first = Prompt(1001, include=(points[0],))
        hand.click((first,))
        print("| clicks | count | median, ms | p95, ms | slowest, ms |\n|---|---|---|---|---|")
        for name, before in (("on a first frame", ()), ("corrections", (first,))):
            times: list[float] = []
            for step in range(1, arguments.frames):
                times += clicks_on(hand, 1001 + step, points[step], arguments.clicks, before)
            times.sort()
            p95 = times[min(len(times) - 1, int(np.ceil(0.95 * len(times))) - 1)]
            figures = (1000 * statistics.median(times), 1000 * p95, 1000 * times[-1])
            print(f"| {name} | {len(times)} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
        hand.close()


if __name__ == "__main__":
    main()
