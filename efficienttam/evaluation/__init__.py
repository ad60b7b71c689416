"""How good mattes are: region J, boundary F, and what a tracker without learning would reach."""
