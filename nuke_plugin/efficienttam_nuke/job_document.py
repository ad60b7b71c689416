"""From what a node says to the job document. Pure; standard library only, Python 3.7 or newer."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Optional, Tuple

from efficienttam.contract.document import JobFaults, from_json, to_json
from efficienttam.contract.errors import JobError
from efficienttam.contract.fields import Fault
from efficienttam.contract.job import (
    FrameRange,
    Layout,
    Mattes,
    Model,
    Output,
    Plate,
    Precision,
    Tracking,
    TrackJob,
)
from efficienttam.contract.output_form import CHOOSE_FILES
from efficienttam.contract.passes import Between
from efficienttam.contract.prompt_sheet import PromptSheet
from efficienttam.contract.region import FOLLOW_DRAWN, FOLLOW_TRACK
from efficienttam.contract.rules import LET_STAND_IN, REFINE_EDGES

#: First and last frame, both included.
Run = Tuple[int, int]

#: A place of the document at the head of what the engine says of it.
_PLACE = re.compile(
    r"^( *)((?:plate|objects|output|range|views|model|tracking|mattes)[\w.\[\]]*): ", re.MULTILINE
)
_VIEW = re.compile(r"%[Vv]")
#: Places of the document and the label of the knob that fills them, or of what lies in them.
_LABELS = {
    "plate": "plate",
    "output": "mattes to",
    "range": "range",
    "views": "views",
    "model.name": "model",
    "model.weights": "weights",
    "model.device": "device",
    "model.precision": "precision",
    "tracking.between": "between prompts",
    "tracking.fill_hole_area": "holes in the network's mask",
    "tracking.non_overlapping": "objects do not overlap",
    "tracking.border": "margin around the plate",
    "mattes.softness": "edge softness",
    "mattes.refine": "refine edges",
    "mattes.refine_band": "refine edges within",
    "mattes.fill_holes": "fill holes up to",
    "mattes.remove_specks": "remove specks up to",
    "mattes.keep_largest": "keep the largest part only",
    "mattes.steady_frames": "steady edges over",
    "mattes.roto_blend": "blend rotos out over",
}
#: Remedies that name a field of the document, and what does the same on the node.
_REMEDIES = {
    FOLLOW_TRACK: "choose follow the object in track inside a region",
    FOLLOW_DRAWN: "choose drawn box in track inside a region",
    REFINE_EDGES: "choose unmix in refine edges",
    LET_STAND_IN: "choose what the Read shows for missing frames",
    # The node writes one file for all objects, which only an EXR can be.
    ", or {}.".format(CHOOSE_FILES): ".",
    ".exr, .png or .tif.": ".exr.",
}


@dataclasses.dataclass(frozen=True)
class Words:
    """All that a node says about a job, but for the plate."""

    sheet: PromptSheet
    #: Where the mattes go, an absolute path with a frame token.
    mattes: str
    first: int
    last: int
    views: Tuple[str, ...] = ()
    model: str = "efficienttam_demo"
    device: str = "auto"
    precision: str = "auto"
    #: A weights file of the model, empty for its own.
    weights: str = ""
    between: str = "nearest"
    fill_hole_area: int = 8
    non_overlapping: bool = False
    border: float = 0.0
    form: Mattes = Mattes()


def build_job(words: Words, plate: Plate) -> TrackJob:
    """The job, as ``efficienttam matte --layers`` would make it of the same words.

    Raises JobError where nothing is to be tracked, JobFaults where the rules of a job are broken.
    """
    objects = words.sheet.tracked()
    if not objects:
        raise JobError("Nothing says what to track.", "Put the point on the object and press Include here.")
    for thing in objects:
        if not thing.prompts[0].stands_alone:
            raise JobError(
                "Of {} it is only said what it is not.".format(thing.name), "Include a point on it."
            )
    outside = [frame for frame in words.sheet.prompted if not words.first <= frame <= words.last]
    if outside:
        raise JobError(
            "Frame {} has a prompt and the plate has only {} to {}.".format(
                outside[0], words.first, words.last
            ),
            "Delete that prompt, or feed a longer plate.",
        )
    job = TrackJob(
        plate=plate,
        objects=objects,
        output=Output(path=words.mattes, layout=Layout.LAYER_PER_OBJECT),
        range=FrameRange(words.first, words.last),
        views=words.views,
        model=model_of(words),
        tracking=tracking_of(words),
        mattes=words.form,
    )
    try:
        return from_json(to_json(job))
    except JobFaults as error:
        raise JobFaults([_on_the_node(fault, job) for fault in error.faults]) from error


def remedy_here(remedy: str) -> str:
    """A remedy in the words of the node."""
    for written, done in _REMEDIES.items():
        remedy = remedy.replace(written, done)
    return remedy


def label_of(place: str, job: TrackJob) -> str:
    """What the node calls a place of the document: the knob's label, or the object's region or prompt."""
    part = re.match(r"objects\[(\d+)\]\.(region|prompts)(?:\[(\d+)\])?", place)
    if part is not None:
        thing = job.objects[int(part.group(1))]
        if part.group(2) == "region":
            return "Region of {}".format(thing.name)
        on = "" if part.group(3) is None else " on {}".format(thing.prompts[int(part.group(3))].frame)
        return "Prompts of {}{}".format(thing.name, on)
    if place.startswith("objects"):
        return "name" if place.endswith(".name") else "object"
    known = place.partition("[")[0]
    while known and known not in _LABELS:
        known = known.rpartition(".")[0]
    return _LABELS.get(known, place)


def told_here(told: str, job: TrackJob) -> str:
    """What the engine says of the document, in the words of the node; all else stays as it is."""
    told = _PLACE.sub(lambda at: "{}{}: ".format(at.group(1), label_of(at.group(2), job)), told)
    return remedy_here(told)


def _on_the_node(fault: Fault, job: TrackJob) -> Fault:
    return fault._replace(place=label_of(fault.place, job), remedy=remedy_here(fault.remedy))


def model_of(words: Words) -> Model:
    """The network and its device."""
    return Model(
        name=words.model, weights=words.weights, device=words.device, precision=Precision(words.precision)
    )


def tracking_of(words: Words) -> Tracking:
    """How prompts become mattes."""
    return Tracking(
        between=Between(words.between),
        fill_hole_area=words.fill_hole_area,
        non_overlapping=words.non_overlapping,
        border=words.border,
    )


def check_path(path: str, knob: str) -> None:
    """Raises JobError for a path that Nuke would read otherwise than the engine; ``knob`` is its label."""
    for sign, reading in (("[", "as Tcl"), ("]", "as Tcl"), ("#", "as the frame number")):
        if sign in path and (sign != "#" or "%" in path):
            raise JobError(
                "Nuke reads the {} in {} {}.".format(sign, path, reading),
                "Name another place in {} on the tab Advanced.".format(knob),
            )


def document_path(mattes: str) -> str:
    """Where the job document of mattes lies: beside them, above folders that hold %V.

    ``/s/mattes/hero.%04d.exr`` gives ``/s/mattes/hero.job.json``.
    """
    stem = re.split(r"[._]*(?:%0?\d*d|%[Vv]|\$F|#)", os.path.basename(mattes))[0] or "mattes"
    return os.path.join(folder_of(mattes), stem + ".job.json").replace("\\", "/")


def roto_path(mattes: str, name: str, frame: int, token: str, stereo: bool) -> str:
    """Where the roto of an object on a frame is kept: beside the mattes, since it belongs to the shot.

    ``token`` keeps it apart from an earlier one, which an undo may bring back.
    """
    file = "{}.{}.{}{}.exr".format(name, frame, token, ".%V" if stereo else "")
    return os.path.join(folder_of(mattes), "prompts", file).replace("\\", "/")


def folder_of(mattes: str) -> str:
    """The folder of the mattes, above folders that hold %V."""
    folder = os.path.dirname(mattes)
    while _VIEW.search(folder):
        folder = os.path.dirname(folder)
    return folder


def default_mattes(script: str, temporary: str, name: str, uuid: str, stereo: bool) -> str:
    """Where mattes go when nobody says: a folder beside the script, or in ``temporary`` without one.

    The node's own id keeps two nodes of one name apart.
    """
    folder = os.path.dirname(script) if script else temporary
    plain = re.sub(r"\W+", "_", name.rpartition(".")[2])
    file = plain + (".%V" if stereo else "") + ".%04d.exr"
    return os.path.join(folder, "mattes", "{}_{}".format(plain, uuid[:8]), file).replace("\\", "/")


def home_of(mattes: str, uuid: str) -> Optional[str]:
    """The folder of the script beside which ``default_mattes`` put a node's mattes; None for other places."""
    found = re.match(r"(.*)/mattes/[^/]*_{}/[^/]+\Z".format(re.escape(uuid[:8])), mattes)
    return None if found is None else found.group(1)


def with_the_views(mattes: str, uuid: str, stereo: bool) -> str:
    """A path that ``default_mattes`` gave, with %V where the script has several views by now, else without.

    A path that somebody named is left as it is.
    """
    folder, file = os.path.split(mattes)
    plain = re.match(r"(\w+)_{}\Z".format(re.escape(uuid[:8])), os.path.basename(folder))
    if plain is None or file not in (plain.group(1) + ".%04d.exr", plain.group(1) + ".%V.%04d.exr"):
        return mattes
    return "{}/{}{}.%04d.exr".format(folder, plain.group(1), ".%V" if stereo else "")


def range_of(job: TrackJob) -> Run:
    """First and last frame of a job that a node made: it always names both."""
    first, last = job.range.first, job.range.last
    assert first is not None and last is not None
    return first, last


def chosen_range(plate: Run, asked: Run, handles: int, prompted: Tuple[int, ...]) -> Run:
    """First and last frame to track: what was asked for, with handles and prompts, as far as the plate goes.

    Raises JobError for a range that runs backwards or misses the plate.
    """
    if asked[1] < asked[0]:
        raise JobError(
            "The range ends at {}, before its start {}.".format(asked[1], asked[0]),
            "Put the lower frame first.",
        )
    handles = max(handles, 0)
    first = min((asked[0] - handles,) + prompted)
    last = max((asked[1] + handles,) + prompted)
    first, last = max(first, plate[0]), min(last, plate[1])
    if last < first:
        raise JobError(
            "The range {}-{} lies outside the plate, {}-{}.".format(asked[0], asked[1], plate[0], plate[1]),
            "Choose frames of the plate.",
        )
    return first, last
