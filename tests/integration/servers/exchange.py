"""Sends many messages over one session, with all the pipelining that a client is allowed."""
import typing

from servers.messages import Message
from servers.smuggling import decoded, is_refused
from support import Client


class Way(typing.NamedTuple):
    """How the messages travel: to which listener, by which command, with TLS at both sides or none."""
    rejects_bare: bool
    by_data: bool
    tls: bool

    def __str__(self):
        return "-".join(("reject" if self.rejects_bare else "normalize", "data" if self.by_data else "bdat",
                         "tls" if self.tls else "plain"))


class Expected(typing.NamedTuple):
    """What a server is to have of a transaction that the client was told is accepted."""
    sender: str
    recipients: tuple
    content: bytes


WAYS = [Way(reject, data, tls) for reject in (False, True) for data in (True, False) for tls in (False, True)]


def marked(message: Message, key):
    """The message with a Message-ID of its own, by which what is stored is found again."""
    return b"Message-ID: <%s@sender.example>\r\n" % key.encode() + message.content


def send_all(port, way, messages, refused_envelopes, domain="test.example"):
    """Sends the messages; gives what is to be stored, by key. Attacks go as they are, the others stuffed for DATA.

    refused_envelopes: what the server answers to the recipient, by the names of messages."""
    expected = {}
    with Client(port) as client:
        client.greet()
        if way.tls:
            client.starttls()
            client.ask("EHLO client.example", 250)
        for message in messages:
            key = f"{message.name}.{way}"
            content = marked(message, key)
            recipients = tuple(sorted(f"{local}@{domain}" for local in message.recipients))
            if answer := refused_envelopes.get(message.name):
                client.ask(f"MAIL FROM:<{message.sender}>", 250)
                client.ask(f"RCPT TO:<{recipients[0]}>", answer)
                client.ask("RSET", 250)
                continue
            if way.by_data and not message.name.startswith("attack-"):
                content = content.replace(b"\r\n.", b"\r\n..")
            refusal = is_refused(content, way.rejects_bare)
            reply = transact(client, way, message, content, recipients)
            if not reply.startswith(refusal or "250"):
                raise AssertionError(f"{key}: expected {refusal or 250}, got {reply!r}")
            if not refusal:
                expected[key] = Expected(message.sender, recipients, decoded(content, way.by_data))
        client.ask("QUIT", 221)
        if client.rest():
            raise AssertionError("the gateway has said more than it was asked")
    return expected


def transact(client, way, message, content, recipients):
    """One transaction; gives the last reply."""
    body = " BODY=8BITMIME" if message.is_eight_bit() else ""
    opening = f"MAIL FROM:<{message.sender}>{body}\r\n" + "".join(f"RCPT TO:<{to}>\r\n" for to in recipients)
    if way.by_data:
        client.send(opening + "DATA\r\n")
        for _ in range(len(recipients) + 1):
            client.expect(250)
        client.expect(354)
        client.send(content if content.endswith(b"\r\n") else content + b"\r\n")
        client.send(b".\r\n")
        return client.reply()
    chunks = cut(content)
    client.send(opening.encode() + b"".join(b"BDAT %d%s\r\n%s" % (len(chunk), b"" if more else b" LAST", chunk)
                                            for chunk, more in chunks))
    for _ in range(len(recipients) + len(chunks)):
        client.expect(250)
    return client.reply()


def cut(content):
    """Up to three chunks, each with whether more follow; the cuts fall into what is delicate when there is something."""
    middle = max(content.find(b"\n.", 300), content.find(b"first"), 0) + 7
    cuts = [0, min(middle, len(content)), min(middle + 2, len(content)), len(content)]
    pieces = [content[a:b] for a, b in zip(cuts, cuts[1:]) if b > a]
    return [(piece, number + 1 < len(pieces)) for number, piece in enumerate(pieces)]
