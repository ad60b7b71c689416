"""The prompt window on a node: what one changes the other shows. Without Qt only the shot is tried."""

import os
import unittest

import host_paths  # noqa: F401
from test_host_jobs import _WithEngine

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    from efficienttam.window.shot import Outcome

    HAS_WINDOW = True
except ImportError:
    HAS_WINDOW = False
try:
    from efficienttam.window.qt import QtCore, QtWidgets
except ImportError:
    QtCore = QtWidgets = None


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

    def test_names_of_mattes_are_not_for_new_objects(self):
        self.begin()
        self.shot.track_ended(Outcome.DONE, "Tracked.")
        self.press("remove_object")
        self.assertIn("object1", self.shot.taken_names)

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
        self.assertEqual(self.heard_after(), ["frame"])
        self.node["refine"].setValue("unmix")
        self.assertEqual(self.heard_after(), [], "no preview shows it")
        self.node["set_softness"].setValue(True)
        self.assertEqual(self.heard_after(), ["plate"])
        self.assertEqual(self.shot.open_plate().mattes.softness, 2)
        self.node["region"].setValue("follow the object")
        self.assertEqual(self.heard, ["plate", "sheet"])

    def test_all_that_opens_a_plate_otherwise_opens_it_anew(self):
        self.press("include", point=[50, 80])
        for name, value in (
            ("model", "efficienttam_ti"),
            ("weights", os.path.abspath("show.safetensors")),
            ("device", "cpu"),
            ("precision", "float32"),
            ("between", "blend"),
            ("non_overlapping", True),
            ("fill_hole_area", 40),
            ("border", 0.0625),
            ("feed", "render"),
            ("feed_as", "display-referred"),
            ("feed_colorspace", "house sRGB"),
            ("feed_folder", self._folder.name),
            ("views", "main"),
        ):
            self.node[name].setValue(value)
            self.assertEqual(self.heard_after(), ["plate"], name)

    def heard_after(self):
        """What the window is told when Nuke's callback is over, and not before."""
        del self.heard[:]
        self.shot.catch_up()
        return self.heard

    def test_in_a_callback_the_window_is_told_nothing_that_it_renders_for(self):
        self.press("include", point=[50, 80])
        del self.heard[:]
        self.node["model"].setValue("efficienttam_s")
        self.nuke.frame(1009)
        self.node["first"].setValue(1003)
        self.assertEqual(self.heard, [])
        self.assertEqual(self.heard_after(), ["plate"], "a plate is opened at the frame of then")
        self.assertEqual(self.heard_after(), [])

    def test_nothing_is_rendered_while_something_is(self):
        """Nuke lets timers run while it renders."""
        seen = []

        def ensure(feed, frames):
            self.node["model"].setValue("efficienttam_s")
            self.shot.catch_up()
            seen.extend(self.heard)
            return 0

        from efficienttam_nuke import plate

        plate.RenderedFeed.ensure = ensure
        self.shot.open_plate()
        self.assertEqual(seen, [])
        self.assertEqual(self.heard_after(), ["plate"])

    def test_who_left_hears_nothing(self):
        self.press("include", point=[50, 80])
        self.node["model"].setValue("efficienttam_s")
        self.shot.leave()
        self.press("exclude", point=[5, 8])
        self.assertEqual(self.heard_after(), [])

    def test_the_plate_and_the_job(self):
        self.press("include", point=[50, 80])
        opened = self.shot.open_plate()
        self.assertEqual((opened.range.first, opened.range.last), (1001, 1020))
        self.assertEqual(opened.session, self.text("efficienttam_uuid"))
        job = self.shot.job(self.shot.sheet)
        self.assertEqual(job.plate, opened.plate)
        self.assertEqual((job.model, job.tracking), (opened.model, opened.tracking))
        self.assertEqual(self.shot.title, "EfficientTAM1")

    def begin(self, frames=None):
        """The window tracks; what it is asked to stop is counted."""
        self.press("include", point=[50, 80])
        self.stops = []
        self.shot.track_began(self.shot.job(self.shot.sheet), frames, lambda: self.stops.append(1))

    def test_while_the_window_tracks_the_node_does_not(self):
        from efficienttam.contract.errors import JobError

        self.begin()
        self.press("track_both")
        self.assertIn("being tracked", self.text("status"))
        with self.assertRaises(JobError):
            self.begin()
        self.shot.tracked([1001, 1002])
        self.assertTrue(self.node["has_mattes"].value())
        self.shot.track_ended(Outcome.DONE, "Done.")
        self.assertEqual(self.text("status"), "Done.")
        self.press("track_both")
        self.wait()
        self.assertIn("Tracked", self.text("status"))

    def test_the_nodes_stop_ends_what_the_window_tracks(self):
        self.begin()
        self.press("stop")
        self.assertEqual(self.stops, [1])
        self.assertEqual(
            (self.text("status"), self.text("state")), ("Stopping after this frame.", "stopping")
        )
        self.shot.track_ended(Outcome.STOPPED, "Stopped.")
        self.assertEqual((self.text("status"), self.text("state")), ("Stopped.", "stopped"))
        self.press("stop")
        self.assertIn("Nothing is being tracked", self.text("status"))

    def test_a_whole_tracking_of_the_window_is_remembered(self):
        self.begin()
        self.shot.track_ended(Outcome.DONE, "Tracked.")
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertTrue(self.node["has_mattes"].value())
        self.nuke.frame(1010)
        self.begin((1010, 1020))
        self.shot.track_ended(Outcome.DONE, "Tracked.")
        self.assertEqual(self.text("state"), "tracked 1010-1020 only")

    def test_mattes_of_the_window_that_cannot_be_shown_end_no_tracking(self):
        self.begin()
        mattes = self.node.node("Mattes")
        self.nuke.delete(mattes)
        self.shot.tracked([1001])
        self.shot.track_ended(Outcome.DONE, "Tracked.")
        self.assertIn("Tracked. The node Mattes inside is gone.", self.text("status"))
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertIn('"object1"', self.text("tracked"))
        self.assertFalse(self.jobs.session().is_busy(self.text("efficienttam_uuid")))

    def test_a_tracking_of_the_window_that_failed_is_no_tracked_shot(self):
        self.begin()
        self.shot.tracked([1001])
        self.shot.track_ended(Outcome.FAILED, "The engine was killed.")
        self.assertIn("failed", self.text("state"))
        self.assertEqual(self.text("tracked"), "")

    def test_a_tracking_outlives_its_window(self):
        self.begin()
        self.shot.leave()
        self.assertIn("goes on without the prompt window", self.text("status"))
        self.press("track_both")
        self.assertIn("being tracked", self.text("status"))
        self.press("stop")
        self.assertEqual(self.stops, [1])
        self.shot.tracked([1001])
        self.shot.track_ended(Outcome.STOPPED, "Stopped.")
        self.assertEqual(self.text("state"), "stopped")
        self.assertTrue(self.node["has_mattes"].value())

    def test_the_tracking_of_a_deleted_node_is_stopped(self):
        self.begin()
        self.shot.leave()
        self.nuke.delete(self.node)
        self.shot.tracked([1001])
        self.assertEqual(self.stops, [1])

    def test_a_deleted_node_is_told(self):
        from efficienttam.contract.errors import JobError

        self.nuke.delete(self.node)
        for ask in (lambda: self.shot.sheet, self.shot.open_plate, lambda: self.shot.set_sheet(None, "")):
            with self.assertRaises(JobError):
                ask()
        self.assertEqual(self.shot.title, "EfficientTAM1")
        self.shot.tracked([1001])
        self.shot.track_ended(Outcome.DONE, "Done.")


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

    def test_a_panel_that_nobody_sees_is_opened_again(self):
        """Behind another tab, or in a pane that was closed."""
        from efficienttam_nuke import listeners, tracker_node

        pane = QtWidgets.QWidget()
        hidden = self.panel.make_widget()
        hidden.setParent(pane)
        hidden.show_node(self.text("efficienttam_uuid"))
        shown = []
        self.panel.host.show_panel = lambda *_: shown.append(self.panel.make_widget())
        self.panel.open_for(tracker_node.TrackerNode(self.node))
        self.assertEqual(self.text("status"), "The prompt window was hidden; here it is again.")
        self.assertIsNone(hidden._window)
        self.assertIsNotNone(shown[0]._window)
        self.assertEqual(len(listeners._listeners[self.text("efficienttam_uuid")]), 1)
        shown[0].show()
        self.panel.open_for(tracker_node.TrackerNode(self.node))
        self.assertEqual(len(shown), 1)
        shown[0].shut()

    def test_a_panel_that_is_deleted_without_being_closed(self):
        """What its window tracks goes on, and the node is told of the end."""
        from efficienttam_nuke import listeners, tracker_node

        self.prompt("slow")
        uuid = self.text("efficienttam_uuid")
        widget = self.panel.make_widget()
        self.panel.open_for(tracker_node.TrackerNode(self.node))
        widget.show_node(uuid)
        window = widget._window
        window.session.ready()
        self.until(lambda: window.session.plate is not None)
        window.do("track_on")
        self.until(lambda: self.node["has_mattes"].value())
        widget.hide()
        widget.deleteLater()
        QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        self.assertFalse(widget.is_alive())
        self.assertEqual(listeners._listeners[uuid], [])
        self.assertTrue(self.jobs.session().is_busy(uuid))
        self.press("stop")
        self.until(lambda: not self.jobs.session().is_busy(uuid))
        self.assertEqual(self.text("state"), "stopped")

    def until(self, true):
        import time

        end = time.monotonic() + 30
        while not true():
            self.app.processEvents()
            time.sleep(0.01)
            self.assertLess(time.monotonic(), end)

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
