"""Narrows a Bailiwick token for a sub-agent with biscuit-python: offline, with public keys only."""

from datetime import datetime
from decimal import Decimal

from biscuit_auth import BlockBuilder
from read import verified

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
    block = BlockBuilder(
        ORDER,
        {
            "delegate": delegate,
            "vendor": vendor,
            "amount": millionths(amount),
            "expires": expires,
        },
    )
    child = parent.append(block)
    if len(child.to_bytes()) > 8192:
        raise ValueError("the narrowed token would be longer than 8 KiB")
    return child.to_base64()


def millionths(number: Decimal) -> int:
    """Converts a number to whole millionths, in which verifiers compare. Never start from a binary float."""
    # Integers are exact. `Decimal` arithmetic rounds to 28 digits.
    above, below = number.as_integer_ratio()
    scaled, rest = divmod(above * 1_000_000, below)
    if rest or not -(1 << 63) <= scaled < 1 << 63:
        raise ValueError(f"{number} is not a number of whole millionths within 64 bits")
    return scaled
