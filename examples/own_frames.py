"""Track frames that come from your own code: anything with size, frames, read() and identity() will do.

python examples/own_frames.py
"""

import numpy as np

from efficienttam import Prompt, VideoTracker, load_model


class MovingDisc:
    """A red disc on a grey checkerboard, 320 x 180, frames 1001 to 1012."""

    size = (320, 180)
    frames = range(1001, 1013)

    def centre(self, frame):
        return 60 + 15 * (frame - 1001), 90

    def read(self, frame):
        """RGB (height, width, 3), uint8, sRGB."""
        y, x = np.mgrid[:180, :320]
        picture = np.where(((x // 20 + y // 20) % 2)[..., None], 90, 120) * np.ones(3)
        cx, cy = self.centre(frame)
        picture[(x - cx) ** 2 + (y - cy) ** 2 < 30**2] = (200, 50, 40)
        return picture.astype(np.uint8)

    def identity(self, frame):
        """Says when two pictures are equal, so that none is encoded twice."""
        return f"moving disc {frame}"


plate = MovingDisc()
tracker = VideoTracker(load_model(), plate)
disc = tracker.add_object("disc")
tracker.prompt(disc, Prompt(frame=1001, include=[plate.centre(1001)]))
for result in tracker.propagate():
    matte = result.mattes[disc]
    y, x = np.nonzero(matte > 0.5)
    seen = f"centre {x.mean():.0f},{y.mean():.0f}" if len(x) else "not seen"
    print(f"{result.frame}: true centre {plate.centre(result.frame)}, {seen}")
