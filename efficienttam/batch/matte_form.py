"""How a job's mattes lie in files: layers of an EXR, one grey picture, or a Cryptomatte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np

from ..contract.errors import PlateError
from ..contract.job import Layout, Output
from ..contract.output_form import FileFormat, cryptomatte_name, output_form
from ..contract.sequence import SequencePattern
from ..mattes.cryptomatte import Cryptomatte
from ..media import (
    PlateInfo,
    channel_name,
    read_roto,
    verify_matte,
    write_matte_picture,
    write_mattes,
)
from .cryptomatte_file import read_cryptomatte, write_cryptomatte


class MatteForm(Protocol):
    """Files of one kind; ``owners`` are the objects that share a file, in the job's order."""

    def write(
        self, path: str, mattes: Mapping[str, np.ndarray], plate: PlateInfo, metadata: Mapping[str, str]
    ) -> None:
        """Writes object -> matte (height, width). Raises OutputError."""

    def verify(self, path: str, owners: Sequence[str], plate: PlateInfo, metadata: Mapping[str, str]) -> None:
        """Raises IncompleteError where ``write`` would have made another file."""

    def read(self, path: str, owners: Sequence[str]) -> dict[str, np.ndarray]:
        """Object -> matte (height, width) float32 of those of the owners that the file holds whole."""


def owners_by_file(output: Output, names: Sequence[str], frame: int, view: str) -> dict[str, list[str]]:
    """File -> those of the objects whose mattes of a frame are in it, there or not."""
    pattern = SequencePattern(output.path)
    files: dict[str, list[str]] = {}
    for name in names:
        files.setdefault(pattern.path(frame, view, name), []).append(name)
    return files


def matte_form(output: Output) -> MatteForm:
    """The form of an output without faults."""
    if output_form(output).file_format is not FileFormat.EXR:
        return _Picture(output)
    return _Cryptomatte(output) if output.layout is Layout.CRYPTOMATTE else _Layers(output)


class _Layers:
    """One EXR with a layer per object, or with the one layer of one object."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._form = output_form(output)

    def write(
        self, path: str, mattes: Mapping[str, np.ndarray], plate: PlateInfo, metadata: Mapping[str, str]
    ) -> None:
        write_mattes(
            path,
            {self._layer(owner): matte for owner, matte in mattes.items()},
            plate=plate,
            compression=self._form.compression,
            depth=self._form.depth,
            data_window=self._output.data_window,
            metadata=metadata,
            carry=self._output.plate_metadata,
        )

    def verify(self, path: str, owners: Sequence[str], plate: PlateInfo, metadata: Mapping[str, str]) -> None:
        verify_matte(path, plate=plate, layers=[self._layer(owner) for owner in owners], metadata=metadata)

    def read(self, path: str, owners: Sequence[str]) -> dict[str, np.ndarray]:
        found = {}
        for owner in owners:
            with suppress(PlateError):
                found[owner] = read_roto(path, channel_name(self._layer(owner)))
        return found

    def _layer(self, owner: str) -> str:
        if self._output.layout is Layout.FILE_PER_OBJECT:
            return self._output.layer
        return f"{owner}.{self._output.layer.rpartition('.')[2]}"


class _Picture:
    """A PNG or TIFF that is one matte."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._form = output_form(output)
        self._four = output.layer == "rgba"

    def write(
        self, path: str, mattes: Mapping[str, np.ndarray], plate: PlateInfo, metadata: Mapping[str, str]
    ) -> None:
        (matte,) = mattes.values()
        write_matte_picture(
            path,
            matte,
            plate=plate,
            four_channels=self._four,
            compression=self._form.compression,
            depth=self._form.depth,
            metadata=metadata,
            carry=self._output.plate_metadata,
        )

    def verify(self, path: str, owners: Sequence[str], plate: PlateInfo, metadata: Mapping[str, str]) -> None:
        channels = tuple("RGBA") if self._four else ("Y",)
        verify_matte(path, size=plate.size, channels=channels, metadata=metadata)

    def read(self, path: str, owners: Sequence[str]) -> dict[str, np.ndarray]:
        with suppress(PlateError):
            return {owner: read_roto(path) for owner in owners}
        return {}


class _Cryptomatte:
    """One EXR in which every object is an id."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._form = output_form(output)

    def write(
        self, path: str, mattes: Mapping[str, np.ndarray], plate: PlateInfo, metadata: Mapping[str, str]
    ) -> None:
        write_cryptomatte(
            path,
            mattes,
            name=cryptomatte_name(self._output),
            plate=plate,
            compression=self._form.compression,
            data_window=self._output.data_window,
            metadata=metadata,
            carry=self._output.plate_metadata,
        )

    def verify(self, path: str, owners: Sequence[str], plate: PlateInfo, metadata: Mapping[str, str]) -> None:
        crypto = Cryptomatte(cryptomatte_name(self._output), owners)
        verify_matte(path, plate=plate, channels=crypto.channels, metadata={**crypto.header, **metadata})

    def read(self, path: str, owners: Sequence[str]) -> dict[str, np.ndarray]:
        with suppress(PlateError):
            held = read_cryptomatte(path, cryptomatte_name(self._output))
            return {owner: held.matte(owner) for owner in owners if owner in held.objects}
        return {}
