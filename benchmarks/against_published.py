"""Times of ``run.py`` beside those of the published implementation, as ratios.

The published implementation was measured once, on a machine of the same kind, 2 threads, float32: seconds
per call, with that machine's rates of matrix products and of attention. Machines and hours differ, so its
times are carried over to the present run: multiplied by the time that a tracked frame's arithmetic takes at
this run's rates, by the time that it takes at those of then. One rate of attention counts on both sides, that
of wide heads. Run from the repository's root:

    python benchmarks/against_published.py RESULTS.json
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics

#: Operations per second of then: matrix products of 2048 x 2048 x 2048, attention.
THEN = (240e9, 200e9)
#: Row -> seconds of then, by variant.
PUBLISHED = {
    "efficienttam_ti_2": {
        "encoder": 0.90,
        "memory_attention": 2.08,
        "memory_attention_1": 1.14,
        "mask_decoder": 0.076,
        "memory_encoder": 0.113,
        "propagate_1": 3.43,
        "propagate_3": 7.59,
        "first_click": 0.108,
        "tracked_click": 3.04,
        "second_click": 2.21,
    },
    "efficienttam_s_2": {
        "encoder": 2.26,
        "memory_attention": 2.05,
        "memory_attention_1": 1.15,
        "mask_decoder": 0.069,
        "memory_encoder": 0.107,
        "propagate_1": 4.16,
        "propagate_3": 8.06,
        "first_click": 0.086,
        "tracked_click": 3.76,
        "second_click": 1.70,
    },
}


def carried_over(rows: list[dict]) -> float:
    """What times of then are multiplied by, for one variant's float32 rows."""
    exact = [row for row in rows if row["precision"] == "float32"]
    gemm = statistics.median(row["gemm_rate"] for row in exact) * 1e9
    attention = statistics.median(row["wide_rate"] for row in exact) * 1e9
    frame = [row for row in exact if row["row"] in ("encoder", "memory_attention")]
    products = sum(row["gemm_gflop"] for row in frame) * 1e9
    attended = sum(row["attention_gflop"] for row in frame) * 1e9
    return (products / gemm + attended / attention) / (products / THEN[0] + attended / THEN[1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=pathlib.Path)
    rows = json.loads(parser.parse_args().results.read_text())["rows"]
    for model, published in PUBLISHED.items():
        ours = {(row["precision"], row["row"]): row for row in rows if row["model"] == model}
        if not ours:
            continue
        factor = carried_over(list(ours.values()))
        print(f"\n{model}: times of then are multiplied by {factor:.2f}\n")
        print("| row | published, ms | ours float32, ms | ratio | ours bfloat16, ms | ratio |")
        print("|---|---|---|---|---|---|")
        for row, seconds in published.items():
            cells = [row, f"{1e3 * seconds * factor:.0f}"]
            for precision in ("float32", "bfloat16"):
                found = ours.get((precision, row))
                cells += (
                    [f"{1e3 * found['seconds']:.0f}", f"{found['seconds'] / seconds / factor:.2f}"]
                    if found
                    else ["", ""]
                )
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
