"""The node's buttons, handles and life in a fake Nuke: no engine, no pixels."""

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
        self.assertEqual(self.node["node_version"].value(), 1)
        self.assertEqual((self.text("efficienttam_uuid"), self.text("sheet")), (uuid, sheet))
        self.assertEqual(self.node["grow"].value(), 7)
        self.assertEqual(self.node.input(0).name(), self.plate.name())
        self.assertEqual(below.input(0).name(), "EfficientTAM1")
        self.assertEqual(self.node["current"].value(), "object1")
        self.assertIn("Brought up", self.text("status"))

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


class InATerminal(InNuke):
    gui = False

    def test_errors_are_raised_too(self):
        from efficienttam.contract.errors import JobError

        with self.assertRaises(JobError):
            self.press("track_both")
        with self.assertRaises(JobError):
            self.press("open_window")
        self.assertEqual(self.session.messages, [])


if __name__ == "__main__":
    unittest.main()
