"""What tests share: data beside the repository, weights that were never trained, tiny plates."""

from __future__ import annotations

import functools
import io
import math
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from efficienttam.contract.job import Model, Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt

# As the command line does: before torch is imported, or it is not seen.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A busy machine is no defect: time limits per example would make tests flaky.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parents[1]
#: Files of a few long tests, in the order they are begun: at the end one processor would wait for the other.
LONG_FILES = ("test_host_pythons.py", "test_bindings.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the files that take longest; the others stay in their order."""
    places = {name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session", autouse=True)
def embeddings_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps the tests, and the processes they start, off the user's embedding cache."""
    os.environ["EFFICIENTTAM_CACHE"] = str(tmp_path_factory.mktemp("embeddings"))


@pytest.fixture(scope="session")
def threads_at_first() -> int:
    """How many threads torch takes unless told; 0 where none of the tests at hand needs it."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else 0


@pytest.fixture(autouse=True)
def threads_as_at_first(threads_at_first: int) -> None:
    """Takes back how many threads an earlier job told torch to use: the last bits of a matte hang on it."""
    torch = sys.modules.get("torch")
    if torch and threads_at_first and torch.get_num_threads() != threads_at_first:
        torch.set_num_threads(threads_at_first)


@pytest.fixture(scope="session")
def loopback() -> None:
    """A machine that can reach itself; a test without it is skipped."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        try:
            socket.create_connection(listener.getsockname(), 5).close()
        except OSError as error:
            pytest.skip(f"This machine cannot reach itself: {error}.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared test data beside the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("The shared test data is not beside the repository.")
    return folder


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of ``efficienttam_demo`` straight from its random start."""
    import safetensors.torch
    import torch

    from efficienttam.model.build import build_model
    from efficienttam.model.config import MODELS

    torch.manual_seed(3)
    model = build_model(MODELS["efficienttam_demo"])
    path = tmp_path_factory.mktemp("weights") / "efficienttam_demo.safetensors"
    state = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    safetensors.torch.save_file(state, path)
    return path


@pytest.fixture(scope="session")
def published_file() -> Callable[[int], bytes]:
    """Makes what could be a published ``.pt`` of the ti family, by a seed; 2 MiB, as zeros take no room."""
    import torch

    from efficienttam.weights.checkpoint import variant_shapes

    def made(seed: int) -> bytes:
        numbers = torch.Generator().manual_seed(seed)
        zero, room, tensors = torch.zeros(1, dtype=torch.float16), 1 << 20, {}
        for key, shape in variant_shapes("efficienttam_ti").items():
            count = math.prod(shape)
            tensors[key] = zero.expand(shape)
            if room > 0 and count > 1 << 17:
                tensors[key] = torch.randn(shape, generator=numbers).half()
                room -= count
        file = io.BytesIO()
        torch.save({"model": tensors}, file)
        return file.getvalue()

    return functools.cache(made)


@pytest.fixture
def weights_at_hand(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the demo weights be found by name, for what looks for them without reading them."""
    folder = tmp_path_factory.mktemp("at_hand")
    (folder / "efficienttam_demo.safetensors").touch()
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", str(folder))


@pytest.fixture
def tiny_plate(tmp_path: Path) -> Path:
    """A folder with ``plate.1001.exr`` to ``plate.1006.exr``: 96 x 54, a bright square that moves."""
    from efficienttam.media import write_mattes

    for step in range(6):
        picture = np.full((54, 96), 0.2, np.float32)
        picture[15:35, 20 + 4 * step : 44 + 4 * step] = 0.9
        channels = {"red": picture, "green": picture * 0.5, "blue": 1 - picture}
        write_mattes(tmp_path / f"plate.{1001 + step}.exr", channels)
    return tmp_path


@pytest.fixture
def job(tiny_plate: Path, random_weights: Path) -> TrackJob:
    """A job on the tiny plate: two objects, the second named first on a later frame, a file each."""
    return TrackJob(
        plate=Plate(path="plate.%04d.exr"),
        objects=(
            TrackedObject(
                "hero",
                (Prompt(1001, include=((30, 25),)), Prompt(1005, include=((50, 25),), exclude=((2, 2),))),
            ),
            TrackedObject("sky", (Prompt(1003, box=(1, 1, 60, 20)),)),
        ),
        output=Output(path="out/{object}.%04d.exr"),
        model=Model(weights=str(random_weights), device="cpu"),
    )
