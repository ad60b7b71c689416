"""``python -m efficienttam``: the command line."""

import sys

from efficienttam.cli import main

if __name__ == "__main__":
    sys.exit(main())
