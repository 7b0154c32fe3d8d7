"""Narrows a Bailiwick token for a sub-agent with biscuit-python: offline, with public keys only."""

from datetime import datetime, timezone
from decimal import Context, Decimal, Inexact, InvalidOperation

from biscuit_auth import BlockBuilder
from read import verified

# Arithmetic that raises instead of rounding. 64 bits have up to 19 digits.
EXACT = Context(prec=19, traps=[Inexact, InvalidOperation])
FIRST, LAST = (day.replace(tzinfo=timezone.utc) for day in (datetime(1970, 1, 1), datetime.max))

# Values are passed as parameters. A value pasted into the text could end its string and change the block.
ORDER = """
delegate({delegate});
check if service("erp"), action("purchase_order:create"),
    args($n), {"", "amount", "currency", "vendor"}.contains($n),
    num("amount", $m0), $m0 <= {amount},
    arg("vendor", {vendor});
check if time($t), $t < {expires};
"""


def narrow(
    token: str, root: bytes, delegate: str, vendor: str, amount: Decimal, expires: datetime
) -> str:
    """Returns a token that can only order, at one vendor, up to an amount, until a time."""
    parent = verified(token, root)
    # Verifiers refuse tokens beyond these limits, but the library appends blocks anyway.
    if parent.block_count() >= 16:
        raise ValueError("the token already has 16 blocks")
    values = {
        "delegate": text(delegate),
        "vendor": text(vendor),
        "amount": millionths(amount),
        "expires": date(expires),
    }
    child = parent.append(BlockBuilder(ORDER, values))
    if len(child.to_bytes()) > 8192:
        raise ValueError("the narrowed token would be longer than 8 KiB")
    return child.to_base64()


def text(value: str) -> str:
    """Returns a string. Any other value would become a term of another type."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not a string")
    value.encode()  # Refuses lone surrogates.
    return value


def date(value: datetime) -> datetime:
    """Returns a time as tokens state it: in whole seconds, with a time zone, from 1970 to 9999."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise TypeError(f"{value!r:.60} is not a datetime with a time zone")
    if not FIRST <= value <= LAST:
        raise ValueError(f"{value} is not within the years 1970 to 9999")
    return value.replace(microsecond=0)


def millionths(number: Decimal) -> int:
    """Converts a number to whole millionths, in which verifiers compare. Never start from a binary float."""
    if not isinstance(number, Decimal):
        raise TypeError(f"{number!r:.60} is not a Decimal")
    try:
        scaled = int(EXACT.quantize(number, Decimal("0.000001")).scaleb(6, EXACT))
        if -(1 << 63) <= scaled < 1 << 63:
            return scaled
    except (ArithmeticError, ValueError):
        pass
    raise ValueError(f"{number!r:.60} is not a number of whole millionths within 64 bits")


def array(values: list) -> str:
    """Returns an array as Datalog text: strings, booleans, `None` and integers of 64 bits."""
    if not isinstance(values, list):
        raise TypeError(f"{values!r:.60} is not a list")
    return f"[{', '.join(map(scalar, values))}]"


def scalar(value) -> str:
    if isinstance(value, str):
        # Every other character stands for itself, also a line break. Escapes of JSON would be refused.
        return '"' + text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", False: "false", True: "true"}[value]
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        return str(value)
    raise TypeError(f"{value!r:.60} cannot be in an array")
