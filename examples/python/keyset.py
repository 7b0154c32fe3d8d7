"""Reads the signed keyset of a Bailiwick issuer, and finds the root key of a token in it."""

import base64
import binascii
import hashlib
import json
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "application/vnd.bailiwick.keyset.v1+json"
SKEW = timedelta(seconds=60)


class Refused(Exception):
    """The keyset must not be used, or it has no key for the token. The text is the reason."""


def open_keyset(file: bytes, keyset_key: str) -> dict:
    """Returns the keyset in a signed file if `keyset_key` (`ed25519/` and hexadecimal digits) signed it."""
    if len(file) > 4 << 20:
        raise Refused("too_large")
    try:
        envelope = json.loads(file)
        kind, payload = envelope["payloadType"], unbase64(envelope["payload"])
        signatures = [unbase64(signature["sig"]) for signature in envelope["signatures"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("malformed") from error
    if kind != TYPE or len(signatures) > 8:
        raise Refused("wrong_type" if kind != TYPE else "malformed")
    # The lengths keep the border between type and payload from being moved.
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    key = Ed25519PublicKey.from_public_bytes(public_key(keyset_key))
    if not any(verifies(key, signature, message) for signature in signatures):
        raise Refused("not_signed")
    # Nothing of the payload is parsed before its signature was verified.
    try:
        keyset = json.loads(payload)
        check(keyset)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("malformed") from error
    return keyset


def check(keyset: dict) -> None:
    """Refuses a keyset that contradicts itself, whoever signed it."""
    issuer, keys, tombstones = keyset["issuer"], keyset["keys"], keyset.get("tombstones", [])
    if not issuer or int(keyset["version"]) != keyset["version"]:
        raise Refused("malformed")
    if time(keyset["expires"]) <= time(keyset["issued_at"]):
        raise Refused("no_life")
    if len(keys) > 64 or len(tombstones) > 1024:
        raise Refused("too_many")
    ids = [key["id"] for key in keys] + [tombstone["id"] for tombstone in tombstones]
    if len(set(ids)) != len(ids):
        raise Refused("duplicate")
    if sum(key["state"] == "active" for key in keys) > 1:
        raise Refused("many_active")
    for key in keys:
        if key["alg"] != "ed25519" or key["state"] not in ("staged", "active", "retiring"):
            raise Refused("malformed")
        # Derived again, not believed: a wrong id would send tokens to a key that did not sign them.
        if hashlib.sha256(issuer.encode() + public_key(key["public"])).hexdigest()[:8] != key["id"]:
            raise Refused("wrong_id")


def check_newer(file: bytes, keyset: dict, used_file: bytes, used: dict) -> None:
    """Refuses a keyset that would undo the one in use."""
    if keyset["issuer"] != used["issuer"]:
        raise Refused("other_issuer")
    if keyset["version"] < used["version"]:
        raise Refused("rollback")
    if keyset["version"] == used["version"] and file != used_file:
        raise Refused("fork")


def root_key(keyset: dict, key_id: int | None, now: datetime) -> bytes:
    """Returns the public root key that a token names by the number in its container."""
    if now >= time(keyset["expires"]) or time(keyset["issued_at"]) > now + SKEW:
        raise Refused("stale_keyset")
    name = None if key_id is None else f"{key_id:08x}"
    if any(tombstone["id"] == name for tombstone in keyset.get("tombstones", [])):
        raise Refused("revoked_key")
    for key in keyset["keys"]:
        if key["id"] == name and (key.get("not_after") is None or now < time(key["not_after"])):
            return public_key(key["public"])
    raise Refused("unknown_key")


def public_key(text: str) -> bytes:
    """Returns the 32 bytes of a key in its text form."""
    algorithm, _, digits = text.partition("/")
    if algorithm != "ed25519" or len(digits) != 64:
        raise Refused("malformed")
    return bytes.fromhex(digits)


def verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def unbase64(text: str) -> bytes:
    """Reads base64 in either alphabet, with or without padding, as DSSE asks."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def time(text: str) -> datetime:
    """Reads an RFC 3339 time, which always names its offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without an offset")
    return time
