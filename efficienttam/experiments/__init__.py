"""The paper's comparisons, made again at the size of the machine at hand."""
