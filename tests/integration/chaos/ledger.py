"""The ledger of the chaos run: every mail that a client began, what came of it on either side, and what the log says.

Each mail has a key of its own, which travels as the local part of its sender and in its content. In the end the books are
laid beside each other:

  lost         a client saw 250, and no server has the mail
  doubled      two servers have it, or one has it twice
  untold       a server has it, the client was not told so, and the log explains it neither as outcome_unknown nor as
               reply_lost
  unfinished   a server has it though the client never sent its end
  damaged      what a server has differs from what the client sent: content, sender or recipients
  lines        a mail whose MAIL got 250 has not exactly one line in the log, or the line says what is not so
  surprises    all else that should not be
"""
import collections
import dataclasses
import hashlib
import re
import threading

from support import below_our_header


@dataclasses.dataclass
class Mail:
    key: str
    content: bytes = b""
    octets: int = 0
    digest: str = ""
    manner: str = ""  # how the client behaved, for people
    wanted: list = dataclasses.field(default_factory=list)  # the recipients that the client names
    begun: str = ""  # the reply to MAIL
    recipients: list = dataclasses.field(default_factory=list)  # those that got 250
    may_have_ended: bool = False  # the end of its content has been sent, or sending it was begun
    reply: str = ""  # to the end of the content; empty: none came
    left: int = 0  # when the client had gone without a reply to the end of the content, as Ledger.now()
    unsent: int = 0  # octets before its end that the gateway's kernel had not taken when it was sent
    stored: list = dataclasses.field(default_factory=list)
    stored_for: list = dataclasses.field(default_factory=list)  # the recipients that the server was given

    @property
    def sender(self):
        return f"{self.key}@sender.example"

    def __repr__(self):
        return (f"<{self.key}: {self.manner}; MAIL: {self.begun[:40]!r}, recipients {self.recipients}, "
                f"{'ended' if self.may_have_ended else 'not ended'}, reply {self.reply[:60]!r}, left {self.left}, "
                f"stored {self.stored}>")


@dataclasses.dataclass
class Stored:
    server: str
    is_secured: bool
    when: int  # before the server's answer, as Ledger.now()
    has_answered: bool = False  # it has said 250, which need not have arrived


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.moment = 0
        self.mails = {}
        self.counts = collections.Counter()
        self.waits = {}
        self.samples = {}  # a line of each kind of fault
        self.books = {name: [] for name in ("lost", "doubled", "untold", "unfinished", "damaged", "lines", "surprises")}

    def now(self):
        """A number that is greater than all those given before."""
        with self.lock:
            self.moment += 1
            return self.moment

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def note_wait(self, phase, seconds):
        """How long a client has waited for a reply."""
        with self.lock:
            self.waits[phase] = max(self.waits.get(phase, 0), seconds)

    def surprise(self, what):
        with self.lock:
            self.books["surprises"].append(what)

    def open(self, mail):
        with self.lock:
            self.mails[mail.key] = mail

    def store(self, server, is_secured, sender, recipients, content):
        """A server has a whole message and takes it; gives the entry."""
        if b"\r\nX-Calm: 1\r\n" in content:
            return Stored(server, is_secured, 0)
        key = re.search(rb"(?m)^X-Key: (\S+)\r$", content)
        mail = self.mails.get(key[1].decode()) if key else None
        if not mail:
            self.surprise(f"{server} has a message that nobody sent: {content[:500]!r}")
            return Stored(server, is_secured, 0)
        entry = Stored(server, is_secured, self.now())
        try:
            is_whole = hashlib.sha256(below_our_header(content)).hexdigest() == mail.digest
        except AssertionError:
            is_whole = False
        with self.lock:
            mail.stored.append(entry)
            mail.content = b""
            if not is_whole or sender != mail.sender:
                self.books["damaged"].append((mail, sender, len(content)))
            mail.stored_for = recipients
        return entry

    def settle(self, log):
        """Lays the books side by side; `log` is all lines as fields."""
        lines, unknown = collections.defaultdict(list), set()
        for line in log:
            if line.get("event") == "transaction":
                lines[line["from"].strip("<>")].append(line)
            elif line.get("event") == "fault" and line["kind"] == "outcome_unknown":
                unknown.add(line["id"])
        for mail in self.mails.values():
            self.settle_one(mail, lines.pop(mail.sender, []), unknown)
        for sender in lines:
            self.surprise(f"a line about a mail that nobody sent: {sender}")

    def settle_one(self, mail, lines, unknown):
        books = self.books
        is_told = mail.reply.startswith("250")
        line = lines[0] if len(lines) == 1 else None
        if len(lines) > 1 or (mail.begun.startswith("250") and not line):
            books["lines"].append((mail, lines))
        if len(mail.stored) > 1:
            books["doubled"].append((mail, lines))
        if is_told and not mail.stored:
            books["lost"].append((mail, lines))
        if mail.stored and not mail.may_have_ended:
            books["unfinished"].append((mail, lines))
        # Of a client that has not read the replies to its RCPTs nobody knows which of them were accepted.
        wrong = set(mail.stored_for) - set(mail.wanted) or (is_told and sorted(mail.stored_for) != sorted(mail.recipients))
        if mail.stored and wrong:
            books["damaged"].append((mail, mail.stored_for))
        self.count("told" if is_told else "refused" if mail.reply else "not told")
        if line and line["verdict"] in ("relay", "tag") and not mail.stored:
            books["lines"].append((mail, lines))
        if is_told and line and (line["check"] == "reply_lost" or line["id"] in unknown):
            self.count("told, though the log doubts it")
        if not mail.stored or is_told:
            return
        why = line and ("reply_lost" if line["check"] == "reply_lost" else "outcome_unknown" if line["id"] in unknown else "")
        if why:
            self.count(f"explained by {why}")
        elif (line and (mail.left > mail.stored[0].when or mail.unsent > 0) and mail.stored[0].has_answered
              and line["verdict"] in ("relay", "tag")):
            # The server answered before the client's end came: the gateway may have said 250 to one who was still there.
            self.count("left with the reply on its way")
            if mail.left <= mail.stored[0].when:
                self.count("left behind octets that were not taken yet")
                self.samples.setdefault("left behind octets that were not taken yet", f"{mail.unsent} octets: {mail}")
        else:
            books["untold"].append((mail, lines))
