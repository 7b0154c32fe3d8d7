"""E-mail addresses, URLs, and links in text."""

import re
import unicodedata
from itertools import takewhile
from urllib.parse import unquote_to_bytes

from text import BREAKING, Unsure, category, is_letter, is_name, is_seen, lower, size

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"{LABEL}(?:\.{LABEL})*"


def under(name, listed):
    """The labels before a listed name, or None if the name is not below it."""
    end = "." + listed
    return name[: -len(end)] if name.endswith(end) and len(name) > len(end) else None


def email(value, needed):
    match = isinstance(value, str) and re.fullmatch(r"([A-Za-z0-9_][A-Za-z0-9._+-]{0,63})@([^@]+)", value)
    if not match:
        return False
    local, domain = match[1], lower(match[2])
    if ".." in local or local.endswith(".") or (not needed["tag"] and "+" in local):
        return False
    if size(value) > 254 or not re.fullmatch(DOMAIN, domain):
        return False
    if domain in needed["domain_in"]:
        return True
    before = [under(domain, listed) for listed in needed["domain_under"]]
    return any(labels and not any(label[2:4] == "--" for label in labels.split(".")) for labels in before)


PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
# WHATWG escapes an apostrophe in the query of these schemes.
QUERY = rf"(?:(?!'){PCHAR}|[/?])*"
FORM = re.compile(rf"([a-z]+)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]*))?((?:/{PCHAR}*)+)(\?{QUERY})?")
DEFAULT = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def url(value, needed):
    match = isinstance(value, str) and size(value) <= 2048 and FORM.fullmatch(value)
    if not match:
        return False
    scheme, host, port, path, query = match.groups()
    if scheme not in needed["scheme"] or not is_allowed_host(host, needed):
        return False
    # A serialization never has the default port.
    if port is not None and (int(port) == DEFAULT[scheme] or int(port) != needed["port"]):
        return False
    if query is not None and not needed["query"]:
        return False
    below = needed["path_under"]
    return is_plain_path(path) and (below is None or path == below or path.startswith(below.rstrip("/") + "/"))


def is_allowed_host(host, needed):
    if host in needed["host_in"]:
        return True
    return any(
        labels and re.fullmatch(DOMAIN, labels) and all(map(is_idna, labels.split(".")))
        for labels in (under(host, listed) for listed in needed["host_under"])
    )


def is_idna(label):
    """False for a label that begins with `xn--` but is not valid. The standard library has no table of UTS #46."""
    if not label.startswith("xn--"):
        return True
    try:
        decoded = label[4:].encode().decode("punycode")
    except ValueError:
        return False
    if "xn--" + decoded.encode("punycode").decode() != label or decoded.isascii():
        return False
    if not re.fullmatch("[a-z0-9à-öø-ÿ]+", decoded):
        raise Unsure
    return True


def is_plain_path(path):
    try:
        decoded = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    compatible = unicodedata.normalize("NFKC", decoded)
    for text in (decoded, compatible):
        if any(category(char) == "Cc" for char in text) or re.search(r"[\\%;]", text):
            return False
        if text.count("/") != path.count("/"):
            return False
    # A server may drop invisible characters, and spaces at the ends, which a form writes as `+`.
    seen = "".join(filter(is_seen, compatible))
    return not any(segment.strip(" +") in (".", "..") for segment in seen.split("/"))


DOTS = "[.\u3002\uff0e\uff61\u2024]+"
MARKER = re.compile(r"://|//|\\[\\.:/@]|\][(:]|[<>]|[Ww]{3}\.|&#|&[A-Za-z0-9]+;")
SCHEME = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]*:(?=\S)")


def has_link(word):
    if MARKER.search(word) or SCHEME.search(word):
        return True
    if any(is_name(behind) for at, behind in zip(word, word[1:]) if at == "@"):
        return True
    labels = re.split(DOTS, word)
    return any(ends_name(one) and begins_name(other) for one, other in zip(labels, labels[1:]))


def is_of_label(char):
    return char == "-" or is_name(char)


def ends_name(text):
    return text != "" and is_of_label(text[-1])


def begins_name(text):
    return sum(map(is_letter, takewhile(is_of_label, text))) >= 2


def links(value, needed):
    if not isinstance(value, str) or not all(char in BREAKING or is_seen(char) for char in value):
        return False
    # Programs differ about white space outside ASCII.
    words = re.split(r"[\t\n\f\r ]", value)
    return all(not has_link(word) or (needed is not None and is_link_to(word, needed)) for word in words)


def is_link_to(word, needed):
    match = re.fullmatch(r"\(*([A-Za-z0-9._~:/?=&%+-]*[A-Za-z0-9_~:/?=&%+-])([).,]*)", word)
    return bool(match) and ".." not in match[2] and url(match[1], needed)


KINDS = {"email": email, "url": url, "links": links}
