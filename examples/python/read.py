"""Reads a Bailiwick token: who got it, who handed it on, and when it expires.

Reading decides nothing: a token that can be read may be revoked, or be one that no verifier admits.
"""

import base64
from datetime import datetime, timezone

from biscuit_auth import Algorithm, Biscuit, PublicKey
from keyset import Refused, or_malformed

# The default symbols of Biscuit. The symbols of a token are numbered from 1024.
DEFAULT = """read write resource operation right time role owner tenant namespace user team service admin email
group member ip_address client client_ip domain path version cluster node hostname nonce query""".split()

# Messages of Biscuit's schema. Each word is a field, numbered from 1: `n`umber or `b`ytes, `!` required, `*` repeated,
# and `-` refused.
TOKEN, SIGNED_BLOCK, KEY, PROOF = "n b! b* b!", "b! b! b! - n", "n! b!", "b b"
BLOCK, FACT, PREDICATE, TERM = "b* b n b* b* b* b* b*", "b!", "n! b*", "n n n n b n b b b b"
CHECK, QUERY, EXPRESSION, OPERATION, BINARY = "b* n", "b! b* b* b*", "b*", "b b b b", "n! n"

VARIABLE, INTEGER, STRING, DATE, BYTES = 1, 2, 3, 4, 5
VALUE, OPERATOR = 1, 3
LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL = 0, 2, 3

# 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
LAST = 253402300799


@or_malformed()
def key_id(token: str) -> int | None:
    """Returns the id of a token's root key. It is a hint, and not signed."""
    return container(token)[0]


def verified(token: str, root: bytes) -> Biscuit:
    """Returns a token after its signatures were verified, from the root key to the last block."""
    key_id(token)
    try:
        return Biscuit.from_base64(token, PublicKey.from_bytes(root, Algorithm.Ed25519))
    except Exception as error:  # noqa: BLE001  the library raises many types of exceptions
        raise Refused("bad_signature") from error


@or_malformed()
def read(token: str, root: bytes) -> dict:
    """Returns the claims of a token, the chain of its appended blocks, and its validity period.

    The root key and the holders signed all of it, and nothing else is checked. No verifier need admit the token, every
    text, also `agent`, can hold any characters, and the issuer must still be compared with that of the keyset.
    """
    # Serialized again by the library, so that the bytes read here are those whose signatures it verified.
    _, authority, appended, proof = container(verified(token, root).to_base64())
    envelopes = [message(block, SIGNED_BLOCK) for block in [authority, *appended]]
    symbols: list[str] = []
    blocks = [Block(envelope[0], symbols) for envelope in envelopes]
    authority = blocks[0]
    if authority.claim("profile", STRING) != "bailiwick/1":
        raise Refused("not_profile")
    # A holder's limits do not stand in for those of the issuer.
    if not authority.begins or not authority.ends:
        raise Refused("not_profile")
    return {
        "issuer": authority.claim("issuer", STRING),
        "token_id": authority.claim("token_id", BYTES).hex(),
        "agent": authority.claim("agent", STRING),
        "principal": authority.claim("principal", STRING),
        "tenant": authority.described("tenant"),
        "issued_at": rfc3339(authority.claim("issued_at", DATE)),
        # Every block must allow a call, so the latest start time and the earliest expiry count.
        "not_before": rfc3339(max(time for block in blocks for time in block.begins)),
        "expires": rfc3339(min(time for block in blocks for time in block.ends)),
        "sealed": one(proof, PROOF)[0] == 2,
        "revocation_id": envelopes[0][2].hex(),
        "chain": [
            {
                "delegate": block.described("delegate"),
                "task": block.described("task"),
                "revocation_id": envelope[2].hex(),
            }
            for block, envelope in list(zip(blocks, envelopes))[1:]
        ],
    }


class Block:
    """The facts of a block, and the time limits among its checks."""

    def __init__(self, data: bytes, symbols: list[str]) -> None:
        added, _, _, facts, _, checks, _, _ = message(data, BLOCK)
        # A block uses its own symbols and those of all blocks before it.
        symbols += [text.decode() for text in added]
        self.symbols = symbols
        self.facts = [self.predicate(*message(fact, FACT)) for fact in facts]
        limits = [self.limit(*message(check, CHECK)) for check in checks]
        self.begins = [time for kind, time in filter(None, limits) if kind == "begins"]
        self.ends = [time for kind, time in filter(None, limits) if kind == "ends"]

    def claim(self, name: str, kind: int):
        """Returns the value of the one fact of this name."""
        found = [terms for head, terms in self.facts if head == name]
        if [[term[0] for term in terms] for terms in found] != [[kind]]:
            raise Refused("not_profile")
        return found[0][0][1]

    def described(self, name: str) -> str | None:
        """Returns a description if there is exactly one. Holders write these, and no decision depends on them."""
        try:
            return self.claim(name, STRING)
        except Refused:
            return None

    def limit(self, queries: list, kind: int | None):
        """Reads `check if time($t), $t < D`, also with `<=` or `>=`. Returns `None` for other checks."""
        bodies = [message(query, QUERY) for query in queries]
        if len(bodies) != 1 or kind not in (None, 0):
            return None
        _, predicates, expressions, scopes = bodies[0]
        operations = [one(o, OPERATION) for e in expressions for o in message(e, EXPRESSION)[0]]
        if scopes or len(predicates) != 1 or len(expressions) != 1:
            return None
        name, terms = self.predicate(predicates[0])
        if name != "time" or [kind for kind, _ in operations] != [VALUE, VALUE, OPERATOR]:
            return None
        variable, (kind, time) = (self.term(value) for _, value in operations[:2])
        if variable[0] != VARIABLE or terms != [variable] or kind != DATE:
            return None
        compared, _ = message(operations[2][1], BINARY)
        time += compared == LESS_OR_EQUAL
        # Verifiers take a later time for a check like any other.
        if time > LAST or compared not in (LESS, LESS_OR_EQUAL, GREATER_OR_EQUAL):
            return None
        return "begins" if compared == GREATER_OR_EQUAL else "ends", time

    def predicate(self, data: bytes):
        name, terms = message(data, PREDICATE)
        return self.symbol(name), [self.term(term) for term in terms]

    def term(self, data: bytes):
        """Returns the kind of a term and its value, which stays bytes if the kind is not needed here."""
        kind, value = one(data, TERM)
        if kind == INTEGER and value >> 63:
            value -= 1 << 64
        return kind, self.symbol(value) if kind in (VARIABLE, STRING) else value

    def symbol(self, number: int) -> str:
        return DEFAULT[number] if number < 1024 else self.symbols[number - 1024]


def container(token: str) -> list:
    """Returns the fields of a token: the id of its root key, the blocks, and the proof."""
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    form = base64.urlsafe_b64encode(data).decode()
    # The decoder ignores characters that are not base64, and bits that are left over.
    if token not in (form, form.rstrip("=")) or len(data) > 8192:
        raise Refused("malformed")
    fields = message(data, TOKEN)
    for block in [fields[1], *fields[2]]:
        message(message(block, SIGNED_BLOCK)[1], KEY)
    one(fields[3], PROOF)
    return fields


def one(data: bytes, schema: str) -> tuple:
    """Returns the number and the value of the only field of a message."""
    [found] = [(at, value) for at, value in enumerate(message(data, schema), 1) if value is not None]
    return found


def message(data: bytes, schema: str) -> list:
    """Returns the fields of a protobuf message: a list for a repeated field, and `None` for a missing one.

    Refuses what readers could skip or read in two ways: unknown fields, second values, and numbers in a longer form
    than needed. Signatures do not cover most of that.
    """
    kinds = schema.split()
    fields: list = [[] if "*" in kind else None for kind in kinds]
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if value >> 64 or shift and byte == 0:
                raise Refused("malformed")
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        place, wire = divmod(number(), 8)
        kind = kinds[place - 1] if 0 < place <= len(kinds) else "-"
        if (kind[0], wire) not in (("n", 0), ("b", 2)):
            raise Refused("malformed")
        value = number()
        if wire == 2:
            at, value = at + value, data[at : at + value]
        if at > len(data) or kind[-1] != "*" and fields[place - 1] is not None:
            raise Refused("malformed")
        if kind[-1] == "*":
            fields[place - 1].append(value)
        else:
            fields[place - 1] = value
    if any(kind[-1] == "!" and value is None for kind, value in zip(kinds, fields)):
        raise Refused("malformed")
    return fields


def rfc3339(seconds: int) -> str:
    if seconds > LAST:
        raise Refused("malformed")
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def visible(text: str) -> str:
    """Escapes control characters, line breaks and other characters that do not print, and the backslash.

    For terminals and logs. This does not escape HTML.
    """
    shown = [c if c.isprintable() and c != "\\" else f"\\u{{{ord(c):x}}}" for c in text]
    return "".join(shown)
