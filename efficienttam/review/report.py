"""A review on disk: a folder with review.json, index.html and contact_sheet.png, there as a whole or not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import __version__
from ..contract.errors import JobError, OutputError
from ..contract.fields import Record
from ..contract.frames_to_check import LIMITS
from ..contract.matte_score import MatteScore
from ..mattes.overlay import contact_sheet
from ..media import write_png
from .page import page
from .shot import Shot
from .thumbnails import WIDTH, labelled, thumbnails, wanted
from .verdict import Verdict, Visit, kinds

JSON, PAGE, SHEET = "review.json", "index.html", "contact_sheet.png"
#: Version of review.json.
REVIEW_VERSION = 1
_SHEET_COLUMNS = 5


def check_folder(folder: str) -> None:
    """Raises JobError for a folder that holds something else than a review."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise JobError(f"{folder} is a file; a folder was expected.", "Name another one with --out.")
    if os.path.isdir(folder) and os.listdir(folder) and not _is_review(folder):
        raise JobError(
            f"The folder {folder} holds something else than a review.", "Name another one with --out."
        )


def _is_review(folder: str) -> bool:
    """True where a folder holds a review of ours and nothing else: it may be replaced."""
    if not set(os.listdir(folder)) <= {JSON, PAGE, SHEET}:
        return False
    try:
        with open(os.path.join(folder, JSON), encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and {"version", "software", "to_check", "objects"} <= told.keys()


def document(shot: Shot, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What review.json holds."""
    kind = Record(MatteScore)
    return {
        "version": REVIEW_VERSION,
        "software": __version__,
        "title": shot.title,
        "mattes": shot.output.path,
        "limits": dict(vars(LIMITS)),
        "to_check": sum(len(verdict.checks) for verdict in verdicts),
        "reasons": kinds(verdicts),
        "objects": [
            {
                "name": verdict.name,
                "view": verdict.view,
                "first": verdict.frames[0],
                "last": verdict.frames[-1],
                "missing": list(verdict.missing),
                "places": [dict(vars(place), reasons=list(place.reasons)) for place in verdict.places],
                "checks": [
                    {
                        "frame": frame,
                        "doubt": round(check.doubt, 4),
                        "reasons": [reason.words for reason in check.reasons],
                    }
                    for frame, check in verdict.checks.items()
                ],
                "scores": [{"frame": frame, **kind.write(score)} for frame, score in verdict.scores.items()],
            }
            for verdict in verdicts
        ],
    }


def write_review(folder: str, shot: Shot, verdicts: Sequence[Verdict], visit: Visit) -> None:
    """Makes the folder under a hidden name and renames it; a review that was there is replaced.

    ``visit`` is called with every frame that is read, and may raise to end the work. Raises OutputError,
    and JobError for a folder that holds something else.
    """
    folder = os.path.abspath(folder)
    part = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.{os.getpid()}.part")
    try:
        os.makedirs(part)
        _fill(part, shot, verdicts, visit)
        check_folder(folder)
        _replace(folder, part)
    except OSError as error:
        raise OutputError(
            f"The review {folder} cannot be written: {error.strerror or error}.",
            "Name another folder with --out.",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(part: str, shot: Shot, verdicts: Sequence[Verdict], visit: Visit) -> None:
    chosen = wanted(verdicts)
    pictures = list(thumbnails(shot, chosen, visit))
    with open(os.path.join(part, PAGE), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(page(shot.title, verdicts, chosen, pictures))
    sheet = [labelled(one) for one in pictures] or [np.full((WIDTH * 9 // 16, WIDTH, 3), 24, np.uint8)]
    columns = min(_SHEET_COLUMNS, len(sheet))
    write_png(os.path.join(part, SHEET), contact_sheet(sheet, WIDTH, columns))
    with open(os.path.join(part, JSON), "w", encoding="utf-8", newline="\n") as file:
        json.dump(document(shot, verdicts), file, indent=1)
        file.write("\n")


def _replace(folder: str, part: str) -> None:
    old = part[: -len(".part")] + ".old"
    there = os.path.isdir(folder)
    if there:
        os.rename(folder, old)
    os.rename(part, folder)
    if there:
        shutil.rmtree(old, ignore_errors=True)
