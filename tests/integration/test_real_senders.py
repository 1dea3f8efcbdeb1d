#!/usr/bin/env python3
"""Postfix, Exim, swaks, smtplib and nodemailer in front of the gateway: what they send arrives as they were given it."""
import os
import re
import unittest

from servers import senders
from servers.exchange import marked
from servers.jail import skip_unless_possible
from servers.messages import MESSAGES
from servers.unpack import NotToBeHad, unpacked
from support import GatewayTest, below_our_header

# For programs that take long to start: what each kind of content and of envelope has of its own.
FEW = ["lone-dot", "dots-of-all-lengths", "latin-1", "998", "8bit", "folded-with-tabs", "two-recipients", "null-sender",
       "verp-sender"]


class RealSenders(GatewayTest):
    def relay(self, kind, names=(), without=()):
        """Has the program send the messages, those named or all but some, in the clear and with TLS."""
        upstream = self.sink("--max-size", "10MiB")
        self.gateway(upstream.port, limits={"memory_per_message": "64KiB"})
        self.wait_for_ehlo("8BITMIME")
        expected = {}
        for tls in (False, True):
            sender = kind(self, self.port, tls)
            for message in MESSAGES:
                if message.name in without or names and message.name not in names:
                    continue
                key = f"{message.name}.{'tls' if tls else 'plain'}"
                content, recipients = marked(message, key), [f"{local}@test.example" for local in message.recipients]
                sender.send(content, message.sender, recipients)
                content = content if content.endswith(b"\r\n") else content + b"\r\n"
                expected[key] = (message.sender, sorted(recipients), content, tls)
        self.compare(kind, expected, upstream.wait_for(len(expected)))

    def compare(self, kind, expected, arrived):
        found = {}
        for envelope, content in arrived:
            sent = below_our_header(content)
            sent = re.sub(rb"\A(?:Received: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*){%d}" % kind.received, b"", sent)
            key = re.match(rb"Message-ID: <(.*)@sender\.example>\r\n", sent)[1].decode()
            self.assertNotIn(key, found, "arrived twice")
            paths = [re.search("<(.*?)>", path)[1] for path in (envelope["mail"], *envelope["rcpt"])]
            is_tls = bool(re.search(rb" with (?:ESMTPS|UTF8SMTPS) ", content.partition(b"\r\n\r\n")[0]))
            found[key] = (paths[0], sorted(paths[1:]), sent, is_tls)
        self.assertEqual(sorted(found), sorted(expected))
        for key, wanted in expected.items():
            self.assertTrue(found[key] == wanted, f"{key}: {found[key][:2]} {found[key][2][:2000]!r} {found[key][3]}")


class Servers(RealSenders):
    @unittest.skipUnless(os.geteuid() == 0, "Postfix as a server needs root")
    def test_postfix(self):
        self.relay(senders.PostfixSends)

    def test_exim(self):
        skip_unless_possible("exim")
        self.relay(senders.EximSends)


class Clients(RealSenders):
    def test_swaks(self):
        self.relay(senders.SwaksSends, names=FEW)

    def test_smtplib(self):
        self.relay(senders.SmtplibSends)

    def test_nodemailer(self):
        try:
            unpacked("nodemailer")
        except NotToBeHad as why:
            self.skipTest(str(why))
        # A quoted local part leaves it as another one.
        self.relay(senders.NodemailerSends, without=["quoted-sender"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
