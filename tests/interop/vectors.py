"""Runs the test vectors with biscuit-python and the code of the implementers' page, and writes its findings as JSON.

    python tests/interop/vectors.py tests/vectors

The program only reports; the test that runs it compares.
"""

import json
import pathlib
import sys
from decimal import Decimal

from biscuit_auth import Algorithm, Biscuit, BlockBuilder, PublicKey

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))

import keyset
import narrow
import read


def cases(name):
    file = json.loads((pathlib.Path(sys.argv[1]) / f"{name}.json").read_bytes())
    assert file["format"] == 1
    return file, file["cases"]


def opened(token, trusted, now):
    """Returns a token that the page's code has verified, under the root key that the token names."""
    return read.verified(token, keyset.root_key(trusted, read.key_id(token), now))


def verifies(token, trusted, now):
    """Returns true if biscuit-python alone verifies the signatures, from the root key that the token names."""
    try:
        root = keyset.root_key(trusted, read.key_id(token), now)
    except keyset.Refused as refused:
        if str(refused) != "malformed":
            return False
        # The page's code refuses unsigned fields around the blocks, which the library may ignore.
        root = keyset.public_key(trusted["keys"][0]["public"])
    try:
        Biscuit.from_base64(token, PublicKey.from_bytes(root, Algorithm.Ed25519))
    except Exception:  # noqa: BLE001  text that is no token fails in many ways
        return False
    return True


def verdict(action):
    try:
        return action()
    except keyset.Refused as refused:
        return str(refused)


def keysets():
    file, all_cases = cases("keysets")

    def found(case):
        text, now = case["file"].encode(), keyset.time(case["time"])
        opened_keyset = keyset.open_keyset(text, case["keyset_key"])
        if "in_use" in case:
            used = case["in_use"].encode()
            keyset.check_newer(
                text, opened_keyset, used, keyset.open_keyset(used, case["keyset_key"])
            )
        reason = verdict(lambda: opened(file["token"], opened_keyset, now) and "allow")
        return f"accepted, {reason}"

    return {case["name"]: verdict(lambda: found(case)) for case in all_cases}


def tokens():
    file, all_cases = cases("tokens")
    trusted = keyset.open_keyset(file["keyset"].encode(), file["keyset_key"])

    def reads(case, now):
        root = keyset.root_key(trusted, read.key_id(case["token"]), now)
        return read.read(case["token"], root)

    def found(case):
        now = keyset.time(case["time"])
        token = case["token"]
        signatures = "valid" if verifies(token, trusted, now) else "invalid"
        verified = verdict(lambda: opened(token, trusted, now) and True) is True
        shown = case.get("reads") or case.get("unreadable")
        content = verdict(lambda: reads(case, now)) if shown else None
        reads_as = content if isinstance(content, dict) else None
        return {"signatures": signatures, "verified": verified, "reads": reads_as}

    return {case["name"]: found(case) for case in all_cases}


# The beginning of the condition on an exact array, which is the last one of its case.
ARRAY = "$e0 == "


def narrowings():
    file, all_cases = cases("narrowings")
    trusted = keyset.open_keyset(file["keyset"].encode(), file["keyset_key"])

    def found(case):
        now = keyset.time(case["time"])
        parent = opened(case["parent"], trusted, now)
        datalog = case["datalog"]
        if "array" in case:
            start, _, _ = datalog.partition(ARRAY)
            datalog = f"{start}{ARRAY}{narrow.array(case['array'])};"
        token = parent.append(BlockBuilder(datalog))
        signed = read.container(token.to_base64())[2][-1]
        block = read.message(signed, read.SIGNED_BLOCK)[0]
        return {"block": block.hex(), "token": token.to_base64()}

    return {case["name"]: found(case) for case in all_cases}


def page():
    """The narrowing on the page, with the values of the file."""
    file, _ = cases("narrowings")
    values = file["page"]
    trusted = keyset.open_keyset(file["keyset"].encode(), file["keyset_key"])
    now = keyset.time(values["time"])
    return narrow.narrow(
        values["parent"],
        keyset.root_key(trusted, read.key_id(values["parent"]), now),
        delegate=values["delegate"],
        vendor=values["vendor"],
        amount=Decimal(values["amount"]),
        expires=keyset.time(values["expires"]),
    )


json.dump(
    {"keysets": keysets(), "tokens": tokens(), "narrowings": narrowings(), "page": page()},
    sys.stdout,
)
