"""Batches of images, for any training loop."""
