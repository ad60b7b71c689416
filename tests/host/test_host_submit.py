"""*Submit to farm* with a stand-in for the engine: what the status line says, with a window and without."""

import json
import os
import sys
import tempfile
import time
import unittest

import host_paths  # noqa: F401
from test_host_node import InNuke as _InNuke

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_in_farm.py")


class _WithFarm(_InNuke):
    def setUp(self):
        super().setUp()
        self._folder = tempfile.TemporaryDirectory()
        self._environment = dict(os.environ)
        os.environ["EFFICIENTTAM_PYTHON"] = sys.executable
        os.environ["EFFICIENTTAM_FEED"] = os.path.join(self._folder.name, "feed")
        self.site(scheduler="deadline")
        from efficienttam_nuke import farm_submission, plate

        command = farm_submission.farm_command
        farm_submission.farm_command = lambda *of: [of[0], STAND_IN, *command(*of)[4:]]
        self.farm = farm_submission
        # No pixels here: the plate counts as rendered.
        plate.RenderedFeed.ensure = lambda self, frames: 0
        plate.RenderedFeed.frozen = lambda self, frames: self.plate
        self.document = os.path.join(self._folder.name, "m", "a.job.json").replace("\\", "/")
        self.node["mattes"].setValue(os.path.join(self._folder.name, "m", "a.%04d.exr").replace("\\", "/"))
        self.press("include", point=[50, 80])

    def tearDown(self):
        os.environ.clear()
        os.environ.update(self._environment)
        self._folder.cleanup()
        super().tearDown()

    def site(self, **farm):
        path = os.path.join(self._folder.name, "site.json")
        with open(path, "w") as file:
            json.dump({"farm": farm}, file)
        os.environ["EFFICIENTTAM_SETTINGS"] = path

    def wait(self):
        uuid = self.node["efficienttam_uuid"].getText()
        end = time.monotonic() + 120
        while self.farm.submissions().is_open(uuid):
            self.assertLess(time.monotonic(), end, "The submission did not end.")
            self.farm.submissions().poll()
            time.sleep(0.005)


class WithAWindow(_WithFarm):
    def test_it_goes_on_meanwhile_and_tells_the_figures(self):
        began = time.monotonic()
        self.press("submit")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.text("status"), "Handing the job to Deadline.")
        self.wait()
        told = (
            "Submitted to Deadline (id1, id2, id3, ...). 6 tasks, 1 h 30 min on one machine, 3.0 GB of cache."
        )
        self.assertTrue(self.text("status").startswith(told), self.text("status"))
        self.assertEqual(self.text("state"), "submitted")
        self.assertTrue(os.path.isfile(self.document))

    def test_folders_of_this_machine_are_told(self):
        self.press("submit")
        self.wait()
        self.assertIn("choose a shared folder for temporary frames, and the mattes", self.text("status"))
        self.assertIn("the mattes go into", self.text("status"))

    def test_each_submission_has_a_folder_of_its_own(self):
        for _ in range(2):
            self.press("submit")
            self.wait()
        self.assertEqual(len(os.listdir(os.path.join(self._folder.name, "m", "farm"))), 2)

    def test_a_refusal_is_one_sentence_with_the_document(self):
        os.environ["FAKE_FARM"] = "refuses"
        self.press("submit")
        self.wait()
        told = "deadline is out. Ask again. The job itself is there: {}.".format(self.document)
        self.assertEqual(self.text("status"), told)
        self.assertEqual(self.text("state"), "not submitted")

    def test_a_crash_is_told(self):
        os.environ["FAKE_FARM"] = "crashes"
        self.press("submit")
        self.wait()
        self.assertIn("Fatal Python error: none here The job itself is there", self.text("status"))

    def test_no_ids_are_no_failure(self):
        os.environ["FAKE_FARM"] = "mute"
        self.press("submit")
        self.wait()
        self.assertTrue(self.text("status").startswith("Submitted to Deadline. 6 tasks"))

    def test_a_bundle_that_nothing_takes_is_written(self):
        bundles = os.path.join(self._folder.name, "bundles")
        self.site(scheduler="openjd", bundles=bundles)
        os.environ["PATH"] = self._folder.name
        self.press("submit")
        self.wait()
        self.assertTrue(self.text("status").startswith("Written for Open Job Description: " + bundles))

    @unittest.skipIf(os.name == "nt", "A program is told by its ending there.")
    def test_the_cloud_gets_a_bundle_where_its_client_is(self):
        client = os.path.join(self._folder.name, "deadline")
        with open(client, "w"):
            os.chmod(client, 0o755)
        os.environ["PATH"] = self._folder.name
        self.site(scheduler="openjd")
        self.press("submit")
        self.wait()
        self.assertTrue(self.text("status").startswith("Submitted to AWS Deadline Cloud (id1"))

    def test_without_a_scheduler_nothing_is_started(self):
        self.site()
        self.press("submit")
        self.assertIn("Nothing was sent", self.text("status"))
        self.assertTrue(os.path.isfile(self.document))

    def test_a_site_file_with_faults_is_told_before_anything_is_done(self):
        self.site(scheduler="deadlin")
        self.press("submit")
        self.assertIn("Did you mean 'deadline'?", self.text("status"))
        self.assertFalse(os.path.exists(self.document))

    def test_without_an_engine_nothing_is_rendered(self):
        os.environ["EFFICIENTTAM_PYTHON"] = os.path.join(self._folder.name, "none")
        self.press("submit")
        self.assertIn("The engine is not installed", self.text("status"))
        self.assertFalse(os.path.exists(self.document))

    def test_a_node_that_is_gone_is_no_error(self):
        self.press("submit")
        uuid = self.node["efficienttam_uuid"].getText()
        self.nuke.delete(self.node)
        end = time.monotonic() + 120
        while self.farm.submissions().is_open(uuid):
            self.assertLess(time.monotonic(), end)
            self.farm.submissions().poll()


class InATerminal(_WithFarm):
    gui = False

    def test_it_waits(self):
        self.press("submit")
        self.assertTrue(self.text("status").startswith("Submitted to Deadline (id1"))
        self.assertTrue(any("Submitted to Deadline" in line for line in self.session.printed))

    def test_a_refusal_is_raised_with_its_exit_code(self):
        os.environ["FAKE_FARM"] = "refuses"
        with self.assertRaises(self.farm.NotSubmitted) as raised:
            self.press("submit")
        self.assertEqual(int(raised.exception.exit_code), 2)
        self.assertIn("deadline is out.", str(raised.exception))
        self.assertTrue(os.path.isfile(self.document))


class LastWords(unittest.TestCase):
    def test_they_are_there_when_the_process_is_told_to_have_ended(self):
        from efficienttam.client import EngineProcess

        say = "import sys; sys.stderr.write(''.join('line {}\\n'.format(n) for n in range(20000)))"
        for _ in range(5):
            process = EngineProcess([sys.executable, "-c", say])
            while process.lines.get() is not None:
                pass
            self.assertEqual(process.log[-1:], ["line 19999"])


if __name__ == "__main__":
    unittest.main()
