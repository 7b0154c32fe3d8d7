"""Numbers, decimals in strings, days and points in time."""

import re
from datetime import date, timedelta
from decimal import Decimal, getcontext

# No sum and no comparison may round.
getcontext().prec = 400
LARGEST = Decimal(2**63 - 1) / 10**6
# The first point in time that is too late.
LATEST = timedelta(days=date(9999, 12, 30).toordinal(), hours=22, seconds=1)


def is_number(value):
    return isinstance(value, Decimal)


def decimals(value):
    """The number of decimals that a value needs."""
    return max(0, -value.normalize().as_tuple().exponent)


def is_readable(value):
    """True for a number that can be compared, and that binary floating point does not change."""
    digits = len(value.normalize().as_tuple().digits)
    return digits <= 15 and decimals(value) <= 6 and abs(value) <= min(LARGEST, 10**15)


def within(value, needed, scale):
    low, high = needed["min"], needed["max"]
    return (
        (low is None or value >= Decimal(low))
        and (high is None or value <= Decimal(high))
        and not (needed["positive"] and value <= 0)
        and (needed["scale"] is None or scale <= needed["scale"])
    )


def number(value, needed):
    return is_number(value) and is_readable(value) and within(value, needed, decimals(value))


def decimal(value, needed):
    form = r"-?(0|[1-9][0-9]{0,14})(\.([0-9]{1,6}))?"
    match = isinstance(value, str) and re.fullmatch(form, value, re.ASCII)
    if not match:
        return False
    exact = Decimal(value)
    if value.startswith("-") and exact == 0:
        return False
    return abs(exact) <= LARGEST and within(exact, needed, len(match[3] or ""))


def total(values, negative):
    """The exact sum of numbers; None if one of them cannot be added."""
    for value in values:
        if not is_number(value) or not is_readable(value) or (value < 0 and not negative):
            return None
    exact = sum(values, Decimal(0))
    return exact if abs(exact) <= LARGEST else None


def total_within(values, needed):
    exact = total(values, needed["negative"])
    low, high = needed["min"], needed["max"]
    return exact is not None and (low is None or exact >= Decimal(low)) and (high is None or exact <= Decimal(high))


def equals_total(value, values, negative):
    exact = None if values is None else total(values, negative)
    return exact is not None and is_number(value) and is_readable(value) and value == exact


def real_day(value):
    """The day that a text `YYYY-MM-DD` names, or None."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return date(int(value[:4]), int(value[5:7]), int(value[8:]))
    except ValueError:
        return None


def day(value, needed):
    named = real_day(value) if isinstance(value, str) else None
    low, high = needed["min"], needed["max"]
    return (
        named is not None
        and 1970 <= named.year <= 9999
        and (low is None or named >= real_day(low))
        and (high is None or named <= real_day(high))
    )


def microseconds(value):
    """Microseconds since the first day of the calendar, or None if the text is not a date-time."""
    form = r"(.{10})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?(?:Z|([+-])([0-9]{2}):([0-5][0-9]))"
    match = re.fullmatch(form, value)
    named = match and real_day(match[1])
    if not named or named.year < 1970:
        return None
    hours, minutes, seconds, fraction, sign, off_hours, off_minutes = match.groups()[1:]
    offset = timedelta(hours=int(off_hours or 0), minutes=int(off_minutes or 0))
    if offset > timedelta(hours=14) or (sign == "-" and not offset):
        return None
    local = timedelta(
        days=named.toordinal(),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int((fraction or "0").ljust(6, "0")),
    )
    at = local + offset if sign == "-" else local - offset
    return at // timedelta(microseconds=1) if at < LATEST else None


def instant(value, needed):
    at = microseconds(value) if isinstance(value, str) else None
    after, before = needed["after"], needed["before"]
    return (
        at is not None
        and (after is None or at >= microseconds(after))
        and (before is None or at < microseconds(before))
    )


KINDS = {"number": number, "decimal": decimal, "day": day, "instant": instant}
