"""Runs the test vectors with biscuit-python and the code of the implementers' page, and writes its findings as JSON.

    python tests/interop/vectors.py tests/vectors

It says what it found, and judges nothing: the test that runs it compares.
"""

import json
import pathlib
import sys
from datetime import datetime
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
    """A token whose signatures biscuit-python has verified, under the root key that it names."""
    root = keyset.root_key(trusted, read.key_id(token), now)
    return Biscuit.from_base64(token, PublicKey.from_bytes(root, Algorithm.Ed25519))


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

    def found(case):
        now = keyset.time(case["time"])
        try:
            opened(case["token"], trusted, now)
        except Exception:  # noqa: BLE001  text that is no token fails in many ways
            return {"signatures": "invalid"}
        reads = read.read(case["token"]) if case.get("reads") else None
        return {"signatures": "valid", "reads": reads}

    return {case["name"]: found(case) for case in all_cases}


def narrowings():
    file, all_cases = cases("narrowings")
    trusted = keyset.open_keyset(file["keyset"].encode(), file["keyset_key"])

    def found(case):
        now = keyset.time(case["time"])
        parent = opened(case["parent"], trusted, now)
        token = parent.append(BlockBuilder(case["datalog"]))
        signed = read.message(bytes(token.to_bytes()))[3][-1]
        return {"block": read.message(signed)[1][0].hex(), "token": token.to_base64()}

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
        expires=datetime.fromisoformat(values["expires"]),
    )


json.dump(
    {"keysets": keysets(), "tokens": tokens(), "narrowings": narrowings(), "page": page()},
    sys.stdout,
)
