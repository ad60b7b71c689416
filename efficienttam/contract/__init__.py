"""What host and engine say to each other. Standard library only, Python 3.7 or newer."""
