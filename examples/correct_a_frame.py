"""Track, say more on a frame that went wrong, and track again only what that word can change.

python examples/correct_a_frame.py ab010_plate.%04d.exr 812 430 hero.%04d.exr
"""

import sys

from efficienttam import FrameSequence, Prompt, VideoTracker, load_model, write_matte
from efficienttam.tracking.spans import spans_touched

plate_pattern, x, y, matte_pattern = sys.argv[1:]
plate = FrameSequence(plate_pattern)
first, last = plate.frames[0], plate.frames[-1]
tracker = VideoTracker(load_model(), plate)
hero = tracker.add_object("hero")


def write(results):
    for result in results:
        write_matte(matte_pattern % result.frame, result.mattes[hero], plate=plate.info(result.frame))
        print("wrote", matte_pattern % result.frame)


# The artist clicks on the first frame and boxes the object on the last one.
tracker.add_prompt(hero, Prompt(frame=first, include=[(float(x), float(y))]))
width, height = plate.size
tracker.add_prompt(hero, Prompt(frame=last, box=(width * 0.25, height * 0.25, width * 0.75, height * 0.75)))
write(tracker.track())

# One more point in the middle of the shot. Frames before the first and after the last prompted
# frame stay as they are; with more prompted frames, so does everything beyond the neighbours.
middle = (first + last) // 2
tracker.add_prompt(hero, Prompt(frame=middle, include=[(float(x), float(y))]))
spans = spans_touched([middle], sorted(tracker.prompts(hero)), first, last)
write(tracker.track(only={hero: spans}))
