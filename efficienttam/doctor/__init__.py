"""Whether the engine can work on this machine: one check a line, with its remedy."""
