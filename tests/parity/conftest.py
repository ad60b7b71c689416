"""Variants to hold to golden numbers; ``golden_files`` tells which."""

from __future__ import annotations

import golden_files
import pytest


@pytest.fixture(params=golden_files.whole(), scope="module")
def golden(request: pytest.FixtureRequest) -> golden_files.Golden:
    """A variant with all of its numbers."""
    return golden_files.golden_of(request.param)


@pytest.fixture(scope="module")
def part(request: pytest.FixtureRequest) -> golden_files.Golden:
    """A variant of which the array is held that a test asks for, see ``golden_files.holding``."""
    return golden_files.golden_of(request.param)
