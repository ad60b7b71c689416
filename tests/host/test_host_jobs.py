"""Jobs of a node with a stand-in for the worker: progress, stop, crash, two nodes, a terminal."""

import json
import os
import sys
import tempfile
import time
import unittest

import host_paths  # noqa: F401
from test_host_node import InNuke as _InNuke

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_in_worker.py")


class _WithEngine(_InNuke):
    def setUp(self):
        super().setUp()
        self._folder = tempfile.TemporaryDirectory()
        self._environment = dict(os.environ)
        os.environ["EFFICIENTTAM_PYTHON"] = sys.executable
        os.environ["EFFICIENTTAM_FEED"] = os.path.join(self._folder.name, "feed")
        from efficienttam_nuke import jobs, plate

        jobs.engine_command = lambda python: [python, STAND_IN]
        self.jobs = jobs
        # No pixels here: the plate counts as rendered.
        plate.RenderedFeed.ensure = lambda self, frames: 0
        plate.RenderedFeed.stale = lambda self, frames: []
        self.node["mattes"].setValue(os.path.join(self._folder.name, "m", "a.%04d.exr").replace("\\", "/"))

    def tearDown(self):
        self.jobs.session().close()
        os.environ.clear()
        os.environ.update(self._environment)
        self._folder.cleanup()
        super().tearDown()

    def prompt(self, name, node=None):
        node = node or self.node
        node["object_name"].setValue(name)
        node["add_object"].execute()
        node["point"].setValue([50, 80])
        node["include"].execute()

    def wait(self, node=None, until=None):
        uuid = (node or self.node)["efficienttam_uuid"].getText()
        end = time.monotonic() + 30
        while self.jobs.session().is_busy(uuid) and not (until and until()):
            self.assertLess(time.monotonic(), end, "The job did not end.")
            self.jobs.poll()
            time.sleep(0.005)


class WithAWindow(_WithEngine):
    def test_progress_and_end(self):
        self.prompt("hero")
        self.press("track_both")
        self.assertIn("Waiting", self.text("status"))
        self.wait()
        self.assertEqual(self.text("status"), "Tracked 1001-1020: 3 mattes made, 1 were there.")
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertTrue(self.node["has_mattes"].value())
        read = self.node.node("Mattes")
        self.assertEqual(read["file"].getText(), self.node["mattes"].getText())
        self.assertEqual((read["first"].value(), read["last"].value()), (1001, 1020))
        self.assertEqual((read["before"].value(), read["on_error"].value()), ("black", "black"))
        document = os.path.join(self._folder.name, "m", "a.job.json")
        self.assertTrue(os.path.isfile(document))

    def test_retrack_asks_the_engine_for_the_whole_range(self):
        """It alone knows what every file was made of; a part on the way must not hide what is stale."""
        self.prompt("hero")
        self.nuke.frame(1010)
        self.press("track_forward")
        self.wait()
        self.assertIn("Tracked 1010-1020", self.text("status"))
        self.press("retrack")
        self.wait()
        self.assertIn("Tracked 1001-1020", self.text("status"))

    def test_stop_keeps_what_is_there_and_the_next_press_works(self):
        self.prompt("slow")
        self.press("track_forward")
        self.wait(until=lambda: "tracking" in self.text("state"))
        self.press("track_both")
        self.assertIn("being tracked", self.text("status"))
        self.press("stop")
        self.wait()
        self.assertIn("Stopped", self.text("status"))
        self.assertTrue(self.node["has_mattes"].value())
        self.press("rename_object", object_name="hero")
        self.press("track_both")
        self.wait()
        self.assertIn("Tracked", self.text("status"))

    def test_a_crash_is_told_and_loses_nothing(self):
        self.prompt("crash")
        sheet = self.text("sheet")
        self.press("track_both")
        self.wait()
        self.assertIn("The engine crashed", self.text("status"))
        self.assertEqual(self.text("sheet"), sheet)
        self.press("rename_object", object_name="hero")
        self.press("track_both")
        self.wait()
        self.assertIn("Tracked", self.text("status"))

    def test_an_error_comes_with_its_remedy(self):
        self.prompt("wrong")
        self.press("preview")
        self.wait()
        self.assertEqual(self.text("status"), "The plate is wet. Dry it.")

    def test_two_nodes_share_an_engine(self):
        other = self.nuke.createNode("EfficientTAM")
        other.setInput(0, self.plate)
        other["mattes"].setValue(self.node["mattes"].getText().replace("a.", "b."))
        self.prompt("slow")
        self.prompt("hero", other)
        self.press("track_both")
        other["track_both"].execute()
        self.wait(other)
        self.assertIn("Tracked", other["status"].getText())
        self.press("stop")
        self.wait()
        self.assertIn("Stopped", self.text("status"))

    def test_a_deleted_node_stops_its_job(self):
        self.prompt("slow")
        uuid = self.text("efficienttam_uuid")
        self.press("track_both")
        self.wait(until=lambda: "tracking" in self.text("state"))
        self.nuke.delete(self.node)
        end = time.monotonic() + 30
        while self.jobs.session().is_busy(uuid):
            self.assertLess(time.monotonic(), end)
            self.jobs.poll()
            time.sleep(0.005)

    def names(self):
        return [thing["name"] for thing in self.sheet]

    def test_a_new_object_gets_no_name_that_the_mattes_have(self):
        self.press("include", point=[50, 80])
        self.press("add_object")
        self.press("include", point=[20, 30])
        self.press("track_both")
        self.wait()
        self.press("remove_object")
        self.press("add_object")
        self.assertEqual(self.names(), ["object1", "object3"])
        self.session.undo()
        self.session.undo()
        self.assertEqual(self.names(), ["object1", "object2"])
        self.press("remove_object")
        self.press("add_object", object_name="object2")
        self.assertEqual(
            self.text("status"),
            "An object object2 was tracked before: its matte is shown until you track again.",
        )
        self.press("remove_object")
        self.press("remove_object")
        self.press("include", point=[50, 80])
        self.assertEqual(self.names(), ["object3"])
        self.press("clear")
        self.press("include", point=[50, 80])
        self.assertEqual(self.names(), ["object1"])

    def test_the_label_tells_that_the_mattes_are_not_of_these_words(self):
        self.prompt("hero")
        self.press("track_both")
        self.wait()
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.press("exclude", point=[5, 8])
        self.assertEqual(self.text("state"), "changed: track again")
        self.session.undo()
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        for name, value, changed in (
            ("refine", "unmix", True),
            ("steady_frames", "2 frames", True),
            ("border", 0.0625, True),
            ("model", "efficienttam_s", True),
            ("region", "follow the object", True),
            ("weights", "show.safetensors", True),
            ("device", "cpu", False),
            ("mute", True, False),
            ("grow", 3, False),
        ):
            before = self.node[name].value()
            self.node[name].setValue(value)
            told = "changed: track again" if changed else "tracked 1001-1020"
            self.assertEqual(self.text("state"), told, name)
            self.node[name].setValue(before)
            self.assertEqual(self.text("state"), "tracked 1001-1020", name)
        self.press("delete_prompt")
        self.assertEqual(self.text("state"), "changed: track again")
        self.press("include", point=[60, 70])
        self.press("track_both")
        self.press("include", point=[62, 70])
        self.wait()
        self.assertIn("Tracked", self.text("status"))
        self.assertEqual(self.text("state"), "changed: track again")
        self.press("track_both")
        self.wait()
        self.assertEqual(self.text("state"), "tracked 1001-1020")

    def test_mattes_that_cannot_be_shown_end_no_job(self):
        self.prompt("hero")
        self.press("track_both")
        self.wait(until=lambda: "tracking" in self.text("state"))
        self.nuke.delete(self.node.node("Mattes"))
        self.wait()
        self.assertEqual(
            self.text("status"),
            "Tracked 1001-1020: 3 mattes made, 1 were there. The node Mattes inside is gone. "
            "Undo that edit, or make a new EfficientTAM node.",
        )
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertIn('"hero"', self.text("tracked"))
        self.session.undo()
        self.press("track_both")
        self.wait()
        self.assertEqual(self.text("status"), "Tracked 1001-1020: 3 mattes made, 1 were there.")

    def test_what_a_render_of_the_artist_keeps_back_is_shown_after_it(self):
        self.prompt("hero")
        self.press("track_both")
        self.session.executing = True
        self.wait()
        told = "Tracked 1001-1020: 3 mattes made, 1 were there."
        self.assertEqual(
            self.text("status"),
            told + " Nuke does not show the mattes yet: I'm already executing something else. "
            "They are on disk, and it is tried again.",
        )
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.assertIn('"hero"', self.text("tracked"))
        self.session.executing = False
        reloads = self.node.node("Mattes").reloads
        end = time.monotonic() + 30
        while self.text("status") != told:
            self.assertLess(time.monotonic(), end)
            self.jobs.poll()
            time.sleep(0.02)
        self.assertEqual(self.node.node("Mattes").reloads, reloads + 1)

    def test_an_answer_that_cannot_be_heard_is_the_end_all_the_same(self):
        self.prompt("hero")
        self.press("track_both")

        def broken(*_):
            raise ValueError("A PythonObject is not attached to a node")

        keep_job, self.jobs.keep_job = self.jobs.keep_job, broken
        self.wait()
        self.jobs.keep_job = keep_job
        self.assertIn("Something went wrong; the Script Editor tells what", self.text("status"))
        self.press("track_both")
        self.wait()
        self.assertEqual(self.text("state"), "tracked 1001-1020")

    def test_a_frame_outside_of_the_range_is_told(self):
        self.prompt("hero")
        self.nuke.frame(2000)
        self.press("track_forward")
        self.assertIn("There is no frame of the range 1001-1020 there", self.text("status"))

    def track_range(self, first, last, **knobs):
        """What the status line says of a range, and the frames of the document."""
        self.press("track_range", first=first, last=last, **knobs)
        self.wait()
        with open(os.path.join(self._folder.name, "m", "a.job.json"), encoding="utf-8") as stream:
            told = json.load(stream)["range"]
        return self.text("status").partition(":")[0], (told["first"], told["last"])

    def test_track_range_goes_from_first_to_last_whatever_the_range_says(self):
        viewer = self.nuke.createNode("Viewer")
        viewer["frame_range"].setValue("1002-1003")
        viewer["frame_range_lock"].setValue(True)
        self.prompt("hero")
        self.assertEqual(
            self.track_range(1001, 1006, frame_range="in-out"), ("Tracked 1001-1006", (1001, 1006))
        )
        # Within the range its mattes are those of the range, and the document stays whole.
        self.assertEqual(
            self.track_range(1004, 1005, frame_range="input"), ("Tracked 1004-1005", (1001, 1020))
        )
        self.assertEqual(self.text("state"), "tracked 1001-1006")
        self.assertEqual(self.track_range(1018, 1030), ("Tracked 1018-1020", (1001, 1020)))

    def test_track_range_of_no_frames_is_told(self):
        self.prompt("hero")
        self.press("track_range", first=1006, last=1001)
        self.assertIn("The range ends at 1001, before its start 1006. Put the lower", self.text("status"))
        self.press("track_range", first=2001, last=2006)
        self.assertIn("The range 2001-2006 lies outside the plate, 1001-1020.", self.text("status"))

    def test_track_backward_ends_at_this_frame(self):
        self.prompt("hero")
        self.nuke.frame(1007)
        self.press("track_backward")
        self.wait()
        self.assertIn("Tracked 1001-1007", self.text("status"))
        self.press("track_forward")
        self.wait()
        self.assertIn("Tracked 1007-1020", self.text("status"))
        self.nuke.frame(900)
        self.press("track_backward")
        self.assertIn("There is no frame of the range 1001-1020 there", self.text("status"))

    def test_the_status_is_nothing_to_undo(self):
        self.prompt("hero")
        self.press("track_both")
        self.wait()
        self.session.undo()
        self.assertIn("Tracked", self.text("status"))
        self.assertEqual(self.sheet[0]["prompts"], [])


class InATerminal(_WithEngine):
    gui = False

    def test_it_waits_and_tells(self):
        from efficienttam_nuke import actions

        self.prompt("hero")
        actions.track(self.node)
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        actions.track(self.node, 1005, 1006)
        self.assertIn("Tracked 1005-1006", self.text("status"))
        self.assertEqual(self.text("state"), "tracked 1001-1020")
        self.node["frame_range"].setValue("custom")
        self.node["first"].setValue(1002)
        self.node["last"].setValue(1003)
        actions.track(self.node, 1005, 1006)
        self.assertIn("Tracked 1005-1006", self.text("status"))
        actions.track(self.node, 1003)
        self.assertIn("Tracked 1003:", self.text("status"))
        self.node["last"].setValue(1001)
        actions.track(self.node, 1005, 1006)
        self.assertIn("Tracked 1005-1006", self.text("status"))
        self.node["frame_range"].setValue("input")
        self.press("include", point=[9, 9])
        actions.track(self.node, 1005, 1006)
        self.assertEqual(self.text("state"), "tracked 1005-1006 only")
        self.assertTrue(any("Loading." in line for line in self.session.printed))

    def test_mattes_that_are_not_shown_are_an_error(self):
        """What is rendered next would be without them."""
        from efficienttam.contract.errors import JobError
        from efficienttam_nuke import actions

        self.prompt("hero")
        self.nuke.delete(self.node.node("Mattes"))
        with self.assertRaises(JobError) as caught:
            actions.track(self.node)
        self.assertIn("The node Mattes inside is gone", str(caught.exception))
        self.assertIn('"hero"', self.text("tracked"))

    def test_failures_have_exit_codes(self):
        from efficienttam.contract.errors import EfficientTAMError
        from efficienttam_nuke import actions

        self.prompt("wrong")
        with self.assertRaises(EfficientTAMError) as caught:
            actions.track(self.node)
        self.assertEqual(int(caught.exception.exit_code), 3)


if __name__ == "__main__":
    unittest.main()
