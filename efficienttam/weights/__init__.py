"""Where weights come from, how they are checked, and how they get into a model."""
