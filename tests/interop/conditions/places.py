"""Paths of files and IP addresses."""

import ipaddress
import re
import unicodedata

from text import is_name, is_seen, size

DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9])", re.IGNORECASE | re.ASCII)


def path(value, needed):
    if not isinstance(value, str) or size(value) > 4096 or not value.startswith(needed["under"] + "/"):
        return False
    segments = value[1:].split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        return False
    if any(unicodedata.category(char) == "Cc" for char in value):
        return False
    return needed["chars"] == "any" or all(map(is_plain, segments))


def is_plain(segment):
    if segment[0] in "-~ " or segment[-1] in " .":
        return False
    for char in segment:
        if char not in " ._-+@=,()" and not (is_name(char) and is_seen(char)):
            return False
    if unicodedata.normalize("NFC", segment) != segment:
        return False
    compatible = unicodedata.normalize("NFKC", segment)
    if any(compatible.count(char) > segment.count(char) for char in "./\\%"):
        return False
    # Windows reads `con.txt` and `con .txt` as the device, too.
    return not DEVICE.fullmatch(compatible.split(".")[0].rstrip(" "))


EMBEDDING = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "::/96")]


def ip(value, needed):
    address = read(value) if isinstance(value, str) else None
    if address is None:
        return False
    networks = [ipaddress.ip_network(net) for net in needed]
    networks = [net for net in networks if net.version == address.version and address in net]
    for embedding in EMBEDDING:
        if address.version == 6 and address in embedding:
            networks = [net for net in networks if net.subnet_of(embedding)]
    return bool(networks)


def read(value):
    """The address that a text in canonical form names, without a zone; a mapped address becomes its IPv4 address."""
    if "%" in value:
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    if address.version == 4:
        return address if str(address) == value else None
    if address.ipv4_mapped:
        return address.ipv4_mapped if f"::ffff:{address.ipv4_mapped}" == value else None
    return address if str(address) == value else None


KINDS = {"path": path, "ip": ip}
