"""Reads the signed keyset of a Bailiwick issuer, and finds the root key of a token in it."""

import base64
import hashlib
import json
import re
from contextlib import contextmanager
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "application/vnd.bailiwick.keyset.v1+json"
SKEW = timedelta(seconds=60)

# Points of small order, and second encodings of points, without the sign bit. A key of small order verifies
# signatures that nobody made.
WEAK = re.compile(
    "0[01](00){31}|(e[c-f]|f.)(ff){30}7f"
    "|26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    "|c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
)


class Refused(Exception):
    """Refusal of a file or a token. The text is the reason."""


@contextmanager
def or_malformed():
    """Turns every error that malformed data causes into `Refused`."""
    try:
        yield
    except (
        ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError
    ) as error:
        raise Refused("malformed") from error


@or_malformed()
def open_keyset(file: bytes, keyset_key: str) -> dict:
    """Returns the keyset in a signed file if `keyset_key` (`ed25519/` and hexadecimal digits) signed it."""
    if len(file) > 4 << 20:
        raise Refused("too_large")
    # The payload must not be parsed before its signature is verified.
    keyset = parse(open_envelope(file, TYPE, keyset_key))
    check(keyset)
    return keyset


@or_malformed()
def open_envelope(file: bytes, kind: str, keyset_key: str) -> bytes:
    """Returns the payload of a DSSE envelope of this type if `keyset_key` signed it."""
    envelope = parse(file)
    found, payload = text(envelope["payloadType"]), unbase64(envelope["payload"])
    signatures = [unbase64(signature["sig"]) for signature in items(envelope["signatures"])]
    if len(signatures) > 8:
        raise Refused("malformed")
    if found != kind:
        raise Refused("wrong_type")
    # The lengths fix the border between type and payload.
    message = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    key = Ed25519PublicKey.from_public_bytes(public_key(keyset_key))
    if not any(verifies(key, signature, message) for signature in signatures):
        raise Refused("not_signed")
    return payload


def check(keyset: dict) -> None:
    """Refuses a keyset that is malformed or contradicts itself, whoever signed it."""
    issuer = text(keyset["issuer"])
    keys, tombstones = items(keyset["keys"]), items(keyset.get("tombstones", []))
    for number in ("version", "refresh_hint", "max_token_ttl"):
        integer(keyset[number])
    if not issuer:
        raise Refused("malformed")
    if keyset.get("revocation_url") is not None:
        text(keyset["revocation_url"])
    for key in keys:
        if key["alg"] != "ed25519" or key["state"] not in ("staged", "active", "retiring"):
            raise Refused("malformed")
        public_key(key["public"])
        if key.get("not_after") is not None:
            time(key["not_after"])
    for tombstone in tombstones:
        text(tombstone["reason"]), time(tombstone["revoked_at"])
    ids = [entry["id"] for entry in keys + tombstones]
    if not all(re.fullmatch("[0-9a-f]{8}", key_id) for key_id in ids):
        raise Refused("malformed")
    if time(keyset["expires"]) <= time(keyset["issued_at"]):
        raise Refused("no_life")
    if len(keys) > 64 or len(tombstones) > 1024:
        raise Refused("too_many")
    if sum(key["state"] == "active" for key in keys) > 1:
        raise Refused("many_active")
    for key in keys:
        # Computed, not trusted: a wrong id would match tokens with a key that did not sign them.
        if hashlib.sha256(issuer.encode() + public_key(key["public"])).hexdigest()[:8] != key["id"]:
            raise Refused("wrong_id")
    if len(set(ids)) != len(ids):
        raise Refused("duplicate")


def check_newer(file: bytes, keyset: dict, used_file: bytes, used: dict) -> None:
    """Refuses a keyset that must not replace the one in use."""
    if keyset["issuer"] != used["issuer"]:
        raise Refused("other_issuer")
    if keyset["version"] < used["version"]:
        raise Refused("rollback")
    if keyset["version"] == used["version"] and file != used_file:
        raise Refused("fork")


def root_key(keyset: dict, key_id: int | None, now: datetime) -> bytes:
    """Returns the public root key for the key id in a token's container."""
    if now >= time(keyset["expires"]) or time(keyset["issued_at"]) > now + SKEW:
        raise Refused("stale_keyset")
    name = None if key_id is None else f"{key_id:08x}"
    if any(tombstone["id"] == name for tombstone in keyset.get("tombstones", [])):
        raise Refused("revoked_key")
    for key in keyset["keys"]:
        if key["id"] == name and (key.get("not_after") is None or now < time(key["not_after"])):
            return public_key(key["public"])
    raise Refused("unknown_key")


def public_key(key: str) -> bytes:
    """Returns the 32 bytes of a key in its text form."""
    if not re.fullmatch("ed25519/[0-9a-f]{64}", key):
        raise Refused("malformed")
    raw = bytes.fromhex(key[8:])
    if WEAK.fullmatch((raw[:31] + bytes([raw[31] & 0x7F])).hex()):
        raise Refused("malformed")
    return raw


def verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def parse(data: bytes):
    """Parses JSON in UTF-8, and refuses text that two readers could read differently."""

    def members(pairs: list) -> dict:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member occurs twice")
        return found

    def constant(name: str):
        raise ValueError(f"{name} is not JSON")

    def integer(digits: str):
        # No known member has a sign or more digits. `int` would read `-0` as 0, and refuse very long numbers.
        return int(digits) if digits.isdigit() and len(digits) <= 20 else float(digits)

    return json.loads(
        data.decode(), object_pairs_hook=members, parse_constant=constant, parse_int=integer
    )


def unbase64(encoded: str) -> bytes:
    """Reads base64 in either alphabet, with or without padding, as DSSE requires."""
    data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    # The decoder ignores characters that are not base64, and bits that are left over.
    forms = [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()]
    if encoded not in forms + [form.rstrip("=") for form in forms]:
        raise ValueError("not base64")
    return data


def text(value) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    value.encode()  # Refuses lone surrogates.
    return value


def items(value) -> list:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def integer(value) -> int:
    # The type is checked because `True` and `1.0` equal 1.
    if type(value) is not int or value >= 1 << 64:
        raise ValueError("not an unsigned integer of 64 bits")
    return value


def time(value: str) -> datetime:
    """Reads a time from 1970 to 9999 in the only form that issuers write, such as `2026-11-23T12:00:00Z`."""
    time = datetime.fromisoformat(value)
    if time.year < 1970 or f"{time:%Y-%m-%dT%H:%M:%SZ}" != value:
        raise ValueError("not a time")
    return time
