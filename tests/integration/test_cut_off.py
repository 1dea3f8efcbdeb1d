#!/usr/bin/env python3
"""However the process ends, kill -9 aside, and wherever its mails are then: each mail that was begun has exactly one line in the log, and
whatever the server behind has taken without the client's hearing 250 is told as outcome_unknown or reply_lost (threats.md R12, U6, U13)."""
import collections
import contextlib
import random
import signal
import socket
import socketserver
import ssl
import threading
import time
import unittest
import warnings

from support import Client, GatewayTest, free_port, trusting_context, wait_until

TERM, INT = signal.SIGTERM, signal.SIGINT
# By name: the settings, and the signals, each of which follows as soon as the one before has been heard.
ENDS = {
    "the drain's time is over": ({"timeouts": {"drain": "1s"}}, [TERM]),
    "the time is over after SIGINT": ({"timeouts": {"drain": "1s"}}, [INT]),
    "a second SIGTERM": ({}, [TERM, TERM]),
    "SIGINT twice": ({}, [INT, INT]),
    "a third SIGTERM": ({}, [TERM, TERM, TERM]),
    "SIGTERM and then SIGINT twice": ({}, [TERM, INT, INT]),
}


class Behind(socketserver.ThreadingTCPServer):
    """A server that answers by the recipient's local part: `rcpt-...` waits for ever at RCPT, `final-...` at the end of the content,
    `slow-...` answers that after a moment, everybody else is served at once."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, test):
        self.ended = threading.Event()
        self.complete = []  # recipients of contents that came to their end
        self.accepted = []  # of those that it has answered with 250
        super().__init__(("127.0.0.1", free_port()), Conversation)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()
        test.addCleanup(self.stop)

    def stop(self):
        self.ended.set()
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def wait_for_ever(self):
        self.server.ended.wait(60)

    def handle(self):
        with contextlib.suppress(OSError):
            self.converse()

    def converse(self):
        self.say("220 behind.example")
        recipient = ""
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-behind.example\r\n250-PIPELINING\r\n250 8BITMIME")
            elif verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition("@")[0]
                if recipient.startswith("rcpt-"):
                    return self.wait_for_ever()
                self.say("250 2.1.5 Ok")
            elif verb == b"DATA":
                self.say("354 Go ahead")
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    pass
                if not line:
                    return
                self.server.complete.append(recipient)
                if recipient.startswith("final-"):
                    return self.wait_for_ever()
                if recipient.startswith("slow-"):
                    time.sleep(random.random() / 20)
                self.server.accepted.append(recipient)
                self.say("250 2.0.0 Taken")
            elif verb == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok")


class Phases(GatewayTest):
    """One client in each phase of a mail, all at once."""

    def greet(self, client, tls):
        client.greet()
        if tls:
            client.starttls().ask("EHLO client.example", 250)

    def envelope(self, client, tls, recipient="user"):
        self.greet(client, tls)
        client.mail(recipient=f"{recipient}@test.example")

    # Each gives: has it a mail, has that content under way when the end comes.

    def phase_connected(self, client, tls):
        return False, False

    def phase_greeted(self, client, tls):
        self.greet(client, tls)
        return False, False

    def phase_mail(self, client, tls):
        self.greet(client, tls)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        return True, False

    def phase_rcpt_at_the_server(self, client, tls):
        self.greet(client, tls)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.send("RCPT TO:<rcpt-1@test.example>\r\n")
        return True, False

    def phase_dns(self, client, tls):
        self.greet(client, tls)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.send("RCPT TO:<user@test.example>\r\n")
        return True, False

    def phase_recipient(self, client, tls):
        self.envelope(client, tls)
        return True, False

    def phase_data(self, client, tls):
        self.envelope(client, tls)
        client.ask("DATA", 354)
        return True, True

    def phase_content(self, client, tls):
        self.envelope(client, tls)
        client.ask("DATA", 354)
        client.send("Subject: x\r\n\r\none line\r\n")
        return True, True

    def phase_chunk(self, client, tls):
        self.envelope(client, tls)
        client.send("BDAT 100\r\nSubject: x\r\n")
        return True, True

    def phase_between_chunks(self, client, tls):
        self.envelope(client, tls)
        client.send("BDAT 14\r\nSubject: x\r\n\r\n")
        client.expect(250)
        return True, True

    def phase_final_reply(self, client, tls):
        self.envelope(client, tls, "final-data")
        client.ask("DATA", 354)
        client.send("Subject: x\r\n\r\nall of it\r\n.\r\n")
        return True, True

    def phase_final_reply_to_chunk(self, client, tls):
        self.envelope(client, tls, "final-chunk")
        client.send("BDAT 16 LAST\r\nSubject: x\r\n\r\ny\n")
        return True, True

    def phase_handshake(self, client, tls):
        client.greet()
        client.ask("STARTTLS", 220)
        return False, False

    def phase_half_a_handshake(self, client, tls):
        client.greet()
        client.ask("STARTTLS", 220)
        client.send(b"\x16\x03\x01\x02\x00\x01")
        return False, False

    def phase_replies_unread(self, client, tls):
        self.greet(client, tls)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError, ssl.SSLError):
            while True:
                client.send("NOOP\r\n" * 2000)
        return True, False

    def phase_discarded_chunk(self, client, tls):
        self.greet(client, tls)
        client.send("BDAT 100\r\nno mail\r\n")
        return False, False

    def check_every_phase(self, workers, tls, ends=tuple(ENDS)):
        phases = sorted(name for name in dir(self) if name.startswith("phase_"))
        for end in ends:
            settings, signals = ENDS[end]
            with self.subTest(end=end, workers=workers, tls=tls), socket.socket(type=socket.SOCK_DGRAM) as silent_dns:
                silent_dns.bind(("127.0.0.1", 0))
                (self.folder / "gateway.log").unlink(missing_ok=True)
                behind = Behind(self)
                gateway = self.gateway(
                    behind.port, workers=workers, dns={"servers": [f"127.0.0.1:{silent_dns.getsockname()[1]}"]},
                    limits={"junk_commands": 10**6, "errors_per_session": 10**6},
                    policy={"dnsbl": {"mode": "enforce", "skip": ["127.0.0.0/24"], "zones": {"list.example": {
                        "score": 8.0, "self_test": "off"}}}}, **settings)
                clients, expected = {}, {}
                for number, name in enumerate(phases, 10):
                    source = f"127.0.{'1' if name == 'phase_dns' else '0'}.{number}"
                    client = Client(self.port, source=source)
                    self.addCleanup(client.socket.close)
                    expected[source] = (name, *getattr(self, name)(client, tls))
                    clients[source] = client
                wait_until("both ends", lambda: len(behind.complete) == 2)
                time.sleep(0.2)
                for number, one in enumerate(signals):
                    if number == 1:
                        wait_until("the drain", lambda: self.log_lines("stopping"))
                    elif number == 2:
                        time.sleep(0.05)
                    gateway.signal(one)
                began = time.monotonic()
                self.assertEqual(gateway.wait(), 0, gateway.output())
                self.assertLess(time.monotonic() - began, 9)
                self.check_lines(expected)
                for client in clients.values():
                    client.socket.close()
                behind.stop()

    def check_lines(self, expected):
        lines = collections.defaultdict(list)
        for line in self.log_lines():
            lines[line["ip"]].append(line)
        unknown = {line["id"] for line in self.log_lines("fault") if line["kind"] == "outcome_unknown"}
        for source, (name, has_mail, _) in expected.items():
            self.assertEqual([(line["verdict"], line["code"], line["check"]) for line in lines[source]],
                             [("tempfail", "421", "shutdown")] * has_mail, name)
            if "final" in name:
                self.assertIn(lines[source][0]["id"], unknown, name)
        self.assertEqual(len(unknown), 2)
        stopped, = self.log_lines("stopped")
        with_content = sum(has_content for _, _, has_content in expected.values())
        with_mail = sum(has_mail for _, has_mail, _ in expected.values())
        self.assertGreaterEqual(int(stopped["cut"]), with_content)
        self.assertLessEqual(int(stopped["cut"]), with_mail)

    def test_one_worker(self):
        self.check_every_phase(1, tls=False)

    def test_four_workers(self):
        self.check_every_phase(4, tls=False, ends=("the drain's time is over", "SIGINT twice", "a third SIGTERM"))

    def test_under_tls(self):
        self.check_every_phase(2, tls=True, ends=("a second SIGTERM", "SIGTERM and then SIGINT twice"))


class Storm(GatewayTest):
    """Mails are sent all the time, one after the other, and the end comes at any moment of them."""

    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", ResourceWarning)  # of handshakes that the end breaks off

    def send_for_ever(self, number, tls):
        """Adds to `begun` what MAIL was accepted for, to `heard` what 250 was heard for at the end."""
        with contextlib.suppress(OSError, EOFError, AssertionError):
            client = Client(self.port, source=f"127.0.0.{10 + number}")
            with client:
                client.greet()
                if tls:
                    client.starttls().ask("EHLO client.example", 250)
                for mail in range(1000):
                    name = f"{number}.{mail}"
                    client.ask(f"MAIL FROM:<{name}@sender.example>", 250)
                    self.begun.append(name)
                    client.ask(f"RCPT TO:<slow-{name}@test.example>", 250)
                    if mail % 2:
                        client.message("Subject: x\r\n\r\ny")
                    else:
                        client.send("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n")
                        client.expect(250)
                    self.heard.append(name)

    def test_every_mail_is_accounted_for(self):
        for run, (signals, tls) in enumerate([([TERM, TERM], False), ([TERM, TERM, TERM], False), ([INT, TERM], True),
                                              ([TERM, INT, INT], True)] * 3):
            with self.subTest(run=run, signals=signals, tls=tls):
                (self.folder / "gateway.log").unlink(missing_ok=True)
                behind = Behind(self)
                gateway = self.gateway(behind.port, workers=1 + run % 4)
                self.begun, self.heard = [], []
                threads = [threading.Thread(target=self.send_for_ever, args=(number, tls)) for number in range(12)]
                for thread in threads:
                    thread.start()
                time.sleep(0.3 + random.random() / 3)
                for one in signals:
                    gateway.signal(one)
                    time.sleep(random.random() / 100)
                self.assertEqual(gateway.wait(), 0, gateway.output())
                for thread in threads:
                    thread.join()
                self.account(behind)
                behind.stop()

    def account(self, behind):
        lines = collections.defaultdict(list)
        for line in self.log_lines():
            lines[line["from"].strip("<>").partition("@")[0]].append(line)
        for name in self.begun:
            self.assertEqual(len(lines[name]), 1, (name, lines[name]))
        for name in self.heard:
            self.assertEqual(lines[name][0]["verdict"], "relay", name)
        unknown = {line["id"] for line in self.log_lines("fault") if line["kind"] == "outcome_unknown"}
        for name in (recipient.removeprefix("slow-") for recipient in behind.complete):
            line, = lines[name]
            is_told = line["id"] in unknown or line["check"] == "reply_lost"
            self.assertTrue(name in self.heard or is_told, (name, line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
