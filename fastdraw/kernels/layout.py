"""The layout of a record, and what can be wrong with one. It needs no numba, which takes most of a second to import."""

HEAD = 17  # bytes of a record before its first stroke
FLAG = 10  # offset of the recognized flag in a record
LIMIT = 65_535  # strokes of a drawing and points of a stroke: both counts have 16 bits
LONGEST_WORD = 200  # bytes: names of files have up to 255, with suffixes and those of temporary files

SOUND, CUT_HEAD, BAD_FLAG, CUT_STROKE, CUT_POINTS, ZEROS = range(6)
