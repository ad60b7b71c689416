"""How our own weights are made: generated clips, losses, two stages of training."""
