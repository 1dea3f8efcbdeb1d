"""The mail servers behind the gateway in the chaos run. Each has a mood, which the run changes: what it does wrong, how often."""
import contextlib
import random
import socket
import ssl
import threading
import time

from chaos.wire import Wire
from support import free_port

SILENCE = 20  # seconds, at most: the gateway waits for less
IDLE = 6  # seconds until an idle connection is closed


class Ended(Exception):
    """This connection is over."""


# By mood: how likely a fault is at a step of the dialogue, and what else is wrong.
MOODS = {
    "well": {},
    "flaky": {"fault": 0.06},
    "hopeless": {"fault": 0.3},
    "slow": {"fault": 0.02, "late": 0.3},
    "full": {"fault": 0.02, "most": 2},
    "busy": {"fault": 0.02, "busy": 0.5},
    "bad tls": {"fault": 0.02, "bad_tls": 0.7},
    "forgetful": {"fault": 0.02, "forgets": 0.3},
    "deaf": {"no_greeting": 0.7},
    "down": {"down": True},
}


class Server:
    """One server, SMTP or LMTP, at a port of its own. `ledger` gets what it takes."""

    def __init__(self, ledger, name, seed, certificate):
        self.ledger, self.name, self.seed, self.is_lmtp = ledger, name, seed, name == "lmtp"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate / "fullchain.pem", certificate / "privkey.pem")
        self.port = free_port()
        self.lock = threading.Lock()
        self.open = set()
        self.number = 0
        self.listener = None
        self.traits = {}
        self.set_mood("well")

    def set_mood(self, mood):
        self.mood, self.traits = mood, MOODS[mood]
        if self.traits.get("down"):
            self.stop_listening()
            with self.lock:
                connections = list(self.open)
            for wire in connections:  # its own thread closes it
                with contextlib.suppress(OSError):
                    wire.socket.shutdown(socket.SHUT_RDWR)
        elif not self.listener:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
            threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop_listening(self):
        if self.listener:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.number += 1
                dice = random.Random(f"{self.seed} {self.name} {self.number}")
                threading.Thread(target=self.serve, args=(Wire(connection, IDLE), dice), daemon=True).start()

    def serve(self, wire, dice):
        with self.lock:
            self.open.add(wire)
            is_one_too_many = len(self.open) > self.traits.get("most", 1000)
        try:
            Dialogue(self, wire, dice).run(is_one_too_many)
        except (OSError, EOFError, Ended):
            pass
        finally:
            with self.lock:
                self.open.discard(wire)
            wire.close()


class Dialogue:
    def __init__(self, server, wire, dice):
        self.server, self.wire, self.dice = server, wire, dice
        self.offers_bdat = dice.random() < 0.5
        self.forget()

    def forget(self):
        self.sender, self.recipients, self.content = None, [], b""

    def happens(self, trait):
        return self.dice.random() < self.server.traits.get(trait, 0)

    def say(self, reply):
        octets = reply.encode() + b"\r\n"
        if self.dice.random() < 0.05:  # in pieces
            at = self.dice.randrange(len(octets))
            self.wire.send(octets[:at])
            time.sleep(self.dice.uniform(0, 0.02))
            octets = octets[at:]
        self.wire.send(octets)

    def step(self, refusal="451 4.3.0 Not now"):
        """What may go wrong before an answer. True: `refusal` was the answer."""
        if self.happens("late"):
            time.sleep(self.dice.uniform(0, 1.5))
        if not self.happens("fault"):
            return False
        what = self.dice.choice(["reset", "hang up", "silence", "late", "farewell", "refusal", "refusal", "garbage"])
        self.server.ledger.count(f"server: {what}")
        if what == "reset":
            self.wire.reset()
        elif what == "silence":
            self.be_silent()
        elif what == "late":
            time.sleep(self.dice.uniform(0.5, 3))
            return False
        elif what == "farewell":
            self.say("421 4.3.2 Closing")
        elif what == "garbage":
            self.wire.send(self.dice.choice([b"\x00\xff\r\n", b"25", b"999 what\r\n", b"250-a\r\n350 b\r\n"]))
        elif what == "refusal":
            self.say(refusal)
            return True
        raise Ended

    def be_silent(self):
        self.wire.socket.settimeout(SILENCE)
        self.wire.wait_for_the_end()
        raise Ended

    def run(self, is_one_too_many):
        if self.happens("no_greeting"):
            self.be_silent()
        if is_one_too_many:
            self.say("421 4.3.2 Too many connections")
            return
        if self.step("554 5.3.2 Not today"):
            return
        self.say("220 chaos.example ESMTP")
        while True:
            words = self.wire.line().split(None, 1)
            verb = words[0].decode("latin-1").upper() if words else ""
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say("500 5.5.1 What?")
            else:
                answer(words[1].decode("latin-1") if len(words) > 1 else "")

    def on_ehlo(self, _):
        if self.server.is_lmtp:
            return self.say("500 5.5.1 What?")
        self.greet()

    def on_lhlo(self, _):
        self.greet()

    def greet(self):
        if self.step():
            return
        self.forget()
        keywords = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 10000000"]
        keywords += ["CHUNKING"] * self.offers_bdat + ["STARTTLS"] * (not self.wire.is_secured)
        lines = ["chaos.example", *keywords]
        self.say("\r\n".join(f"250{'-' if n < len(lines) - 1 else ' '}{line}" for n, line in enumerate(lines)))

    def on_starttls(self, _):
        if self.happens("bad_tls"):
            what = self.dice.choice(["refuse", "hang up", "garbage", "alert", "silence"])
            self.server.ledger.count(f"server: STARTTLS {what}")
            if what == "refuse":
                return self.say("454 4.7.0 Not now")
            if what != "hang up":
                self.say("220 2.0.0 Ready")
            if what == "garbage":
                self.wire.send(b"garbage\r\n" * 10)
            elif what == "silence":
                self.be_silent()
            raise Ended
        if self.step("454 4.7.0 Not now"):
            return
        self.say("220 2.0.0 Ready")
        self.wire.secure(self.server.context, server_side=True)

    def on_mail(self, arguments):
        if self.happens("busy"):
            return self.say("452 4.3.1 Busy")
        if self.step():
            return
        self.forget()
        self.sender = arguments.partition("<")[2].partition(">")[0]
        self.say("250 2.1.0 Ok")

    def on_rcpt(self, arguments):
        if self.step("450 4.2.1 Not now"):
            return
        recipient = arguments.partition("<")[2].partition(">")[0]
        if recipient.startswith("nobody@"):
            return self.say("550 5.1.1 Nobody")
        self.recipients.append(recipient)
        self.say("250 2.1.5 Ok")

    def on_data(self, _):
        if not self.recipients:
            return self.say("554 5.5.1 No recipients")
        if self.step():
            return
        self.say("354 Go ahead")
        content = []
        while (line := self.wire.line()) != b".":
            content.append(line.removeprefix(b"."))
            if self.dice.random() < 0.005:
                self.stumble()
        self.content = b"".join(line + b"\r\n" for line in content)
        self.take()

    def on_bdat(self, arguments):
        octets, _, last = arguments.partition(" ")
        first = self.dice.randrange(int(octets) + 1)
        chunk = self.wire.take(first)
        self.stumble()
        self.content += chunk + self.wire.take(int(octets) - first)
        if not self.recipients:
            return self.say("503 5.5.1 No recipients")
        if last.upper() == "LAST":
            self.take()
        elif not self.step():
            self.say("250 2.0.0 Ok")

    def stumble(self):
        """What may go wrong in the middle of content."""
        if not self.happens("fault"):
            return
        what = self.dice.choice(["reset", "hang up", "silence", "early"])
        self.server.ledger.count(f"server: content {what}")
        if what == "reset":
            self.wire.reset()
        elif what == "silence":
            self.be_silent()
        elif what == "early":
            self.say("451 4.3.0 No more of it")
            self.be_silent()
        raise Ended

    def take(self):
        """The end of a message."""
        ledger = self.server.ledger
        if self.step(self.dice.choice(["451 4.3.0 Not now", "552 5.2.2 Mailbox full"])):
            return self.forget()
        if self.server.name == "secure" and not self.wire.is_secured:
            ledger.surprise("a mail in the clear, where TLS is required")
        entry = ledger.store(self.server.name, self.wire.is_secured, self.sender, self.recipients, self.content)
        recipients = len(self.recipients)
        self.forget()
        if self.happens("forgets"):
            what = self.dice.choice(["reset", "hang up", "silence"])
            ledger.count(f"server: stored, then {what}")
            if what == "reset":
                self.wire.reset()
            elif what == "silence":
                self.be_silent()
            raise Ended
        if self.happens("late"):
            time.sleep(self.dice.uniform(0, 3))
        entry.when = ledger.now()
        for _ in range(recipients if self.server.is_lmtp else 1):
            self.say("250 2.0.0 Stored")
        entry.has_answered = True

    def on_rset(self, _):
        self.forget()
        self.say("250 2.0.0 Ok")

    def on_noop(self, _):
        self.say("250 2.0.0 Ok")

    def on_quit(self, _):
        self.say("221 2.0.0 Bye")
        raise Ended
