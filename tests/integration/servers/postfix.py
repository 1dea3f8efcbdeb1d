"""Postfix behind the gateway, with what the others keep in their queues in one mailbox."""
import re

from postfix_server import Postfix
from servers.jail import stored
from support import wait_until

EVERYBODY = """virtual_mailbox_maps = static:everybody/
smtpd_tls_loglevel = 0
"""


class InnerPostfix:
    """The installed Postfix, as postfix_server.py starts it; takes every recipient."""
    upstream_tls = "require"
    refuses = {}

    def __init__(self, test):
        self.test = test

    def start(self):
        self.postfix = Postfix(self.test, more=EVERYBODY)
        self.port = self.postfix.port
        return self

    def log(self):
        return (self.postfix.folder / "postfix.log").read_text(errors="replace")

    def stored(self):
        # It delivers after it has accepted; "removed" is its last word on a message.
        wait_until("Postfix's deliveries",
                   lambda: (log := self.log()).count(": removed\n") == log.count(": message-id="))
        by_id = {}
        for file in (self.postfix.folder / "mail/everybody/new").iterdir():
            text = file.read_bytes()
            own = text[:text.index(b"X-Sallyport-Id: ")].decode("latin-1")
            sender, recipients = re.findall(r"(?m)^Return-Path: <(.*)>$", own), re.findall(r"(?m)^X-Original-To: (.*)$", own)
            queue_id = re.search(r"\sid (\w+)", own)[1]
            by_id.setdefault(queue_id, []).append(stored(*sender, recipients, text))
        # One file for each recipient of a transaction, all of them the same below Postfix's own fields.
        found = []
        for copies in by_id.values():
            assert len({(copy.sender, copy.content) for copy in copies}) == 1, copies
            found.append(copies[0]._replace(recipients=tuple(sorted(to for copy in copies for to in copy.recipients))))
        return found

    def begun(self):
        return len(re.findall(r"smtpd\[\d+\]: [0-9A-F]+: client=", self.log()))
