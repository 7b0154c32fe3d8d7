"""Reads a Bailiwick token: whom it was given to, who handed it on, and when it ends.

Reading proves nothing. Verify the signatures first, and let a Bailiwick verifier decide about calls.
"""

import base64
from datetime import datetime, timezone

# The default symbols of Biscuit. The symbols of a token are numbered from 1024.
DEFAULT = """read write resource operation right time role owner tenant namespace user team service admin email
group member ip_address client client_ip domain path version cluster node hostname nonce query""".split()

VARIABLE, INTEGER, STRING, DATE, BYTES = 1, 2, 3, 4, 5
LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL = 0, 2, 3


def key_id(token: str) -> int | None:
    """Returns the number by which a token names its root key. It is a hint that nobody signed."""
    return container(token).get(1, [None])[0]


def read(token: str) -> dict:
    """Returns the claims of a token, the chain of its appended blocks, and the times between which it holds."""
    fields = container(token)
    signed = [message(block) for block in fields[2] + fields.get(3, [])]
    if any(4 in block for block in signed):
        raise ValueError("a block of a third party, which the profile excludes")
    symbols: list[str] = []
    blocks = [Block(block[1][0], symbols) for block in signed]
    authority = blocks[0]
    if authority.claim("profile", STRING) != "bailiwick/1":
        raise ValueError("not a token of the profile bailiwick/1")
    return {
        "issuer": authority.claim("issuer", STRING),
        "token_id": authority.claim("token_id", BYTES).hex(),
        "agent": authority.claim("agent", STRING),
        "principal": authority.claim("principal", STRING),
        "tenant": authority.described("tenant"),
        "issued_at": rfc3339(authority.claim("issued_at", DATE)),
        # Every block has to hold, so the latest beginning and the earliest end count.
        "not_before": rfc3339(max(time for block in blocks for time in block.begins)),
        "expires": rfc3339(min(time for block in blocks for time in block.ends)),
        "sealed": 2 in message(fields[4][0]),
        "chain": [
            {
                "delegate": block.described("delegate"),
                "task": block.described("task"),
                "revocation_id": envelope[3][0].hex(),
            }
            for block, envelope in list(zip(blocks, signed))[1:]
        ],
    }


class Block:
    """The facts of a block, and the limits in time among its checks."""

    def __init__(self, data: bytes, symbols: list[str]) -> None:
        fields = message(data)
        # Symbols add up: a block uses its own and those of all blocks before it.
        symbols += [text.decode() for text in fields.get(1, [])]
        self.symbols = symbols
        self.facts = [self.predicate(message(fact)[1][0]) for fact in fields.get(4, [])]
        limits = [self.limit(message(check)) for check in fields.get(6, [])]
        self.begins = [time for kind, time in filter(None, limits) if kind == "begins"]
        self.ends = [time for kind, time in filter(None, limits) if kind == "ends"]

    def claim(self, name: str, kind: int):
        """Returns the value of the one fact of this name."""
        found = [terms for head, terms in self.facts if head == name]
        if [[term[0] for term in terms] for terms in found] != [[kind]]:
            raise ValueError(f"`{name}` is missing, stands twice, or has the wrong shape")
        return found[0][0][1]

    def described(self, name: str) -> str | None:
        """Returns a description, if it is there as one text. Holders write these, and no decision rests on them."""
        try:
            return self.claim(name, STRING)
        except ValueError:
            return None

    def limit(self, check: dict):
        """Reads `check if time($t), $t < D`, and its like with `<=` and `>=`. Returns `None` for other checks."""
        queries = [message(query) for query in check.get(1, [])]
        if len(queries) != 1 or check.get(2, [0]) != [0] or 4 in queries[0]:
            return None
        predicates = [self.predicate(predicate) for predicate in queries[0].get(2, [])]
        expressions = [message(expression).get(1, []) for expression in queries[0].get(3, [])]
        if len(predicates) != 1 or len(expressions) != 1 or len(expressions[0]) != 3:
            return None
        (name, terms), (left, right, operator) = predicates[0], map(message, expressions[0])
        if name != "time" or 1 not in left or 1 not in right or 3 not in operator:
            return None
        variable, (kind, time) = self.term(left[1][0]), self.term(right[1][0])
        if variable[0] != VARIABLE or terms != [variable] or kind != DATE:
            return None
        compared = message(operator[3][0])[1][0]
        if compared == GREATER_OR_EQUAL:
            return "begins", time
        if compared in (LESS, LESS_OR_EQUAL):
            return "ends", time + (compared == LESS_OR_EQUAL)
        return None

    def predicate(self, data: bytes):
        fields = message(data)
        return self.symbol(fields[1][0]), [self.term(term) for term in fields.get(2, [])]

    def term(self, data: bytes):
        """Returns the kind of a term and its value. Other kinds than those read here keep their bytes."""
        [(kind, [value])] = message(data).items()
        if kind == INTEGER and value >> 63:
            value -= 1 << 64
        return kind, self.symbol(value) if kind in (VARIABLE, STRING) else value

    def symbol(self, number: int) -> str:
        return DEFAULT[number] if number < 1024 else self.symbols[number - 1024]


def container(token: str) -> dict:
    return message(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def message(data: bytes) -> dict:
    """Returns the fields of a protobuf message: for each number a list of integers or bytes."""
    fields, at = {}, 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        number, kind = divmod(varint(), 8)
        if kind not in (0, 2):
            raise ValueError("not a message of Biscuit")
        value = varint()
        if kind == 2:
            length = value
            value = data[at : at + length]
            if len(value) != length:
                raise ValueError("a message that is cut off")
            at += length
        fields.setdefault(number, []).append(value)
    return fields


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
