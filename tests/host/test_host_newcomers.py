"""Nodes that come into a script: whose mattes they write, and what their labels tell."""

import os
import shutil
import tempfile
import unittest

import host_paths  # noqa: F401
from test_host_node import InNuke as _InNuke


class _InFolders(_InNuke):
    """The script a/shot.nk, its node tracked as far as its knobs tell."""

    def setUp(self):
        # Wherever these tests run, a press of a button finds no engine and ends with a sentence.
        self.environment = dict(os.environ)
        os.environ["EFFICIENTTAM_PYTHON"] = os.path.join("no", "such", "python")
        super().setUp()
        self.folder = tempfile.mkdtemp()
        for name in ("a", "b"):
            os.mkdir(os.path.join(self.folder, name))
        self.nuke.scriptSaveAs(self.path("a", "shot.nk"))
        self.press("include", point=[50, 80])
        self.track_as_told(self.node)
        self.kept = {name: self.text(name) for name in ("efficienttam_uuid", "mattes", "tracked", "sheet")}
        self.nuke.scriptSave()

    def tearDown(self):
        shutil.rmtree(self.folder)
        super().tearDown()
        os.environ.clear()
        os.environ.update(self.environment)

    def path(self, *names):
        return os.path.join(self.folder, *names).replace("\\", "/")

    def track_as_told(self, node):
        from efficienttam_nuke import shot_job, tracker_node

        shot_job.mattes_path(tracker_node.TrackerNode(node))
        node["tracked"].setValue("{}")
        node["has_mattes"].setValue(True)

    def all_of(self, node):
        return {name: node[name].getText() for name in self.kept}

    def use(self, node):
        """Presses something that says a word."""
        self.node = node
        self.press("preview")

    def assert_own(self, node):
        """It writes mattes of its own; the old ones are shown until then."""
        told = self.all_of(node)
        self.assertNotEqual(told["efficienttam_uuid"], self.kept["efficienttam_uuid"])
        self.assertEqual((told["tracked"], told["sheet"]), ("", self.kept["sheet"]))
        self.assertNotIn(self.kept["efficienttam_uuid"][:8], told["mattes"])
        self.assertTrue(node["has_mattes"].value())
        self.assertEqual(node["state"].getText(), "")

    def copied(self):
        self.node.setSelected(True)
        self.nuke.nodeCopy("%clipboard%")

    def opened(self, *names):
        self.nuke.scriptOpen(self.path(*names))
        return self.nuke.toNode("EfficientTAM1")


class WithAWindow(_InFolders):
    def test_pasted_into_another_script(self):
        self.copied()
        for folder in ("b", "a"):
            self.nuke.scriptClear()
            self.nuke.scriptSaveAs(self.path(folder, "other.nk"))
            node = self.nuke.nodePaste("%clipboard%")
            self.use(node)
            self.assert_own(node)

    def test_pasted_saved_and_opened_before_anything_was_pressed(self):
        self.copied()
        self.nuke.scriptClear()
        self.nuke.scriptSaveAs(self.path("b", "other.nk"))
        self.nuke.nodePaste("%clipboard%")
        self.nuke.scriptSave()
        self.assert_own(self.opened("b", "other.nk"))

    def test_imported_with_its_script(self):
        self.nuke.scriptClear()
        self.nuke.scriptSaveAs(self.path("b", "other.nk"))
        self.nuke.scriptReadFile(self.path("a", "shot.nk"))
        node = self.nuke.toNode("EfficientTAM1")
        self.use(node)
        self.assert_own(node)

    def test_cut_and_pasted_in_its_own_script(self):
        self.copied()
        self.nuke.delete(self.node)
        node = self.nuke.nodePaste("%clipboard%")
        self.use(node)
        self.assertEqual(self.all_of(node), self.kept)

    def test_a_version_up_keeps_the_mattes(self):
        self.nuke.scriptSaveAs(self.path("a", "shot_v002.nk"))
        self.press("preview")
        self.assertEqual(self.all_of(self.node), self.kept)
        node = self.opened("a", "shot_v002.nk")
        self.use(node)
        self.assertEqual(self.all_of(node), self.kept)

    def test_saved_into_another_folder_it_keeps_the_mattes_while_it_is_open(self):
        self.nuke.scriptSaveAs(self.path("b", "shot.nk"))
        self.press("preview")
        self.nuke.scriptSave()
        self.assertEqual(self.all_of(self.node), self.kept)
        node = self.opened("b", "shot.nk")
        self.assert_own(node)
        self.assertIn("shown until then", node["status"].getText())
        self.assertEqual(self.all_of(self.opened("a", "shot.nk")), self.kept)

    def test_a_folder_of_two_names_is_one(self):
        if not hasattr(os, "symlink") or os.name == "nt":
            self.skipTest("There are no links here.")
        os.symlink(self.path("a"), self.path("also_a"))
        self.assertEqual(self.all_of(self.opened("also_a", "shot.nk")), self.kept)

    def test_a_place_that_somebody_named_stays(self):
        self.node["mattes"].setValue(self.path("renders", "m.%04d.exr"))
        self.nuke.scriptSaveAs(self.path("b", "shot.nk"))
        node = self.opened("b", "shot.nk")
        self.use(node)
        self.assertEqual(node["mattes"].getText(), self.path("renders", "m.%04d.exr"))

    def test_shots_that_name_the_place_of_their_mattes_have_frames_of_their_own(self):
        """By Tcl, as templates do: the knob's text is the same in both."""
        from efficienttam_nuke import plate, tracker_node

        named = "[file dirname [value root.name]]/renders/m.%04d.exr"
        self.node["mattes"].setValue(named)
        self.nuke.scriptSave()
        uuid = self.text("efficienttam_uuid")
        frames = plate.feed_folder(tracker_node.TrackerNode(self.node), self.path("feed"))
        os.environ["EFFICIENTTAM_FEED"] = self.path("feed")
        os.makedirs(frames)
        for name, text in (("plate.1001.exr", "pixels"), ("frames.json", '{"1001": "key"}')):
            with open(os.path.join(frames, name), "w") as stream:
                stream.write(text)
        self.nuke.scriptSaveAs(self.path("b", "shot.nk"))
        node = self.opened("b", "shot.nk")
        self.assertEqual(node["mattes"].getText(), named)
        self.assertNotEqual(node["efficienttam_uuid"].getText(), uuid)
        self.assertIn("is of another script", node["status"].getText())
        own = plate.feed_folder(tracker_node.TrackerNode(node), self.path("feed"))
        self.assertNotEqual(own, frames)
        state = os.stat(os.path.join(own, "plate.1001.exr"))
        self.assertTrue(os.path.samestat(state, os.stat(os.path.join(frames, "plate.1001.exr"))))
        self.nuke.scriptSave()
        again = self.opened("b", "shot.nk")
        self.assertEqual(own, plate.feed_folder(tracker_node.TrackerNode(again), self.path("feed")))
        self.assertEqual(self.opened("a", "shot.nk")["efficienttam_uuid"].getText(), uuid)

    def test_a_place_that_somebody_named_is_pasted_along(self):
        self.node["mattes"].setValue(self.path("renders", "m.%04d.exr"))
        self.copied()
        self.nuke.scriptClear()
        self.nuke.scriptSaveAs(self.path("b", "other.nk"))
        node = self.nuke.nodePaste("%clipboard%")
        self.use(node)
        self.assertEqual(node["mattes"].getText(), self.path("renders", "m.%04d.exr"))
        self.assertNotEqual(node["efficienttam_uuid"].getText(), self.kept["efficienttam_uuid"])

    def test_shots_that_begin_with_one_script_part_when_they_are_saved(self):
        self.node["has_mattes"].setValue(False)
        self.node["mattes"].setValue("[file dirname [value root.name]]/renders/m.%04d.exr")
        self.nuke.scriptSave()
        uuids = {self.text("efficienttam_uuid")}
        for folder in ("b", "c"):
            os.makedirs(self.path(folder), exist_ok=True)
            node = self.opened("a", "shot.nk")
            self.assertIn(node["efficienttam_uuid"].getText(), uuids)
            self.nuke.scriptSaveAs(self.path(folder, "shot.nk"))
            uuid = node["efficienttam_uuid"].getText()
            self.assertNotIn(uuid, uuids)
            uuids.add(uuid)
            self.assertEqual(self.opened(folder, "shot.nk")["efficienttam_uuid"].getText(), uuid)

    def test_tracked_before_the_script_had_a_name(self):
        self.nuke.scriptClear()
        node = self.nuke.createNode("EfficientTAM")
        self.track_as_told(node)
        kept = self.all_of(node)
        self.nuke.scriptSaveAs(self.path("b", "shot.nk"))
        node = self.opened("b", "shot.nk")
        self.use(node)
        self.assertEqual(self.all_of(node), kept)

    def test_a_label_of_a_job_that_ended_with_its_script(self):
        for label in ("tracking 0/40", "waiting", "stopping", "readying", "tracking"):
            self.node["state"].setValue(label)
            self.nuke.scriptSave()
            self.node = self.opened("a", "shot.nk")
            self.assertEqual(self.text("state"), "stopped")
            self.assertIn("ended with the script", self.text("status"))
        self.node["state"].setValue("tracked 1001-1020")
        self.nuke.scriptSave()
        self.assertEqual(self.opened("a", "shot.nk")["state"].getText(), "tracked 1001-1020")

    def test_a_label_of_a_job_that_goes_on(self):
        from efficienttam_nuke import jobs

        jobs.session().tracked_elsewhere(self.text("efficienttam_uuid"), lambda: None)
        self.node["state"].setValue("tracking")
        self.nuke.scriptSave()
        self.assertEqual(self.opened("a", "shot.nk")["state"].getText(), "tracking")


class InATerminal(_InFolders):
    gui = False

    def use(self, node):
        from efficienttam_nuke import actions, tracker_node

        actions.ready(tracker_node.TrackerNode(node))

    def test_a_copy_of_a_script_keeps_its_places(self):
        """Farms work on copies that lie anywhere."""
        shutil.copy(self.path("a", "shot.nk"), self.path("b", "copy.nk"))
        node = self.opened("b", "copy.nk")
        self.use(node)
        self.assertEqual(self.all_of(node), self.kept)

    def test_a_script_read_into_an_empty_one_keeps_them_too(self):
        self.nuke.scriptClear()
        self.nuke.scriptReadFile(self.path("a", "shot.nk"))
        node = self.nuke.toNode("EfficientTAM1")
        self.nuke.scriptSaveAs(self.path("a", "shot_v002.nk"))
        self.use(node)
        self.assertEqual(self.all_of(node), self.kept)

    def test_pasted_into_another_script(self):
        self.copied()
        self.nuke.scriptClear()
        self.nuke.scriptSaveAs(self.path("b", "other.nk"))
        node = self.nuke.nodePaste("%clipboard%")
        self.use(node)
        self.assert_own(node)


if __name__ == "__main__":
    unittest.main()
