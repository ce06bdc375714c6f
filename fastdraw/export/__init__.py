"""Drawings in other forms: files between formats, tables of many drawings, and a picture of each."""
