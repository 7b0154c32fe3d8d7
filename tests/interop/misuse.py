"""Calls the code of the implementers' page with values that no vector can hold, and fails if one is not refused.

    python tests/interop/misuse.py tests/vectors
"""

import json
import pathlib
import sys
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal, localcontext

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))

import keyset
import narrow
import read

file = json.loads((pathlib.Path(sys.argv[1]) / "narrowings.json").read_bytes())
trusted = keyset.open_keyset(file["keyset"].encode(), file["keyset_key"])
page = file["page"]
now = keyset.time(page["time"])
key_id = read.key_id(page["parent"])
root = keyset.root_key(trusted, key_id, now)


def refused(action, *errors, **values):
    """Fails unless the call raises one of these errors, with a message."""
    try:
        found = action(**values)
    except errors as error:
        assert str(error), f"{values!r:.100} is refused without a reason"
    else:
        raise AssertionError(f"{values!r:.100} is accepted: {found!r:.100}")


def narrowed(**changed):
    values = {
        "delegate": page["delegate"],
        "vendor": page["vendor"],
        "amount": Decimal(page["amount"]),
        "expires": keyset.time(page["expires"]),
    }
    return narrow.narrow(page["parent"], root, **(values | changed))


# Times.
assert narrowed()
refused(keyset.root_key, TypeError, keyset=trusted, key_id=key_id, now=now.replace(tzinfo=None))
refused(keyset.root_key, TypeError, keyset=trusted, key_id=key_id, now=None)
refused(keyset.root_key, TypeError, keyset=trusted, key_id=key_id, now=float("nan"))
first, last = datetime(1970, 1, 1, tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)
for wrong in ["2026-11-23T12:05:00Z", 1795435500, None, now.replace(tzinfo=None), now.date()]:
    refused(narrowed, TypeError, expires=wrong)
try:
    narrow.date(now.replace(tzinfo=None))
except TypeError as error:
    assert "with a time zone" in str(error), error
# A zone can move a time of 9999 into the year 10000.
west = last.replace(tzinfo=timezone(timedelta(hours=-1)))
for wrong in [first - timedelta(microseconds=1), first.replace(year=1), west]:
    refused(narrowed, ValueError, expires=wrong)
    # The function itself, whatever the library would refuse.
    refused(narrow.date, ValueError, value=wrong)
assert narrowed(expires=first) and narrowed(expires=last)
assert narrow.date(last) == keyset.time("9999-12-31T23:59:59Z")

# Texts.
for name in ["delegate", "vendor"]:
    for wrong in [5, None, True, b"acme", ["acme"], {"acme"}, now]:
        refused(narrowed, TypeError, **{name: wrong})
    refused(narrowed, ValueError, **{name: "half \ud800"})

# Numbers.
for wrong in [0.5, 4200, True, "4200.50", None]:
    refused(narrowed, TypeError, amount=wrong)
began = time.process_time()
for wrong in [
    "1e5000000", "-1e5000000", "1e-5000000", "9" * 5_000_000, "0." + "3" * 5_000_000,
    "0.0000001", "9223372036854.775808", "-9223372036854.775809", "1e13", "1e19",
    "NaN", "sNaN", "Infinity", "-Infinity",
]:
    refused(narrow.millionths, ValueError, number=Decimal(wrong))
assert time.process_time() - began < 2, "a long number takes seconds"
for number, scaled in [
    ("9223372036854.775807", (1 << 63) - 1), ("-9223372036854.775808", -(1 << 63)),
    ("4.2e3", 4_200_000_000), ("1.0000000", 1_000_000), ("0e-5000000", 0), ("-0", 0), ("0.000001", 1),
]:
    # The precision that the caller has set must not matter.
    with localcontext(prec=3):
        assert narrow.millionths(Decimal(number)) == scaled, number

# A file that nobody has signed is parsed as well.
began = time.process_time()
keyset.parse(b"9" * (4 << 20))
assert time.process_time() - began < 0.5, "numbers that nobody has signed take long"

# Arrays.
for wrong in [[1.5], [1 << 63], [-(1 << 63) - 1], [["a"]], [b"a"], [{"a"}], "abc", {"a"}, ("a",), None]:
    refused(narrow.array, TypeError, values=wrong)
refused(narrow.array, ValueError, values=["half \ud800"])
assert narrow.array([-(1 << 63), (1 << 63) - 1]) == "[-9223372036854775808, 9223372036854775807]"
assert narrow.array(["\t\0", 'a"b\\']) == '["\t\0", "a\\"b\\\\"]'

# Far dates, which `datetime` refuses with different errors on different systems.
for seconds in [253402300800, 1 << 56, 1 << 62, (1 << 64) - 1]:
    refused(read.rfc3339, keyset.Refused, seconds=seconds)
assert read.rfc3339(253402300799) == "9999-12-31T23:59:59Z"

# Texts for terminals.
assert read.visible("agent:buyer, ä€ 😀") == "agent:buyer, ä€ 😀"
for text, shown in [
    ("\x1b[2J", "\\u{1b}[2J"), ("a\nb\r", "a\\u{a}b\\u{d}"), ("\u202e", "\\u{202e}"), ("\u2028", "\\u{2028}"),
    ("\\u{1b}", "\\u{5c}u{1b}"), ("\x9b\u200b\ufeff\u3000", "\\u{9b}\\u{200b}\\u{feff}\\u{3000}"),
]:
    assert read.visible(text) == shown, (text, read.visible(text))

print("all wrong values were refused")
