"""Where the engine is looked for, and in which order; how its package gets into Nuke."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import unittest

import host_paths

from efficienttam.contract import site_settings
from efficienttam_nuke import settings


class Settings(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = self._folder.name

    def tearDown(self):
        self._folder.cleanup()

    def write(self, document, name=settings.FILE):
        path = os.path.join(self.root, name)
        with open(path, "w") as stream:
            stream.write(document if isinstance(document, str) else json.dumps(document))
        return path

    def test_what_the_installer_makes(self):
        found = settings.read_settings({}, self.root)
        self.assertTrue(found.python.startswith(os.path.join(self.root, ".venv")))
        self.assertEqual(found.engine, self.root)
        self.assertTrue(os.path.isabs(found.feed))

    def test_the_site_file_beats_the_defaults(self):
        self.write({"python": "env/bin/python", "feed": "/fast"})
        found = settings.read_settings({}, self.root)
        self.assertEqual(found.python, os.path.join(self.root, "env", "bin", "python"))
        self.assertEqual(found.feed, os.path.abspath("/fast"))
        self.assertEqual(found.engine, self.root)

    def test_the_environment_beats_the_file(self):
        self.write({"python": "/from/file"})
        found = settings.read_settings({"EFFICIENTTAM_PYTHON": "/from/environment"}, self.root)
        self.assertEqual(found.python, os.path.abspath("/from/environment"))

    def test_a_file_elsewhere(self):
        other = self.write({"feed": "x"}, "other.json")
        found = settings.read_settings({"EFFICIENTTAM_SETTINGS": other}, "/nowhere")
        self.assertEqual(found.feed, os.path.join(self.root, "x"))

    def test_what_the_engine_reads_of_the_file_is_no_fault(self):
        self.write({"feed": "/fast", "farm": {"scheduler": "deadline"}, "path_map": []})
        self.assertEqual(settings.read_settings({}, self.root).feed, os.path.abspath("/fast"))
        known = {field.name for field in dataclasses.fields(site_settings.SiteSettings)}
        self.assertEqual(known, {*settings._VARIABLES, *settings.ENGINE_NAMES})

    def test_what_an_installation_has(self):
        version = os.path.join(self.root, "versions", "1.0.0")
        os.makedirs(os.path.join(version, "environment"))
        shared = self.write({"feed": "/fast"})
        self.assertEqual(settings.settings_file({}, version), shared)
        found = settings.read_settings({}, version)
        self.assertEqual(found.feed, os.path.abspath("/fast"))
        self.assertTrue(found.python.startswith(os.path.join(version, "environment", "")))
        own = self.write({}, os.path.join("versions", "1.0.0", settings.FILE))
        self.assertEqual(settings.settings_file({}, version), own)

    def test_how_to_install_is_a_command(self):
        self.assertIn("whole release", settings.how_to_install(self.root))
        os.makedirs(os.path.join(self.root, "install"))
        script = self.write("", os.path.join("install", "install.py"))
        self.assertTrue(settings.how_to_install(self.root).endswith('"{}" setup'.format(script)))
        os.makedirs(os.path.join(self.root, "environment"))
        self.assertTrue(settings.how_to_install(self.root).endswith('"{}" repair'.format(script)))

    def test_wrong_files_are_told(self):
        for wrong in ("{", "[]", '{"python": 3}', '{"pyhton": "x"}'):
            self.write(wrong)
            with self.assertRaises(settings.SettingsError):
                settings.read_settings({}, self.root)
        with self.assertRaises(settings.SettingsError):
            settings.read_settings({"EFFICIENTTAM_SETTINGS": "/no/such/file"}, self.root)

    def test_empty_variables_say_nothing(self):
        found = settings.read_settings({"EFFICIENTTAM_PYTHON": ""}, self.root)
        self.assertTrue(found.python.startswith(self.root))


class Package(unittest.TestCase):
    def run_there(self, code):
        """Runs code with only the plugin on the path, as Nuke would."""
        plugin = os.path.join(host_paths.REPOSITORY, "nuke_plugin")
        head = "import sys; sys.path.insert(0, {!r})\n".format(plugin)
        done = subprocess.run(
            [sys.executable, "-B", "-I", "-c", head + code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            cwd=tempfile.gettempdir(),
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_it_is_found_beside_the_plugin_and_the_path_stays(self):
        told = self.run_there(
            "before = list(sys.path)\n"
            "from efficienttam_nuke import engine_package, settings\n"
            "root = settings.root_of_plugin()\n"
            "engine_package.load_engine_package(settings.read_settings({}, root).engine)\n"
            "import efficienttam.client, efficienttam.contract.job\n"
            "assert sys.path == before\n"
            "engine_package.load_engine_package(root)\n"
            "print(efficienttam.__version__, 'torch' in sys.modules, 'numpy' in sys.modules)\n"
        )
        self.assertEqual(told.split()[1:], ["False", "False"])

    def test_a_missing_one_is_told(self):
        told = self.run_there(
            "from efficienttam_nuke import engine_package\n"
            "try:\n    engine_package.load_engine_package('/nowhere')\n"
            "except engine_package.EngineMissing as error:\n    print(error)\n"
            "assert 'efficienttam' not in sys.modules\n"
        )
        self.assertIn("nowhere", told)


if __name__ == "__main__":
    unittest.main()
