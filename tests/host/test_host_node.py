"""The node's buttons, handles and life in a fake Nuke: no engine, no pixels."""

import dataclasses
import json
import os
import sys
import tempfile
import unittest

import host_paths


class InNuke(unittest.TestCase):
    """A Nuke with a plate of 200x100, frames 1001-1020, and one EfficientTAM node on it."""

    gui = True

    def setUp(self):
        for name in [name for name in sys.modules if name.startswith("efficienttam_nuke")]:
            del sys.modules[name]
        import fake_nuke

        self.session = fake_nuke.install(gui=self.gui, plugin_path=[host_paths.GIZMOS])
        import nuke

        self.nuke = nuke
        from efficienttam_nuke import startup

        startup.always()
        if self.gui:
            startup.interface()
        nuke.root()["first_frame"].setValue(1001)
        nuke.root()["last_frame"].setValue(1020)
        nuke.addFormat("200 100 0 0 200 100 1 small")
        self.plate = nuke.nodes.Constant(format="small")
        nuke.frame(1001)
        self.node = nuke.createNode("EfficientTAM")
        self.node.setInput(0, self.plate)

    def tearDown(self):
        import fake_nuke

        fake_nuke.uninstall()

    def press(self, name, **knobs):
        for knob, value in knobs.items():
            self.node[knob].setValue(value)
        self.node[name].execute()

    def text(self, name):
        return self.node[name].getText()

    @property
    def sheet(self):
        return json.loads(self.text("sheet"))["objects"]


class Prompting(InNuke):
    def test_a_point_makes_the_first_object(self):
        self.press("include", point=[50, 80])
        (thing,) = self.sheet
        self.assertEqual(thing["name"], "object1")
        self.assertEqual(thing["prompts"], [{"frame": 1001, "include": [[50, 20]]}])
        self.assertEqual(self.node["current"].value(), "object1")
        self.assertIn("object1 on 1001: +1", self.text("status"))
        self.assertIn("1001", self.text("table"))

    def test_a_handle_moves_its_point_and_no_other(self):
        self.press("include", point=[50, 80])
        self.press("exclude", point=[10, 10])
        self.assertEqual(tuple(self.node["handle2"].value()), (10, 10))
        self.node["handle2"].setValue([12, 14])
        self.assertEqual(self.sheet[0]["prompts"][0]["exclude"], [[12, 86]])
        self.assertEqual(self.sheet[0]["prompts"][0]["include"], [[50, 20]])
        self.session.undo()
        self.assertEqual(self.sheet[0]["prompts"][0]["exclude"], [[10, 90]])

    def test_a_parked_handle_stays_parked(self):
        self.press("include", point=[50, 80])
        self.node["handle5"].setValue([3, 3])
        self.assertEqual(len(self.sheet[0]["prompts"][0]["include"]), 1)
        self.assertEqual(tuple(self.node["handle5"].value()), (-10000, -10000))

    def test_a_handle_off_the_plate_goes_back_to_its_point(self):
        self.press("include", point=[50, 80])
        before = self.text("sheet")
        self.node["handle1"].setValue([900, 900])
        self.assertIn("not on the plate", self.text("status"))
        self.assertEqual(tuple(self.node["handle1"].value()), (50, 80))
        self.assertEqual(self.text("sheet"), before)

    def test_a_handle_without_a_plate_is_told_and_rests(self):
        self.press("include", point=[50, 80])
        before = self.text("sheet")
        self.node.setInput(0, None)
        self.node["handle1"].setValue([60, 70])
        self.assertEqual(tuple(self.node["handle1"].value()), (-10000, -10000))
        self.assertEqual(self.text("sheet"), before)

    def test_handles_follow_the_frame(self):
        self.press("include", point=[50, 80])
        self.nuke.frame(1005)
        self.session.show_frame()
        self.assertEqual(tuple(self.node["handle1"].value()), (-10000, -10000))
        self.nuke.frame(1001)
        self.session.show_frame()
        self.assertEqual(tuple(self.node["handle1"].value()), (50, 80))

    def test_a_point_off_the_plate_is_told(self):
        self.press("include", point=[500, 80])
        self.assertIn("not on the plate", self.text("status"))
        self.assertEqual(self.text("sheet"), "")

    def test_no_plate_is_told(self):
        self.node.setInput(0, None)
        self.press("include", point=[50, 80])
        self.assertIn("Nothing is connected to the input plate", self.text("status"))

    def test_a_box_and_prompts_listed_gone_to_copied_deleted(self):
        self.press("use_box", box=[10, 20, 30, 60])
        self.assertEqual(self.sheet[0]["prompts"][0]["box"], [10, 40, 30, 80])
        self.nuke.frame(1010)
        self.press("copy_prompt")
        self.assertEqual([prompt["frame"] for prompt in self.sheet[0]["prompts"]], [1001, 1010])
        self.press("go_to_prompt", prompt="1001 object1: box")
        self.assertEqual(self.nuke.frame(), 1001)
        self.press("delete_prompt")
        self.assertEqual([prompt["frame"] for prompt in self.sheet[0]["prompts"]], [1010])

    def test_objects(self):
        self.press("add_object", object_name="hero")
        self.press("add_object", object_name="stone")
        self.assertEqual(self.node["current"].value(), "stone")
        self.press("rename_object", object_name="rock")
        self.assertEqual([thing["name"] for thing in self.sheet], ["hero", "rock"])
        self.node["mute"].setValue(True)
        self.assertTrue(self.sheet[1]["mute"])
        self.node["current"].setValue("hero")
        self.assertFalse(self.node["mute"].value())
        self.node["object_color"].setValue([1, 0, 0])
        self.assertEqual(self.sheet[0]["color"], "#ff0000")
        self.press("remove_object")
        self.assertEqual([thing["name"] for thing in self.sheet], ["rock"])
        self.press("add_object", object_name="depth")
        self.assertIn("layer depth of its own", self.text("status"))

    def test_solo_and_mute_choose_who_is_in_the_matte(self):
        for name in ("a", "b", "c"):
            self.press("add_object", object_name=name)
        self.assertEqual(self.in_matte(), ["a.alpha", "b.alpha", "c.alpha"])
        self.node["current"].setValue("b")
        self.node["mute"].setValue(True)
        self.assertEqual(self.in_matte(), ["a.alpha", "c.alpha"])
        self.node["current"].setValue("c")
        self.node["solo"].setValue(True)
        self.assertEqual(self.in_matte(), ["c.alpha"])

    def in_matte(self):
        nodes = [self.node.node("Object{}".format(number)) for number in range(1, 17)]
        return [node["A"].value() for node in nodes if not node["disable"].value()]

    def test_more_objects_than_the_matte_holds_are_told(self):
        for number in range(17):
            self.press("add_object", object_name="x{}".format(number))
        self.assertIn("left out: x16", self.text("status"))

    def test_a_question_is_asked_before_something_is_destroyed(self):
        self.press("include", point=[50, 80])
        self.session.answers.append(False)
        self.press("clear")
        self.assertEqual(len(self.sheet), 1)
        self.session.answers.append(True)
        self.press("clear")
        self.assertEqual(self.sheet, [])
        self.session.undo()
        self.assertEqual(len(self.sheet), 1)
        self.assertIn("object1", self.text("table"))

    def test_own_channel(self):
        self.press("include", point=[50, 80])
        self.press("own_channel")
        self.assertEqual(self.node["output"].value(), "efficienttam.object1")


class Undoing(InNuke):
    """What shows the prompts is put back with them, and taken for nobody's word meanwhile."""

    def undone(self):
        """One undo; the sheets that open windows are told of."""
        from efficienttam_nuke import listeners

        heard = []
        uuid = self.text("efficienttam_uuid")

        def listen(_):
            heard.append(self.sheet)

        listeners.listen(uuid, listen)
        self.node["status"].setValue("as before")
        # The status line is nothing to undo.
        self.session.undo_stack.pop()
        self.session.undo()
        listeners.leave(uuid, listen)
        return heard

    def two_objects(self):
        """The second has a region and other switches, and is the current one."""
        self.press("include", point=[50, 80])
        self.press("add_object")
        self.press("include", point=[20, 30])
        self.node["region"].setValue("follow the object")
        self.node["mute"].setValue(True)
        self.node["object_color"].setValue([1, 0, 0])

    def test_a_cleared_node_is_as_before(self):
        self.press("include", point=[50, 80])
        self.node["has_mattes"].setValue(True)
        self.node["state"].setValue("tracked 1001-1020")
        before, status = self.sheet, self.text("status")
        self.session.answers.append(True)
        self.press("clear")
        self.assertEqual(self.text("state"), "")
        self.assertIn("Put the point on the object", self.text("status"))
        heard = self.undone()
        self.assertEqual(self.text("status"), status)
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertTrue(self.node["has_mattes"].value())
        self.assertEqual(self.sheet, before)
        self.assertEqual([sheet for sheet in heard if sheet != before], [])
        self.assertEqual(tuple(self.node["handle1"].value()), (50, 80))

    def test_a_removed_object_is_as_before(self):
        self.two_objects()
        before = self.sheet
        self.session.answers.append(True)
        self.press("remove_object")
        self.assertEqual(self.node["region"].value(), "whole frame")
        heard = self.undone()
        self.assertEqual(self.text("status"), "as before")
        self.assertEqual(self.sheet, before)
        self.assertEqual([sheet for sheet in heard if sheet != before], [])
        self.assertEqual(self.node["current"].value(), "object2")
        self.assertEqual(self.node["region"].value(), "follow the object")
        self.assertTrue(self.node["mute"].value())
        self.assertEqual(tuple(self.node["handle1"].value()), (20, 30))

    def test_another_current_object_leaves_both_as_they_are(self):
        self.two_objects()
        before = self.sheet
        self.node["current"].setValue("object1")
        self.assertEqual(self.undone(), [])
        self.assertEqual(self.text("status"), "as before")
        self.assertEqual(self.sheet, before)
        self.assertEqual(self.node["current"].value(), "object2")
        self.assertEqual(self.node["region"].value(), "follow the object")

    def test_a_handle_that_was_dragged_on_another_frame(self):
        self.press("include", point=[50, 80])
        self.nuke.frame(1005)
        self.press("include", point=[60, 70])
        before = self.sheet
        self.nuke.frame(1001)
        self.session.show_frame()
        steps = len(self.session.undo_stack)
        self.node["handle1"].setValue([52, 81])
        self.assertEqual(len(self.session.undo_stack), steps + 1)
        self.nuke.frame(1005)
        self.session.show_frame()
        self.undone()
        self.assertEqual(self.sheet, before)
        self.assertEqual(tuple(self.node["handle1"].value()), (60, 70))


class Regions(InNuke):
    def setUp(self):
        InNuke.setUp(self)
        self.press("include", point=[50, 80])

    @property
    def region(self):
        return self.sheet[0].get("region")

    def choose(self, **knobs):
        for name, value in knobs.items():
            self.node[name].setValue(value)

    def test_none_unless_told(self):
        self.assertIsNone(self.region)
        self.assertEqual(self.node["region"].value(), "whole frame")

    def test_a_region_that_follows(self):
        self.choose(region="follow the object")
        self.assertEqual(self.region, {"follow": "track", "padding": 0.5, "smoothing": 8})
        self.assertIn("follows it, after a first pass", self.text("status"))
        self.assertIn("object1 (region)", self.text("table"))
        self.choose(region_padding=0.75, region_smoothing=4)
        self.assertEqual(self.region, {"follow": "track", "padding": 0.75, "smoothing": 4})
        self.choose(region="whole frame")
        self.assertIsNone(self.region)
        self.session.undo()
        self.assertEqual(self.region["padding"], 0.75)
        self.assertEqual(self.node["region"].value(), "follow the object")

    def test_a_region_that_is_drawn(self):
        self.choose(box=[10, 20, 60, 90], region="drawn box")
        self.assertEqual(self.region["boxes"], [{"frame": 1001, "box": [10, 10, 60, 80]}])
        self.nuke.frame(1010)
        self.press("draw_region", box=[20, 20, 70, 90])
        self.assertEqual([drawn["frame"] for drawn in self.region["boxes"]], [1001, 1010])
        self.assertIn("in the box drawn on 1001, 1010", self.text("status"))
        self.press("draw_region", box=[30, 20, 80, 90])
        self.assertEqual(self.region["boxes"][1]["box"], [30, 10, 80, 80])
        self.session.undo()
        self.assertEqual(self.region["boxes"][1]["box"], [20, 10, 70, 80])
        self.press("erase_region")
        self.assertEqual([drawn["frame"] for drawn in self.region["boxes"]], [1001])
        self.press("erase_region")
        self.assertIn("no region drawn on 1010. It has on 1001", self.text("status"))
        self.nuke.frame(1001)
        self.press("erase_region")
        self.assertIsNone(self.region)
        self.assertEqual(self.node["region"].value(), "whole frame")

    def test_a_box_off_the_plate_changes_nothing(self):
        self.choose(box=[500, 20, 600, 90], region="drawn box")
        self.assertIn("does not touch the plate", self.text("status"))
        self.assertIsNone(self.region)
        self.assertEqual(self.node["region"].value(), "whole frame")

    def test_by_prompts_without_a_size_is_told(self):
        self.choose(region="by its prompts")
        self.assertIn("none has a box or a mask", self.text("status"))
        self.assertIn("choose follow the object in track inside a region", self.text("status"))
        self.press("track_both")
        self.assertIn("Region of object1", self.text("status"))
        self.assertIn("choose follow the object in track inside a region", self.text("status"))

    def test_room_below_nothing_and_room_without_a_region(self):
        self.choose(region_padding=0.9)
        self.assertIn("is tracked in the whole frame", self.text("status"))
        self.assertEqual(self.node["region_padding"].value(), 0.5)
        self.choose(region="follow the object", region_padding=-1)
        self.assertIn("Use 0 or more", self.text("status"))
        self.assertEqual((self.region["padding"], self.node["region_padding"].value()), (0.5, 0.5))
        self.choose(region_smoothing=10001)
        self.assertIn("10000 frames at most", self.text("status"))
        self.assertEqual((self.region["smoothing"], self.node["region_smoothing"].value()), (8, 8))

    def test_each_object_has_its_own(self):
        self.choose(region="follow the object")
        self.press("add_object", object_name="stone")
        self.assertEqual(self.node["region"].value(), "whole frame")
        self.node["current"].setValue("object1")
        self.assertEqual(self.node["region"].value(), "follow the object")
        self.assertNotIn("region", self.sheet[1])


class MatteForm(InNuke):
    """Each knob changes its own field of the job, and no other."""

    def setUp(self):
        InNuke.setUp(self)
        self.press("include", point=[50, 80])
        self.node["mattes"].setValue("/s/m/a.%04d.exr")

    def job(self):
        from efficienttam.contract.document import to_json
        from efficienttam_nuke import shot_job, tracker_node

        return json.loads(to_json(shot_job.job_of(*self.said(tracker_node))[0]))

    def said(self, tracker_node):
        tracker = tracker_node.TrackerNode(self.node)
        return tracker, tracker.sheet

    def test_untouched_knobs_say_nothing(self):
        self.assertNotIn("mattes", self.job())
        self.assertNotIn("border", self.job()["tracking"])
        self.assertEqual(self.job()["tracking"]["fill_hole_area"], 8)

    def test_a_weights_file_goes_into_the_job(self):
        from efficienttam.contract.errors import JobError

        self.assertEqual(self.job()["model"]["weights"], "")
        file = os.path.abspath(os.path.join(os.sep, "show", "show.safetensors"))
        self.node["weights"].setValue(file)
        self.assertEqual(self.job()["model"]["weights"], file)
        self.node["weights"].setValue("show.safetensors")
        with self.assertRaisesRegex(JobError, "whole path"):
            self.job()

    def test_each_knob_its_field(self):
        plain = self.job()
        none = {"softness": None, "refine": "none", "refine_band": None, "fill_holes": 0}
        none.update({"remove_specks": 0, "keep_largest": False, "steady_frames": 0, "roto_blend": 4})
        whole = dict(plain, mattes=none, tracking=dict(plain["tracking"], border=0))
        place = os.path.abspath(os.path.join(os.sep, "show", "show.safetensors"))
        filled = {("mattes", "refine_band")}  # Below: it needs two knobs.
        for name, value, section, field, told in (
            ("set_softness", True, "mattes", "softness", 2),
            ("refine", "unmix", "mattes", "refine", "unmix"),
            ("fill_holes", 400, "mattes", "fill_holes", 400),
            ("remove_specks", 90, "mattes", "remove_specks", 90),
            ("keep_largest", True, "mattes", "keep_largest", True),
            ("steady_frames", "2 frames", "mattes", "steady_frames", 2),
            ("roto_blend", 5, "mattes", "roto_blend", 5),
            ("border", 0.0625, "tracking", "border", 0.0625),
            ("between", "blend", "tracking", "between", "blend"),
            ("between", "forward", "tracking", "between", "forward"),
            ("non_overlapping", True, "tracking", "non_overlapping", True),
            ("fill_hole_area", 0, "tracking", "fill_hole_area", 0),
            ("fill_hole_area", 40, "tracking", "fill_hole_area", 40),
            ("model", "efficienttam_ti", "model", "name", "efficienttam_ti"),
            ("weights", place, "model", "weights", place),
            ("device", "cpu", "model", "device", "cpu"),
            ("precision", "float32", "model", "precision", "float32"),
            ("mattes", "/t/n/b.%04d.exr", "output", "path", "/t/n/b.%04d.exr"),
        ):
            before = self.node[name].value()
            self.node[name].setValue(value)
            now = self.job()
            now["mattes"] = now.get("mattes", none)
            now["tracking"].setdefault("border", 0)
            self.assertEqual(now, dict(whole, **{section: dict(whole[section], **{field: told})}), name)
            self.node[name].setValue(before)
            filled.add((section, field))
        self.assertEqual(self.job(), plain)
        self.assertEqual(self.told_places() - filled, set(), "a place of the document without its knob")

    def told_places(self):
        """Places of the document that a knob fills."""
        from efficienttam_nuke import job_document

        places = [tuple(place.split(".")) for place in job_document._LABELS]
        return {place for place in places if len(place) == 2}

    def test_a_band_counts_where_something_is_refined(self):
        plain = self.job()
        self.node["refine_band"].setValue(40)
        self.assertEqual(self.job(), plain)
        self.node["refine"].setValue("unmix")
        self.assertEqual(self.job()["mattes"]["refine_band"], 40)

    def test_softness_of_so_many_pixels(self):
        self.node["edge_softness"].setValue(0)
        self.assertNotIn("mattes", self.job())
        self.node["set_softness"].setValue(True)
        self.assertEqual(self.job()["mattes"]["softness"], 0)

    def test_live_controls_are_not_in_the_job(self):
        plain = self.job()
        for name, value in (("threshold", 0.3), ("softness", 0.2), ("grow", 4), ("feather", 3)):
            self.node[name].setValue(value)
        self.assertEqual(self.job(), plain)

    def test_what_cannot_be_is_told_by_the_knobs_name(self):
        self.node["fill_holes"].setValue(-3)
        self.press("track_both")
        self.assertIn("fill holes up to: -3 is not an area", self.text("status"))

        self.node["fill_holes"].setValue(0)
        for name, value in (("set_softness", True), ("edge_softness", 0), ("steady_frames", 2)):
            self.node[name].setValue(value)
        self.press("track_both")
        told = "steady edges over: A hard edge has no softness to steady."
        self.assertIn(told, self.text("status"))

    def test_a_second_view_gets_files_of_its_own(self):
        """Where the place was chosen by us; what somebody named is left alone, and the fault told."""
        from efficienttam_nuke import shot_job, tracker_node

        self.node["mattes"].setValue("")
        plain = shot_job.mattes_path(tracker_node.TrackerNode(self.node))
        self.assertTrue(plain.endswith("/EfficientTAM1.%04d.exr"), plain)
        self.nuke.addView("right")
        job = self.job()
        self.assertEqual(job["output"]["path"], plain.replace(".%04d", ".%V.%04d"))
        self.assertEqual(self.text("mattes"), job["output"]["path"])
        self.session.views.remove("right")
        self.assertEqual(self.job()["output"]["path"], plain)

        self.node["mattes"].setValue("/s/m/a.%04d.exr")
        self.nuke.addView("right")
        self.press("track_both")
        self.assertEqual(
            self.text("status"),
            "mattes to: Several views would write the same files. Put %V into the name.",
        )
        self.assertEqual(self.text("mattes"), "/s/m/a.%04d.exr")

    def test_views_are_all_of_the_script_unless_told(self):
        """Whatever the names of plate and mattes hold; a script of one view has none to choose."""
        from efficienttam.contract.errors import JobError
        from efficienttam_nuke import plate, tracker_node

        tracker = tracker_node.TrackerNode(self.node)
        self.node["views"].setValue("main")
        self.assertEqual(plate.views_of(tracker), ())
        self.nuke.addView("right")
        self.assertEqual(plate.views_of(tracker), ("main",))
        self.node["views"].setValue("")
        self.assertEqual(plate.views_of(tracker), ("main", "right"))
        self.node["views"].setValue("main, wrong")
        with self.assertRaisesRegex(JobError, "There is no view 'wrong' in the script. Views: main, right."):
            plate.views_of(tracker)
        self.assertIn("Empty: all of the script", self.node["views"].tooltip())

    def test_places_of_the_document_have_the_names_of_knobs(self):
        from efficienttam_nuke import job_document, shot_job, tracker_node

        job = shot_job.job_of(*self.said(tracker_node))[0]
        labels = {knob.label() for knob in self.node.allKnobs()}
        # The input; and two knobs that are called pixels, beside others.
        labels |= {"plate", "edge softness", "refine edges within"}
        places = ["output.path", "output.layout", "range.last", "views[1]", "plate.path", "objects[0].name"]
        places += ["model." + name for name in ("name", "weights", "device", "precision")]
        places += ["tracking." + n for n in ("between", "fill_hole_area", "non_overlapping", "border")]
        places += ["mattes." + field.name for field in dataclasses.fields(job.mattes)]
        for place in places:
            self.assertIn(job_document.label_of(place, job), labels, place)
        self.assertEqual(
            job_document.label_of("objects[0].prompts[0].frame", job), "Prompts of object1 on 1001"
        )
        self.assertEqual(job_document.label_of("objects[0].region.follow", job), "Region of object1")

    def test_a_kind_of_file_that_holds_one_matte_is_told(self):
        self.node["mattes"].setValue("/s/m/a.%04d.png")
        self.press("track_both")
        told = "mattes to: PNG holds one matte, not layer_per_object. Let the name end with .exr."
        self.assertIn(told, self.text("status"))


class Life(InNuke):
    def test_a_copy_gets_its_own_uuid_and_keeps_the_prompts(self):
        self.press("include", point=[50, 80])
        self.node["mattes"].setValue(
            "/s/EfficientTAM1_{}/a.%04d.exr".format(self.text("efficienttam_uuid")[:8])
        )
        before = self.text("efficienttam_uuid")
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "clip.nk")
            self.node.setSelected(True)
            self.nuke.nodeCopy(file)
            twin = self.nuke.nodePaste(file)
        self.assertEqual(self.text("efficienttam_uuid"), before)
        self.assertNotEqual(twin["efficienttam_uuid"].getText(), before)
        self.assertEqual(twin["sheet"].getText(), self.text("sheet"))
        self.assertEqual(twin["mattes"].getText(), "")

    def test_saved_and_opened_again(self):
        self.press("include", point=[50, 80])
        uuid, sheet = self.text("efficienttam_uuid"), self.text("sheet")
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.nk")
            self.nuke.scriptSaveAs(file)
            self.nuke.scriptClear()
            self.nuke.scriptOpen(file)
        self.node = self.nuke.toNode("EfficientTAM1")
        self.assertEqual(self.text("efficienttam_uuid"), uuid)
        self.assertEqual(self.text("sheet"), sheet)
        self.press("exclude", point=[1, 1])
        self.assertEqual(self.sheet[0]["prompts"][0]["exclude"], [[1, 99]])

    def test_a_rename_keeps_everything(self):
        self.press("include", point=[50, 80])
        self.node.setName("Hero")
        self.press("exclude", point=[1, 1])
        self.assertEqual(len(self.sheet[0]["prompts"][0]["exclude"]), 1)

    def test_prompts_of_a_later_version_are_left_alone(self):
        later = json.dumps({"version": 99, "objects": [], "new": 1})
        self.node["sheet"].setValue(later)
        self.assertIn("version 99", self.text("status"))
        self.press("include", point=[50, 80])
        self.assertEqual(self.text("sheet"), later)
        self.assertIn("Update this software", self.text("status"))

    def test_a_node_of_a_later_version_is_left_alone(self):
        self.node["node_version"].setValue(99)
        self.press("include", point=[50, 80])
        self.assertEqual(self.text("sheet"), "")
        self.assertIn("Update the plugin", self.text("status"))

    def test_a_node_of_an_earlier_version_is_replaced(self):
        self.press("include", point=[50, 80])
        below = self.nuke.nodes.Grade(inputs=[self.node])
        self.node["grow"].setValue(7)
        self.node["node_version"].setValue(0)
        uuid, sheet = self.text("efficienttam_uuid"), self.text("sheet")
        from efficienttam_nuke import callbacks

        callbacks.script_loaded()
        self.node = self.nuke.toNode("EfficientTAM1")
        self.assertEqual(self.node["node_version"].value(), 4)
        self.assertEqual((self.text("efficienttam_uuid"), self.text("sheet")), (uuid, sheet))
        self.assertEqual(self.node["grow"].value(), 7)
        self.assertEqual(self.node.input(0).name(), self.plate.name())
        self.assertEqual(below.input(0).name(), "EfficientTAM1")
        self.assertEqual(self.node["current"].value(), "object1")
        self.assertIn("Brought up", self.text("status"))

    def test_a_script_with_a_node_of_version_1(self):
        """As it was before regions and the form of mattes."""
        self.bring_up(1, "region", {})
        self.assertEqual((self.node["refine"].value(), self.node["fill_holes"].value()), ("off", 0))
        self.press("draw_region", box=[10, 20, 60, 90])
        self.assertEqual(self.sheet[0]["region"]["follow"], "drawn")

    def test_a_script_with_a_node_of_version_2(self):
        """As it was before it could name weights of its own."""
        self.bring_up(2, "weights", {"refine": "unmix", "fill_holes": 40, "steady_frames": "1 frame"})
        self.assertEqual(self.text("weights"), "")

    def test_a_script_with_a_node_of_version_3(self):
        """As it was before it remembered the folder of its script."""
        self.bring_up(3, "home", {"weights": "/s/w.safetensors"})

    def bring_up(self, version, lacks, more):
        """Opens a script with an old node: all that was said to it stays."""
        self.press("include", point=[50, 80])
        sheet = self.text("sheet")
        self.nuke.delete(self.node)
        old = self.nuke.nodePaste(os.path.join(host_paths.NODES, "version{}.nk".format(version)))
        self.assertEqual(old.name(), "EfficientTAM1")
        self.assertIsNone(old.knob(lacks))
        old.setInput(0, self.plate)
        told = {"threshold": 0.4, "softness": 0.3, "grow": 3, "feather": 2, "fill_hole_area": 30}
        told.update({"between": "blend", "model": "efficienttam_s", "non_overlapping": True, "first": 1003})
        told.update({"mattes": "/s/m/a.%04d.exr", "sheet": sheet})
        told.update(more)
        for name, value in told.items():
            old[name].setValue(value)
        self.assertIn("Save the script and open it again", old["status"].getText())
        self.assertEqual(old["label"].getText(), "[value state]")
        old["label"].setValue("hero of [value state]")
        self.add_own_knobs(old)
        self.session.show_frame()
        self.assertEqual([text for text in self.session.printed if "Traceback" in text], [])
        uuid = old["efficienttam_uuid"].getText()
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.nk")
            self.nuke.scriptSaveAs(file)
            self.nuke.scriptOpen(file)
        self.node = self.nuke.toNode("EfficientTAM1")
        self.assertEqual(self.node["node_version"].value(), 4, self.text("status"))
        self.assertEqual(self.text("efficienttam_uuid"), uuid)
        for name, value in told.items():
            knob = self.node[name]
            self.assertEqual(knob.getText() if name in ("mattes", "sheet") else knob.value(), value, name)
        self.assertEqual(self.node["current"].value(), "object1")
        self.assertIn("Brought up from version {} of the node to 4".format(version), self.text("status"))
        self.assertEqual(self.node["region"].value(), "whole frame")
        self.assertEqual(self.text("label"), "hero of [value state]")
        self.check_own_knobs()

    def add_own_knobs(self, node):
        """What an artist adds to a node of a show."""
        made = [
            self.nuke.Tab_Knob("kim", "Kim"),
            self.nuke.Text_Knob("note", "", "ask Kim"),
            self.nuke.Double_Knob("amount", "how much"),
            self.nuke.Enumeration_Knob("take", "take", ["a", "b"]),
            self.nuke.XY_Knob("eye", "eye"),
            self.nuke.Boolean_Knob("final", "final"),
            self.nuke.File_Knob("reference", "reference"),
            self.nuke.PyScript_Knob("greet", "greet", "nuke.tprint('hello')"),
            self.nuke.Link_Knob("grown", "grown"),
        ]
        for knob in made:
            node.addKnob(knob)
        made[2].setRange(0, 8)
        made[2].setTooltip("of the whole")
        made[3].setFlag(self.nuke.INVISIBLE)
        made[8].setLink("Grow.size")
        told = {"amount": 2.5, "take": "b", "eye": [3, 4], "final": True, "reference": "/s/[x].%04d.exr"}
        for name, value in told.items():
            node[name].setValue(value)
        node["eye"].setExpression("frame", 1)

    def check_own_knobs(self):
        node = self.node
        own = ["kim", "note", "amount", "take", "eye", "final", "reference", "greet", "grown"]
        self.assertEqual([knob.name() for knob in node.allKnobs()][-9:], own)
        fresh = self.nuke.createNode("EfficientTAM")
        self.assertEqual(set(node.knobs()) - set(own), set(fresh.knobs()))
        amount = node["amount"]
        self.assertEqual((amount.value(), amount.min(), amount.max()), (2.5, 0, 8))
        self.assertEqual((amount.label(), amount.tooltip()), ("how much", "of the whole"))
        self.assertEqual((node["take"].value(), list(node["take"].values())), ("b", ["a", "b"]))
        self.assertTrue(node["take"].getFlag(self.nuke.INVISIBLE))
        self.assertEqual(node["eye"].value(), [3, 1001])
        self.assertTrue(node["final"].value())
        self.assertEqual(self.text("reference"), "/s/[x].%04d.exr")
        self.assertEqual(node["note"].value(), "ask Kim")
        self.assertEqual(node["grown"].getLink(), "Grow.size")
        node["greet"].execute()
        self.assertEqual(self.session.printed[-1], "hello")

    def test_a_knob_that_cannot_be_made_again_is_told(self):
        class Curve_Knob(self.nuke.Double_Knob):
            """Of a kind that Python cannot make."""

        self.node.addKnob(Curve_Knob("speed", "speed"))
        self.node["node_version"].setValue(1)
        from efficienttam_nuke import callbacks

        callbacks.script_loaded()
        self.node = self.nuke.toNode("EfficientTAM1")
        self.assertEqual(self.node["node_version"].value(), 4)
        self.assertIn("Knobs that could not be made again: speed.", self.text("status"))

    def test_a_pasted_node_of_an_earlier_version_says_what_to_do(self):
        self.node["node_version"].setValue(0)
        self.press("include", point=[50, 80])
        self.assertIn("Save the script and open it again", self.text("status"))
        self.assertEqual(self.text("sheet"), "")

    def test_nuke_starts_whatever_is_wrong(self):
        from efficienttam_nuke import startup

        os.environ["EFFICIENTTAM_ENGINE"] = os.path.join("no", "such", "folder")
        try:
            startup.always()
        finally:
            del os.environ["EFFICIENTTAM_ENGINE"]
        self.assertIn("EfficientTAM did not start", self.session.printed[-1])

    def test_a_wrong_settings_file_is_told_at_start_and_by_the_buttons(self):
        from efficienttam_nuke import startup

        os.environ["EFFICIENTTAM_SETTINGS"] = os.path.join("no", "such", "file")
        try:
            startup.always()
            self.press("include", point=[50, 80])
            self.press("track_both")
        finally:
            del os.environ["EFFICIENTTAM_SETTINGS"]
        self.assertIn("there is no such file", self.session.printed[0])
        self.assertIn("there is no such file", self.text("status"))

    def test_another_group_is_not_touched(self):
        other = self.nuke.nodes.Group()
        from efficienttam_nuke import callbacks, tracker_node

        self.assertFalse(tracker_node.is_ours(other))
        callbacks.created(other)
        callbacks.frame_shown(other)

    def test_a_missing_engine_is_told_in_one_sentence(self):
        self.press("include", point=[50, 80])
        os.environ["EFFICIENTTAM_PYTHON"] = "/no/python"
        try:
            self.press("track_both")
        finally:
            del os.environ["EFFICIENTTAM_PYTHON"]
        self.assertIn("The engine is not installed", self.text("status"))
        self.assertIn("install/install.py", self.text("status"))
        self.assertEqual(self.session.rendered, [])

    def test_tracking_without_a_word_is_told(self):
        self.press("track_both")
        self.assertIn("Nothing says what to track", self.text("status"))

    def test_the_key_of_the_graph_knows_what_changes_a_pixel(self):
        from efficienttam_nuke import graph_key

        grade = self.nuke.nodes.Grade(inputs=[self.plate])
        before = graph_key.of_graph(grade, "")
        grade.setXYpos(50, 60)
        grade["label"].setValue("note")
        self.assertEqual(graph_key.of_graph(grade, ""), before)
        grade["white"].setValue(2)
        self.assertNotEqual(graph_key.of_graph(grade, ""), before)
        grade["white"].setValue(1)
        self.assertEqual(graph_key.of_graph(grade, ""), before)
        self.assertNotEqual(graph_key.of_graph(grade, "raw"), before)
        grade.setName("Other")
        self.assertEqual(graph_key.of_graph(grade, ""), before)
        grade.setInput(0, self.nuke.nodes.Dot(inputs=[self.plate]))
        self.assertEqual(graph_key.of_graph(self.nuke.nodes.Dot(inputs=[grade]), ""), before)
        grade.setInput(0, self.nuke.nodes.Grade(inputs=[self.plate]))
        self.assertNotEqual(graph_key.of_graph(grade, ""), before)

    def test_the_key_of_the_graph_knows_who_is_wired_to_whom(self):
        from efficienttam_nuke import graph_key

        one, other = (self.nuke.nodes.Grade(inputs=[self.plate], white=white) for white in (1, 2))
        merge = self.nuke.nodes.Merge2(inputs=[one, other])
        before = graph_key.of_graph(merge, "")
        merge.setInput(0, other)
        merge.setInput(1, one)
        self.assertNotEqual(graph_key.of_graph(merge, ""), before)

    def test_a_node_of_ours_above_hands_the_plate_on(self):
        from efficienttam_nuke import graph_key

        def key():
            return graph_key.of_graph(self.node, "")

        plain = graph_key.of_graph(self.plate, "")
        self.press("include", point=[50, 80])
        self.node["object_color"].setValue([1, 0, 0])
        self.node["threshold"].setValue(0.2)
        self.assertEqual(key(), plain)
        for name, value in (("show", "Overlay"), ("premultiply", True), ("object_layers", True)):
            was = self.node[name].value()
            self.node[name].setValue(value)
            self.assertNotEqual(key(), plain, name)
            self.node[name].setValue(was)
        self.assertEqual(key(), plain)
        self.node["show"].setValue("Plate")
        self.assertEqual(key(), plain)
        with self.node:
            between = self.nuke.nodes.Grade(inputs=[self.node.node("plate")])
        self.node.node("View").setInput(3, between)
        self.assertNotEqual(key(), plain)

    def test_what_nobody_asks_of_a_node_of_ours_further_up(self):
        from efficienttam_nuke import graph_key

        grade = self.nuke.nodes.Grade(inputs=[self.node])
        before = graph_key.of_graph(grade, "")
        self.node["object_color"].setValue([1, 0, 0])
        self.node["point"].setValue([3, 4])
        self.node["model"].setValue("efficienttam_s")
        self.assertEqual(graph_key.of_graph(grade, ""), before)
        self.node["grow"].setValue(3)
        self.assertNotEqual(graph_key.of_graph(grade, ""), before)
        grade["white"].setExpression("EfficientTAM1.first")
        before = graph_key.of_graph(grade, "")
        self.node["first"].setValue(1009)
        self.assertNotEqual(graph_key.of_graph(grade, ""), before)


class InATerminal(InNuke):
    gui = False

    def test_errors_are_raised_too(self):
        from efficienttam.contract.errors import JobError

        with self.assertRaises(JobError):
            self.press("track_both")
        with self.assertRaises(JobError):
            self.press("open_window")
        self.assertEqual(self.session.messages, [])

    def test_a_node_of_an_earlier_version_says_what_helps_here(self):
        from efficienttam.contract.errors import JobError
        from efficienttam_nuke import actions

        self.node["node_version"].setValue(2)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.nk")
            self.nuke.scriptSaveAs(file)
            self.nuke.scriptOpen(file)
        self.node = self.nuke.toNode("EfficientTAM1")
        self.assertEqual(self.node["node_version"].value(), 2, "a render must find what was saved")
        with self.assertRaises(JobError) as caught:
            self.press("include", point=[50, 80])
        self.assertIn("Call efficienttam_nuke.actions.up_to_date(node) first", caught.exception.remedy)
        self.node = actions.up_to_date(self.node)
        self.assertEqual(self.node.name(), "EfficientTAM1")
        self.assertIs(actions.up_to_date(self.node), self.node)
        self.press("include", point=[50, 80])
        self.assertEqual(len(self.sheet), 1)
        with self.assertRaisesRegex(JobError, "This is no EfficientTAM node."):
            actions.up_to_date(self.plate)


if __name__ == "__main__":
    unittest.main()
