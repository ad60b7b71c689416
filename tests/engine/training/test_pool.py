"""The pool of generated frames."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from efficienttam.training.pool import Pool, PoolSpec, fill


def test_a_shrunk_pool_shows_the_same_in_fewer_pixels(tmp_path: Path) -> None:
    fill(tmp_path, PoolSpec(clips=1, frames=2, side=64))
    pool = Pool(tmp_path, PoolSpec(clips=1, frames=2, side=64))
    small = pool.shrunk(32)
    assert (small.spec.side, pool.spec.side, list(small.available())) == (32, 64, [0])
    means = pool.images.reshape(1, 2, 32, 2, 32, 2, 3).mean((3, 5))
    np.testing.assert_allclose(small.images, means, atol=1)
    assert small.labels.any() and set(np.unique(small.labels)) <= set(np.unique(pool.labels))
    shares = [(one.labels[0, 0] > 0).mean(axis=0) for one in (small, pool)]
    np.testing.assert_allclose(shares[0], shares[1].reshape(32, 2).mean(1), atol=0.15)


FLICKER = """
import sys, numpy
ready = numpy.load(sys.argv[1], mmap_mode="r+")
print("begun", flush=True)
while True:
    ready[:] = 1 - ready
"""


def test_clips_are_counted_while_others_draw_them(tmp_path: Path) -> None:
    pool = Pool(tmp_path, PoolSpec(clips=4000, frames=1, side=4))
    drawing = subprocess.Popen(
        [sys.executable, "-c", FLICKER, str(tmp_path / "ready.npy")], stdout=subprocess.PIPE
    )
    try:
        assert drawing.stdout is not None and drawing.stdout.readline() == b"begun\n"
        assert all(len(pool.available()) <= 4000 for _ in range(2000))
    finally:
        drawing.kill()
        drawing.wait()
