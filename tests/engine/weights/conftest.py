from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest
from loopback_hub import FILE, LoopbackHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A server with one file of 2 MiB; no proxy stands between it and the test."""
    for variable in ("EFFICIENTTAM_WEIGHTS", "EFFICIENTTAM_WEIGHTS_SOURCE", "EFFICIENTTAM_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = LoopbackHub({FILE: random.Random(2).randbytes(2 << 20)})
    try:
        socket.create_connection(served.address, 5).close()
    except OSError as error:
        served.close()
        pytest.skip(f"This machine cannot reach itself: {error}.")
    yield served
    served.close()
