"""Free the GPU, Engine log and Open prompt window: what they call and what the artist reads."""

import contextlib
import io
import unittest

import host_paths  # noqa: F401
from test_host_jobs import _WithEngine


def shown():
    """What the Script Editor shows: what is printed."""
    return contextlib.redirect_stdout(io.StringIO())


class Buttons(_WithEngine):
    def test_there_is_no_gpu_to_free_without_an_engine(self):
        self.press("release_device")
        self.assertEqual(self.text("status"), "The engine is not running: the GPU is free.")
        self.assertIsNone(self.jobs.session()._client, "and none was started")

    def tracked(self):
        """Its engine runs."""
        self.prompt("hero")
        self.press("track_both")
        self.wait()

    def test_the_engine_frees_the_gpu_and_then_it_is_told(self):
        from efficienttam.contract.messages import ReleaseDevice

        self.tracked()
        before, sent = self.text("status"), []
        client = self.jobs.session().client()
        send = client.send
        client.send = lambda request, heard: sent.append(request) or send(request, heard)
        self.press("release_device")
        self.assertEqual([type(request) for request in sent], [ReleaseDevice])
        self.assertEqual(self.text("status"), before, "not before the engine did it")
        self.poll_until(lambda: self.text("status") != before)
        self.assertEqual(self.text("status"), "The GPU is free.")

    def test_a_gpu_that_is_not_freed_is_told(self):
        from efficienttam.contract.messages import Failed, Status

        self.tracked()
        before, heard = self.text("status"), []
        self.jobs.session().client().send = lambda request, call: heard.append(call)
        self.press("release_device")
        heard[0](Status(1, "Waiting."))
        self.assertEqual(self.text("status"), before, "it is not free yet")
        with shown() as editor:
            heard[0](Failed(1, "It is wet.", "Dry it.", trace="Traceback: wet"))
        self.assertEqual(self.text("status"), "It is wet. Dry it.")
        self.assertEqual(editor.getvalue(), "Traceback: wet\n")

    def test_a_node_that_is_gone_hears_no_more_of_it(self):
        self.tracked()
        heard = []
        self.jobs.session().client().send = lambda request, call: heard.append(call)
        self.press("release_device")
        self.nuke.delete(self.node)
        heard[0](None)

    def test_the_log_is_in_the_script_editor(self):
        with shown() as editor:
            self.press("show_log")
        self.assertEqual(editor.getvalue(), "The engine has said nothing.\n")
        self.prompt("crash")
        self.press("track_both")
        self.wait()
        with shown() as editor:
            self.press("show_log")
        self.assertIn("segmentation fault", editor.getvalue())
        self.assertEqual(self.session.printed, [], "tprint goes to the terminal")
        self.assertEqual(self.text("status"), "The engine's last lines are in the Script Editor.")

    def test_the_prompt_window_opens_beside_the_viewer_or_by_itself(self):
        import nukescripts

        from efficienttam_nuke import panel

        made, register = [], nukescripts.panels.registerWidgetAsPanel
        nukescripts.panels.registerWidgetAsPanel = lambda *words: made.append(register(*words)) or made[-1]
        before = self.text("status")
        self.press("open_window")
        self.assertTrue(made[0].shown)
        self.session.panes["Viewer.1"] = pane = object()
        self.press("open_window")
        self.assertIs(made[1].pane, pane)
        self.assertFalse(made[1].shown)
        self.assertEqual((made[0].name, made[0].id), ("EfficientTAM", "efficienttam.prompts"))
        self.assertIs(eval(made[0].widget), panel.make_widget)
        self.assertEqual(panel._wanted, self.text("efficienttam_uuid"))
        self.assertEqual(self.text("status"), before)

    def test_an_open_prompt_window_shows_the_node_at_hand(self):
        from efficienttam_nuke import panel

        shown = []

        class Open:
            is_seen = staticmethod(lambda: True)
            show_node = staticmethod(shown.append)

        panel._open = Open
        self.press("open_window")
        self.assertEqual(shown, [self.text("efficienttam_uuid")])

    def test_a_window_that_cannot_be_shown_is_told(self):
        from efficienttam_nuke import host

        def broken(*words):
            raise RuntimeError("no panes here")

        host.show_panel = broken
        with shown() as editor:
            self.press("open_window")
        self.assertIn("Something went wrong; the Script Editor tells what", self.text("status"))
        self.assertIn("no panes here", editor.getvalue())

    def poll_until(self, true):
        import time

        end = time.monotonic() + 30
        while not true():
            self.assertLess(time.monotonic(), end)
            self.jobs.poll()
            time.sleep(0.005)


if __name__ == "__main__":
    unittest.main()
