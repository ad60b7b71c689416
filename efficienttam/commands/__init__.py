"""What each command does, given its parsed arguments. The parser is ``efficienttam.cli``."""
