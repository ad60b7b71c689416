"""Nuke starts whatever goes wrong with the plugin, and is told once."""

import os
import unittest

from test_host_node import InNuke


def broken(*words, **more):
    raise RuntimeError("broken by the studio")


class Startup(InNuke):
    def told(self, start):
        """What is printed by a start that must not raise."""
        del self.session.printed[:]
        start()
        return [text for text in self.session.printed if "EfficientTAM did not start" in text]

    def test_a_plugin_path_that_raises(self):
        from efficienttam_nuke import startup

        self.nuke.pluginAddPath = broken
        (told,) = self.told(startup.always)
        self.assertIn("broken by the studio", told)

    def test_a_menu_that_raises(self):
        from efficienttam_nuke import startup

        self.nuke.menu = broken
        (told,) = self.told(startup.interface)
        self.assertIn("broken by the studio", told)

    def test_without_a_panel_there_are_the_menu_and_the_update_of_old_nodes(self):
        import nukescripts

        from efficienttam_nuke import callbacks, startup

        self.session.menus.clear()
        self.session.callbacks.clear()
        nukescripts.panels.registerWidgetAsPanel = broken
        (told,) = self.told(startup.interface)
        self.assertIn("broken by the studio", told)
        self.nuke.delete(self.node)
        self.nuke.menu("Nodes").findItem("EfficientTAM").findItem("EfficientTAM").invoke()
        self.assertEqual(self.nuke.toNode("EfficientTAM1").Class(), "Group")
        loaded = [call for call, _, _, _ in self.session.callbacks["onScriptLoad"]]
        self.assertIn(callbacks.script_loaded, loaded)

    def test_the_files_that_nuke_runs(self):
        """What they import is theirs; the rest is told, not raised."""
        import host_paths

        self.nuke.pluginAddPath = self.nuke.menu = broken
        for name in ("init.py", "menu.py"):
            path = os.path.join(host_paths.REPOSITORY, "nuke_plugin", name)
            with open(path) as file:
                code = compile(file.read(), path, "exec")
            self.assertEqual(len(self.told(lambda: exec(code, {"__file__": path}))), 1, name)


if __name__ == "__main__":
    unittest.main()
