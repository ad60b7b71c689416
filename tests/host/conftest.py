"""For pytest; unittest finds the paths by importing host_paths itself."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
