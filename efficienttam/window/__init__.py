"""The prompt window: a Qt panel to say what to track, to see it, and to track it. Loads Qt only when used."""
