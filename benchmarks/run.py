"""What each part of tracking costs, and what share of the machine's limit it reaches.

Every row runs in a process of its own. The process first measures the machine's rates in the row's precision:
of matrix products (2048 x 2048 x 2048) and of attention, wide (one head of 256 channels, 4096 queries, 7232
keys, as in memory attention) and narrow (three heads of 64 channels, 4096 queries and keys, as in the image
encoder: four times as many exponentials for as many products). Then it measures the row, then the rates
again; the better of the two counts. Times are medians. The *share* of a row is the time its arithmetic
would take at those rates, by the time it took: 1 is the limit. The weights are synthetic
(times do not depend on them), the clip is noise of 854 x 480 pixels. Run from the repository's root, on a
machine that does nothing else:

    python benchmarks/run.py --models efficienttam_ti_2 efficienttam_s_2 --precisions float32 bfloat16

``--out FILE`` also writes every number as JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "parity")]

SIZE = (854, 480)
#: Frames from which on a pass recalls seven maps and sixteen pointers.
STEADY = 16
MEASURED = 5
CLICK = (400.0, 240.0)


@dataclasses.dataclass(frozen=True)
class Rates:
    """Arithmetic per second of this machine, in one precision."""

    gemm: float
    wide: float
    narrow: float

    def best(self, other: Rates) -> Rates:
        """The higher of two of each."""
        return Rates(*map(max, dataclasses.astuple(self), dataclasses.astuple(other)))


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of one call, and its arithmetic in matrix products, in wide and in narrow attention."""

    seconds: float
    gemm: float = 0.0
    wide: float = 0.0
    narrow: float = 0.0

    def limit(self, rates: Rates) -> float:
        """Seconds that the arithmetic takes at some rates."""
        return self.gemm / rates.gemm + self.wide / rates.wide + self.narrow / rates.narrow

    @property
    def arithmetic(self) -> float:
        """Operations in all."""
        return self.gemm + self.wide + self.narrow


def median_time(work: Callable[[], object], runs: int = MEASURED) -> float:
    """Seconds of one call: the median after one call that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure_rates(dtype) -> Rates:
    """The machine's rates now."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    def attention(heads: int, queries: int, keys: int, width: int) -> float:
        query = torch.randn(1, heads, queries, width).to(dtype)
        key = torch.randn(1, heads, keys, width).to(dtype)
        seconds = median_time(lambda: scaled_dot_product_attention(query, key, key))
        return 4 * heads * queries * keys * width / seconds

    matrix = torch.randn(2048, 2048).to(dtype)
    gemm = 2 * 2048**3 / median_time(lambda: matrix @ matrix)
    return Rates(gemm, attention(1, 4096, 7232, 256), attention(3, 4096, 4096, 64))


def arithmetic(work: Callable[[], object]) -> tuple[float, float, float]:
    """Operations of one call in matrix products (convolutions too), in wide and in narrow attention."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

    wide, narrow = [0], [0]

    def attention(query, key, value, *rest, out_shape=None, **named):
        count = sdpa_flop_count(query, key, value)
        (wide if query[-1] >= 128 else narrow).append(count)
        return 0

    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    counter = FlopCounterMode(display=False, custom_mapping={kernel: attention})
    with counter:
        work()
    return float(counter.get_total_flops()), float(sum(wide)), float(sum(narrow))


class Bench:
    """One model on a clip of noise."""

    def __init__(self, name: str, precision: str, compiled: bool = False) -> None:
        import numpy as np
        import synthetic_weights
        import torch

        from efficienttam.model.build import build_model, find_config
        from efficienttam.tracking import ArrayFrames

        torch.manual_seed(0)
        self.dtype = getattr(torch, precision)
        self.model = build_model(find_config(name)).requires_grad_(False)
        if name != "efficienttam_demo":
            synthetic_weights.load_synthetic(self.model)
        if self.dtype is not torch.float32:
            self.model.lower(self.dtype)
        if compiled:
            self.model.image_encoder.compile()
        noise = np.random.default_rng(0).integers(0, 255, (STEADY + 4, SIZE[1], SIZE[0], 3), dtype=np.uint8)
        self.plate = ArrayFrames(noise, first=1)

    def tracker(self, objects: int, embeddings=None):
        """A tracker whose objects are clicked on frame 1."""
        from efficienttam.contract.prompts import Prompt
        from efficienttam.tracking import VideoTracker

        tracker = VideoTracker(self.model, self.plate, embeddings=embeddings)
        for index in range(objects):
            place = (CLICK[0] + 20 * index, CLICK[1])
            tracker.add_prompt(tracker.add_object(), Prompt(1, include=[place]))
        return tracker

    def counted(self, work: Callable[[], object]) -> Cost:
        """Time and arithmetic of a call inside inference mode."""
        with self.model.inference():
            seconds = median_time(work)
            return Cost(seconds, *arithmetic(work))

    def encoder(self) -> Cost:
        import torch

        side = self.model.config.input_size
        image = torch.randn(1, 3, side, side)
        return self.counted(lambda: self.model.encode_image(image))

    def memory_attention(self) -> Cost:
        """Seven maps and sixteen pointers, maps projected before, as on a tracked frame."""
        embedding, memory = self._recalled(7, 16)
        return self.counted(lambda: self.model.recall(embedding, memory))

    def memory_attention_1(self) -> Cost:
        """One map and one pointer."""
        embedding, memory = self._recalled(1, 1)
        return self.counted(lambda: self.model.recall(embedding, memory))

    def _recalled(self, maps: int, pointers: int):
        import torch

        grid, config = self.model.config.grid, self.model.config
        with self.model.inference():
            pooled = self.model.pools(maps)
            given = torch.randn(maps, 1, config.memory_channels, grid, grid)
            tokens = [self.model.project_map(one, pooled=pooled) for one in given]
            memory = self.model.memory(tokens, list(range(maps)), torch.randn(1, pointers, config.hidden))
            return torch.randn(1, config.hidden, grid, grid).to(self.dtype), memory

    def mask_decoder(self) -> Cost:
        embedding, _ = self._recalled(1, 1)
        return self.counted(lambda: self.model.predict(embedding, multimask=True))

    def memory_encoder(self) -> Cost:
        import torch

        embedding, _ = self._recalled(1, 1)
        logits = torch.randn(1, 1, self.model.config.mask_side, self.model.config.mask_side)
        return self.counted(lambda: self.model.encode_memory(embedding, logits, binarize=False))

    def propagate_1(self) -> Cost:
        return self._propagate(1)

    def propagate_3(self) -> Cost:
        return self._propagate(3)

    def propagate_10(self) -> Cost:
        return self._propagate(10)

    def propagate_1_cached(self) -> Cost:
        """A second pass: every embedding is in memory."""
        from efficienttam.tracking import EmbeddingCache

        cache = EmbeddingCache(budget=2**30)
        tracker = self.tracker(1, cache)
        with self.model.inference():
            for frame in self.plate.frames:
                tracker.embedding(frame)
        return self._steady(tracker)

    def _propagate(self, objects: int) -> Cost:
        from efficienttam.tracking import EmbeddingCache

        return self._steady(self.tracker(objects, EmbeddingCache(budget=1)))

    def _steady(self, tracker) -> Cost:
        """Median of the frames that recall everything there is to recall."""
        times, last = [], time.perf_counter()
        end = STEADY + 2 if len(tracker.objects) > 3 else None
        for result in tracker.propagate(end=end):
            now = time.perf_counter()
            if result.frame > STEADY:
                times.append(now - last)
            last = time.perf_counter()
        return Cost(statistics.median(times))

    def first_click(self) -> Cost:
        """On a frame whose embedding is in memory."""
        from efficienttam.contract.prompts import Prompt

        tracker = self.tracker(0)
        with self.model.inference():
            tracker.embedding(5)

        def click() -> None:
            tracker.prompt(tracker.add_object(), Prompt(5, include=[CLICK]))

        def alone() -> None:
            click()
            for id in list(tracker.objects):
                tracker.remove_object(id)

        return Cost(median_time(alone))

    def tracked_click(self) -> Cost:
        """The first correction of a frame tracked long ago."""
        return self._click_again(forget=True)

    def second_click(self) -> Cost:
        """One more click on the tracked frame that was just clicked."""
        return self._click_again(forget=False)

    def _click_again(self, forget: bool) -> Cost:
        from efficienttam.contract.prompts import Prompt

        tracker = self.tracker(1)
        (hero,) = tracker.objects
        for _ in tracker.propagate():
            pass
        frame = self.plate.frames[-1]

        def click() -> None:
            if forget:
                tracker.track_of(hero).conditioned = None
            tracker.prompt(hero, Prompt(frame, include=[CLICK]))

        click()
        return Cost(median_time(click))

    def embed(self) -> Cost:
        """One frame read, reduced and encoded, nothing kept."""
        from efficienttam.tracking import EmbeddingCache

        frames = iter(list(self.plate.frames) * 2)
        tracker = self.tracker(0, EmbeddingCache(budget=1))
        return self.counted(lambda: tracker.embedding(next(frames)))


ROWS = (
    "encoder",
    "memory_attention",
    "memory_attention_1",
    "mask_decoder",
    "memory_encoder",
    "propagate_1",
    "propagate_3",
    "propagate_10",
    "propagate_1_cached",
    "first_click",
    "tracked_click",
    "second_click",
    "embed",
)


def run_row(model: str, precision: str, row: str, threads: int, compiled: bool) -> dict[str, float]:
    """One row in this process."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    bench = Bench(model, precision, compiled)
    before = measure_rates(bench.dtype)
    cost: Cost = getattr(bench, row)()
    after = measure_rates(bench.dtype)
    rates = before.best(after)
    return {
        "seconds": cost.seconds,
        "gflop": cost.arithmetic / 1e9,
        "gemm_gflop": cost.gemm / 1e9,
        "attention_gflop": (cost.wide + cost.narrow) / 1e9,
        "share": cost.limit(rates) / cost.seconds,
        **{f"{name}_rate": rate / 1e9 for name, rate in dataclasses.asdict(rates).items()},
    }


def commit() -> str:
    """The commit measured, or unknown."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def hardware() -> str:
    """The processor's name where the system tells it."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    names = (
        [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if cpuinfo.exists()
        else []
    )
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["efficienttam_ti_2"])
    parser.add_argument("--precisions", nargs="+", default=["float32"])
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=ROWS, metavar="ROW")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="compile the image encoder, as a job may ask")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(run_row(*given.one, given.threads, given.compile)))
        return
    print(f"{hardware()}, commit {commit()}\n")
    print("| model | precision | row | ms | GFLOP | share | GEMM | wide | narrow attention, GFLOP/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    results = []
    for model in given.models:
        for precision in given.precisions:
            for row in given.rows:
                command = [sys.executable, __file__, "--threads", str(given.threads)]
                command += ["--compile"] if given.compile else []
                done = subprocess.run(
                    [*command, "--one", model, precision, row], check=True, capture_output=True, text=True
                )
                found = json.loads(done.stdout)
                results.append({"model": model, "precision": precision, "row": row, **found})
                share = f"{found['share']:.2f}" if found["gflop"] else ""
                gflop = f"{found['gflop']:.1f}" if found["gflop"] else ""
                print(
                    f"| {model} | {precision} | {row} | {1e3 * found['seconds']:.0f} | {gflop} | {share} "
                    f"| {found['gemm_rate']:.0f} | {found['wide_rate']:.0f} | {found['narrow_rate']:.0f} |",
                    flush=True,
                )
    if given.out:
        given.out.write_text(
            json.dumps({"hardware": hardware(), "commit": commit(), "rows": results}, indent=2)
        )


if __name__ == "__main__":
    main()
