"""What lines of JSON are made of: signs, digits and numbers, read by kernels. Nothing past a line feed is read."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.jit import inlined

LINE_END, SPACE, QUOTE, COMMA, DOT, SLASH, ZERO = (ord(sign) for sign in '\n ",./0')
OPEN, ESCAPE, CLOSE, BEGIN, END = (ord(sign) for sign in "[\\]{}")
TAB, RETURN, DELETE, DASH, COLON = (ord(sign) for sign in "\t\r\x7f-:")

UNKNOWN = -1  # position after a value that the kernels do not understand
DIGITS = 19  # of an integer that surely fits in 64 bits

EXACT = np.uint64(2**53)  # integers below are float64
POWERS = np.array([10.0**n for n in range(DIGITS + 1)])  # exact, too
SPLIT = 2.0**27 + 1  # parts a float64 in two halves
NARROW = 2.0**-40


@inlined
def digit(text, at):
    """The digit at a position; otherwise a number that is none."""
    return np.int64(text[at]) - ZERO


@inlined
def integer(text, at, value):
    """Append digits to a number: it, and where they end. More than DIGITS may overflow."""
    while 0 <= digit(text, at) <= 9:
        value = value * np.uint64(10) + np.uint64(digit(text, at))
        at += 1
    return value, at


@inlined
def skip(text, at):
    while text[at] == SPACE:
        at += 1
    return at


@inlined
def matches(text, at, letters):
    """Whether text is at a position."""
    length = 0
    while length < len(letters) and text[at + length] == letters[length]:
        length += 1
    return length == len(letters)


@inlined
def is_letter(letter):
    return ord("A") <= letter <= ord("Z") or ord("a") <= letter <= ord("z")


@inlined
def _product(a, b):
    """A product, and the error of its rounding."""
    c = SPLIT * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = SPLIT * b
    b_high = c - (c - b)
    b_low = b - b_high
    product = a * b
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@inlined
def number(text, at):
    """Parse a number of up to 19 digits without an exponent, rounded to the nearest: it, and where it ends."""
    negative = text[at] == DASH
    at += negative
    begin = at
    value, at = integer(text, at, np.uint64(0))
    digits = at - begin
    if digits == 0 or (text[begin] == ZERO and digits > 1):
        return 0.0, UNKNOWN
    decimals = 0
    if text[at] == DOT:
        at += 1
        begin = at
        value, at = integer(text, at, value)
        decimals = at - begin
        if decimals == 0:
            return 0.0, UNKNOWN
    if digits + decimals > DIGITS:
        return 0.0, UNKNOWN
    quotient = np.float64(value)
    if decimals:
        divisor = POWERS[decimals]
        quotient /= divisor
        if value >= EXACT:
            # Dekker's product gives what the division leaves, and that corrects the quotient. It is the nearest number
            # if it is the same with the correction a little larger and smaller; otherwise it is next to a tie.
            product, error = _product(quotient, divisor)
            whole = np.float64(value)
            lost = np.float64(np.int64(value - np.uint64(whole)))
            correction = ((whole - product) - error + lost) / divisor
            low, high = quotient + correction * (1.0 - NARROW), quotient + correction * (1.0 + NARROW)
            if low != high:
                return 0.0, UNKNOWN
            quotient = low
    return -quotient if negative else quotient, at
