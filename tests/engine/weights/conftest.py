from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from loopback_hub import FILE, LoopbackHub


@pytest.fixture
def hub(
    monkeypatch: pytest.MonkeyPatch, loopback: None, published_file: Callable[[int], bytes]
) -> Iterator[LoopbackHub]:
    """A server with one file of a good 2 MiB; no proxy stands between it and the test."""
    for variable in ("EFFICIENTTAM_WEIGHTS", "EFFICIENTTAM_WEIGHTS_SOURCE", "EFFICIENTTAM_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = LoopbackHub({FILE: published_file(2)})
    yield served
    served.close()
