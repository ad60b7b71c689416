"""Names of the node's knobs and inner nodes, as gizmos/EfficientTAM.gizmo has them."""

from __future__ import annotations

#: Version of the node that this code works with; gizmos/EfficientTAM.gizmo holds the same.
NODE_VERSION = 4

#: The knob that tells our nodes from other Groups.
UUID = "efficienttam_uuid"
VERSION = "node_version"
#: Folder of the script that the node got its uuid in; empty while that has no name.
HOME = "home"
SHEET = "sheet"
TRACKED = "tracked"
HANDLES_STATE = "handles_state"
STATE = "state"
STATUS = "status"
HAS_MATTES = "has_mattes"

CURRENT = "current"
OBJECT_NAME = "object_name"
OBJECT_COLOR = "object_color"
SOLO = "solo"
MUTE = "mute"
POINT = "point"
BOX = "box"
REGION = "region"
REGION_PADDING = "region_padding"
REGION_SMOOTHING = "region_smoothing"
PROMPT = "prompt"
TABLE = "table"
#: Handles that show the points of the current object on the current frame.
HANDLES = tuple("handle{}".format(number) for number in range(1, 9))
#: Where a handle rests that stands for no point, in Nuke's pixels.
PARKED = -10000.0
#: What a pulldown shows that has nothing to choose.
NONE = "none"

MATTES = "mattes"
FEED_FOLDER = "feed_folder"

#: Of the form of mattes what previews in the prompt window show too.
PREVIEWED_FORM = ("set_softness", "edge_softness", "fill_holes", "remove_specks", "keep_largest")
#: What of it only tracking shows.
TRACKED_FORM = ("refine", "refine_band", "steady_frames", "roto_blend")

#: Knobs that no node inside asks: they change nothing of what the node puts out, before it tracks again.
SILENT = (
    *(VERSION, UUID, HOME, SHEET, TRACKED, HANDLES_STATE, STATE, STATUS, TABLE, PROMPT, *HANDLES),
    *(CURRENT, OBJECT_NAME, OBJECT_COLOR, SOLO, MUTE, POINT, BOX, REGION, REGION_PADDING, REGION_SMOOTHING),
    *("frame_range", "first", "last", "handles", "refine", "refine_band", "steady_frames", "roto_blend"),
    *(*PREVIEWED_FORM, "non_overlapping", "between", "border", MATTES, "model", "weights", "device"),
    *("precision", "fill_hole_area", "feed", "feed_as", "feed_colorspace", FEED_FOLDER, "views"),
)

READ = "Mattes"
PLATE_INPUT = "plate"
ROTO_INPUT = "roto"
OUTPUT_COPY = "ResultMatte"
VIEW_SWITCH = "View"
#: What the plate comes through on its way to the input *Result* of the View, from below.
RGB_PATH = ("ObjectLayers", OUTPUT_COPY, "PlateAlpha", "Premultiply", "MatteOnPlate", PLATE_INPUT)
#: Each brings one object into the matte.
OBJECT_NODES = tuple("Object{}".format(number) for number in range(1, 17))
#: Nuke's own layers: an object of such a name would mix with them.
NUKE_LAYERS = frozenset(
    ("rgba", "rgb", "alpha", "red", "green", "blue", "depth", "mask", "motion", "forward", "backward")
    + ("disparity", "disparityl", "disparityr", "deep", "rotopaint_mask", "other", "all", "none")
)
