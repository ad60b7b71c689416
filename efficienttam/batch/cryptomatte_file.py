"""A Cryptomatte in an EXR: written from mattes, read back object by object."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from functools import partial

import numpy as np

from ..contract.errors import OutputError, PlateError
from ..contract.job import Compression, DataWindow, PlateMetadata
from ..contract.output_form import CRYPTOMATTE_NAME
from ..mattes.cryptomatte import Cryptomatte, coverage_of, header_key, level_channels
from ..media import PlateInfo, read_float_channels, read_texts, write_float_channels
from ..media.writer import checked, content


def write_cryptomatte(
    path: str | os.PathLike[str],
    mattes: Mapping[str, np.ndarray],
    *,
    name: str = CRYPTOMATTE_NAME,
    plate: PlateInfo | None = None,
    compression: Compression = Compression.ZIPS,
    data_window: DataWindow = DataWindow.DISPLAY,
    metadata: Mapping[str, str] | None = None,
    carry: PlateMetadata = PlateMetadata.ESSENTIAL,
) -> None:
    """One EXR with a Cryptomatte: ``mattes`` is object -> (height, width) of 0 to 1, y down.

    An object's name may hold any letters. Where mattes overlap see ``Cryptomatte.ranks``. The rest is as for
    ``write_mattes``. Raises OutputError.
    """
    path = os.fspath(path)
    try:
        crypto = Cryptomatte(name, list(mattes))
    except ValueError as twins:
        raise OutputError(f"{path}: {twins}", "Rename one of the objects.") from twins
    arrays = [checked(path, owner, matte, plate) for owner, matte in mattes.items()]
    height, width = arrays[0].shape
    write_float_channels(
        path,
        crypto.channels,
        lambda rows, columns: crypto.ranks([array[rows, columns] for array in arrays]),
        (width, height),
        stored=content(arrays) if data_window is DataWindow.CONTENT else None,
        plate=plate,
        compression=compression,
        metadata={**crypto.header, **(metadata or {})},
        carry=carry,
    )


@dataclasses.dataclass(frozen=True)
class HeldCryptomatte:
    """What a file holds: the names in its manifest, and its channels (height, width, 2 per rank)."""

    objects: frozenset[str]
    channels: np.ndarray

    def matte(self, owner: str) -> np.ndarray:
        """The matte (height, width) of an object, float32, y down."""
        return coverage_of(owner, self.channels)


def read_cryptomatte(path: str, name: str = CRYPTOMATTE_NAME) -> HeldCryptomatte:
    """The Cryptomatte of that name in a file. Raises PlateError where there is none, or no manifest in it."""
    attribute = f"{header_key(name)}/manifest"
    manifest = read_texts(path, [attribute])[attribute]
    try:
        objects = frozenset(json.loads(manifest))
    except ValueError as broken:
        raise PlateError(
            f"{path} holds no Cryptomatte {name} with a manifest.", "Write it again."
        ) from broken
    return HeldCryptomatte(objects, read_float_channels(path, partial(level_channels, name)))
