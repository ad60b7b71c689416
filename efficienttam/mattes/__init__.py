"""Low-res mask logits into what a compositor wants. Arrays in, arrays out."""
