"""Seconds since 1970 in UTC to dates and back (Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html)."""

from __future__ import annotations

from fastdraw.kernels.jit import inlined

DAY = 86_400  # seconds
_ERA = 146_097  # days of 400 years
_EPOCH = 719_468  # days from 0000-03-01 to 1970-01-01


@inlined
def days_of(year, month, day):
    """Days from 1970-01-01 to a date of the Gregorian calendar, for years from 0."""
    year -= month <= 2  # years begin in March: leap days are the last
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + of_year - _EPOCH


@inlined
def date_of(days):
    """The year, month and day that are a number of days from 0 after 1970-01-01."""
    days += _EPOCH
    era = days // _ERA
    of_era = days - era * _ERA
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + 400 * era + (month <= 2), month, day
