"""Sheets edited, jobs built, spans of changes, names of files and colour spaces."""

import os
import tempfile
import unittest

import host_paths  # noqa: F401

from efficienttam.contract.document import JobFaults, to_json
from efficienttam.contract.errors import ColorError, JobError, PlateError
from efficienttam.contract.job import Plate
from efficienttam.contract.prompt_sheet import PromptSheet, in_signs
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam_nuke import color_names, job_document, object_colors, sheet_edits
from efficienttam_nuke.feed_store import FeedStore, frame_key


def sheet_of(*frames, **more):
    sheet = PromptSheet().with_object("hero", "h")
    for frame in frames:
        sheet = sheet.with_point("h", frame, (10.0, 20.0), True)
    return sheet


class Edits(unittest.TestCase):
    def test_a_point_takes_the_opposite_back(self):
        sheet = sheet_of(1)
        sheet = sheet.with_point("h", 1, (5.0, 5.0), True)
        sheet = sheet.with_point("h", 1, (5.0, 5.0), False)
        prompt = sheet.object("h").prompt_on(1)
        self.assertEqual(prompt.include, ((10.0, 20.0),))
        self.assertEqual(prompt.exclude, ((5.0, 5.0),))

    def test_points_box_and_roto_share_a_frame(self):
        sheet = sheet_of(1).with_box("h", 1, (0.0, 0.0, 9.0, 9.0))
        sheet = sheet.with_roto("h", 1, RotoFile("a.exr"))
        self.assertEqual(in_signs(sheet.object("h").prompt_on(1)), "+1 box roto")

    def test_a_moved_point(self):
        sheet = sheet_of(1).with_point("h", 1, (7.0, 7.0), False)
        moved = sheet_edits.with_moved_point(sheet, "h", 1, (False, 0), (8.0, 9.0))
        self.assertEqual(moved.object("h").prompt_on(1).exclude, ((8.0, 9.0),))
        with self.assertRaises(JobError):
            sheet_edits.with_moved_point(sheet, "h", 1, (False, 3), (8.0, 9.0))

    def test_a_prompt_that_tells_comes_first(self):
        sheet = PromptSheet().with_object("hero", "h")
        sheet = sheet.with_prompt("h", Prompt(1, exclude=((1.0, 1.0),)))
        sheet = sheet.with_point("h", 9, (2.0, 2.0), True)
        self.assertEqual([prompt.frame for prompt in sheet.object("h").prompts], [9, 1])

    def test_names_of_nukes_layers_are_refused(self):
        for name in ("depth", "RGBA", "mask"):
            with self.assertRaises(JobError):
                sheet_edits.named(PromptSheet(), name)

    def test_rows_and_table(self):
        sheet = sheet_of(1030, 1001).with_object("stone", "s")
        sheet = sheet.with_box("s", 1001, (0.0, 0.0, 9.0, 9.0))
        self.assertEqual(
            list(sheet_edits.rows(sheet).items()),
            [
                ("1001 hero: +1", ("h", 1001)),
                ("1001 stone: box", ("s", 1001)),
                ("1030 hero: +1", ("h", 1030)),
            ],
        )
        lines = sheet_edits.table(sheet).split("\n")
        self.assertEqual([line.split() for line in lines][1:], [["hero", "+1", "+1"], ["stone", "box", "."]])
        self.assertEqual(sheet_edits.table(PromptSheet()), "no objects yet")

    def test_colors(self):
        self.assertEqual(object_colors.color_text(object_colors.color_numbers("#e69f00")), "#e69f00")
        self.assertEqual(object_colors.color_text((-1.0, 2.0, 0.5)), "#00ff80")


def job_of(sheet, first=1, last=20, **more):
    words = job_document.Words(sheet, "/s/mattes/a.%04d.exr", first, last, **more)
    return job_document.build_job(words, Plate("/s/plate.%04d.exr"))


class Jobs(unittest.TestCase):
    def test_faults(self):
        with self.assertRaises(JobError):
            job_of(PromptSheet().with_object("hero"))
        only_not = PromptSheet().with_object("hero", "h").with_prompt("h", Prompt(1, exclude=((1.0, 1.0),)))
        with self.assertRaises(JobError):
            job_of(only_not)
        with self.assertRaises(JobError):
            job_of(sheet_of(30))
        with self.assertRaises(JobFaults):
            job_of(sheet_of(3), views=("left", "right"))

    def test_the_engines_words_about_the_document(self):
        job, told = job_of(sheet_of(3)), job_document.told_here
        self.assertEqual(told("model.weights: There is no file 'x'.", job), "weights: There is no file 'x'.")
        self.assertEqual(
            told("objects[0].prompts[0].mask.path: There is no roto mask 'x'.", job),
            "Prompts of hero on 3: There is no roto mask 'x'.",
        )
        self.assertEqual(
            told("The job has 2 faults\n  output.path: No. Choose.\n  plate.path: Gone. Bring it.", job),
            "The job has 2 faults\n  mattes to: No. Choose.\n  plate: Gone. Bring it.",
        )
        for text in ("The plate: it is wet.", "There is no room left on model.weights: x", "hero: gone."):
            self.assertEqual(told(text, job), text)

    def test_equal_words_equal_bytes(self):
        self.assertEqual(to_json(job_of(sheet_of(3))), to_json(job_of(sheet_of(3))))
        self.assertIn('"layout": "layer_per_object"', to_json(job_of(sheet_of(3))))

    def test_places(self):
        place = job_document.document_path
        self.assertEqual(place("/s/mattes/hero.%04d.exr"), "/s/mattes/hero.job.json")
        self.assertEqual(place("/s/%V/hero.%V.####.exr"), "/s/hero.job.json")
        self.assertEqual(place("/s/%04d.exr"), "/s/mattes.job.json")
        self.assertEqual(
            job_document.default_mattes("/s/a.nk", "/tmp", "Group1.EfficientTAM1", "0123456789", True),
            "/s/mattes/EfficientTAM1_01234567/EfficientTAM1.%V.%04d.exr",
        )
        self.assertTrue(job_document.default_mattes("", "/tmp", "E", "0", False).startswith("/tmp/mattes/"))
        self.assertEqual(
            job_document.roto_path("/s/%V/a.%04d.exr", "hero", 1001, "abc", True),
            "/s/prompts/hero.1001.abc.%V.exr",
        )

    def test_ranges(self):
        chosen = job_document.chosen_range
        self.assertEqual(chosen((1001, 1100), (1010, 1020), 5, ()), (1005, 1025))
        self.assertEqual(chosen((1001, 1100), (1001, 1100), 8, ()), (1001, 1100))
        self.assertEqual(chosen((1001, 1100), (1010, 1020), 0, (1003, 1015)), (1003, 1020))
        self.assertEqual(chosen((1, 9), (1, 9), -3, ()), (1, 9))
        for asked in ((20, 10), (2000, 2010)):
            with self.assertRaises(JobError):
                chosen((1001, 1100), asked, 0, ())


class Feed(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.pattern = os.path.join(self._folder.name, "a", "plate.%04d.png")
        self.rendered = []

    def tearDown(self):
        self._folder.cleanup()

    def render(self, pattern, first, last):
        for frame in range(first, last + 1):
            self.rendered.append(frame)
            with open(pattern % frame, "w") as stream:
                stream.write("x" * len(self.rendered))

    def test_only_what_is_stale_is_rendered(self):
        store = FeedStore(self.pattern, ())
        keys = {frame: "k" for frame in (1, 2, 3, 7)}
        self.assertEqual(store.fill(keys, self.render), [1, 2, 3, 7])
        self.assertEqual(FeedStore(self.pattern, ()).fill(keys, self.render), [])
        keys[2] = "other"
        os.remove(self.pattern % 7)
        self.assertEqual(store.fill(keys, self.render), [2, 7])

    def test_a_render_that_ends_early_keeps_what_is_whole(self):
        def breaks(pattern, first, last):
            self.render(pattern, first, first + 1)
            raise RuntimeError("stop")

        store = FeedStore(self.pattern, ())
        keys = {frame: "k" for frame in range(1, 6)}
        with self.assertRaises(RuntimeError):
            store.fill(keys, breaks)
        self.assertEqual(store.stale(keys), [3, 4, 5])

    def test_frames_that_never_came_are_told(self):
        with self.assertRaises(PlateError):
            FeedStore(self.pattern, ()).fill({1: "k"}, lambda pattern, first, last: None)

    def test_old_frames_are_there_until_new_ones_are_whole(self):
        store = FeedStore(self.pattern, ())
        old, new = ({frame: key for frame in (1, 2, 3)} for key in ("old", "new"))
        store.fill(old, self.render)

        def stopped(pattern, first, last):
            self.assertEqual([os.path.getsize(self.pattern % frame) for frame in new], [1, 2, 3])
            self.render(pattern, first, first)
            self.assertEqual(os.path.getsize(self.pattern % first), 1)
            raise RuntimeError("stop")

        with self.assertRaises(RuntimeError):
            store.fill(new, stopped)
        self.assertEqual([os.path.getsize(self.pattern % frame) for frame in new], [4, 2, 3])
        self.assertEqual((store.stale(new), store.stale(old)), ([2, 3], [1]))
        self.assertEqual(store.fill(new, self.render), [2, 3])
        self.assertEqual(
            sorted(os.listdir(os.path.dirname(self.pattern))),
            ["frames.json", "plate.0001.png", "plate.0002.png", "plate.0003.png"],
        )

    def test_frames_of_a_submitted_job_stay(self):
        store = FeedStore(self.pattern, ())
        frames = (1, 2, 3)
        store.fill({frame: "k" for frame in frames}, self.render)
        frozen = store.freeze(frames)
        kept = [os.stat(frozen % frame) for frame in frames]
        self.assertEqual(
            [(one.st_size, one.st_mtime_ns) for one in kept],
            [(one.st_size, one.st_mtime_ns) for one in (os.stat(self.pattern % frame) for frame in frames)],
        )
        self.assertEqual(store.freeze(frames), frozen, "the same frames have one folder")
        store.fill({frame: "other" for frame in frames}, self.render)
        self.assertEqual([os.path.getsize(frozen % frame) for frame in frames], [1, 2, 3])
        self.assertNotEqual(store.freeze(frames), frozen)
        self.assertTrue(os.path.isdir(os.path.dirname(frozen)), "its job may wait still")

    def test_frames_of_a_job_long_over_go_with_the_next(self):
        store = FeedStore(self.pattern, ())
        store.fill({1: "k"}, self.render)
        frozen = os.path.dirname(store.freeze((1,)))
        os.utime(frozen, (1e9, 1e9))
        store.freeze((1,))
        store.fill({1: "other"}, self.render)
        store.freeze((1,))
        self.assertTrue(os.path.isdir(frozen), "it was submitted again")
        os.utime(frozen, (1e9, 1e9))
        store.freeze((1,))
        self.assertFalse(os.path.exists(frozen))

    def test_disks_without_links_get_copies_with_their_time(self):
        store = FeedStore(self.pattern, ())
        store.fill({1: "k"}, self.render)
        os.utime(self.pattern % 1, (1e9, 1e9))

        def refuse(file, target):
            raise OSError("no links here")

        link, os.link = os.link, refuse
        try:
            frozen = store.freeze((1,))
        finally:
            os.link = link
        self.assertEqual(os.path.getmtime(frozen % 1), 1e9)

    def test_every_view_has_to_be_there(self):
        pattern = os.path.join(self._folder.name, "plate.%V.%04d.png")
        store = FeedStore(pattern, ("left", "right"))

        def left_only(aside, first, last):
            with open(aside.replace("%V", "left") % first, "w") as stream:
                stream.write("x")

        with self.assertRaises(PlateError):
            store.fill({1: "k"}, left_only)

    def test_a_key_tells_files_apart(self):
        file = os.path.join(self._folder.name, "f")
        gone = frame_key("g", [file])
        with open(file, "w") as stream:
            stream.write("1")
        there = frame_key("g", [file])
        self.assertEqual(there, frame_key("g", [file, file]))
        self.assertEqual(len({gone, there, frame_key("h", [file])}), 3)


class Colors(unittest.TestCase):
    def test_srgb_by_its_many_names(self):
        self.assertEqual(color_names.srgb_name(["default", "linear", "sRGB", "rec709"]), "sRGB")
        aces = ["ACEScg\tACES/ACEScg", "Output - sRGB\tOutput/sRGB", "Utility - sRGB - Texture\tx"]
        self.assertEqual(color_names.srgb_name(aces), "Output - sRGB")
        self.assertEqual(
            color_names.srgb_name(["sRGB Encoded Rec.709 (sRGB)"]), "sRGB Encoded Rec.709 (sRGB)"
        )
        self.assertEqual(color_names.srgb_name(["Utility/sRGB - Texture"]), "Utility/sRGB - Texture")

    def test_the_artists_word_and_the_list_of_names(self):
        self.assertEqual(color_names.srgb_name(["sRGB", "show_srgb"], "Show_sRGB"), "show_srgb")
        with self.assertRaises(ColorError) as caught:
            color_names.srgb_name(["a", "b"], "")
        self.assertIn("a, b", caught.exception.remedy)
        with self.assertRaises(ColorError):
            color_names.srgb_name(["sRGB"], "p3")


if __name__ == "__main__":
    unittest.main()
