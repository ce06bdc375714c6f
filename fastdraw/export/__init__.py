"""Drawings in the forms of other programs: pictures, one file for each drawing, and tables, one file for many."""
