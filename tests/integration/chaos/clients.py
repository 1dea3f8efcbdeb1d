"""The clients of the chaos run: most deliver mail as they should, others leave, trickle, pipeline, stay silent or never read."""
import contextlib
import hashlib
import random
import socket
import time

from chaos.ledger import Mail
from chaos.wire import Wire
from support import trusting_context

POINTS = ["connected", "greeted", "handshake", "mail", "rcpt", "content", "end"]
WAYS = ["reset", "close", "half close", "silence"]
PAUSE = 0.1  # seconds, between two mails of a client, on average


class Left(Exception):
    """The client has gone, as it wanted to."""


class Cut(Exception):
    """The gateway has ended the connection."""


class Client:
    """One session after the other, until `run.over` is set; while `run.gate` is closed, none."""

    def __init__(self, run, number):
        self.run, self.ledger, self.number = run, run.ledger, number
        self.dice = random.Random(f"{run.seed} client {number}")
        self.mails = 0

    def work(self):
        while not self.run.over.is_set():
            if not self.run.gate.wait(0.5):
                continue
            try:
                self.hold_session()
            except Exception as error:  # noqa: BLE001 - a mistake in this file must not look like a quiet run
                self.ledger.surprise(f"client {self.number}: {error!r}")
            time.sleep(self.dice.expovariate(1 / PAUSE))

    def hold_session(self):
        dice = self.dice
        self.leaves_at = dice.choice(POINTS) if dice.random() < 0.3 else None
        self.way = dice.choice(WAYS)
        self.phase, self.waiting, self.wire = "connect", [], None
        try:
            self.connect()
            for _ in range(dice.randint(1, 3)):
                dice.choices([self.send_one, self.send_a_group, self.send_deaf], [10, 2, 1])[0]()
            self.phase = "quit"
            if dice.random() < 0.8:
                self.ask("QUIT")
        except Left:
            pass
        except Cut as cut:
            self.ledger.count(f"cut off: {cut}")
        except TimeoutError:
            self.ledger.surprise(f"no answer for {self.run.patience} s, at {self.phase}; {self.waiting}")
        except EOFError:
            self.note_end("closed without a word")
        except OSError as error:
            self.note_end(type(error).__name__)
        finally:
            if self.wire:
                self.wire.close()

    def note_end(self, what):
        """Whoever sends nothing and waits for an answer hears a last word, whatever happens to the gateway."""
        self.ledger.count(f"{what} at: {self.phase}")
        has_half_closed = self.leaves_at == "end" and self.way == "half close"
        if self.phase in ("commands", "envelope", "final reply", "quit") and not has_half_closed:
            self.ledger.surprise(f"{what} at: {self.phase}; {self.waiting}")

    # -- ways to go --

    def may_leave(self, point):
        if self.leaves_at == point:
            self.leave()

    def leave(self):
        self.ledger.count(f"client: {self.way} at {self.leaves_at}")
        if self.way == "silence" and self.leaves_at != "end":
            self.wire.wait_for_the_end()
            raise Left
        if self.way == "half close" and not self.wire.is_secured:
            self.wire.half_close()
            if self.leaves_at != "end":
                self.wire.wait_for_the_end()
        if self.leaves_at == "end" and (self.way == "silence" or (self.way == "half close" and not self.wire.is_secured)):
            return  # it waits for the answers, and then for the end
        # The end of a connection that is closed comes behind all that was sent; a gateway that is busy may not have taken that yet.
        unsent = 0 if self.way == "reset" else self.wire.unsent_octets()
        if self.way == "reset":
            self.wire.reset()
        else:
            self.wire.close()
        for mail in self.waiting:
            mail.left, mail.unsent = self.ledger.now(), unsent
        raise Left

    # -- the dialogue --

    def connect(self):
        source = f"127.0.0.{self.dice.randrange(2, 30)}"
        self.tls = self.dice.choice(["none", "starttls", "implicit"])
        port = self.run.implicit_port if self.tls == "implicit" else self.run.port
        for _ in range(100):
            try:
                self.wire = Wire(socket.create_connection(("127.0.0.1", port), timeout=self.run.patience,
                                                          source_address=(source, 0)), self.run.patience)
                break
            except ConnectionRefusedError:  # between two gateways
                time.sleep(0.1)
        else:
            raise AssertionError("nobody listens")
        self.may_leave("connected")
        if self.tls == "implicit":
            self.handshake()
        self.phase = "greeting"
        greeting = self.wire.reply()
        if not greeting.startswith("220"):
            raise Cut(f"greeted with {greeting[:9]}")
        self.may_leave("greeted")
        self.phase = "commands"
        self.ask("EHLO client.example")
        if self.tls == "starttls":
            if not self.ask("STARTTLS").startswith("220"):
                return
            self.handshake()
            self.phase = "commands"
            self.ask("EHLO client.example")

    def handshake(self):
        self.phase = "handshake"
        if self.leaves_at == "handshake":
            self.wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            self.leave()
        self.wire.secure(trusting_context(), server_hostname="mx.test.example")

    def reply(self):
        began = time.monotonic()
        reply = self.wire.reply()
        self.ledger.note_wait(self.phase, time.monotonic() - began)
        if reply.startswith("421"):
            raise Cut(reply[:9])
        return reply

    def ask(self, command):
        self.wire.send(command + "\r\n")
        return self.reply()

    # -- mails --

    def new_mail(self, manner):
        self.mails += 1
        mail = Mail(f"m{self.number}.{self.mails}", manner=f"{manner}, tls {self.tls}, {self.leaves_at} {self.way}")
        dice = random.Random(f"{self.run.seed} {mail.key}")
        domain = dice.choice(self.run.domains)
        lines = [f"From: <{mail.sender}>", f"To: <user@{domain}>", f"Subject: {mail.key}", f"Message-ID: <{mail.sender}>",
                 f"X-Key: {mail.key}", ""]
        octets = dice.choices([dice.randrange(4000), dice.randrange(200_000), dice.randrange(1_500_000)], [20, 3, 1])[0]
        while octets > 0:
            lines.append(dice.choice(["", ".", "..", ".dot", "text "]) + "x" * dice.randrange(200 if octets < 5000 else 900))
            octets -= len(lines[-1]) + 2
        mail.content = "\r\n".join(lines).encode() + b"\r\n"
        mail.octets = len(mail.content)
        mail.digest = hashlib.sha256(mail.content).hexdigest()
        mail.wanted = [f"{name}@{domain}" for name in ["user", "second", "nobody"][:dice.choice([1, 1, 1, 2, 3])]]
        self.ledger.open(mail)
        return mail

    def begin(self, mail):
        """True: the content may come. With a refusal the mail is over."""
        self.phase, self.waiting = "envelope", [mail]
        mail.begun = self.ask(f"MAIL FROM:<{mail.sender}> SIZE={mail.octets}")
        self.may_leave("mail")
        if not mail.begun.startswith("250"):
            return False
        for recipient in mail.wanted:
            if self.ask(f"RCPT TO:<{recipient}>").startswith("250"):
                mail.recipients.append(recipient)
        self.may_leave("rcpt")
        if mail.recipients and self.dice.random() > 0.03:
            return True
        if self.dice.random() < 0.8:
            self.ask("RSET")
        else:
            self.ask("EHLO client.example")
        return False

    def send_one(self):
        mail = self.new_mail("alone")
        if not self.begin(mail):
            return
        if self.dice.random() < 0.5:
            self.send_by_data(mail)
        else:
            self.send_by_bdat(mail)

    def pieces(self, octets):
        """Whole, or trickling."""
        if self.dice.random() < 0.8:
            return [octets]
        cuts = sorted(self.dice.randrange(len(octets) + 1) for _ in range(self.dice.randint(1, 5)))
        return [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)])]

    def send_slowly(self, octets):
        for number, piece in enumerate(self.pieces(octets)):
            if number:
                time.sleep(self.dice.uniform(0, 0.6))
            self.wire.send(piece)

    def send_by_data(self, mail):
        if not self.ask("DATA").startswith("354"):
            return self.ask("RSET")
        self.phase = "content"
        stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in mail.content.splitlines(keepends=True))
        if self.leaves_at == "content":
            self.wire.send(stuffed[:self.dice.randrange(len(stuffed))])
            self.leave()
        self.send_slowly(stuffed)
        mail.may_have_ended = True
        self.wire.send(b".\r\n")
        self.end(mail)

    def send_by_bdat(self, mail):
        self.phase = "content"
        content, at = mail.content, 0
        if self.leaves_at == "content":
            self.wire.send(f"BDAT {len(content)} LAST\r\n".encode() + content[:self.dice.randrange(len(content))])
            self.leave()
        while self.dice.random() < 0.5:
            octets = self.dice.randrange(len(content) - at + 1)
            self.wire.send(f"BDAT {octets}\r\n".encode())
            self.send_slowly(content[at:at + octets])
            if not self.reply().startswith("250"):
                return self.ask("RSET")
            at += octets
        mail.may_have_ended = True
        self.wire.send(f"BDAT {len(content) - at} LAST\r\n".encode())
        self.send_slowly(content[at:])
        self.end(mail)

    def end(self, mail):
        self.phase = "final reply"
        self.may_leave("end")
        began = time.monotonic()
        mail.reply = self.wire.reply()
        self.ledger.note_wait(self.phase, time.monotonic() - began)
        self.waiting = []
        if mail.reply.startswith("421"):
            raise Cut(mail.reply[:9])
        self.may_have_left()

    def send_a_group(self):
        """Several mails in one go, by BDAT; the replies are read afterwards."""
        group = [self.new_mail("in a group") for _ in range(self.dice.randint(1, 3))]
        self.phase, self.waiting = "group", list(group)
        self.wire.send(self.octets_of(group))
        self.may_leave("end")
        for mail in group:
            mail.begun = self.reply()
            for recipient in mail.wanted:
                if self.reply().startswith("250"):
                    mail.recipients.append(recipient)
            mail.reply = self.wire.reply()
            self.waiting.remove(mail)
            if mail.reply.startswith("421"):
                raise Cut(mail.reply[:9])
            self.reply()  # to RSET
        self.may_have_left()

    def may_have_left(self):
        """Half closed, or silent from now on: it only waits for the end."""
        if self.leaves_at == "end":
            self.wire.wait_for_the_end()
            raise Left

    def octets_of(self, group):
        octets = b""
        for mail in group:
            mail.may_have_ended = True
            octets += f"MAIL FROM:<{mail.sender}>\r\n".encode()
            octets += b"".join(f"RCPT TO:<{recipient}>\r\n".encode() for recipient in mail.wanted)
            octets += f"BDAT {len(mail.content)} LAST\r\n".encode() + mail.content + b"RSET\r\n"
        return octets

    def send_deaf(self):
        """A group whose replies nobody reads."""
        group = [self.new_mail("to the deaf") for _ in range(self.dice.randint(1, 3))]
        self.phase, self.waiting = "group", group
        with contextlib.suppress(OSError):
            self.wire.send(self.octets_of(group))
            time.sleep(self.dice.uniform(0, 2))
        self.leaves_at, self.way = "end", self.dice.choice(["reset", "close"])
        self.leave()
