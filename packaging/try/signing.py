"""Signs the demonstration's mails as real senders do: DKIM (RFC 6376) and ARC (RFC 8617), relaxed/relaxed, rsa-sha256.

The key and the RSA operation come from the openssl program; all else is a few lines of canonical form. Messages are str,
with CRLF, ASCII.
"""
import base64
import hashlib
import re
import subprocess
import time


class Key:
    """An RSA key in a file of its own."""

    def __init__(self, path):
        self.path = path
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)

    def record(self):
        """The TXT record that publishes it."""
        der = subprocess.run(["openssl", "rsa", "-in", self.path, "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        return "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()

    def sign(self, text):
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True,
                              capture_output=True)
        return base64.b64encode(done.stdout).decode()


def relaxed_field(name, value):
    """RFC 6376, 3.4.2, with CRLF."""
    unfolded = value.replace("\r\n", "")
    return name.lower() + ":" + re.sub(r"[ \t]+", " ", unfolded).strip() + "\r\n"


def relaxed_body(body):
    """RFC 6376, 3.4.4."""
    lines = [re.sub(r"[ \t]+", " ", line).rstrip(" ") for line in body.split("\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\r\n" for line in lines)


def split(message):
    """The fields as (name, value), and the body."""
    header, _, body = message.partition("\r\n\r\n")
    fields = re.split(r"\r\n(?![ \t])", header)
    return [(name, value) for name, _, value in (field.partition(":") for field in fields)], body


def signature(message, name, tags, key, fields=("from", "to", "subject")):
    """A field DKIM-Signature or ARC-Message-Signature over these fields and the body, with CRLF."""
    header, body = split(message)
    body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body).encode()).digest()).decode()
    value = f" {tags}; a=rsa-sha256; c=relaxed/relaxed; h={':'.join(fields)}; bh={body_hash}; b="
    text = ""
    for wanted in fields:
        found = next(value for field, value in reversed(header) if field.lower() == wanted)
        text += relaxed_field(wanted, found)
    return f"{name}:{value}{key.sign(text + relaxed_field(name, value)[:-2])}\r\n"


def with_dkim(message, domain, selector, key):
    return signature(message, "DKIM-Signature", f"v=1; d={domain}; s={selector}", key) + message


def with_arc(message, domain, selector, key, results):
    """The first ARC set of a message: what the sealer found (`results`), and its word for it."""
    found = ("ARC-Authentication-Results", f" i=1; {domain}; {results}")
    signed = signature(message, "ARC-Message-Signature", f"i=1; d={domain}; s={selector}", key)
    seal = f" i=1; a=rsa-sha256; cv=none; d={domain}; s={selector}; t={int(time.time())}; b="
    name, _, value = signed.partition(":")
    text = relaxed_field(*found) + relaxed_field(name, value) + relaxed_field("ARC-Seal", seal)[:-2]
    return f"ARC-Seal:{seal}{key.sign(text)}\r\n{signed}{found[0]}:{found[1]}\r\n{message}"
