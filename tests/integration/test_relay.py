#!/usr/bin/env python3
"""Mail that is relayed arrives as it was sent, whoever sends, whoever receives, by DATA or BDAT, with TLS or without."""
import hashlib
import os
import random
import smtplib
import time
import unittest

from postfix_server import Postfix
from support import Client, GatewayTest, SClient, free_port, below_our_header, our_header, run, tool, trusting_context

FIVE_MEGABYTES = 5_000_000


def large_mail(octets=FIVE_MEGABYTES, eight_bit=True):
    """A multipart mail with all that framing gets wrong: lines of up to 998 octets, dots in front, 8-bit."""
    dice = random.Random(2047)
    alphabet = bytes(range(0x20, 0x7f)) + (bytes(range(0xa1, 0x100)) if eight_bit else b"")
    stock = bytes(dice.choice(alphabet) for _ in range(20000))
    lines = [b"From: Ann <ann@sender.example>", b"To: user@test.example", b"Subject: five megabytes",
             b"MIME-Version: 1.0", b"Message-ID: <large@sender.example>", b"X-Folded: one", b"\ttwo", b" three",
             b"Received: from a by b; some day",
             b'Content-Type: multipart/mixed; boundary="=_limit"', b"", b"--=_limit",
             b"Content-Type: text/plain; charset=iso-8859-1", b"Content-Transfer-Encoding: 8bit", b""]
    special = [b".", b"..", b"...", b".x", b". ", b"", b" ", b"\t.", b"." * 998, b"From here on", b"QUIT", b"\xe4\xf6\xfc" if
               eight_bit else b"aou"]
    size = sum(len(line) + 2 for line in lines)
    while size < octets:
        if dice.random() < 0.2:
            line = dice.choice(special)
        else:
            length = dice.choice((1, 60, 76, 77, 997, 998))
            at = dice.randrange(len(stock) - 1000)
            line = stock[at:at + length]
        lines.append(line)
        size += len(line) + 2
    return b"\r\n".join([*lines, b"--=_limit--", b".", b""])


LARGE = large_mail()
LARGE_ASCII = large_mail(eight_bit=False)


def digest(content):
    return len(content), hashlib.sha256(content).hexdigest()


def stuffed(content):
    """As DATA wants it, with its end."""
    dotted = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if dotted.startswith(b".") else b"") + dotted + b".\r\n"


def send(port, content, tls=False, bdat=0, body=""):
    """One mail; bdat is the size of the chunks, 0 means DATA. Gives the final reply."""
    with Client(port) as client:
        client.greet()
        if tls:
            client.starttls()
            client.ask("EHLO client.example", 250)
        client.ask(f"MAIL FROM:<ann@sender.example>{body}", 250)
        client.ask("RCPT TO:<user@test.example>", 250)
        if not bdat:
            client.ask("DATA", 354)
            client.send(stuffed(content))
            return client.expect(250)
        for at in range(0, len(content), bdat):
            chunk = content[at:at + bdat]
            last = " LAST" if at + bdat >= len(content) else ""
            client.send(b"BDAT %d%s\r\n" % (len(chunk), last.encode()) + chunk)
            reply = client.expect(250)
        return reply


class LargeMail(GatewayTest):
    """The same five megabytes through every pair of ways in and out, spooled to a file on the way."""

    def relay_all_ways(self, sink, *sink_options):
        upstream = self.sink("--max-size", "10MiB", *sink_options)
        self.gateway(upstream.port, limits={"memory_per_message": "64KiB", "sessions_per_ip": 100})
        self.wait_for_ehlo("8BITMIME")
        ways = [(tls, bdat) for tls in (False, True) for bdat in (0, 1_000_003)]
        for tls, bdat in ways:
            send(self.port, LARGE, tls=tls, bdat=bdat, body=" BODY=8BITMIME")
        messages = upstream.wait_for(len(ways))
        for (tls, bdat), (envelope, content) in zip(ways, messages):
            with self.subTest(sink=sink, tls=tls, bdat=bdat):
                self.assertEqual(envelope["bdat"], sink == "chunking")
                self.assertIn("BODY=8BITMIME", envelope["mail"])
                self.assertEqual(digest(below_our_header(content)), digest(LARGE))
        for line in self.wait_for_log(count=len(ways)):
            self.assertEqual((line["verdict"], line["code"], line["nrcpt"]), ("relay", "250", "1"))
            self.assertEqual(int(line["size"]), len(LARGE))
        self.assertEqual(list((self.folder / "state/spool").iterdir()), [], "the spool file has a name")

    def test_into_a_sink_with_chunking(self):
        self.relay_all_ways("chunking")

    def test_into_a_sink_without_chunking(self):
        self.relay_all_ways("data", "--no-chunking")

    def test_into_a_sink_without_pipelining(self):
        upstream = self.sink("--no-pipelining", "--no-chunking")
        self.gateway(upstream.port)
        send(self.port, LARGE_ASCII)
        self.assertEqual(digest(below_our_header(upstream.wait_for(1)[0][1])), digest(LARGE_ASCII))

    def test_a_mail_in_memory(self):
        upstream = self.sink("--no-chunking")
        self.gateway(upstream.port, limits={"memory_per_message": "50MiB"})
        for bdat in (0, 7, 4096):
            send(self.port, LARGE_ASCII[:30000] if bdat == 7 else LARGE_ASCII, bdat=bdat)
        small, *_ = [content for _, content in upstream.wait_for(3) if len(content) < 100000]
        # S7: what ends without CRLF gets one.
        expected = LARGE_ASCII[:30000].removesuffix(b"\r\n") + b"\r\n"
        self.assertEqual(digest(below_our_header(small)), digest(expected))

    def test_first_line_with_a_dot_and_no_header(self):
        upstream = self.sink("--no-chunking")
        self.gateway(upstream.port)
        contents = [b".\r\n", b"..\r\n.\r\n", b".x: y\r\n\r\n.\r\n", b"\r\n", b"\r\n.\r\n\r\n", b"A: b\r\n"]
        for content in contents:
            send(self.port, content)
            send(self.port, content, bdat=2)
        arrived = [below_our_header(content) for _, content in upstream.wait_for(2 * len(contents))]
        for content, data, bdat in zip(contents, arrived[0::2], arrived[1::2]):
            with self.subTest(content=content):
                self.assertEqual((data, bdat), (content, content))


class Header(GatewayTest):
    def test_ours_on_top_and_forged_ones_gone(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        forged = (b"X-Sallyport-Id: 1\r\nx-sallyport-verdict: clean;\r\n folded\r\nSubject: kept\r\nX-SALLYPORT-New: x\r\n"
                  b"X-Sallyportal: kept\r\n\r\nX-Sallyport-Id: in the body, kept\r\n")
        kept = b"Subject: kept\r\nX-Sallyportal: kept\r\n\r\nX-Sallyport-Id: in the body, kept\r\n"
        with Client(self.port) as client:
            client.greet("helo.client.example")
            client.mail()
            client.message(forged.removesuffix(b"\r\n"))
            client.starttls()
            client.ask("EHLO helo.client.example", 250)
            client.mail()
            client.message(forged.removesuffix(b"\r\n"))
        plain, secure = upstream.wait_for(2)
        log = self.wait_for_log(count=2)
        for (_, content), line in zip((plain, secure), log):
            fields, rest = our_header(content)
            self.assertEqual(rest, kept)
            self.assertEqual([name for name, _ in fields], ["X-Sallyport-Id", "X-Sallyport-Verdict", "Received"])
            self.assertEqual(fields[0][1], line["id"])
            self.assertRegex(fields[1][1], r"^clean; score=0\.0; checks=")
            received = fields[2][1]
            self.assertRegex(received, r"^from helo\.client\.example \(unknown \[127\.0\.0\.1\]\)\s+"
                                       r"by mx\.test\.example with ")
            self.assertIn(line["id"], received)
            self.assertIn("for <user@test.example>", received)
        self.assertIn(" with ESMTP\t", our_header(plain[1])[0][2][1])
        self.assertRegex(our_header(secure[1])[0][2][1], r" with ESMTPS \(TLSv1\.3 cipher TLS_\S+ bits \d+\)")
        self.assertEqual([line["tls"] for line in log], ["none", "TLSv1.3"])

    def test_a_helo_cannot_forge_the_trace(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        with Client(self.port) as client:
            client.expect(220)
            client.ask("HELO a(b)<c>;by=x\"y\\", 250)
            client.mail()
            client.message("Subject: x\r\n\r\nx")
        fields, _ = our_header(upstream.wait_for(1)[0][1])
        self.assertTrue(fields[2][1].startswith("from a?b??c??by?x?y? (unknown [127.0.0.1])"), fields[2][1])
        self.assertIn(" with SMTP\t", fields[2][1])


class Clients(GatewayTest):
    """Programs that others wrote, in front."""

    def swaks(self, *options):
        done = run([tool("swaks"), "--server", f"127.0.0.1:{self.port}", "--from", "ann@sender.example", "--to",
                    "user@test.example", "--helo", "client.example", *options])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_swaks(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        self.swaks("--body", "plain text")
        self.assertIn("=== TLS started", self.swaks("--tls", "--body", "secret text"))
        self.swaks("--tls", "--attach", f"@{__file__}")
        plain, secure, attached = [content for _, content in upstream.wait_for(3)]
        self.assertIn(b"plain text", plain)
        self.assertIn(b"secret text", secure)
        self.assertIn(b"filename=\"test_relay.py\"", attached)

    def test_smtplib_sends_many_mails_in_one_session(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        with smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=30) as client:
            client._host = "mx.test.example"
            client.starttls(context=trusting_context())
            for number in range(20):
                refused = client.sendmail("ann@sender.example", ["user@test.example", f"user{number}@test.example"],
                                          f"Subject: {number}\r\n\r\nbody {number}\r\n")
                self.assertEqual(refused, {})
            client.verify("user")
            client.rset()
        messages = upstream.wait_for(20)
        for number, (envelope, content) in enumerate(messages):
            self.assertEqual(below_our_header(content), f"Subject: {number}\r\n\r\nbody {number}\r\n".encode())
            self.assertEqual(envelope["rcpt"], ["TO:<user@test.example>", f"TO:<user{number}@test.example>"])

    def test_smtp_source(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        done = run([tool("smtp-source"), "-s", "20", "-m", "200", "-l", "5000", "-f", "ann@sender.example", "-t",
                    "user@test.example", f"127.0.0.1:{self.port}"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(upstream.wait_for(200)), 200)
        self.wait_for_log(count=200)
        self.assertEqual({line["verdict"] for line in self.log_lines()}, {"relay"})
        stats = self.stats()
        self.assertEqual(stats["sallyport_relayed_total"], 200)
        self.assertEqual(stats["sallyport_sessions"], 0)

    def test_openssl_s_client(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        client = SClient(self, self.port)
        client.read_until(r"\n250 .*\r?\n")  # the EHLO that s_client says itself; what follows is ours
        for command, code in (("EHLO client.example", 250), ("MAIL FROM:<ann@sender.example>", 250),
                              ("RCPT TO:<user@test.example>", 250), ("DATA", 354), ("Subject: by hand\n\ntext\n.", 250),
                              ("QUIT", 221)):
            client.ask(command, code)
        (_, content), = upstream.wait_for(1)
        self.assertEqual(below_our_header(content), b"Subject: by hand\r\n\r\ntext\r\n")


class Offers(GatewayTest):
    """EHLO: what the upstreams cannot do is not offered (contract, section 4)."""
    OURS = {"PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "CHUNKING", "STARTTLS", "LIMITS"}

    def keywords(self):
        with Client(self.port) as client:
            return self.parse(client.greet())

    @staticmethod
    def parse(reply):
        return dict((line[4:].split(" ", 1) + [""])[:2] for line in reply.split("\n")[1:])

    def test_the_abilities_of_the_upstream(self):
        everything, old = self.sink(), self.sink("--no-8bitmime", "--no-smtputf8", "--no-dsn", "--no-chunking")
        small = self.sink("--no-dsn", "--max-size", "1MiB")
        cases = [([everything.port], {"8BITMIME", "SMTPUTF8", "DSN"}), ([old.port], set()),
                 ([everything.port, small.port], {"8BITMIME", "SMTPUTF8"}), ([everything.port, old.port], set())]
        for ports, expected in cases:
            with self.subTest(expected=expected):
                gateway = self.gateway(ports)
                end = time.monotonic() + 3
                while time.monotonic() < end and set(self.keywords()) != self.OURS | expected:
                    time.sleep(0.05)
                offered = self.keywords()
                self.assertEqual(set(offered), self.OURS | expected)
                self.assertEqual(offered["SIZE"], str((1 if small.port in ports else 50) << 20))
                self.assertEqual(offered["LIMITS"], "RCPTMAX=1000")
                gateway.stop()

    def test_nothing_is_known_of_an_upstream_that_is_down(self):
        self.gateway(free_port())
        self.assertEqual(set(self.keywords()), self.OURS)

    def test_starttls_is_gone_once_used_and_without_a_certificate(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            self.assertNotIn("STARTTLS", self.parse(client.ask("EHLO client.example", 250)))

    def test_dsn_smtputf8_and_size_are_passed_on(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        self.wait_for_ehlo("SMTPUTF8")
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<grüße@sender.example> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159"
                       .encode().decode("latin-1"), 250)
            client.ask("RCPT TO:<user@test.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;user@test.example", 250)
            client.message("Subject: x\r\n\r\ny")
        (envelope, content), = upstream.wait_for(1)
        for part in ("FROM:<grüße@sender.example>", "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=QQ314159"):
            self.assertIn(part, envelope["mail"])
        self.assertEqual(envelope["rcpt"],
                         ["TO:<user@test.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;user@test.example"])
        self.assertIn(" with UTF8SMTP\t", our_header(content)[0][2][1])


@unittest.skipUnless(os.geteuid() == 0, "Postfix as a server needs root")
class IntoPostfix(GatewayTest):
    def test_mail_arrives_unchanged_in_the_mailbox(self):
        upstream = Postfix(self)
        self.gateway({"servers": [f"127.0.0.1:{upstream.port}"], "tls": "require"},
                     limits={"memory_per_message": "64KiB"})
        self.wait_for_ehlo("8BITMIME")
        for tls, bdat in ((False, 0), (True, 0), (False, 500_009), (True, 500_009)):
            send(self.port, LARGE, tls=tls, bdat=bdat, body=" BODY=8BITMIME")
        for content in upstream.wait_for(4):
            self.assertEqual(digest(below_our_header(content)), digest(LARGE))

    def test_swaks_and_the_servers_own_words(self):
        upstream = Postfix(self)
        self.gateway(upstream.port)
        for options in ((), ("--tls",)):
            done = run([tool("swaks"), "--server", f"127.0.0.1:{self.port}", "--from", "ann@sender.example", "--to",
                        "user@test.example", "--helo", "client.example", *options])
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertRegex(done.stdout, r"<[-~]  250 2\.0\.0 Ok: (\d+ bytes )?queued as [0-9A-F]+\n")
        self.assertEqual(len(upstream.wait_for(2)), 2)
        with Client(upstream.port) as direct, Client(self.port) as through:
            answers = []
            for client in (direct, through):
                client.greet()
                client.ask("MAIL FROM:<ann@sender.example>", 250)
                answers.append(client.ask("RCPT TO:<stranger@test.example>", 550))
            self.assertEqual(*answers)
            self.assertIn("550 5.1.1 <stranger@test.example>", answers[0])

    def test_the_size_that_the_server_takes(self):
        upstream = Postfix(self, more="message_size_limit = 100000")
        self.gateway(upstream.port)
        self.wait_for_ehlo("SIZE 100000")
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example> SIZE=100001", 552)
            client.ask("MAIL FROM:<ann@sender.example> SIZE=90000", 250)


if __name__ == "__main__":
    unittest.main(verbosity=2)
