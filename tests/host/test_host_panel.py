"""The prompt window on a node: what one changes the other shows. Without Qt only the shot is tried."""

import os
import unittest

import host_paths  # noqa: F401
from test_host_jobs import _WithEngine

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    import efficienttam.window.shot  # noqa: F401

    HAS_WINDOW = True
except ImportError:
    HAS_WINDOW = False
try:
    from efficienttam.window.qt import QtWidgets
except ImportError:
    QtWidgets = None


@unittest.skipUnless(HAS_WINDOW, "The engine has no prompt window.")
class TheShot(_WithEngine):
    def setUp(self):
        super().setUp()
        from efficienttam_nuke.node_shot import NodeShot

        self.heard = []
        self.shot = NodeShot(self.text("efficienttam_uuid"))
        self.shot.sheet_changed = lambda: self.heard.append("sheet")
        self.shot.frame_changed = lambda: self.heard.append("frame")
        self.shot.plate_changed = lambda: self.heard.append("plate")

    def test_the_window_changes_the_node(self):
        from efficienttam.contract.prompt_sheet import PromptSheet

        sheet = PromptSheet().with_object("hero", "h")
        sheet = sheet.with_point("h", 1003, (50.0, 20.0), True)
        self.shot.set_sheet(sheet, "Include a point of hero")
        self.assertEqual(self.shot.sheet, sheet)
        self.assertEqual(self.sheet[0]["prompts"][0]["include"], [[50, 20]])
        self.assertEqual(self.node["current"].value(), "hero")
        self.shot.set_frame(1003)
        self.assertEqual(self.nuke.frame(), 1003)
        self.assertEqual(self.heard, [])
        self.session.undo()
        self.assertEqual(self.shot.sheet, PromptSheet())

    def test_a_name_that_nuke_has_is_refused(self):
        from efficienttam.contract.errors import JobError
        from efficienttam.contract.prompt_sheet import PromptSheet

        with self.assertRaises(JobError):
            self.shot.set_sheet(PromptSheet().with_object("depth"), "Rename")
        self.assertEqual(self.text("sheet"), "")

    def test_an_undo_that_nuke_tells_nobody_of(self):
        self.press("include", point=[50, 80])
        self.session.show_frame()
        del self.heard[:]
        from efficienttam_nuke.tracker_node import TrackerNode

        with TrackerNode(self.node).writing():
            self.node["sheet"].setValue("")
        self.session.show_frame()
        self.assertEqual(self.heard, ["sheet"])
        self.assertEqual(self.text("table"), "no objects yet")

    def test_the_node_changes_the_window(self):
        self.press("include", point=[50, 80])
        self.assertEqual(self.heard, ["sheet"])
        self.nuke.frame(1009)
        self.session.show_frame()
        self.assertIn("frame", self.heard)
        self.node["model"].setValue("efficienttam_s")
        self.assertIn("plate", self.heard)
        del self.heard[:]
        self.node["refine"].setValue("unmix")
        self.assertEqual(self.heard, [], "no preview shows it")
        self.node["set_softness"].setValue(True)
        self.assertEqual(self.heard, ["plate"])
        self.assertEqual(self.shot.open_plate().mattes.softness, 2)
        self.node["region"].setValue("follow the object")
        self.assertEqual(self.heard, ["plate", "sheet"])
        self.shot.leave()
        del self.heard[:]
        self.press("exclude", point=[5, 8])
        self.assertEqual(self.heard, [])

    def test_the_plate_and_the_job(self):
        self.press("include", point=[50, 80])
        opened = self.shot.open_plate()
        self.assertEqual((opened.range.first, opened.range.last), (1001, 1020))
        self.assertEqual(opened.session, self.text("efficienttam_uuid"))
        job = self.shot.job(self.shot.sheet)
        self.assertEqual(job.plate, opened.plate)
        self.assertEqual((job.model, job.tracking), (opened.model, opened.tracking))
        self.assertEqual(self.shot.title, "EfficientTAM1")

    def test_while_the_window_tracks_the_node_does_not(self):
        self.press("include", point=[50, 80])
        self.shot.track_began()
        self.press("track_both")
        self.assertIn("being tracked", self.text("status"))
        self.press("stop")
        self.assertIn("Stop in the prompt window", self.text("status"))
        self.shot.tracked([1001, 1002])
        self.assertTrue(self.node["has_mattes"].value())
        self.shot.track_ended("Done.")
        self.assertEqual(self.text("status"), "Done.")
        self.press("track_both")
        self.wait()
        self.assertIn("Tracked", self.text("status"))

    def test_a_deleted_node_is_told(self):
        from efficienttam.contract.errors import JobError

        self.nuke.delete(self.node)
        for ask in (lambda: self.shot.sheet, self.shot.open_plate, lambda: self.shot.set_sheet(None, "")):
            with self.assertRaises(JobError):
                ask()
        self.assertEqual(self.shot.title, "EfficientTAM1")
        self.shot.tracked([1001])
        self.shot.track_ended("Done.")


@unittest.skipUnless(HAS_WINDOW and QtWidgets is not None, "There is no Qt here.")
class ThePanel(_WithEngine):
    def setUp(self):
        self.app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
        super().setUp()
        from efficienttam_nuke import panel

        self.panel = panel

    def test_it_shows_one_node_after_the_other(self):
        from efficienttam_nuke import listeners, tracker_node

        widget = self.panel.make_widget()
        widget.show()
        self.assertFalse(widget._hint.isHidden())
        uuid = self.text("efficienttam_uuid")
        self.panel.open_for(tracker_node.TrackerNode(self.node))
        self.assertIsNotNone(widget._window)
        self.assertTrue(widget._hint.isHidden())
        self.press("include", point=[50, 80])
        self.assertEqual([thing.name for thing in widget._window.edits.sheet.objects], ["object1"])
        other = self.nuke.createNode("EfficientTAM")
        self.panel.open_for(tracker_node.TrackerNode(other))
        self.assertEqual(widget._shot.uuid, other["efficienttam_uuid"].getText())
        self.assertEqual(listeners._listeners[uuid], [])
        widget.shut()
        self.assertIsNone(widget._window)
        self.assertFalse(widget._hint.isHidden())

    def test_a_missing_engine_stands_in_its_place(self):
        from efficienttam_nuke import tracker_node

        os.environ["EFFICIENTTAM_PYTHON"] = "/no/python"
        widget = self.panel.make_widget()
        widget.show()
        self.panel.open_for(tracker_node.TrackerNode(self.node))
        self.assertIn("not installed", widget._hint.text())
        widget.shut()

    def test_the_timer_listens_to_the_engine(self):
        self.prompt("hero")
        self.press("track_both")
        uuid = self.text("efficienttam_uuid")
        import time

        end = time.monotonic() + 30
        while self.jobs.session().is_busy(uuid) and time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.01)
        self.assertIn("Tracked", self.text("status"))


if __name__ == "__main__":
    unittest.main()
