"""One whole shot in a real Nuke, step by step:  nuke -t tests/nuke_smoke.py

Makes a plate of its own with Nuke's nodes, tracks it with the demo weights, and prints a line for every
step; ends with the number of steps that failed. Below it tells how this Nuke behaves where its manual is
silent. Needs the engine that install/install.py makes; nothing but the standard library and nuke here.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback

import nuke

FIRST, LAST = 1001, 1006
WIDTH, HEIGHT = 256, 144
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def center(frame):
    """Of the disc, from the bottom left."""
    step = frame - FIRST
    return 70.0 + 8 * step, 90.0 - 5 * step


class Smoke(object):
    """The steps in their order; each leaves to the next what it made."""

    def __init__(self, folder):
        self.folder = folder.replace("\\", "/")
        self.failed = 0

    def run(self):
        """Every step, whatever became of the one before."""
        steps = ("plugin", "plate", "node", "click", "preview", "track", "correction", "nothing_to_do")
        steps += ("live_controls", "render", "roto", "copy", "rename", "bake", "reopen", "document")
        for name in steps:
            step = getattr(self, name)
            try:
                step()
            except Exception:
                self.failed += 1
                nuke.tprint("FAIL  {}: {}".format(name, step.__doc__))
                nuke.tprint("      " + traceback.format_exc().strip().replace("\n", "\n      "))
            else:
                nuke.tprint("pass  {}: {}".format(name, step.__doc__))

    def plugin(self):
        """The plugin's init.py was read, or can be by hand."""
        try:
            import efficienttam_nuke.startup as startup
        except ImportError:
            nuke.tprint("      (nuke_plugin is not on NUKE_PATH: added for this run)")
            sys.path.insert(0, os.path.join(HERE, "nuke_plugin"))
            import efficienttam_nuke.startup as startup

            startup.always()
        assert startup is not None

    def plate(self):
        """Nuke renders a plate: a disc that moves over a checkerboard."""
        nuke.addFormat("{} {} 1 smoke".format(WIDTH, HEIGHT))
        root = nuke.root()
        root["format"].setValue("smoke")
        root["first_frame"].setValue(FIRST)
        root["last_frame"].setValue(LAST)
        ground = nuke.nodes.CheckerBoard2(boxsize=12, linewidth=0, centerlinewidth=0)
        for name, value in (("color0", 0.15), ("color1", 0.25), ("color2", 0.15), ("color3", 0.25)):
            ground[name].setValue(value)
        disc = nuke.nodes.Radial(inputs=[ground], softness=0.05, name="SmokeDisc")
        disc["color"].setValue([0.8, 0.2, 0.05, 1.0])
        area = disc["area"]
        area.setAnimated()
        for frame in range(FIRST, LAST + 1):
            x, y = center(frame)
            for index, side in enumerate((x - 28, y - 28, x + 28, y + 28)):
                area.setValueAt(side, frame, index)
        pattern = self.folder + "/plate.%04d.exr"
        write = nuke.nodes.Write(inputs=[disc], file=pattern, file_type="exr", channels="rgb")
        nuke.execute(write, FIRST, LAST, 1)
        assert os.path.isfile(pattern % LAST), "no file " + pattern % LAST
        self.pattern = pattern

    def node(self):
        """A Read and an EfficientTAM node under it."""
        span = dict(first=FIRST, last=LAST, origfirst=FIRST, origlast=LAST)
        self.read = nuke.nodes.Read(file=self.pattern, name="SmokePlate", **span)
        for other in nuke.allNodes():
            other.setSelected(other.name() == "SmokePlate")
        self.tracker = nuke.createNode("EfficientTAM", inpanel=False)
        self.tracker.setInput(0, self.read)
        self.tracker["mattes"].setValue(self.folder + "/mattes/smoke.%04d.exr")
        assert self.tracker.knob("efficienttam_uuid").getText(), "onCreate did not run"
        assert self.read.width() == WIDTH

    def click(self):
        """The handle and Include here."""
        nuke.frame(FIRST)
        self.tracker["point"].setValue(list(center(FIRST)))
        self.tracker["include"].execute()
        assert '"include"' in self.tracker["sheet"].getText(), self.told()

    def preview(self):
        """Preview frame makes the matte of one frame."""
        self.tracker["preview"].execute()
        self.check([FIRST])

    def track(self):
        """Track makes the mattes of the shot, and the node shows them."""
        self.tracker["track_both"].execute()
        self.check(range(FIRST, LAST + 1))

    def correction(self):
        """A point on a later frame, and Re-track changed."""
        nuke.frame(LAST)
        x, y = center(LAST)
        self.tracker["point"].setValue([x + 10, y])
        self.tracker["include"].execute()
        self.tracker["retrack"].execute()
        self.check(range(FIRST, LAST + 1))

    def nothing_to_do(self):
        """Track once more makes nothing."""
        self.tracker["track_both"].execute()
        assert ": 0 mattes made" in self.told(), self.told()

    def live_controls(self):
        """Grow and invert work at once."""
        x, y = center(FIRST)
        nuke.frame(FIRST)
        self.tracker["grow"].setValue(12)
        assert self.alpha(x + 34, y) > 0.5, "grow does nothing"
        self.tracker["grow"].setValue(0)
        self.tracker["invert"].setValue(True)
        assert self.alpha(x, y) < 0.5, "invert does nothing"
        self.tracker["invert"].setValue(False)

    def render(self):
        """A Write below the node renders the matte."""
        path = self.folder + "/result.%04d.exr"
        write = nuke.nodes.Write(inputs=[self.tracker], file=path, file_type="exr", channels="rgba")
        nuke.execute(write, LAST, LAST, 1)
        read = nuke.nodes.Read(file=path, first=LAST, last=LAST)
        nuke.frame(LAST)
        x, y = center(LAST)
        assert read.sample("alpha", x, y) > 0.5 > read.sample("alpha", 8, 8)

    def roto(self):
        """Use roto on this frame takes the alpha of the second input."""
        nuke.frame(FIRST)
        other = nuke.createNode("EfficientTAM", inpanel=False)
        other.setInput(0, self.read)
        other.setInput(1, nuke.toNode("SmokeDisc"))
        other["mattes"].setValue(self.folder + "/roto/smoke.%04d.exr")
        other["use_roto"].execute()
        other["preview"].execute()
        x, y = center(FIRST)
        assert other.sample("alpha", x, y) > 0.5 > other.sample("alpha", 8, 8), other["status"].getText()

    def copy(self):
        """A pasted copy keeps the prompts and gets an id of its own."""
        for node in nuke.allNodes():
            node.setSelected(node is self.tracker or node.name() == self.tracker.name())
        path = self.folder + "/copy.nk"
        nuke.nodeCopy(path)
        copy = nuke.nodePaste(path)
        assert copy["sheet"].getText() == self.tracker["sheet"].getText()
        assert copy["efficienttam_uuid"].getText() != self.tracker["efficienttam_uuid"].getText()
        nuke.delete(copy)

    def rename(self):
        """A renamed node keeps its mattes."""
        self.tracker.setName("SmokeHero")
        self.nothing_to_do()

    def bake(self):
        """Bake to native nodes makes a Read of the mattes."""
        before = {node.name() for node in nuke.allNodes("Read")}
        self.tracker["bake"].execute()
        assert {node.name() for node in nuke.allNodes("Read")} - before, self.told()

    def reopen(self):
        """Saved and opened again it is the same."""
        script = self.folder + "/smoke.nk"
        sheet = self.tracker["sheet"].getText()
        nuke.scriptSaveAs(script, 1)
        nuke.scriptClear()
        nuke.scriptOpen(script)
        self.tracker = nuke.toNode("SmokeHero")
        assert self.tracker["sheet"].getText() == sheet
        self.check(range(FIRST, LAST + 1))

    def document(self):
        """The job document lies beside the mattes."""
        assert os.path.isfile(self.folder + "/mattes/smoke.job.json")

    def told(self):
        return "the status line says: " + self.tracker["status"].getText()

    def alpha(self, x, y):
        return self.tracker.sample("alpha", x, y)

    def check(self, frames):
        """The matte is white in the disc and black in the corner, on each frame."""
        for frame in frames:
            nuke.frame(frame)
            x, y = center(frame)
            inside, outside = self.alpha(x, y), self.alpha(8, 8)
            assert inside > 0.5 > outside, "frame {}: {} inside, {} outside; {}".format(
                frame, inside, outside, self.told()
            )


def facts(tracker):
    """What the manual does not tell: worth a line in a report."""
    root = nuke.root()
    full = tracker.format().width()
    root["proxy"].setValue(True)
    nuke.tprint("fact  format in proxy mode is {} wide, of {}".format(tracker.format().width(), full))
    root["proxy"].setValue(False)
    seen = []
    nuke.addKnobChanged(lambda: seen.append(nuke.thisKnob().name()), nodeClass="Blur")
    nuke.nodes.Blur()["size"].setValue(3)
    nuke.tprint("fact  knobChanged runs in this mode: {}".format(bool(seen)))
    try:
        told = tracker["sheet"].value()[:40]
    except Exception as error:
        told = "raises {}".format(error)
    nuke.tprint("fact  value() of a text with brackets: {}".format(told))
    nuke.tprint("fact  value() of three equal colours: {!r}".format(nuke.nodes.Grade()["white"].value()))
    nuke.tprint("fact  Python {}, Nuke {}".format(sys.version.split()[0], nuke.NUKE_VERSION_STRING))


def main():
    folder = tempfile.mkdtemp(prefix="efficienttam_smoke_")
    nuke.tprint("EfficientTAM smoke test in {}".format(folder))
    smoke = Smoke(folder)
    smoke.run()
    try:
        facts(smoke.tracker)
    except Exception:
        nuke.tprint("fact  none: " + traceback.format_exc().strip().splitlines()[-1])
    if smoke.failed:
        nuke.tprint("{} steps failed; what was made is in {}".format(smoke.failed, folder))
    else:
        shutil.rmtree(folder, ignore_errors=True)
        nuke.tprint("All steps passed.")
    sys.exit(1 if smoke.failed else 0)


if __name__ == "__main__":
    main()
