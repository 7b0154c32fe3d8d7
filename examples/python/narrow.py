"""Narrows a Bailiwick token for a sub-agent with biscuit-python: offline, with public keys alone."""

from datetime import datetime
from decimal import Decimal

from biscuit_auth import BlockBuilder
from read import verified

# Values come in as parameters. A value that was put into the text could end its string and change the block.
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
    # Verifiers refuse what exceeds these limits, and the library appends all the same.
    if parent.block_count() >= 16:
        raise ValueError("the token has 16 blocks already")
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
        raise ValueError("the token would be longer than 8 KiB")
    return child.to_base64()


def millionths(number: Decimal) -> int:
    """Numbers are compared in whole millionths. Never start from a binary float."""
    # Exactly: arithmetic of `Decimal` rounds to 28 digits.
    above, below = number.as_integer_ratio()
    scaled, rest = divmod(above * 1_000_000, below)
    if rest or not -(1 << 63) <= scaled < 1 << 63:
        raise ValueError(f"{number} is no number of whole millionths within 64 bits")
    return scaled
