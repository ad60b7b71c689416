"""``segment``: everything on one frame, to pick from."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os

from ..contract.errors import ExitCode, JobError
from ..contract.job import Model, Plate
from .jobs import make_folder_of, refuse_folder_of, stopping, telling


def segment(args: argparse.Namespace) -> int:
    """Writes the Cryptomatte and the picture, and lists what is there."""
    with telling(args) as progress:
        for option, path, end in (("--out", args.out, ".exr"), ("--picture", args.picture, ".png")):
            if path and not path.lower().endswith(end):
                raise JobError(f"{option} {path!r} is no {end[1:].upper()}.", f"Let the name end with {end}.")
            if path and os.path.exists(args.plate) and os.path.exists(path):
                if os.path.samefile(path, args.plate):
                    raise JobError(f"{option} {path!r} would overwrite the plate.", "Choose another name.")
            if path:
                refuse_folder_of(path, option)
        from ..everything import automatic_options, segment_everything

        options = dataclasses.replace(
            automatic_options(args.model, args.least_iou, args.least_stability),
            points_per_side=args.points,
            crop_layers=args.crops,
            redraw=args.redraw,
        )
        for option, path in (("--out", args.out), ("--picture", args.picture)):
            if path:
                make_folder_of(path, option)
        with stopping() as stop:
            things = segment_everything(
                Plate(args.plate, args.color_space, args.ocio, layer=args.plate_layer),
                args.out,
                frame=args.frame,
                view=args.view,
                model=Model(args.model, args.weights, args.device or "auto", threads=args.threads or 0),
                options=options,
                least_area=args.least_area,
                picture=args.picture,
                progress=progress,
                stop=stop,
            )
    if args.json:
        listed = [
            {
                "name": thing.name,
                "box": thing.segment.box,
                "area": thing.segment.area,
                "point": thing.segment.point,
                "predicted_iou": round(thing.segment.predicted_iou, 4),
                "stability": round(thing.segment.stability, 4),
            }
            for thing in things
        ]
        print(json.dumps({"out": args.out, "things": listed}, indent=2))
    else:
        print(args.out)
    return ExitCode.OK
