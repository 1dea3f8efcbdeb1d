"""Sixty messages, made by rule, that ask everything of the framing between two mail servers.

Each has a header section that no server has to complete or to write anew, so that what is stored can be compared octet by
octet; address fields are plain, since Sendmail writes those in its own way.
"""
import base64
import quopri
import random
import re
import typing


class Message(typing.NamedTuple):
    name: str
    content: bytes                       # as it is meant, with CRLF; nothing stuffed
    sender: str = "ann@sender.example"
    recipients: tuple = ("user",)        # local parts

    def is_eight_bit(self):
        return any(octet > 0x7f for octet in self.content)


def with_header(name, body, *fields):
    lines = [b"From: Ann <ann@sender.example>", b"To: user@test.example", b"Subject: " + name.encode(),
             b"Date: Mon, 02 Nov 2026 09:00:00 +0000", *fields]
    return b"\r\n".join([*lines, b"", body])


def lines(*texts):
    return b"".join(text + b"\r\n" for text in texts)


def dots():
    yield "lone-dot", lines(b"before", b".", b"after")
    yield "two-dots", lines(b"before", b"..", b"after")
    yield "dot-first", lines(b".", b"after")
    yield "dot-only", lines(b".")
    yield "dot-last", lines(b"before", b".")
    yield "dots-of-all-lengths", lines(*(b"." * count for count in range(1, 80)))
    yield "dot-and-text", lines(b".x", b"..x", b". x", b".\tx", b"x.", b"x", b".. ")
    yield "dot-after-empty-lines", lines(b"", b"", b".", b"", b"..", b"")
    yield "dots-998", lines(b"." * 998, b"." * 997, b"." * 998)
    yield "dot-lines-many", b".\r\n" * 3000
    yield "commands", lines(b".", b"MAIL FROM:<other@sender.example>", b"RCPT TO:<victim@test.example>", b"DATA", b"QUIT",
                            b"RSET", b".QUIT", b"BDAT 10 LAST", b"STARTTLS", b"")
    yield "dot-without-newline", lines(b"before") + b"."
    yield "dots-without-newline", lines(b"before", b".") + b".."


def octets():
    yield "latin-1", lines("Grüße aus Köln".encode("latin-1"), bytes(range(0xa0, 0x100)))
    yield "utf-8", lines("Grüße, Ελλάδα, 日本".encode(), ".日本".encode())
    yield "upper-half", lines(bytes(range(0x80, 0x100)), b"." + bytes(range(0x80, 0xa0)))
    yield "ff-and-dots", lines(b"\xff.\xff", b".\xff", b"\xff\xf4", b"\xff" * 998)
    yield "controls", lines(bytes(o for o in range(1, 0x20) if o not in b"\r\n") + b"\x7f", b"\x1a", b"\x04", b"\x03")
    yield "without-newline-8-bit", lines(b"before") + b"\xe4\xf6\xfc"


def line_ends():
    yield "empty-body", b""
    yield "one-empty-line", lines(b"")
    yield "empty-lines", b"\r\n" * 500
    yield "spaces-at-line-ends", lines(b"x ", b"x\t", b" ", b"\t", b"x \t ", b"")
    yield "without-newline", lines(b"before") + b"after"
    yield "998", lines(b"x" * 998, b"y" * 997, b"z" * 998)
    yield "short-lines", b"x\r\n" * 20000
    yield "from-lines", lines(b"From here on", b">From there", b"From ann@sender.example Mon Nov  2 09:00:00 2026", b"")
    for size in (4096, 16384, 65536):
        yield f"block-of-{size}", block(size)
    yield "all-lengths", lines(*(b"l" * length for length in range(0, 999, 3)))


def block(size):
    """Line ends and dots at the borders of buffers of this size, wherever our own fields end."""
    text = b""
    while len(text) < size * 2 + 200:
        text += b"\r\n.\r\n..\r\n" if size - 200 < len(text) % size else b"x" * 61 + b"\r\n"
    return text


def headers():
    yield "fields-200", b"text\r\n", *(b"X-Number-%d: %d" % (n, n) for n in range(200))
    yield "field-of-998", b"text\r\n", b"X-Long: " + b"v" * 990
    yield "folded-with-tabs", b"text\r\n", b"X-Folded: one\r\n\ttwo\r\n\tthree", b"X-After: x"
    yield "folded-with-spaces", b"text\r\n", b"X-Folded: one\r\n two\r\n    three\r\n ."
    yield "folded-100-times", b"text\r\n", b"X-Folded: 0" + b"".join(b"\r\n %d ." % n for n in range(100))
    yield "references", b"text\r\n", b"References: " + b"\r\n\t".join(b"<%d.a@list.example>" % n for n in range(30))
    yield "encoded-words", b"text\r\n", b"X-Words: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?b?w6Q=?="
    yield "dots-in-fields", b".\r\n", b"X-Dots: ...\r\n ...\r\n\t..", b"X-Dot: ."
    hop = b"Received: from a%d.example by b%d.example\r\n\twith SMTP; Mon, 02 Nov 2026 08:00:00 +0000"
    yield "received-20", b"text\r\n", *(hop % (n, n) for n in range(20))
    yield "list-fields", b"text\r\n", b"List-Id: A list <a.list.example>", b"Precedence: bulk", b"Auto-Submitted: no"
    yield "empty-field", b"text\r\n", b"X-Empty:", b"X-Tight:x"
    yield "8-bit-field", b"text\r\n", b"X-Raw: Gr\xfc\xdfe \xff"


def mime():
    text = b"MIME-Version: 1.0"
    parts = (b"--=_a\r\nContent-Type: text/plain\r\n\r\n.\r\ntext\r\n"
             b"--=_a\r\nContent-Type: text/html\r\n\r\n<p>.\r\n.</p>\r\n--=_a--\r\n")
    yield "alternative", b"preamble\r\n" + parts, text, b'Content-Type: multipart/alternative;\r\n\tboundary="=_a"'
    inner = b'--=_b\r\nContent-Type: multipart/alternative; boundary="=_a"\r\n\r\n' + parts
    yield ("nested", inner + b"--=_b--\r\n\r\nepilogue\r\n", text, b'Content-Type: multipart/mixed; boundary="=_b"')
    yield ("base64", base64.encodebytes(random.Random(1).randbytes(30000)).replace(b"\n", b"\r\n"), text,
           b"Content-Type: application/octet-stream", b"Content-Transfer-Encoding: base64")
    yield ("quoted-printable", quopri.encodestring(bytes(range(0x0e, 0x100)) * 8).replace(b"\n", b"\r\n") + b"\r\n", text,
           b"Content-Type: text/plain; charset=iso-8859-1", b"Content-Transfer-Encoding: quoted-printable")
    yield "attached-message", with_header("inner", b".\r\ninner\r\n"), text, b"Content-Type: message/rfc822"
    yield ("8bit", "Grüße\r\n".encode() * 100, text, b"Content-Type: text/plain; charset=utf-8",
           b"Content-Transfer-Encoding: 8bit")


def big():
    yield "big-8-bit", noise(1 << 20, bytes(range(0x20, 0x7f)) + bytes(range(0xa0, 0x100)))
    yield "big-ascii", noise(2 << 20, bytes(range(0x20, 0x7f)))
    yield "big-dots", noise(1 << 20, b"....x ")


def noise(size, alphabet):
    dice = random.Random(size + len(alphabet))
    stock = bytes(dice.choices(alphabet, k=20000))
    text, made = [], 0
    while made < size:
        at, length = dice.randrange(len(stock) - 1000), dice.choice((0, 1, 2, 60, 76, 77, 997, 998))
        text.append((b"." if dice.random() < 0.3 else b"") + stock[at:at + length][:997] + b"\r\n")
        made += len(text[-1])
    return b"".join(text)


def envelopes():
    yield "two-recipients", {"recipients": ("user", "other")}
    yield "recipients-50", {"recipients": tuple(f"user{number}" for number in range(50))}
    yield "null-sender", {"sender": ""}
    yield "verp-sender", {"sender": "list-bounces+user=test.example@list.example"}
    yield "srs-sender", {"sender": "SRS0=HHH=TT=origin.example=ann@forwarder.example"}
    yield "odd-characters", {"sender": "a!#$&'*+-/=?^_`{|}~b@sender.example", "recipients": ("user+tag", "a.b-c_d")}
    yield "quoted-sender", {"sender": '"ann b"@sender.example'}
    yield "long-sender", {"sender": "a" * 64 + "@" + ".".join(["b" * 60] * 2) + ".example"}


def all_messages():
    made = [Message(name, with_header(name, body)) for name, body in (*dots(), *octets(), *line_ends(), *big())]
    made += [Message(name, with_header(name, body, *fields)) for name, body, *fields in (*headers(), *mime())]
    made += [Message(name, with_header(name, b".\r\nto some\r\n"), **envelope) for name, envelope in envelopes()]
    return made


MESSAGES = all_messages()
assert not any(re.search(rb"\r(?!\n)|(?<!\r)\n|\0|[^\r\n]{999}", message.content) for message in MESSAGES)
assert len(MESSAGES) == 60 and len({message.name for message in MESSAGES}) == 60, len(MESSAGES)
