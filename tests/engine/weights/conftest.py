from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from loopback_hub import FILE, LoopbackHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, loopback: None) -> Iterator[LoopbackHub]:
    """A server with one file of 2 MiB; no proxy stands between it and the test."""
    for variable in ("EFFICIENTTAM_WEIGHTS", "EFFICIENTTAM_WEIGHTS_SOURCE", "EFFICIENTTAM_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = LoopbackHub({FILE: random.Random(2).randbytes(2 << 20)})
    yield served
    served.close()
