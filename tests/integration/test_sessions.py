#!/usr/bin/env python3
"""`sallyport sessions`: what the running gateway says of its open sessions, few and thousands, honest and hostile."""
import json
import os
import resource
import signal
import socket
import threading
import time
import unittest

from support import PROGRAM, Client, GatewayTest, free_port, run, wait_until


class SessionsTest(GatewayTest):
    def sessions(self, *options):
        done = run([PROGRAM, "sessions", "-c", self.folder / "sallyport.toml", "--json", *options])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def text(self, *options):
        done = run([PROGRAM, "sessions", "-c", self.folder / "sallyport.toml", *options])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


class Few(SessionsTest):
    def test_each_phase_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # an upstream that accepts and never greets
            self.gateway({"default": {"servers": [f"127.0.0.1:{self.sink().port}"]},
                          "silent": {"servers": [f"127.0.0.1:{silent.getsockname()[1]}"]}}, domains=None,
                         tenants={"good": {"domains": ["test.example"], "upstream": "default"},
                                  "stuck": {"domains": ["stuck.example"], "upstream": "silent"}})
            clients = []
            for i in range(4):  # one after the other, so that each is younger than the one before
                clients.append(Client(self.port, source=f"127.0.0.{10 + i}"))
                clients[i].greet(f"host{i}.example")
            clients[1].starttls()
            for client in clients:
                self.addCleanup(client.socket.close)
            clients[1].ask("EHLO host1.example", 250)
            clients[2].mail()
            clients[2].ask("DATA", 354)
            clients[2].send(b"x" * 50_000 + b"\r\n")
            clients[3].ask("MAIL FROM:<ann@sender.example>", 250)
            clients[3].send("RCPT TO:<user@stuck.example>\r\n")

            def all_there():
                found = {one["client"]: one for one in self.sessions()["sessions"]}
                return found if len(found) == 4 and found["127.0.0.12"]["held"] > 50_000 and \
                    found["127.0.0.13"]["state"] == "working" else None
            found = wait_until("all four, as they are", all_there)
            idle, secure, content, stuck = (found[f"127.0.0.{10 + i}"] for i in range(4))
            self.assertEqual((idle["state"], idle["verb"], idle["helo"], idle["tls"]), ("command", "EHLO", "host0.example", False))
            self.assertEqual((idle["sender"], idle["protocol"], idle["listener"]), (None, "smtp", f"127.0.0.1:{self.port}"))
            self.assertEqual(idle["peer"], "127.0.0.10:%d" % clients[0].socket.getsockname()[1])
            self.assertTrue(secure["tls"])
            self.assertEqual((content["state"], content["verb"], content["tenant"]), ("content", "DATA", "good"))
            self.assertEqual((content["sender"], content["recipients"]), ("ann@sender.example", 1))
            self.assertEqual((stuck["state"], stuck["verb"], stuck["tenant"]), ("working", "RCPT", "stuck"))
            self.assertIsNone(stuck["idle_ms"])  # it waits for us
            for one in (idle, secure, content):
                self.assertGreaterEqual(one["age_ms"], one["idle_ms"])

            self.assertEqual(self.sessions("--sort", "held", "--limit", "1")["sessions"][0]["client"], "127.0.0.12")
            self.assertEqual(self.sessions("--sort", "age")["sessions"][0]["client"], "127.0.0.10")
            self.assertNotEqual(self.sessions("--sort", "idle")["sessions"][0]["client"], "127.0.0.13")
            shown = self.text("--limit", "2")
            self.assertRegex(shown, r"\A2 of 4 sessions, the oldest first\nID +STATE +FOR +AGE +SILENT +HELD +CLIENT +TENANT\n")
            self.assertEqual(len(shown.splitlines()), 4)
            self.assertRegex(self.text(), r"(?m)^\w+ +RCPT +.* 127\.0\.0\.13:\d+ +stuck +helo=host3\.example from=<ann@sender\.example> rcpt=0$")

    def test_none_and_no_daemon_and_wrong_options(self):
        self.gateway(free_port())
        self.assertEqual(self.sessions(), {"open": 0, "silent_workers": 0, "sessions": []})
        self.assertEqual(self.text(), "0 of 0 sessions\n")
        file = self.folder / "sallyport.toml"
        for options in (("--sort", "size"), ("--limit", "0"), ("--limit", "10001"), ("--limit", "x")):
            self.assertEqual(run([PROGRAM, "sessions", "-c", file, *options]).returncode, 64, options)
        self.gateway_process.stop()
        self.assertEqual(run([PROGRAM, "sessions", "-c", file]).returncode, 69)

    def test_words_of_peers_stay_words(self):
        self.gateway(self.sink().port, limits={"errors_per_session": 1000})
        hostile = ['"\x1b[2J"@x.example', '"a\\"}],\\"open\\":7"@x.example', '"' + "q" * 62 + '"@' + "d" * 60 + ".example"]
        for sender in hostile:
            client = Client(self.port)
            self.addCleanup(client.socket.close)
            client.expect(220)
            client.send("EHLO \u202e\x9b31m]\"x\r\n".encode("utf-8", "replace"))
            client.reply()
            client.ask("EHLO [IPv6:2001:db8::1]", 250)
            client.send(f"MAIL FROM:<{sender}>\r\n")
            client.reply()
        told = self.sessions()
        self.assertEqual(told["open"], len(hostile))
        for text in (self.text(), json.dumps(told, ensure_ascii=False)):
            for octet in "\x1b\x9b\u202e\r\0":
                self.assertNotIn(octet, text)
        self.assertEqual(len(self.text().splitlines()), 2 + len(hostile))

    def test_a_gateway_that_stands_still_is_said(self):
        self.gateway(free_port(), workers=2)
        with Client(self.port) as client:
            client.greet()
            os.kill(self.gateway_process.pid, signal.SIGSTOP)
            try:
                done = run([PROGRAM, "sessions", "-c", self.folder / "sallyport.toml"])
            finally:
                os.kill(self.gateway_process.pid, signal.SIGCONT)
            self.assertEqual(done.returncode, 69)
            self.assertIn("no answer in time", done.stderr)
            self.assertEqual(self.sessions()["open"], 1)


class Many(SessionsTest):
    def test_thousands_on_several_workers_while_mail_flows(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = 3000
        sink = self.sink()
        self.gateway(sink.port, workers=4, limits={"sessions": 20000, "sessions_per_ip": 20000})
        clients = []
        for i in range(count):
            clients.append(socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(f"127.0.1.{i % 250 + 1}", 0)))
        try:
            for client in clients:
                self.assertTrue(client.recv(1000).startswith(b"220 "))
            told = self.sessions("--limit", "10000")
            self.assertEqual((told["open"], told["silent_workers"]), (count, 0))
            self.assertEqual(len({one["id"] for one in told["sessions"]}), count)
            self.assertEqual({one["worker"] for one in told["sessions"]}, {1, 2, 3, 4})
            ages = [one["age_ms"] for one in told["sessions"]]
            self.assertEqual(ages, sorted(ages, reverse=True))
            self.assertEqual(len(self.sessions()["sessions"]), 50)

            # Listing again and again, from several at once, holds up no mail, and ends with every session told once.
            stop = threading.Event()
            failures = []

            def list_on():
                while not stop.is_set():
                    listed = self.sessions("--limit", "10000")
                    names = [one["id"] for one in listed["sessions"]]
                    if len(set(names)) != len(names):
                        failures.append(len(names) - len(set(names)))
            listers = [threading.Thread(target=list_on) for _ in range(3)]
            for lister in listers:
                lister.start()
            try:
                began = time.monotonic()
                for _ in range(20):
                    with Client(self.port) as client:
                        client.greet()
                        client.mail()
                        client.message(b"Subject: x\r\n\r\nx")
                        client.ask("QUIT", 221)
                self.assertLess(time.monotonic() - began, 20)
            finally:
                stop.set()
                for lister in listers:
                    lister.join()
            self.assertEqual(failures, [])
            # They may end while they are listed.
            lister = threading.Thread(target=lambda: [self.sessions("--limit", "10000") for _ in range(5)])
            lister.start()
        finally:
            for client in clients:
                client.close()
        lister.join()
        wait_until("no session", lambda: self.sessions()["open"] == 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
