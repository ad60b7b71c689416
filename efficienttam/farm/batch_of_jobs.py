"""Many shots at once: job documents, folders of them and CSV lists, read with every fault of every shot."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..contract.errors import EfficientTAMError, ExitCode, JobError
from ..contract.fields import nearest
from ..contract.site_settings import FarmSettings, PathRule
from .plan import Frames
from .shot_job import ShotJob, read_shot_job

#: What a folder's job documents are called.
ENDING = ".job.json"
COLUMNS = ("job", "name", "first", "last", "priority")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclasses.dataclass(frozen=True)
class Wish:
    """One job document and what is wanted of it. ``place`` is where that was said."""

    place: str
    document: str
    name: str = ""
    first: int | None = None
    last: int | None = None
    priority: int | None = None


@dataclasses.dataclass(frozen=True)
class Refused:
    """A shot that cannot be planned, and why."""

    place: str
    error: EfficientTAMError


@dataclasses.dataclass(frozen=True)
class Batch:
    """The shots that can be planned, in the order given, and those that cannot."""

    shots: tuple[ShotJob, ...]
    refused: tuple[Refused, ...] = ()


class BatchFaults(JobError):
    """Everything wrong with every shot of a batch."""

    def __init__(self, refused: Sequence[Refused], count: int) -> None:
        told = "\n".join(str(one.error) for one in refused)
        remedy = "Mend them, or leave them out with --skip-faulty." if len(refused) < count else "Mend them."
        super().__init__(
            told if count == 1 else f"{len(refused)} of {count} shots cannot be planned, so none is.\n{told}",
            "" if count == 1 else remedy,
        )
        self.exit_code = exit_code_of(refused)


def exit_code_of(refused: Sequence[Refused]) -> ExitCode:
    """OK for none, USAGE where a job itself is wrong, else the first one's."""
    codes = [one.error.exit_code for one in refused]
    if not codes:
        return ExitCode.OK
    return ExitCode.USAGE if ExitCode.USAGE in codes else codes[0]


def read_batch(
    paths: Sequence[str],
    settings: FarmSettings,
    skip_faulty: bool = False,
    path_map: Sequence[PathRule] = (),
    writes: bool = True,
) -> Batch:
    """Reads shots. A path is a job document, a folder (all ``*.job.json`` in it) or a CSV list.

    ``path_map`` and ``writes`` are those of ``read_shot_job``.
    Raises JobError for a path that is none of these, and BatchFaults for shots with faults; with
    ``skip_faulty`` only when none is without.
    """
    wishes = [wish for path in paths for wish in _wishes(path)]
    shots: list[tuple[Wish, ShotJob]] = []
    refused: list[Refused] = []
    for wish, name in zip(wishes, _names(wishes)):
        try:
            part = (wish.first, wish.last)
            read = read_shot_job(wish.document, name, settings, part, wish.priority, path_map, writes)
            shots.append((wish, read))
        except EfficientTAMError as error:
            refused.append(refusal(error, wish.place))
    kept = _without_clashes(shots, refused)
    if refused and not (skip_faulty and kept):
        raise BatchFaults(refused, len(wishes))
    return Batch(tuple(kept), tuple(refused))


def refusal(error: EfficientTAMError, place: str) -> Refused:
    """A shot with an error that tells which shot it is about."""
    if place in error.message:
        return Refused(place, error)
    told = JobError(f"{place}: {error.message}", error.remedy)
    told.exit_code = error.exit_code
    return Refused(place, told)


def _wishes(path: str) -> list[Wish]:
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(ENDING))
        if not names:
            raise JobError(f"There is no *{ENDING} in {path!r}.", "Name a folder that holds jobs.")
        found = [os.path.join(path, name) for name in names]
        return [Wish(one, one) for one in found]
    if path.lower().endswith(".csv"):
        return list(_rows(path))
    return [Wish(path, path)]


def _rows(path: str) -> Iterator[Wish]:
    """The shots of a list. Raises JobError with all that is wrong with the list itself."""
    lines = _cells(path)
    heads = [head.lower() for head in lines[0][1]] if lines else []
    unknown = [head for head in heads if head not in COLUMNS]
    twice = [head for head, count in Counter(heads).items() if count > 1]
    if "job" not in heads or unknown or twice:
        got = f"it has the column {unknown[0]!r}" if unknown else "it has no column 'job'"
        got = f"it has the column {twice[0]!r} twice" if twice and not unknown else got
        remedy = nearest(unknown[0], COLUMNS) if unknown else f"The first line names {', '.join(COLUMNS)}."
        raise JobError(f"The list {path!r} cannot be used: {got}.", remedy)
    faults: list[str] = []
    wishes = []
    for number, line in lines[1:]:
        place, beyond = f"{path}:{number}", [cell for cell in line[len(heads) :] if cell]
        if beyond:
            faults.append(f"{place}: {beyond[0]!r} stands beyond the {len(heads)} columns of the first line.")
        if any(line):
            wishes.append(_wish(dict(zip(heads, line)), place, os.path.dirname(path), faults))
    wishes_named = Counter(wish.name.lower() for wish in wishes if wish.name)
    faults += [f"{name!r} names {count} shots." for name, count in wishes_named.items() if count > 1]
    if faults or not wishes:
        told = "\n".join(f"  {fault}" for fault in faults) or "  It names no shot."
        raise JobError(f"The list {path!r} cannot be used:\n{told}", "")
    yield from wishes


def _cells(path: str) -> list[tuple[int, list[str]]]:
    """The lines of a list with their numbers, cells without blanks around them. Raises JobError."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
        # Where a comma stands in numbers, spreadsheets write semicolons between cells.
        head = next(iter(text.splitlines()), "")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",")
        return [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise JobError(f"The list {path!r} cannot be read: {reason}.", "Name a CSV file in UTF-8.") from error


def _wish(cells: dict[str, str], place: str, folder: str, faults: list[str]) -> Wish:
    numbers: dict[str, int] = {}
    for column in ("first", "last", "priority"):
        text = cells.get(column, "")
        if re.fullmatch(r"-?\d{1,7}", text):
            numbers[column] = int(text)
        elif text:
            faults.append(f"{place}: {column} is {text!r}, expected a whole number.")
    name = cells.get("name", "")
    if _NOT_IN_A_NAME.search(name):
        faults.append(f"{place}: the name {name!r} may only have letters, digits, _ and -.")
    if not 0 <= numbers.get("priority", 0) <= 100:
        faults.append(f"{place}: priority is {numbers['priority']}, expected 0 to 100.")
    if not cells.get("job"):
        faults.append(f"{place}: there is no job.")
    document = os.path.join(folder, os.path.expanduser(cells.get("job", "")))
    return Wish(place, document, name, numbers.get("first"), numbers.get("last"), numbers.get("priority"))


def _names(wishes: Sequence[Wish]) -> list[str]:
    """A name for each shot, all apart whatever their case: the document's, with its folder's where needed."""
    plain = [wish.name or _stem(wish.document) for wish in wishes]
    told = Counter(name.lower() for name in plain)
    names: list[str] = []
    taken: set[str] = set()
    for wish, name in zip(wishes, plain):
        if told[name.lower()] > 1 and not wish.name:
            above = os.path.basename(os.path.dirname(os.path.abspath(wish.document)))
            name = _clean(f"{above}_{name}")
        unique, number = name, 2
        while unique.lower() in taken:
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique.lower())
        names.append(unique)
    return names


def _stem(document: str) -> str:
    name = os.path.basename(document)
    stem = name[: -len(ENDING)] if name.lower().endswith(ENDING) else os.path.splitext(name)[0]
    return _clean(stem)


def _clean(name: str) -> str:
    return _NOT_IN_A_NAME.sub("_", name).strip("_") or "shot"


def _without_clashes(shots: Sequence[tuple[Wish, ShotJob]], refused: list[Refused]) -> list[ShotJob]:
    """The shots but those whose mattes would land on those of a shot before them, which are refused.

    Names that differ in case alone are one file on Windows, on macOS and on SMB shares.
    """
    owners: dict[str, list[tuple[str, Frames, Wish]]] = {}
    kept = []
    for wish, shot in shots:
        mattes = {os.path.normcase(os.path.realpath(name)): made for name, made in shot.mattes().items()}
        clash = next(
            (
                _clash(wish, other, name == taken)
                for name, made in mattes.items()
                for taken, frames, other in owners.get(name.casefold(), [])
                if made[0] <= frames[1] and frames[0] <= made[1]
            ),
            None,
        )
        if clash:
            refused.append(Refused(wish.place, clash))
            continue
        kept.append(shot)
        for name, made in mattes.items():
            owners.setdefault(name.casefold(), []).append((name, made, wish))
    return kept


def _clash(wish: Wish, other: Wish, same: bool) -> JobError:
    """Why a shot cannot be with another; ``same`` unless their mattes' names differ in case."""
    first, second = _called(other), _called(wish)
    if first == second:
        return JobError(f"{second}: it is given twice.", "Give each shot once.")
    why = "" if same else " where case does not count in names of files (Windows, macOS, SMB shares)"
    return JobError(
        f"{second}: its mattes would overwrite those of {first}{why}.",
        "Give each shot its own folder or file name.",
    )


def _called(wish: Wish) -> str:
    """A shot as the one who listed it knows it."""
    return wish.place if wish.place == wish.document else f"{wish.place} ({wish.document})"
