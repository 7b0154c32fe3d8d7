"""Text on one line, patterns, lists without case, and values that differ."""

import re
import unicodedata
from decimal import Decimal

import amounts

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt.
IGNORABLE = [
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]  # fmt: skip


# Symbols that are printed as nothing: a Braille cell without dots, and a note without head.
BLANK = "\u2800\U0001d159"
# Letters in circles and squares, which Unicode counts as alphabetic symbols.
CIRCLED = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]
# The white space of Unicode that is no space character.
BREAKING = "\t\n\v\f\r\x85\u2028\u2029"


class Unsure(Exception):
    """A later version of Unicode may have assigned a character that this one has not."""


def is_ignorable(char):
    return any(first <= ord(char) <= last for first, last in IGNORABLE)


def is_noncharacter(char):
    return 0xFDD0 <= ord(char) <= 0xFDEF or ord(char) & 0xFFFE == 0xFFFE


def category(char):
    named = unicodedata.category(char)
    if named == "Cn" and not is_noncharacter(char) and not is_ignorable(char):
        raise Unsure
    return named


def is_seen(char):
    """True for a character that is printed as itself, or as a space."""
    return char not in BLANK and not is_ignorable(char) and category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def is_letter(char):
    """True for letters and for the marks on them."""
    return category(char)[0] in "LM" or category(char) == "Nl" or any(a <= ord(char) <= z for a, z in CIRCLED)


def is_name(char):
    """True for letters, marks, digits and other numbers."""
    return is_letter(char) or category(char)[0] == "N"


def size(value):
    return len(value.encode())


def one_line(value, needed):
    if not isinstance(value, str) or size(value) > needed["max_len"]:
        return False
    return all(map(is_seen, value))


# The characters that neither `.` nor a negated class matches.
BREAKS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
SHORT = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t "}


def translated(pattern):
    """The same pattern for `re`, with each class spelled out."""
    out, at, inside = [], 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            following = pattern[at + 1]
            if following in SHORT:
                out.append(SHORT[following] if inside else f"[{SHORT[following]}]")
            elif following.lower() in SHORT and not inside:
                out.append(f"[^{SHORT[following.lower()]}{BREAKS}]")
            else:
                out.append(char + following)
            at += 2
            continue
        if inside:
            inside = char != "]"
            out.append(char)
        elif char == "[":
            inside = True
            negated = pattern[at + 1] == "^"
            out.append(f"[^{BREAKS}" if negated else "[")
            at += negated
        else:
            out.append(f"[^{BREAKS}]" if char == "." else char)
        at += 1
    return "".join(out)


def matches(value, needed):
    return isinstance(value, str) and re.fullmatch(translated(needed), value) is not None


def lower(value):
    """ASCII letters in lower case, and nothing else changed."""
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), value)


def one_of(value, needed):
    if isinstance(value, str) and needed["ignore_case"]:
        return any(isinstance(one, str) and lower(one) == lower(value) for one in needed["values"])
    return any(type(one) is type(value) and one == value for one in needed["values"])


def folded(value):
    """A text without differences that careless services ignore; None if it has digits that some services convert."""
    before = None
    while value != before:
        before = value
        # Upper case first, so that the dotless `ı` is an `i`.
        value = unicodedata.normalize("NFKC", value).upper().casefold()
        value = "".join(char for char in value if is_seen(char) and category(char) != "Zs")
    if any(category(char)[0] == "N" and not char.isascii() for char in value):
        return None
    return value.lstrip("0")


def differ(one, other):
    """True if two values of one type differ for every service."""
    if type(one) is not type(other):
        return False
    if isinstance(one, str):
        if max(size(one), size(other)) > 1024:
            return False
        one, other = folded(one), folded(other)
        return one is not None and other is not None and one != other
    if isinstance(one, Decimal):
        return amounts.is_readable(one) and amounts.is_readable(other) and one != other
    return isinstance(one, bool) and one != other


KINDS = {"one_line": one_line, "matches": matches, "one_of": one_of}
