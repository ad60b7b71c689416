"""Click on a still and look at the three masks the network thinks you may mean.

python examples/one_image.py still.png 812 430 mask_%d.png
"""

import sys

import numpy as np

from efficienttam import FrameSequence, ImageSegmenter, load_model
from efficienttam.media import write_png

still, x, y, mask_pattern = sys.argv[1:]

plate = FrameSequence(still)
segmenter = ImageSegmenter(load_model())
segmenter.set_image(plate.read(plate.frames[0]))  # the slow part; any number of prompts may follow
answer = segmenter.predict(include=[(float(x), float(y))])
for index in np.argsort(-answer.predicted_iou[0]):
    write_png(mask_pattern % index, 1 / (1 + np.exp(-answer.mask_logits[0, index])))
    print(f"mask {index}: predicted IoU {answer.predicted_iou[0, index]:.2f}")
