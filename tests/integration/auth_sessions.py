"""What the tests of sender authentication share: sessions from any address, a DNS table that may be written anew, the
results as the log and the relayed mail have them, and a signer of its own for DKIM and ARC."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

from support import ROOT, Client, GatewayTest, our_header, tool, wait_until

CORPORA = pathlib.Path(os.environ.get("SALLYPORT_CORPORA", ROOT / "../shared/corpora"))
CLIENT = "192.0.2.1"


class Outcome:
    """How a mail fared: the last reply, its line in the log, and of relayed mail our fields and what stands below them."""

    def __init__(self, reply, line=None, content=None):
        self.reply = reply
        self.line = line
        self.fields, self.rest = our_header(content) if content else ([], None)

    @property
    def names(self):
        return [name for name, _ in self.fields]

    def field(self, name):
        return dict(self.fields)[name]

    @property
    def results(self):
        """The clauses of our Authentication-Results."""
        return read_auth_results(self.field("Authentication-Results"))[1]

    def of(self, method):
        """The clauses of one method."""
        return [clause for clause in self.results if clause.method == method]


class AuthSessionTest(GatewayTest):
    def dns_of(self, records):
        """A DNS server whose table may be written anew; strings are octets. Gives its port."""
        self.zone = self.folder / "zone.json"
        self.write_zone(records)
        self.questions_file = self.folder / "questions"
        self.dns_server = self.start("dns", [sys.executable, ROOT / "tests/support/dns_server.py", self.zone,
                                             "--strings", "latin1", "--log", self.questions_file])
        line = wait_until("the DNS server", lambda: self.dns_server.out.read_text() or not self.dns_server.is_running())
        self.assertTrue(isinstance(line, str) and line.startswith("ready"), self.dns_server.output())
        return int(line.split()[1])

    def write_zone(self, records):
        # A TXT record without a single string cannot be sent; one with an empty string is as near as the DNS can come.
        for types in records.values():
            if isinstance(types, dict) and isinstance(types.get("TXT"), list):
                types["TXT"] = [text if text != [] else [""] for text in types["TXT"]]
        fresh = self.folder / "zone.new"
        fresh.write_text(json.dumps(records))
        fresh.replace(self.zone)

    def questions(self):
        """What the DNS server was asked, as (type, name), in order."""
        return [tuple(line.split(" ", 2)[1:]) for line in self.questions_file.read_text().splitlines()]

    def protect(self, records, dns=None, domains=("test.example",), limits=None, workers=1, **policy):
        """A gateway that takes clients at their word about their address, with nothing on but these policies."""
        self.upstream = self.sink()
        # No answer is kept: the same names have other records in the next scenario.
        dns = {"servers": [f"127.0.0.1:{self.dns_of(records)}"], "timeout": "60s", "cache_entries": 0,
               "failure_ttl": "0s", **(dns or {})}
        file = self.configuration(self.upstream.port, dns=dns, domains=list(domains), limits=limits or {}, tls={},
                                  workers=workers, policy={"mode": "off", **policy})
        text = file.read_text().replace('"tls" = "starttls"', '"tls" = "off", "proxy_protocol_from" = ["127.0.0.1"]')
        file.write_text(text)
        self.mails = self.relayed = 0
        return self.start_gateway(file)

    def connect(self, ip=CLIENT):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        family, here = ("TCP6", "::1") if ":" in ip else ("TCP4", "127.0.0.1")
        client.send(f"PROXY {family} {ip} {here} 4711 25\r\n")
        client.expect(220)
        return client

    def submit(self, content, sender="ann@sender.example", ip=CLIENT, helo="[192.0.2.1]", recipient="user@test.example"):
        """One mail in a session of its own, to its end; the Outcome has no line where MAIL was no command at all."""
        client = self.connect(ip)
        try:
            client.ask(f"EHLO {helo}", 250)
            client.send(f"MAIL FROM:<{sender}>\r\n")
            reply = client.reply()
            if reply.startswith("501"):
                return Outcome(reply)
            self.mails += 1
            if reply.startswith("250"):
                client.ask(f"RCPT TO:<{recipient}>", 250)
                client.ask("DATA", 354)
                client.send(stuffed(content))
                reply = client.reply()
            client.ask("QUIT", 221)
        finally:
            client.socket.close()
        line = self.wait_for_log(count=self.mails)[-1]
        if not reply.startswith("250"):
            return Outcome(reply, line)
        self.relayed += 1
        return Outcome(reply, line, self.newest_content())

    def newest_content(self):
        def stored():
            found = sorted(self.upstream.store.glob("*.json"))
            return found if len(found) >= self.relayed else None

        found = wait_until(f"{self.relayed} messages in the sink", stored)
        self.assertEqual(len(found), self.relayed)
        return found[-1].with_suffix(".eml").read_bytes()


def stuffed(content):
    """A message as DATA carries it, its end included."""
    octets = content if isinstance(content, bytes) else content.encode("latin-1")
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n"


class Clause:
    def __init__(self, method, result, properties, comment):
        self.method, self.result, self.properties, self.comment = method, result, properties, comment

    def __repr__(self):
        return f"{self.method}={self.result} ({self.comment}) {self.properties}"


TOKEN = re.compile(r'[ \t]+|\((?:[^()\\]|\\.)*\)|"(?:[^"\\]|\\.)*"|[;=]|[^\s();="\\]+')


def read_auth_results(value):
    """The id and the clauses of one of our fields, read strictly: whatever is not `name = value` is an AssertionError."""
    clauses, comments = [[]], [[]]
    at = 0
    while at < len(value):
        token = TOKEN.match(value, at)
        if not token:
            raise AssertionError(f"not to be read from {value[at:]!r} on: {value!r}")
        at = token.end()
        if token[0] == ";":
            clauses.append([])
            comments.append([])
        elif token[0].startswith("("):
            comments[-1].append(token[0][1:-1])
        elif not token[0].isspace():
            clauses[-1].append(token[0])
    head, *rest = clauses
    if len(head) != 1:
        raise AssertionError(f"not one id: {value!r}")
    found = []
    for words, said in zip(rest, comments[1:]):
        if len(words) % 3 or any(word != "=" for word in words[1::3]):
            raise AssertionError(f"not names and values: {words}")
        pairs = [(name, unquoted(text)) for name, text in zip(words[0::3], words[2::3])]
        found.append(Clause(*pairs[0], dict(pairs[1:]), " ".join(said)))
    return head[0], found


def unquoted(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


class Signer:
    """A key pair, and the signatures of DKIM and ARC that its owner makes: relaxed/relaxed, written here from the RFCs."""

    def __init__(self, folder, bits=2048, selector="s1"):
        self.selector = selector
        self.key = folder / f"{selector}-{bits}.pem"
        subprocess.run([tool("openssl"), "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}",
                        "-out", self.key], check=True, capture_output=True)
        public = subprocess.run([tool("openssl"), "pkey", "-in", self.key, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout
        self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()

    def published(self, *domains):
        """The records of the key for these domains."""
        return {f"{self.selector}._domainkey.{domain}": {"TXT": [self.record]} for domain in domains}

    def sign(self, data):
        signature = subprocess.run([tool("openssl"), "dgst", "-sha256", "-sign", self.key], input=data, check=True,
                                   capture_output=True).stdout
        return base64.b64encode(signature).decode()

    def dkim(self, message, domain, names="From:To:Subject", algorithm="rsa-sha256", more=""):
        """The message with a DKIM-Signature on top; `more` are further tags."""
        tags = f"v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={self.selector}; h={names};{more}"
        return self.with_signature("DKIM-Signature", tags, names, message)

    def arc(self, message, domain, results, instance=1, cv="none"):
        """The message with one more set of ARC fields on top, which says these results."""
        message = f"ARC-Authentication-Results: i={instance}; {domain}; {results}\r\n" + message
        names = "From:To:Subject"
        tags = f"i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={self.selector}; h={names};"
        message = self.with_signature("ARC-Message-Signature", tags, names, message)
        fields = header_fields(message)
        covered = ""
        for i in range(1, instance + 1):
            for name in ("ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"):
                covered += "".join(relaxed(n, v) + "\r\n" for n, v in fields
                                   if n == name and re.match(rf"(.*;)?\s*i={i};", v, re.S))
        seal = f" i={instance}; a=rsa-sha256; cv={cv}; d={domain}; s={self.selector}; b="
        value = self.sign((covered + relaxed("ARC-Seal", seal)).encode())
        return f"ARC-Seal:{seal}{value}\r\n" + message

    def with_signature(self, field, tags, names, message):
        body = message.partition("\r\n\r\n")[2]
        length = re.search(r" l=(\d+);", tags)
        canonical = relaxed_body(body)[:int(length[1]) if length else None]
        digest = base64.b64encode(hashlib.sha256(canonical.encode()).digest()).decode()
        tags = f" {tags} bh={digest}; b="
        fields = header_fields(message)
        signed = ""
        for name in names.split(":"):
            for at in reversed(range(len(fields))):  # the last of a name first
                if fields[at][0].lower() == name.lower():
                    signed += relaxed(*fields.pop(at)) + "\r\n"
                    break
        return f"{field}:{tags}{self.sign((signed + relaxed(field, tags)).encode())}\r\n{message}"


def header_fields(message):
    """(name, value) of each field, folding and all."""
    header = message.partition("\r\n\r\n")[0]
    return [tuple(field.split(":", 1)) for field in re.split(r"\r\n(?![ \t])", header)]


def relaxed(name, value):
    """A field in RFC 6376's relaxed form (3.4.2), without its line end."""
    return name.strip().lower() + ":" + re.sub(r"[ \t]+", " ", value.replace("\r\n", "")).strip()


def relaxed_body(body):
    lines = [re.sub(r"[ \t]+", " ", line).removesuffix(" ") for line in body.split("\r\n")]
    text = "\r\n".join(lines).rstrip("\r\n")
    return text + "\r\n" if text else ""
