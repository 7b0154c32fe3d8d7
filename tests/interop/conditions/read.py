"""A second implementation of the conditions on arguments, written from their reference alone.

    python tests/interop/conditions/read.py <cases.json >answers.json

A case is the path, the text of a condition in canonical JSON, and the arguments of a call in JSON. The answer is `yes`,
`no`, or `unsure` where this Python's Unicode data is too old to say. Only the standard library is used.
"""

import json
import sys
from decimal import Decimal

import amounts
import places
import text
import web

KINDS = {**amounts.KINDS, **places.KINDS, **text.KINDS, **web.KINDS}
ABSENT = object()


def holds(path, condition, args):
    """True if the path leads to values that meet the condition."""
    condition = dict(condition)
    optional = condition.pop("optional")
    ((kind, needed),) = condition.items()
    parts = path.split(".")
    values = found(args, list(zip(parts, optional)))
    if values is None:
        return False
    if kind == "sum":
        return amounts.total_within(values, needed)
    if kind == "equals_sum":
        of = needed["of"].split(".")
        summands = found(args, [(part, False) for part in of])
        return len(values) == 1 and amounts.equals_total(values[0], summands, needed["negative"])
    if kind == "differs_from_arg":
        other = found(args, [(part, False) for part in needed.split(".")])
        return other is not None and len(other) == 1 and all(text.differ(value, other[0]) for value in values)
    return all(KINDS[kind](value, needed) for value in values)


def found(value, steps):
    """The values at the end of a path; None if a part that is not optional is missing."""
    if not steps:
        return [value]
    (part, optional), rest = steps[0], steps[1:]
    if part == "*":
        if not isinstance(value, list) or not value:
            return None
        parts = [found(element, rest) for element in value]
        return None if None in parts else [one for each in parts for one in each]
    if not isinstance(value, dict):
        return None
    member = value.get(part, ABSENT)
    if member is ABSENT:
        return [] if optional else None
    return found(member, rest)


def answer(case):
    path, condition, args = case
    try:
        args = exactly(args)
    except ValueError:
        return "no"
    try:
        return "yes" if holds(path, exactly(condition), args) else "no"
    except text.Unsure:
        return "unsure"


def exactly(text):
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


if __name__ == "__main__":
    cases = json.loads(sys.stdin.buffer.read())
    json.dump([answer(case) for case in cases], sys.stdout)
