"""Strokes to pixels."""
