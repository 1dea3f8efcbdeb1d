#!/usr/bin/env python3
"""How a drain ends: who hears what when the waiting is over, by its time or by a second request, whichever thread has the client."""
import contextlib
import os
import signal
import socket
import time
import unittest

from scripted_server import SILENCE, ScriptedServer
from support import PATIENCE, PROGRAM, Client, GatewayTest, accepts, free_port, run, wait_until


class BrokenOff(GatewayTest):
    """Three mails: one whose content is coming by DATA, one by BDAT, one whose end the server has."""

    def under_way(self, gateway_settings, starttls=False):
        server = ScriptedServer(self, END=SILENCE)
        gateway = self.gateway(server.port, workers=3, **gateway_settings)
        clients = [Client(self.port, source=f"127.0.0.{10 + number}") for number in range(3)]
        for client in clients:
            client.greet()
            if starttls:
                client.starttls().ask("EHLO client.example", 250)
            self.addCleanup(client.socket.close)
            client.mail()
        data, bdat, ended = clients
        data.ask("DATA", 354)
        data.send("Subject: a\r\n\r\nfirst line\r\n")
        bdat.send(b"BDAT 100\r\nSubject: b\r\n\r\n")
        ended.ask("DATA", 354)
        ended.send("Subject: c\r\nMessage-ID: <c@sender.example>\r\n\r\nall of it\r\n.\r\n")
        wait_until("the end at the server", lambda: server.contents)
        time.sleep(0.2)
        return gateway, clients

    def expect_the_end(self, gateway, clients):
        for client in clients:
            self.assertTrue(client.expect(421).startswith("421 4.3.2 "))
            self.assertTrue(client.is_closed())
        self.assertEqual(gateway.wait(), 0)
        lines = self.wait_for_log(count=3)
        self.assertEqual([(line["verdict"], line["code"], line["check"]) for line in lines], [("tempfail", "421", "shutdown")] * 3)
        unknown, = [line for line in self.log_lines("fault") if line["kind"] == "outcome_unknown"]
        ended, = [line for line in lines if line["ip"] == "127.0.0.12"]
        self.assertEqual(unknown["id"], ended["id"])
        self.assertTrue(unknown["upstream"])

    def test_when_the_time_is_over(self):
        gateway, clients = self.under_way({"timeouts": {"drain": "1s"}})
        gateway.signal(signal.SIGINT)
        self.expect_the_end(gateway, clients)

    def test_by_a_second_request(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)):
            (self.folder / "gateway.log").unlink(missing_ok=True)
            gateway, clients = self.under_way({})
            gateway.signal(first)
            wait_until("the drain", lambda: self.log_lines("stopping"))
            self.assertTrue(gateway.is_running())
            gateway.signal(second)
            self.expect_the_end(gateway, clients)

    def test_under_tls(self):
        gateway, clients = self.under_way({"timeouts": {"drain": "1s"}}, starttls=True)
        gateway.signal(signal.SIGTERM)
        self.expect_the_end(gateway, clients)


class Draining(GatewayTest):
    def test_the_socket_answers_to_the_end(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port, workers=4)
        clients = [Client(self.port, source=f"127.0.0.{20 + number}") for number in range(16)]
        for client in clients:
            self.addCleanup(client.socket.close)
            client.greet()
            client.mail()
            client.ask("DATA", 354)
        gateway.signal(signal.SIGTERM)
        wait_until("the drain", lambda: self.log_lines("stopping"))
        for left in range(16, 0, -1):
            self.assertEqual(wait_until("sessions", lambda: self.stats()["sallyport_sessions"] == left), True)
            if left == 1:
                break
            client = clients[left - 1]
            client.send("Subject: x\r\n\r\ny\r\n.\r\n")
            client.expect(250)
            client.expect(421)
        done = run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"])
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("shutting down", done.stderr)
        gateway.signal(signal.SIGTERM)
        self.assertTrue(clients[0].expect(421).startswith("421 4.3.2 "))
        self.assertEqual(gateway.wait(), 0)

    def test_a_command_begins_it_and_a_second_one_changes_nothing(self):
        sink = self.sink()
        self.gateway(sink.port)
        file = self.folder / "sallyport.toml"
        with Client(self.port) as idle, Client(self.port) as busy:
            idle.greet()
            busy.greet()
            busy.mail()
            busy.ask("DATA", 354)
            for count in range(3):
                done = run([PROGRAM, "drain", "-c", file])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, "^no new sessions are accepted; ")
                if count == 0:
                    idle.expect(421)
            self.assertFalse(accepts(self.port))
            self.assertIn("sallyport_sessions", run([PROGRAM, "stats", "-c", file]).stdout)
            busy.send("Subject: x\r\n\r\nhello\r\n.\r\n")
            busy.expect(250)
        self.assertEqual(self.gateway_process.wait(), 0)
        self.assertNotIn(" takes its place ", self.gateway_process.output())
        self.assertEqual(run([PROGRAM, "drain", "-c", file]).returncode, 69)

    def test_a_client_that_does_not_read_holds_nothing_up(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port, limits={"junk_commands": 1000000, "errors_per_session": 1000000})
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", self.port))
        client.recv(1000)
        client.sendall(b"EHLO client.example\r\n")
        client.recv(1000)
        client.settimeout(2)
        try:
            while True:
                client.sendall(b"NOOP\r\n" * 2000)
        except TimeoutError:
            pass
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        self.assertLess(time.monotonic() - began, 15)

    def test_systemd_is_asked_to_wait_as_long_as_it_drains(self):
        path = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(path))
            path.chmod(0o666)
            systemd.settimeout(PATIENCE)
            file = self.configuration(self.sink().port, workers=2)
            gateway = self.start("gateway", [PROGRAM, "run", "-c", file], env={**os.environ, "NOTIFY_SOCKET": str(path)})
            self.assertIn("READY=1", systemd.recv(4096).decode().splitlines())
            with Client(self.port) as client:
                client.greet()
                client.mail()
                client.ask("DATA", 354)
                gateway.signal(signal.SIGTERM)
                told = systemd.recv(4096).decode().splitlines()
                self.assertIn("STOPPING=1", told)
                for _ in range(3):
                    asked = [int(line.partition("=")[2]) for line in told if line.startswith("EXTEND_TIMEOUT_USEC=")]
                    self.assertEqual(len(asked), 1, told)
                    systemd.settimeout(asked[0] / 1e6)  # systemd's own patience ends then
                    told = systemd.recv(4096).decode().splitlines()
                client.send("Subject: x\r\n\r\ny\r\n.\r\n")
                client.expect(250)
            self.assertEqual(gateway.wait(), 0)

    def test_signals_and_the_socket_work_while_every_worker_computes(self):
        rules = self.rules('sp.rule { name = "BUSY", stage = "rcpt", score = 0, run = function(tx) while true do end end }\n')
        gateway = self.gateway(self.sink().port, workers=2,
                               policy={"mode": "off", "rules": {"mode": "enforce", "path": rules, "cpu": "1s"}})
        clients = [Client(self.port, source=f"127.0.0.{20 + number}") for number in range(4)]
        for client in clients:
            self.addCleanup(client.socket.close)
            client.greet()
        for client in clients:
            client.send("MAIL FROM:<ann@sender.example>\r\nRCPT TO:<user@test.example>\r\n")
        time.sleep(0.5)
        for ask in ("stats", "upstreams", "lists"):
            began = time.monotonic()
            done = run([PROGRAM, ask, "-c", self.folder / "sallyport.toml"])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLess(time.monotonic() - began, 4)
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        wait_until("the drain", lambda: self.log_lines("stopping"))
        self.assertLess(time.monotonic() - began, 4)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(60), 0)
        self.assertEqual({line["ip"] for line in self.log_lines()}, {f"127.0.0.{20 + number}" for number in range(4)})
        self.assertEqual(len(self.log_lines()), 4)

    def test_a_reply_that_nobody_reads_is_waited_for_5_seconds(self):
        """Of a mail whose content the server has: its replies fill the way to the client, and stay there."""
        server = ScriptedServer(self)
        gateway = self.gateway(server.port, limits={"junk_commands": 1000000, "errors_per_session": 1000000})
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", self.port))
        client.recv(1000)
        client.sendall(b"EHLO client.example\r\n")
        client.recv(1000)
        client.sendall(b"MAIL FROM:<ann@sender.example>\r\nRCPT TO:<user@test.example>\r\n")
        client.sendall(b"BDAT 5\r\nA: b\n")
        client.settimeout(2)
        with contextlib.suppress(TimeoutError):
            while True:
                client.sendall(b"NOOP\r\n" * 2000)
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        self.assertLess(time.monotonic() - began, 12)
        line, = self.log_lines()
        self.assertEqual((line["verdict"], line["check"]), ("tempfail", "shutdown"))

    def test_the_age_of_the_certificate_is_told_when_asked(self):
        self.gateway(free_port())
        before = self.stats()["sallyport_cert_expires_in_seconds"]
        self.assertGreater(before, 0)
        wait_until("an older one", lambda: self.stats()["sallyport_cert_expires_in_seconds"] < before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
