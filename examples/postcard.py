"""Click on one frame, track to the end of the plate, write a matte per frame.

python examples/postcard.py ab010_plate.%04d.exr 1001 812 430 hero.%04d.exr
"""

import sys

from efficienttam import FrameSequence, Prompt, VideoTracker, load_model, write_matte

plate_pattern, frame, x, y, matte_pattern = sys.argv[1:]

model = load_model("efficienttam_demo")
plate = FrameSequence(plate_pattern)
tracker = VideoTracker(model, plate)
hero = tracker.add_object("hero")
tracker.prompt(hero, Prompt(frame=int(frame), include=[(float(x), float(y))]))
for result in tracker.propagate():  # a generator: break cancels
    write_matte(matte_pattern % result.frame, result.mattes[hero], plate=plate.info(result.frame))
    print(f"{result.frame}: object score {result.object_score[hero]:.1f}")
