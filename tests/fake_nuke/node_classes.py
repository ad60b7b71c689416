"""Real node classes: which knobs they have, and what kind. Only what a gizmo of ours may use.

Names are those of Nuke 13 to 17. Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Any

#: Knobs that every node has: name -> (kind, default).
COMMON: dict[str, tuple[str, Any]] = {
    "name": ("String_Knob", ""),
    "label": ("Multiline_Eval_String_Knob", ""),
    "help": ("EvalString_Knob", ""),
    "tile_color": ("ColorChip_Knob", 0),
    "gl_color": ("ColorChip_Knob", 0),
    "note_font": ("String_Knob", "Verdana"),
    "note_font_size": ("Array_Knob", 11),
    "note_font_color": ("ColorChip_Knob", 0),
    "selected": ("Boolean_Knob", 0),
    "hide_input": ("Boolean_Knob", 0),
    "bookmark": ("Boolean_Knob", 0),
    "cached": ("Boolean_Knob", 0),
    "disable": ("Disable_Knob", 0),
    "dope_sheet": ("Boolean_Knob", 0),
    "postage_stamp": ("Boolean_Knob", 0),
    "postage_stamp_frame": ("Double_Knob", 0),
    "useLifetime": ("Boolean_Knob", 0),
    "lifetimeStart": ("Array_Knob", 0),
    "lifetimeEnd": ("Array_Knob", 0),
    "icon": ("File_Knob", ""),
    "indicators": ("Array_Knob", 0),
    "knobChanged": ("PythonKnob", ""),
    "onCreate": ("PythonKnob", ""),
    "onDestroy": ("PythonKnob", ""),
    "updateUI": ("PythonKnob", ""),
    "autolabel": ("PythonKnob", ""),
    "panel": ("Boolean_Knob", 0),
    "rootNodeUpdated": ("Boolean_Knob", 0),
    "xpos": ("Int_Knob", 0),
    "ypos": ("Int_Knob", 0),
}
#: Mask and mix of what filters and merges.
_MASKED: dict[str, tuple[str, Any]] = {
    "maskChannelMask": ("Channel_Knob", "rgba.alpha"),
    "maskChannelInput": ("Channel_Knob", "none"),
    "maskFromFlag": ("Boolean_Knob", 0),
    "inject": ("Boolean_Knob", 0),
    "invert_mask": ("Boolean_Knob", 0),
    "fringe": ("Boolean_Knob", 0),
    "mix": ("Array_Knob", 1),
}
_UNPREMULT: dict[str, tuple[str, Any]] = {
    "unpremult": ("Channel_Knob", "none"),
    "invert_unpremult": ("Boolean_Knob", 0),
}
_AROUND = ("hold", "loop", "bounce", "black")
_FILTERS = (
    "impulse\t\t\tImpulse,Nearest",
    "linear\t\t\tBilinear",
    "cubic\t\t\tCubic,Bicubic",
    "Keys",
    "Simon",
)
_SPACES = ("default", "linear", "sRGB", "rec709", "Cineon", "Gamma2.2", "AlexaV3LogC", "ARRILogC4")
OCIO_SPACES = (
    "color_picking\tcolor_picking (sRGB)",
    "compositing_log\tcompositing_log (Cineon)",
    "data\tdata (raw)",
    "default\tdefault (raw)",
    "matte_paint\tmatte_paint (sRGB)",
    "reference\treference (linear)",
    "scene_linear\tscene_linear (linear)",
    "linear\tColorspaces/linear",
    "sRGB\tColorspaces/sRGB",
    "rec709\tColorspaces/rec709",
    "AlexaV3LogC\tColorspaces/AlexaV3LogC",
    "raw\tColorspaces/raw",
)
_ON_ERROR = ("error", "black", "checkerboard", "nearest frame")
_MERGES = (
    "atop",
    "average",
    "color-burn",
    "color-dodge",
    "copy",
    "difference",
    "divide",
    "in",
    "mask",
    "max",
)
_MERGES += ("min", "minus", "multiply", "out", "over", "plus", "screen", "stencil", "under", "xor")
_CHANNEL_MERGES = ("absminus", "b if not a", "divide", "from", "in", "max", "min", "minus", "multiply")
_CHANNEL_MERGES += ("out", "plus", "stencil", "union", "xor")
_SIDES = ("Enumeration_Knob", ("union", "B\tB side", "A\tA side"))


@dataclasses.dataclass(frozen=True)
class NodeClass:
    """Knobs beside the common ones, and how many inputs it has without and with options."""

    knobs: dict[str, tuple[str, Any]]
    inputs: tuple[int, int] = (1, 1)


def _choice(*values: str) -> tuple[str, Any]:
    return ("Enumeration_Knob", values)


def _filter(knobs: dict[str, tuple[str, Any]], channels: str = "all") -> NodeClass:
    every = dict({"channels": ("ChannelMask_Knob", channels)}, **knobs)
    every.update(_MASKED)
    return NodeClass(every, (1, 2))


def _channels(first: str) -> dict[str, tuple[str, Any]]:
    """Four pulldowns of channels, as Remove and AddChannels have them."""
    others = {f"channels{n}": ("ChannelMask_Knob", "none") for n in (2, 3, 4)}
    return {"channels": ("ChannelMask_Knob", first), **others}


def _shape(softness: float) -> NodeClass:
    """Rectangle and Radial differ in how soft they begin."""
    return NodeClass(
        {
            "output": ("ChannelMask_Knob", "rgba"),
            "area": ("BBox_Knob", (0, 0, 0, 0)),
            "softness": ("Array_Knob", softness),
            "color": ("AColor_Knob", 1),
            "opacity": ("Array_Knob", 1),
            "replace": ("Boolean_Knob", 0),
            "invert": ("Boolean_Knob", 0),
            "premult": ("Channel_Knob", "none"),
            "cliptype": _choice("none", "bbox", "format"),
        },
        (0, 2),
    )


_PREMULT = NodeClass(
    {
        "channels": ("ChannelMask_Knob", "rgb"),
        "alpha": ("Channel_Knob", "rgba.alpha"),
        "invert": ("Boolean_Knob", 0),
    }
)
_WHICH = NodeClass({"which": ("Array_Knob", 0)}, (0, 100))
_FILE: dict[str, tuple[str, Any]] = {
    "file": ("File_Knob", ""),
    "proxy": ("File_Knob", ""),
    "file_type": _choice(" ", "exr", "dpx", "tiff", "png", "jpeg", "mov"),
    "first": ("Int_Knob", 1),
    "last": ("Int_Knob", 1),
    "colorspace": _choice(*_SPACES),
    "premultiplied": ("Boolean_Knob", 0),
    "raw": ("Boolean_Knob", 0),
    "frame_mode": _choice("expression", "start at", "offset"),
    "frame": ("String_Knob", ""),
    "reload": ("Script_Knob", "reload"),
}
CLASSES: dict[str, NodeClass] = {
    "Input": NodeClass({"number": ("Int_Knob", 0)}, (0, 1)),
    "Output": NodeClass({}),
    "NoOp": NodeClass({}),
    "Dot": NodeClass({}),
    "Group": NodeClass({"lock_connections": ("Boolean_Knob", 0)}, (0, 99)),
    "Viewer": NodeClass(
        {
            "frame": ("Int_Knob", 1),
            "frame_range": ("String_Knob", "1-100"),
            "frame_range_lock": ("Boolean_Knob", 0),
            "viewerProcess": ("String_Knob", ""),
        },
        (0, 10),
    ),
    "StickyNote": NodeClass({}, (0, 0)),
    "BackdropNode": NodeClass({"bdwidth": ("Array_Knob", 100), "bdheight": ("Array_Knob", 100)}, (0, 0)),
    "Assert": NodeClass({"expression": ("Array_Knob", 1), "message": ("EvalString_Knob", "")}),
    "Read": NodeClass(
        dict(
            _FILE,
            before=_choice(*_AROUND),
            after=_choice(*_AROUND),
            on_error=_choice(*_ON_ERROR),
            origfirst=("Int_Knob", 1),
            origlast=("Int_Knob", 1),
            origset=("Boolean_Knob", 0),
            format=("Format_Knob", None),
            proxy_format=("Format_Knob", None),
            auto_alpha=("Boolean_Knob", 0),
            localizationPolicy=_choice("on", "from auto-localize path", "on demand", "off"),
        ),
        (0, 0),
    ),
    "Write": NodeClass(
        dict(
            _FILE,
            channels=("ChannelMask_Knob", "rgb"),
            create_directories=("Boolean_Knob", 0),
            use_limit=("Boolean_Knob", 0),
            render_order=("Array_Knob", 1),
            views=("String_Knob", "left right"),
            beforeRender=("PythonKnob", ""),
            afterRender=("PythonKnob", ""),
            beforeFrameRender=("PythonKnob", ""),
            afterFrameRender=("PythonKnob", ""),
            on_error=_choice("error", "black"),
            Render=("PyScript_Knob", ""),
            transformType=_choice("colorspace", "display"),
            in_colorspace=("Enumeration_Knob", OCIO_SPACES),
            out_colorspace=("Enumeration_Knob", OCIO_SPACES),
        )
    ),
    "Shuffle2": NodeClass(
        {
            "in1": ("Channel_Knob", "rgba"),
            "in2": ("Channel_Knob", "none"),
            "out1": ("Channel_Knob", "rgba"),
            "out2": ("Channel_Knob", "none"),
            "fromInput1": _choice("B", "A"),
            "fromInput2": _choice("B", "A"),
            "mappings": ("String_Knob", ""),
            "shuffle": ("Knob", None),
        },
        (1, 2),
    ),
    "Copy": NodeClass(
        dict(
            {
                f"{way}{number}": ("Channel_Knob", "none" if number else "rgba.alpha")
                for number in range(4)
                for way in ("from", "to")
            },
            channels=("ChannelMask_Knob", "none"),
            metainput=_choice("B", "A", "All"),
            bbox=_SIDES,
            rangeinput=_choice("B", "A", "All"),
            **dict(_MASKED, **_UNPREMULT),
        ),
        (2, 3),
    ),
    "ChannelMerge": NodeClass(
        dict(
            {"A": ("Channel_Knob", "rgba.alpha"), "B": ("Channel_Knob", "rgba.alpha")},
            operation=("Enumeration_Knob", _CHANNEL_MERGES),
            output=("Channel_Knob", "rgba.alpha"),
            bbox=_SIDES,
            **_MASKED,
        ),
        (2, 3),
    ),
    "Merge2": NodeClass(
        dict(
            operation=("Enumeration_Knob", _MERGES),
            Achannels=("Channel_Knob", "rgba"),
            Bchannels=("Channel_Knob", "rgba"),
            output=("Channel_Knob", "rgba"),
            also_merge=("ChannelMask_Knob", "none"),
            bbox=_choice("union", "intersection", "A", "B"),
            screen_alpha=("Boolean_Knob", 0),
            sRGB=("Boolean_Knob", 0),
            metainput=_choice("B", "A", "All"),
            rangeinput=_choice("B", "A", "All"),
            **_MASKED,
        ),
        (2, 100),
    ),
    "MergeExpression": NodeClass({f"expr{n}": ("EvalString_Knob", "") for n in range(4)}, (2, 3)),
    "Expression": NodeClass(
        dict(
            {f"expr{n}": ("EvalString_Knob", "") for n in range(4)},
            **{
                f"{stem}{n}": (kind, "none" if kind == "ChannelMask_Knob" else "")
                for n in range(4)
                for stem, kind in (
                    ("channel", "ChannelMask_Knob"),
                    ("temp_name", "String_Knob"),
                    ("temp_expr", "EvalString_Knob"),
                )
            },
            **_MASKED,
        ),
        (0, 2),
    ),
    "Grade": _filter(
        dict(
            blackpoint=("AColor_Knob", 0),
            whitepoint=("AColor_Knob", 1),
            black=("AColor_Knob", 0),
            white=("AColor_Knob", 1),
            multiply=("AColor_Knob", 1),
            add=("AColor_Knob", 0),
            gamma=("AColor_Knob", 1),
            reverse=("Boolean_Knob", 0),
            black_clamp=("Boolean_Knob", 1),
            white_clamp=("Boolean_Knob", 0),
            process_mask=("ChannelMask_Knob", "none"),
            **_UNPREMULT,
        ),
        "rgb",
    ),
    "Multiply": _filter(dict(value=("AColor_Knob", 1), **_UNPREMULT)),
    "Clamp": _filter(
        dict(
            minimum=("AColor_Knob", 0),
            maximum=("AColor_Knob", 1),
            minimum_enable=("Boolean_Knob", 1),
            maximum_enable=("Boolean_Knob", 1),
            MinClampTo_enable=("Boolean_Knob", 0),
            MaxClampTo_enable=("Boolean_Knob", 0),
            MinClampTo=("AColor_Knob", 0),
            MaxClampTo=("AColor_Knob", 1),
        )
    ),
    "Invert": _filter(dict(clamp=("Boolean_Knob", 0))),
    "Dilate": _filter(dict(size=("WH_Knob", 1)), "alpha"),
    "FilterErode": _filter(
        dict(size=("WH_Knob", 1), filter=_choice("box", "triangle", "quadratic", "gaussian")), "alpha"
    ),
    "Blur": _filter(
        dict(
            size=("WH_Knob", 0),
            filter=_choice("box", "triangle", "quadratic", "gaussian"),
            quality=("Int_Knob", 15),
            crop=("Boolean_Knob", 1),
            cropFormat=("Boolean_Knob", 1),
        )
    ),
    "OCIOColorSpace": _filter(
        dict(
            in_colorspace=("Enumeration_Knob", OCIO_SPACES),
            out_colorspace=("Enumeration_Knob", OCIO_SPACES),
            swap=("Script_Knob", ""),
            **_UNPREMULT,
        ),
        "rgb",
    ),
    "Colorspace": _filter(
        dict(
            colorspace_in=_choice("Linear", "sRGB"),
            colorspace_out=_choice("Linear", "sRGB"),
        ),
        "rgb",
    ),
    "Premult": _PREMULT,
    "Unpremult": _PREMULT,
    "Keymix": NodeClass(
        {
            "channels": ("ChannelMask_Knob", "all"),
            "maskChannel": ("Channel_Knob", "rgba.alpha"),
            "invertMask": ("Boolean_Knob", 0),
            "mix": ("Array_Knob", 1),
            "bbox": _SIDES,
        },
        (3, 3),
    ),
    "Remove": NodeClass(
        {
            "operation": _choice("remove", "keep"),
            **_channels("all"),
        }
    ),
    "AddChannels": NodeClass(
        {
            **_channels("none"),
            "color": ("AColor_Knob", 0),
            "format_size": ("Boolean_Knob", 1),
        }
    ),
    "Switch": _WHICH,
    "Dissolve": _WHICH,
    "BlackOutside": NodeClass({}),
    "Crop": NodeClass(
        {
            "box": ("BBox_Knob", (0, 0, 0, 0)),
            "softness": ("Array_Knob", 0),
            "reformat": ("Boolean_Knob", 0),
            "intersect": ("Boolean_Knob", 0),
            "crop": ("Boolean_Knob", 1),
        }
    ),
    "Reformat": NodeClass(
        {
            "type": _choice("to format", "to box", "scale"),
            "format": ("Format_Knob", None),
            "box_width": ("Array_Knob", 200),
            "box_height": ("Array_Knob", 200),
            "box_fixed": ("Boolean_Knob", 0),
            "box_pixel_aspect": ("Array_Knob", 1),
            "scale": ("WH_Knob", 1),
            "resize": ("Enumeration_Knob", ("none", "width", "height", "fit", "fill", "distort")),
            "center": ("Boolean_Knob", 1),
            "flip": ("Boolean_Knob", 0),
            "flop": ("Boolean_Knob", 0),
            "turn": ("Boolean_Knob", 0),
            "filter": ("Enumeration_Knob", _FILTERS),
            "clamp": ("Boolean_Knob", 0),
            "black_outside": ("Boolean_Knob", 0),
            "pbb": ("Boolean_Knob", 0),
        }
    ),
    "TimeOffset": NodeClass(
        {"time_offset": ("Array_Knob", 0), "reverse_input": ("Boolean_Knob", 0), "time": ("String_Knob", "")}
    ),
    "FrameRange": NodeClass(
        {
            "first_frame": ("Array_Knob", 1),
            "last_frame": ("Array_Knob", 1),
            "time": ("String_Knob", ""),
            "reset": ("Script_Knob", ""),
        }
    ),
    "FrameHold": NodeClass({"first_frame": ("Array_Knob", 0), "increment": ("Array_Knob", 0)}),
    "Constant": NodeClass(
        {
            "channels": ("Channel_Knob", "rgb"),
            "color": ("AColor_Knob", 0),
            "format": ("Format_Knob", None),
            "first": ("Int_Knob", 1),
            "last": ("Int_Knob", 1),
        },
        (0, 1),
    ),
    "CheckerBoard2": NodeClass(
        {
            "format": ("Format_Knob", None),
            "boxsize": ("WH_Knob", 64),
            "color0": ("AColor_Knob", 0.1),
            "color1": ("AColor_Knob", 0.5),
            "color2": ("AColor_Knob", 0.1),
            "color3": ("AColor_Knob", 0.5),
            "linecolor": ("AColor_Knob", 1),
            "linewidth": ("WH_Knob", 0),
            "centerlinecolor": ("AColor_Knob", 1),
            "centerlinewidth": ("WH_Knob", 3),
        },
        (0, 1),
    ),
    "Rectangle": _shape(softness=0),
    "Radial": _shape(softness=1),
    "Transform": NodeClass(
        {
            "translate": ("XY_Knob", 0),
            "rotate": ("Double_Knob", 0),
            "scale": ("WH_Knob", 1),
            "center": ("XY_Knob", 0),
            "filter": ("Enumeration_Knob", _FILTERS),
        },
        (1, 2),
    ),
    "Roto": NodeClass(
        {
            "curves": ("Knob", None),
            "output": ("Channel_Knob", "alpha"),
            "premultiply": ("Channel_Knob", "none"),
            "cliptype": _choice("no clip", "bbox", "format"),
            "replace": ("Boolean_Knob", 0),
            "format": ("Format_Knob", None),
        },
        (0, 2),
    ),
    "JoinViews": NodeClass({"viewassoc": ("String_Knob", "")}, (0, 100)),
    "OneView": NodeClass({"view": ("String_Knob", "left")}),
    "ShuffleViews": NodeClass({"views": ("String_Knob", "")}),
    "Root": NodeClass(
        {
            "first_frame": ("Array_Knob", 1),
            "last_frame": ("Array_Knob", 100),
            "lock_range": ("Boolean_Knob", 0),
            "frame": ("Array_Knob", 1),
            "fps": ("Array_Knob", 24),
            "format": ("Format_Knob", None),
            "proxy": ("Boolean_Knob", 0),
            "proxy_type": _choice("format", "scale"),
            "proxy_format": ("Format_Knob", None),
            "proxy_scale": ("Double_Knob", 0.5),
            "project_directory": ("File_Knob", ""),
            "views": ("Knob", None),
            "colorManagement": _choice("Nuke", "OCIO"),
            "OCIO_config": _choice(
                "nuke-default", "aces_1.2", "fn-nuke_studio-config-v1.0.0_aces-v1.3_ocio-v2.1"
            ),
            "workingSpaceLUT": ("Enumeration_Knob", OCIO_SPACES),
            "int8Lut": _choice("sRGB", "linear"),
            "int16Lut": _choice("sRGB", "linear"),
            "logLut": _choice("Cineon", "linear"),
            "floatLut": _choice("linear", "sRGB"),
            "onScriptLoad": ("PythonKnob", ""),
            "onScriptSave": ("PythonKnob", ""),
            "onScriptClose": ("PythonKnob", ""),
        },
        (0, 0),
    ),
}
#: What an enumeration starts at where that is not its first entry.
STARTS = {
    ("Merge2", "operation"): "over",
    ("ChannelMerge", "operation"): "union",
}
STARTS.update(
    {("Reformat", "resize"): "width", ("Reformat", "filter"): "cubic", ("Blur", "filter"): "gaussian"}
)
for _class in ("OCIOColorSpace", "Write"):
    STARTS[_class, "in_colorspace"] = STARTS[_class, "out_colorspace"] = "scene_linear"
for _class in ("Transform",):
    STARTS[_class, "filter"] = "cubic"
#: Knobs that a Write has while it writes such files.
WRITTEN: dict[str, dict[str, tuple[str, Any]]] = {
    "exr": {
        "datatype": _choice("16 bit half", "32 bit float"),
        "compression": _choice(
            "none", "Zip (1 scanline)", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)"
        ),
        "autocrop": ("Boolean_Knob", 0),
        "metadata": _choice("default metadata", "no metadata", "all metadata"),
        "first_part": _choice("rgba"),
    },
    "png": {"datatype": _choice("8 bit", "16 bit")},
    "tiff": {"datatype": _choice("8 bit", "16 bit", "32 bit float"), "compression": _choice("none", "LZW")},
    "dpx": {"datatype": _choice("8 bit", "10 bit", "12 bit", "16 bit"), "bigEndian": ("Boolean_Knob", 1)},
    "jpeg": {"_jpeg_quality": ("Array_Knob", 0.75)},
}
#: Common knobs that these classes lack.
LACKS = {"Dot": {"disable", "postage_stamp", "cached"}, "Root": {"disable", "selected", "tile_color"}}


def knobs_of(cls: str) -> dict[str, tuple[str, Any]]:
    """Every knob of a class, the common ones included. Raises KeyError for a class not in the table."""
    every = {name: told for name, told in COMMON.items() if name not in LACKS.get(cls, ())}
    every.update(CLASSES[cls].knobs)
    return every
