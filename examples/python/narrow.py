"""Narrows a Bailiwick token for a sub-agent with biscuit-python: offline, with public keys alone."""

from datetime import datetime
from decimal import Decimal

from biscuit_auth import Algorithm, Biscuit, BlockBuilder, PublicKey

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
    # This verifies the signatures of the whole chain.
    parent = Biscuit.from_base64(token, PublicKey.from_bytes(root, Algorithm.Ed25519))
    block = BlockBuilder(
        ORDER,
        {
            "delegate": delegate,
            "vendor": vendor,
            "amount": millionths(amount),
            "expires": expires,
        },
    )
    return parent.append(block).to_base64()


def millionths(number: Decimal) -> int:
    """Numbers are compared in whole millionths. Never start from a binary float."""
    scaled = number * 1_000_000
    if scaled != int(scaled):
        raise ValueError(f"{number} has more than six decimal places")
    return int(scaled)
