"""The kernels of the style ``google``: Cairo's way from strokes to pixels."""
