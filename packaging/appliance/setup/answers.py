"""What an administrator answers at the first start, as typed at the console or as lines `key = value` in /etc/sallyport/answers.

Nothing here touches the system: a text becomes a checked value, or Wrong says in one line what was expected.
"""
import base64
import binascii
import difflib
import ipaddress
import re

# In the order in which they are asked; `sallyport init` has the last three as well.
ASKED = ("network", "hostname", "domains", "upstream", "administrator")
# Only in the file: these go to `sallyport init` as they are,
FOR_INIT = ("certificate", "dns", "listen", "state", "log", "mode")
# and these are about the system. password_hash is as in shadow(5); repository is "URL SUITE [COMPONENT...]", signed by repository_key.
FOR_SYSTEM = ("password_hash", "repository", "repository_key", "reboot")
KEYS = ASKED + FOR_INIT + FOR_SYSTEM

KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
             "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.I | re.A)
SHORTEST_PASSWORD = 12


class Wrong(ValueError):
    """An answer that cannot be taken; its text says what is expected instead."""


def plain(text):
    """The text without blanks around it; Wrong where it has what no answer has."""
    text = text.strip()
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Wrong("there is a control character in it")
    if '"' in text or "\\" in text:
        raise Wrong("there is a quote or a backslash in it")
    return text


def host_name(text):
    """A full name, such as mx1.example.com, in small letters."""
    name = plain(text).rstrip(".").lower()
    labels = name.split(".")
    if len(name) > 253 or len(labels) < 2 or not all(LABEL.fullmatch(label) and "_" not in label for label in labels) \
            or labels[-1].isdigit():
        raise Wrong(f'"{name}" is no full name of a host, such as mx1.example.com')
    return name


def domains(text):
    """Domains as a list; "*.example.com" stands for every name below. In Unicode or in ASCII."""
    found = [name for name in re.split(r"[\s,]+", plain(text)) if name]
    if not found:
        raise Wrong("expected the domains to take mail for, such as example.com")
    for name in found:
        labels = name.removeprefix("*.").rstrip(".").split(".")
        if len(labels) < 2 or not all(LABEL.fullmatch(label) or (label and not label.isascii()) for label in labels):
            raise Wrong(f'"{name}" is no domain, such as example.com or *.example.com')
    return found


def name_and_domains(text):
    """The answer to the second question: a host name and, where its own domain is not all that mail is taken for, domains."""
    name, _, rest = plain(text).partition(" ")
    name = host_name(name)
    if rest.strip():
        return name, domains(rest)
    own = name.partition(".")[2]
    if "." not in own:
        raise Wrong(f"expected the domains to take mail for behind {name}")
    return name, [own]


def upstream(text):
    """The mail server behind: address or name, with its port where that is not 25."""
    text = plain(text)
    wrong = Wrong(f'"{text}" is no address or name of a mail server, such as 10.0.0.5:25 or mail.example.internal')
    match = re.fullmatch(r"\[(?P<six>[0-9a-f:.]+)\](?::(?P<port6>\d+))?|(?P<host>[^:\s\[\]]+)(?::(?P<port>\d+))?", text, re.I | re.A)
    if not match:
        raise wrong
    port = match["port6"] or match["port"]
    if port and not 0 < int(port) < 65536:
        raise Wrong(f"{port} is no port")
    try:
        if match["six"]:
            ipaddress.IPv6Address(match["six"])
        elif re.fullmatch(r"[\d.]+", match["host"]):
            ipaddress.IPv4Address(match["host"])
        elif not all(LABEL.fullmatch(label) for label in match["host"].rstrip(".").split(".")):
            raise wrong
    except ipaddress.AddressValueError:
        raise wrong from None
    return text


def one_family(text):
    """(address with its prefix, gateway, DNS servers) of "ADDRESS/PREFIX GATEWAY [DNS...]"."""
    expected = "expected dhcp, or ADDRESS/PREFIX GATEWAY DNS, such as 192.0.2.10/24 192.0.2.1 192.0.2.53"
    words = text.split()
    if len(words) < 2 or "/" not in words[0]:
        raise Wrong(expected)
    try:
        own = ipaddress.ip_interface(words[0])
    except ValueError:
        raise Wrong(f"{words[0]} is no address with the length of its network's prefix, such as 192.0.2.10/24") from None
    others = []
    for word in words[1:]:
        try:
            others.append(ipaddress.ip_address(word))
        except ValueError:
            raise Wrong(f"{word} is no address; {expected}") from None
    gateway, *servers = others
    network = own.network
    if gateway.version != own.version:
        raise Wrong(f"the gateway {gateway} and {own.ip} are not of one family")
    if own.version == 4 and network.prefixlen < 31 and own.ip in (network.network_address, network.broadcast_address):
        raise Wrong(f"{own.ip} is the first or last address of {network}, which no host has")
    if own.ip.is_unspecified or own.ip.is_loopback or own.ip.is_multicast:
        raise Wrong(f"{own.ip} is no address of a host")
    if gateway == own.ip:
        raise Wrong(f"{gateway} cannot be this host and its gateway")
    if gateway not in network and not (gateway.version == 6 and gateway.is_link_local):
        raise Wrong(f"the gateway {gateway} is not in {network}")
    return own, gateway, servers


def network(text):
    """Nothing for DHCP (and IPv6 by router advertisements), else one or two families as one_family() has them."""
    text = plain(text)
    if text.lower() in ("", "dhcp"):
        return []
    families = [one_family(part) for part in text.split(",")]
    if len({own.version for own, _, _ in families}) < len(families):
        raise Wrong("one address of IPv4 and one of IPv6, not two of a family")
    if not any(servers for _, _, servers in families):
        raise Wrong("expected a DNS server behind the gateway: without one no check can be made")
    return families


def administrator(text):
    """A public key for ssh, on one line as in id_ed25519.pub; empty when there is to be a password, for the console alone."""
    text = plain(text)
    if not text:
        return ""
    kind, _, rest = text.partition(" ")
    if "PRIVATE KEY" in text:
        raise Wrong("that is a private key, and this is a screen; the public one is in the file whose name ends with .pub")
    if kind not in KEY_TYPES:
        raise Wrong(f'expected a public key, such as "ssh-ed25519 AAAA... you@host"; "{kind[:40]}" is no type of key that is taken')
    encoded = rest.split(" ")[0]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 40 or blob[4:4 + length] != kind.encode():
        raise Wrong("the key is cut off or damaged")
    return text


def password(text):
    """For the console and sudo; never for ssh."""
    if len(text) < SHORTEST_PASSWORD:
        raise Wrong(f"expected {SHORTEST_PASSWORD} characters or more")
    if not all(letter.isprintable() for letter in text) or ":" in text:
        raise Wrong("there is a colon or a control character in it")
    return text


def password_hash(text):
    if not re.fullmatch(r"\$[0-9a-z]+\$[^\s:]+", text, re.A):
        raise Wrong("password_hash is as in /etc/shadow: openssl passwd -6")
    return text


def repository(text):
    """URL, suite and components of a Debian repository."""
    words = plain(text).split()
    if not words or not re.fullmatch(r"(https?|file)://[^\s\[\]]+|file:/[^\s\[\]]+", words[0]) or not 2 <= len(words):
        raise Wrong("repository is URL SUITE [COMPONENT...], such as https://deb.example.net/sallyport bookworm main")
    if len(words) == 2 and not words[1].endswith("/"):
        raise Wrong("repository has no component; a flat one has a suite that ends with /")
    return text


def clock(text):
    if not re.fullmatch(r"never|([01]\d|2[0-3]):[0-5]\d", text):
        raise Wrong("reboot is a time of day, such as 03:30, or never")
    return text


CHECKS = {"network": network, "hostname": host_name, "domains": domains, "upstream": upstream, "administrator": administrator,
          "password_hash": password_hash, "repository": repository, "reboot": clock}


def read(text):
    """The answers of a file, each looked at; Wrong names the line."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        try:
            if not equals:
                raise Wrong("expected key = value")
            if key not in KEYS:
                meant = difflib.get_close_matches(key, KEYS, 1)
                raise Wrong(f"unknown key {key}" + (f", did you mean {meant[0]}?" if meant else ""))
            if key in found:
                raise Wrong(f"{key} is there a second time")
            value = plain(value)
            if value and key in CHECKS:
                CHECKS[key](value)
        except Wrong as wrong:
            raise Wrong(f"line {number}: {wrong}") from None
        found[key] = value
    return {key: value for key, value in found.items() if value}


def written(found):
    """The file that read() takes."""
    lines = [f"{key} = {found[key]}" for key in KEYS if found.get(key)]
    return "# What was answered at the first start; `sallyport-appliance apply` has it done again.\n" + "\n".join(lines) + "\n"


def for_init(found):
    """The part that `sallyport init --answers` reads."""
    lines = [f"{key} = {found[key]}" for key in ("hostname", "domains", "upstream", *FOR_INIT) if found.get(key)]
    return "\n".join(lines) + "\n"

