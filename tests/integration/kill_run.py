"""Mail flows through a gateway that is killed and started again, over and over; every message is accounted for.

Clients on many connections, plain or in TLS, by DATA or BDAT, deliver numbered messages, and send one again until it is
answered with 250, as mail servers do. Behind the gateway a sink stores what it completely receives, and fails now and
then. SIGKILL comes at moments given by the clock, and at chosen points of the dialogue, on either side of the gateway.

A trial is one attempt to deliver one message. Its number travels in the envelope and in the content, so that what the
sink stored, what the client was told and what the gateway logged can be laid beside each other:

  lost        a client saw 250 for a trial that the sink has not stored
  unexplained a trial that the sink has stored and the client may send again, though neither its line in the log says so
              (reply_lost, outcome_unknown) nor was the gateway killed while it had the mail in hand, that is, before
              it could write that line
  damaged     the sink stored something else than the client sent
"""
import collections
import contextlib
import dataclasses
import hashlib
import os
import random
import re
import signal
import socket
import threading
import time

from postfix_server import Postfix
from support import PATIENCE, Client, below_our_header, free_port, wait_until

DOMAIN = "test.example"
LONG_PATIENCE = 10 * PATIENCE
SPOOLED_OCTETS = 300 * 1024  # more than limits.memory_per_message

# Where a kill can be aimed at. Those of the client's side are named by what it has just done, those of the sink's by
# what has just happened there.
POINTS = ["connected", "secured", "mail", "rcpt", "half a message", "end of data", "acknowledged", "upstream connected",
          "upstream content", "upstream end of data", "stored", "upstream answered"]


@dataclasses.dataclass
class Trial:
    message: int
    number: int
    gateway: str  # which of the gateways, one after the other, had it
    digest: str = ""
    end_sent: bool = False
    reply: str = ""  # the last one to this trial; empty when the connection was cut

    @property
    def sender(self):
        return f"{self.message}.{self.number}@sender.example"

    @property
    def key(self):
        return self.message, self.number


@dataclasses.dataclass
class Account:
    seed: int
    messages: int
    acknowledged: int = 0
    trials: int = 0
    stored: int = 0
    lost: list = dataclasses.field(default_factory=list)
    unexplained: list = dataclasses.field(default_factory=list)
    damaged: list = dataclasses.field(default_factory=list)
    surprises: list = dataclasses.field(default_factory=list)  # what no kill and no fault of the sink accounts for
    left_over: list = dataclasses.field(default_factory=list)  # files found in the spool
    explained: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    kills: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    restarts: list = dataclasses.field(default_factory=list)  # seconds from a death to the next greeting
    spooled: int = 0
    seconds: float = 0

    def __str__(self):
        kills = ", ".join(f"{count} {point}" for point, count in sorted(self.kills.items()))
        reasons = ", ".join(f"{count} {why}" for why, count in sorted(self.explained.items()))
        return (f"seed {self.seed}: {self.messages} messages ({self.spooled} spooled) in {self.trials} trials, "
                f"{self.acknowledged} acknowledged, {self.stored} stored; {len(self.lost)} lost, "
                f"{len(self.damaged)} damaged; duplicates: {len(self.unexplained)} unexplained, "
                f"{sum(self.explained.values())} explained ({reasons})\n"
                f"{sum(self.kills.values())} kills ({kills}); it served again after "
                f"{sorted(self.restarts)[len(self.restarts) // 2] * 1000:.0f} ms, at worst "
                f"{max(self.restarts) * 1000:.0f} ms; {self.seconds:.1f} s in all")


class KillRun:
    """One run; `test` is a GatewayTest, which starts and stops what is needed."""

    points = POINTS

    def __init__(self, test, messages, kills, connections, seed):
        self.test, self.messages, self.connections = test, messages, connections
        self.account = Account(seed, messages)
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.waiting = collections.deque()
        self.handed_out = 0
        self.attempts = collections.Counter()  # by message
        self.trials = {}  # by message and number
        self.stored = collections.Counter()  # the same
        self.killed = set()  # names of gateways
        self.aim = None
        self.dead = threading.Event()
        self.over = threading.Event()
        # Half of the kills come by the clock, the others go through all points.
        points = self.random.sample(self.points, len(self.points)) * (kills // len(self.points) + 1)
        self.plan = [None if n % 2 else points[n // 2] for n in range(kills)]

    # -- the gateway --

    def start_gateway(self, number):
        """The same configuration each time, but for the name it greets with: a client knows by it which one it has."""
        file = self.test.folder / "sallyport.toml"
        text = re.sub(r'(?m)^hostname = .*$', f'hostname = "mx{number}.{DOMAIN}"', file.read_text())
        file.write_text(text)
        self.process = self.test.start_gateway(file)
        self.name = f"mx{number}.{DOMAIN}"

    def strike(self, point):
        """Kills the gateway if this is the point that was aimed at."""
        with self.lock:
            if not point or self.aim != point:
                return
            self.aim = None
            self.account.kills[point] += 1
            self.killed.add(self.name)
            self.struck_at = time.monotonic()
            self.process.signal(signal.SIGKILL)
        self.dead.set()

    def kill_again_and_again(self):
        """The plan, kill by kill. Each life of the gateway has its share of the messages, handed out once it is known what
        it will die of: however slow the machine, they cannot all be delivered before."""
        share = self.messages / (len(self.plan) + 1)
        self.hand_out(share)
        for number, point in enumerate(self.plan, 1):
            due = int(share * (number - 0.5))
            wait_until(f"{due} acknowledged messages", lambda: self.account.acknowledged >= due, LONG_PATIENCE)
            self.dead.clear()
            if point is not None:
                with self.lock:
                    self.aim = point
            self.hand_out(share * (number + 1))
            if point is None:
                time.sleep(self.random.uniform(0, 0.03))
                with self.lock:
                    self.aim = "by the clock"
                self.strike("by the clock")
            if not self.dead.wait(PATIENCE):
                raise AssertionError(f"nobody came to the point {point!r}")
            self.process.wait()
            self.look_at_spool()
            self.start_gateway(number + 1)
            self.await_greeting()
            self.account.restarts.append(time.monotonic() - self.struck_at)

    def hand_out(self, upto):
        self.waiting.extend(range(self.handed_out + 1, round(upto) + 1))
        self.handed_out = round(upto)

    def await_greeting(self):
        def greets():
            with contextlib.suppress(OSError, EOFError), Client(self.test.port) as client:
                return client.expect(220)
        wait_until("a greeting", greets)

    def look_at_spool(self):
        self.account.left_over += os.listdir(self.test.folder / "state" / "spool")

    # -- the clients --

    def make_content(self, dice, trial, kind):
        lines = [f"From: <{trial.sender}>", f"To: <user@{DOMAIN}>", f"Subject: trial {trial.message}.{trial.number}",
                 f"Message-ID: <{trial.sender}>", f"X-Trial: {trial.message}.{trial.number}", ""]
        octets = SPOOLED_OCTETS + dice.randrange(2 * SPOOLED_OCTETS) if kind == "large" else dice.randrange(8000)
        while octets > 0:
            lines.append(dice.choice(["", ".", "..", ".dot", "text "]) + "x" * dice.randrange(200))
            octets -= len(lines[-1]) + 2
        return "\r\n".join(lines).encode() + b"\r\n"

    def run_client(self, number):
        dice = random.Random(f"{self.account.seed} client {number}")
        while self.account.acknowledged < self.messages and not self.over.is_set():
            if self.waiting:
                self.hold_session(dice)
            time.sleep(dice.uniform(0, 0.02))

    def hold_session(self, dice):
        gateway = None
        trial = None
        try:
            with Client(self.test.port) as client:
                gateway = re.match(r"220 (\S+)", client.expect(220))[1]
                self.strike("connected")
                client.ask("EHLO client.example", 250)
                if dice.random() < 0.5:
                    client.starttls()
                    self.strike("secured")
                    client.ask("EHLO client.example", 250)
                for _ in range(dice.randint(1, 4)):
                    trial = self.next_trial(gateway)
                    if not trial or not self.deliver(client, trial, dice):
                        break
                client.send("QUIT\r\n")
        except (OSError, EOFError) as error:  # TLS cut short is an OSError, too
            if trial:
                trial.reply = ""
            if gateway and gateway not in self.killed:
                self.account.surprises.append(f"{gateway} was not killed, and yet: {error!r}")
        except AssertionError as error:
            self.account.surprises.append(str(error))
        finally:
            if trial and not trial.reply.startswith("250"):
                with self.lock:
                    self.waiting.append(trial.message)

    def next_trial(self, gateway):
        with self.lock:
            if not self.waiting:
                return None
            message = self.waiting.popleft()
            self.attempts[message] += 1
            trial = Trial(message, self.attempts[message], gateway)
            self.trials[trial.key] = trial
            return trial

    def deliver(self, client, trial, dice):
        """True when the session can go on with another message; trial.reply is the last word on this one."""
        kind = "large" if trial.message % 20 == 0 else "small"
        content = self.make_content(random.Random(f"{self.account.seed} {trial.key}"), trial, kind)
        trial.digest = hashlib.sha256(content).hexdigest()
        if not self.ask(client, trial, f"MAIL FROM:<{trial.sender}> SIZE={len(content)}", "mail"):
            return False
        recipients = [f"user@{DOMAIN}", f"second@{DOMAIN}", f"nobody@{DOMAIN}"][:dice.randint(1, 3)]
        accepted = [self.ask(client, trial, f"RCPT TO:<{r}>", "rcpt") for r in recipients]
        if not any(accepted):
            client.ask("RSET", 250)
            return False
        sent = self.send_by_bdat if dice.random() < 0.5 else self.send_by_data
        if not sent(client, trial, content, dice):
            return False
        reply = client.reply()
        if reply.startswith("250"):
            with self.lock:
                self.account.acknowledged += 1
                self.account.spooled += kind == "large"
            trial.reply = reply
            self.strike("acknowledged")
            return True
        if not reply.startswith("4"):
            self.account.surprises.append(f"to the end of data: {reply}")
        trial.reply = reply
        return False

    def ask(self, client, trial, command, point=None):
        client.send(command + "\r\n")
        trial.reply = client.reply()
        self.strike(point)
        if trial.reply[0] not in "234" and "nobody@" not in command:
            self.account.surprises.append(f"to {command}: {trial.reply}")
        positive, trial.reply = trial.reply[0] in "23", "" if trial.reply[0] in "23" else trial.reply
        return positive

    def send_by_data(self, client, trial, content, dice):
        if not self.ask(client, trial, "DATA"):
            return False
        stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in content.splitlines(keepends=True))
        half = dice.randrange(len(stuffed))
        client.send(stuffed[:half])
        self.strike("half a message")
        trial.end_sent = True
        client.send(stuffed[half:] + b".\r\n")
        self.strike("end of data")
        return True

    def send_by_bdat(self, client, trial, content, dice):
        half = dice.randrange(len(content))
        client.send(f"BDAT {half}\r\n".encode() + content[:half])
        self.strike("half a message")
        trial.reply = client.reply()
        if not trial.reply.startswith("250"):
            return False
        trial.reply = ""
        trial.end_sent = True
        client.send(f"BDAT {len(content) - half} LAST\r\n".encode() + content[half:])
        self.strike("end of data")
        return True

    # -- the sink --

    def serve_upstream(self):
        self.upstream_port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.upstream_port), backlog=200)
        threading.Thread(target=self.accept_upstream, daemon=True).start()

    def upstream_settings(self):
        return self.upstream_port

    def close_upstream(self):
        self.listener.close()

    def accept_upstream(self):
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(LONG_PATIENCE)
                number += 1
                dice = random.Random(f"{self.account.seed} upstream {number}")
                threading.Thread(target=self.converse, args=(connection, dice), daemon=True).start()

    def converse(self, connection, dice):
        # However it ends: with a gateway that was killed, or with ours.
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            def say(reply):
                connection.sendall(reply.encode() + b"\r\n")
            say("220 sink.example ESMTP")
            self.strike("upstream connected")
            chunking = "250-CHUNKING\r\n" if dice.random() < 0.5 else ""
            for line in lines:
                verb = line.split(None, 1)[0].upper()
                if verb == b"EHLO":
                    say(f"250-sink.example\r\n{chunking}250-SIZE 10000000\r\n250 PIPELINING")
                elif verb == b"RCPT" and (b"nobody@" in line or dice.random() < 0.02):
                    say("550 5.1.1 No such user" if b"nobody@" in line else "451 4.3.0 Not now")
                elif verb == b"DATA":
                    say("354 Go ahead")
                    self.strike("upstream content")
                    content = bytearray()
                    while (part := lines.readline()) != b".\r\n":
                        if not part:
                            return
                        content += part.removeprefix(b".")
                    if not self.take(say, bytes(content), dice):
                        return
                elif verb == b"BDAT":
                    octets = int(line.split()[1])
                    self.strike("upstream content")
                    content = lines.read(octets)
                    if len(content) < octets or not self.take(say, content, dice):
                        return
                elif verb == b"QUIT":
                    return say("221 2.0.0 Bye")
                else:
                    say("250 2.0.0 Ok")

    def take(self, say, content, dice):
        """A whole message has arrived. False: the connection ends without an answer."""
        self.strike("upstream end of data")
        if dice.random() < 0.02:
            say("451 4.3.0 Not stored")
            return True
        self.note_stored(content)
        self.strike("stored")
        time.sleep(dice.uniform(0, 0.005))
        if dice.random() < 0.02:
            return False
        say("250 2.0.0 Stored")
        self.strike("upstream answered")
        return True

    def note_stored(self, content):
        number = re.search(rb"(?m)^X-Trial: (\d+)\.(\d+)\r$", content)
        key = int(number[1]), int(number[2])
        with self.lock:
            self.stored[key] += 1
            if hashlib.sha256(below_our_header(content)).hexdigest() != self.trials[key].digest:
                self.account.damaged.append(key)

    # -- the account --

    def run(self):
        """Everything; gives the Account."""
        began = time.monotonic()
        self.serve_upstream()
        dns = self.test.dns({})
        rules = self.test.rules('sp.rule { name = "LOOKS", stage = "message", score = 1, run = function(tx)\n'
                                '  return tx.msg.subject == "never" end }\n')
        self.test.configuration(
            self.upstream_settings(), workers=2, dns={"servers": [f"127.0.0.1:{dns}"]},
            policy={"mode": "enforce", "dnsbl": {"zones": {"bl.example": {"score": 9.0}}},
                    "rate": {"connect_per_ip": "1000000/1m", "mail_per_ip": "1000000/1m",
                             "rcpt_per_sender_domain": "1000000/1m"},
                    "rules": {"path": rules}})
        self.start_gateway(1)
        clients = [threading.Thread(target=self.run_client, args=(n,), daemon=True) for n in range(self.connections)]
        for client in clients:
            client.start()
        try:
            self.kill_again_and_again()
            wait_until("the end of all messages", lambda: not any(c.is_alive() for c in clients), LONG_PATIENCE)
        finally:
            self.over.set()
        if self.process.stop() != 0:
            self.account.surprises.append(f"the last one did not end well: {self.process.output()}")
        self.look_at_spool()
        self.close_upstream()
        self.settle()
        self.account.seconds = time.monotonic() - began
        return self.account

    def settle(self):
        account = self.account
        lines = {line["from"].strip("<>"): line for line in self.test.log_lines()}
        unknown = {line["id"] for line in self.test.log_lines("fault") if line["kind"] == "outcome_unknown"}
        account.trials = len(self.trials)
        account.stored = sum(self.stored.values())
        for trial in self.trials.values():
            times = self.stored[trial.key]
            if trial.reply.startswith("250"):
                if times == 0:
                    account.lost.append(trial)
            elif times > 0:
                why = self.explanation(trial, lines.get(trial.sender), unknown)
                if why:
                    account.explained[why] += 1
                else:
                    account.unexplained.append((trial, lines.get(trial.sender)))
            if times > 1:  # the gateway never repeats a message by itself
                account.unexplained.append(trial)

    def explanation(self, trial, line, unknown):
        if line is None:
            return "killed" if trial.gateway in self.killed and trial.end_sent and not trial.reply else None
        if line["check"] == "reply_lost":
            return "reply_lost"
        return "outcome_unknown" if line["id"] in unknown else None


class PostfixKillRun(KillRun):
    """In front of a real Postfix, with connections that live for two seconds only. It neither fails nor refuses of itself,
    and the kills are aimed at the client's side."""

    points = POINTS[:POINTS.index("upstream connected")]

    def serve_upstream(self):
        mailboxes = f"inline:{{ user@{DOMAIN}=user/, second@{DOMAIN}=second/ }}"
        self.postfix = Postfix(self.test, more=f"virtual_mailbox_maps = {mailboxes}\n")

    def upstream_settings(self):
        return {"servers": [f"127.0.0.1:{self.postfix.port}"], "connection_age": "2s"}

    def close_upstream(self):
        queues = [self.postfix.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred")]

        def is_delivered():
            return not any(file.is_file() for queue in queues for file in queue.rglob("*"))

        wait_until("the end of Postfix's deliveries", is_delivered, LONG_PATIENCE)
        # Each transaction has a copy for this one.
        for content in self.postfix.messages():
            self.note_stored(content)
