"""Fine-tuning on a show: some good mattes in, a weights file that draws its things better out.

The image encoder stays as it is; embeddings of the frames with mattes are computed once.
"""
