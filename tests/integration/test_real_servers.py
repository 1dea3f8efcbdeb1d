#!/usr/bin/env python3
"""Postfix, Exim, OpenSMTPD and Sendmail behind the gateway: one stored message for each accepted transaction, with the
octets that were scanned, and never an envelope that no client has sent (threats.md, I1-I3, S1-S8)."""
import concurrent.futures
import os
import random
import re
import unittest

from servers import exchange, smuggling
from servers.exim import Exim
from servers.jail import skip_unless_possible
from servers.messages import MESSAGES
from servers.opensmtpd import OpenSmtpd
from servers.postfix import InnerPostfix
from servers.sendmail import Sendmail
from support import Client, GatewayTest, below_our_header, free_port


class RealServers(GatewayTest):
    def behind(self, server, tls):
        """Starts a gateway in front of the server, with a listener for each bare_newline."""
        self.ports = {rejects: free_port() for rejects in (False, True)}
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], "tls": server.upstream_tls if tls else "off"}, workers=2,
                     listen=[{"address": f"127.0.0.1:{port}", "tls": "starttls",
                              "bare_newline": "reject" if rejects else "normalize"} for rejects, port in self.ports.items()])
        self.wait_for_ehlo("8BITMIME", self.ports[False])

    def exchange(self, server, tls):
        """Everything in all ways with TLS at both sides, or with TLS at none."""
        self.behind(server, tls)
        sent = [*MESSAGES, *smuggling.attacks()]
        ways = [way for way in exchange.WAYS if way.tls == tls]
        expected = {}
        with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
            def send(way):
                return exchange.send_all(self.ports[way.rejects_bare], way, sent, server.refuses)

            for stored in pool.map(send, ways):
                expected.update(stored)
        transactions = len(ways) * len(sent)
        stored = server.stored()
        found = {}
        for one in stored:
            content = below_our_header(one.content)
            key = re.match(rb"Message-ID: <(.*)@sender\.example>\r\n", content)[1].decode()
            self.assertNotIn(key, found, "stored twice")
            found[key] = exchange.Expected(one.sender, one.recipients, content)
        self.assertEqual(sorted(found), sorted(expected))
        for key, wanted in expected.items():
            if found[key] != wanted:
                self.fail(f"{key}: {difference(found[key], wanted)}")
        self.assertEqual(server.begun(), transactions, "envelopes that the server has seen")
        log = self.wait_for_log(count=transactions)
        self.assertEqual(len(log), transactions)
        self.assertEqual(sorted(line["id"] for line in log if line["verdict"] == "relay"), sorted(one.id for one in stored))
        self.assertEqual({line["verdict"] for line in log}, {"relay", "reject"})


def difference(found, wanted):
    if found[:2] != wanted[:2]:
        return f"envelope {found[:2]} instead of {wanted[:2]}"
    at = next((i for i, (a, b) in enumerate(zip(found.content, wanted.content)) if a != b),
              min(len(found.content), len(wanted.content)))
    return f"at {at}: {found.content[max(0, at - 60):at + 60]!r} instead of {wanted.content[max(0, at - 60):at + 60]!r}"


class PostfixBehind(RealServers):
    def test_in_the_clear(self):
        skip_unless_possible()
        self.exchange(InnerPostfix(self).start(), tls=False)

    def test_with_tls(self):
        skip_unless_possible()
        self.exchange(InnerPostfix(self).start(), tls=True)


class EximBehind(RealServers):
    def test_in_the_clear(self):
        skip_unless_possible("exim")
        self.exchange(Exim(self).start(), tls=False)

    def test_with_tls(self):
        skip_unless_possible("exim")
        self.exchange(Exim(self).start(), tls=True)


class OpenSmtpdBehind(RealServers):
    def test_in_the_clear(self):
        skip_unless_possible("opensmtpd")
        self.exchange(OpenSmtpd(self).start(), tls=False)

    def test_with_tls(self):
        skip_unless_possible("opensmtpd")
        self.exchange(OpenSmtpd(self).start(), tls=True)


class SendmailBehind(RealServers):
    def test_in_the_clear(self):
        skip_unless_possible("sendmail")
        self.exchange(Sendmail(self).start(), tls=False)

    def test_with_tls(self):
        skip_unless_possible("sendmail")
        self.exchange(Sendmail(self).start(), tls=True)


MAILS = int(os.environ.get("SALLYPORT_TEST_MAILS", "240"))


class ManyMails(GatewayTest):
    """A server that has read all of a mail is believed, whatever its size and however busy the machine is (threats.md U3)."""
    SENDERS = 12

    def send(self, number):
        sizes = random.Random(number)
        with Client(self.port) as client:
            client.greet()
            for _ in range(MAILS // self.SENDERS):
                lines = int(10 ** sizes.uniform(0, 3.7))
                client.mail()
                content = b"Subject: many\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * lines
                if sizes.random() < 0.5:
                    client.send(b"BDAT %d LAST\r\n" % len(content) + content)
                    client.expect(250)
                else:
                    client.message(content)
            client.ask("QUIT", 221)

    def many(self, server, **upstream):
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], **upstream}, workers=2)
        with concurrent.futures.ThreadPoolExecutor(self.SENDERS) as pool:
            list(pool.map(self.send, range(self.SENDERS)))
        self.assertEqual(self.violations("upstream_early"), 0)

    def test_into_postfix(self):
        skip_unless_possible()
        self.many(InnerPostfix(self).start())

    def test_into_postfix_with_tls(self):
        skip_unless_possible()
        self.many(InnerPostfix(self).start(), tls="require")

    def test_into_exim(self):
        skip_unless_possible("exim")
        self.many(Exim(self).start())

    def test_into_exim_with_tls(self):
        skip_unless_possible("exim")
        self.many(Exim(self).start(), tls="require")


if __name__ == "__main__":
    unittest.main(verbosity=2)
