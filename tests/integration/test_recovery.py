#!/usr/bin/env python3
"""What the gateway asks and relays to fails for a while, in every way, under load: each mail meanwhile has an answer in time, and within
five seconds after the end of the failure all is as before, without a restart."""
import contextlib
import itertools
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import unittest

from scripted_milter import CLOSE, REJECT, STALL, ScriptedMilter, packet
from scripted_server import ScriptedServer
from support import PATIENCE, PROGRAM, ROOT, Client, GatewayTest, Process, free_port, run, wait_until

OUTAGE = float(os.environ.get("SALLYPORT_OUTAGE", "5"))  # seconds; what is tried again ever more seldom is tried seldom at its end
RECOVERY = max(5.0, PATIENCE / 4)                         # seconds
ANSWER = 10 + PATIENCE / 4                                # seconds for one mail: all the deadlines below together
SENDERS = 6
NOISE = b"\xff\x00\xfe\r\n\x80HTTP/1.1 400 \r\n"


class Recovery(GatewayTest):
    def setUp(self):
        super().setUp()
        self.numbers = itertools.count(1)
        self.answers = []

    def one_mail(self, sender="ann@sender.example", source=None):
        """The code of the answer that decided about it."""
        with Client(self.port, source=source) as client:
            client.greet()
            for command in (f"MAIL FROM:<{sender}>", "RCPT TO:<user@test.example>", "DATA"):
                client.send(command + "\r\n")
                answer = client.reply()
                if answer[0] not in "23":
                    return int(answer[:3])
            client.send("Subject: x\r\n\r\ny\r\n.\r\n")
            return int(client.reply()[:3])

    def keep_sending(self, until):
        while time.monotonic() < until:
            begun = time.monotonic()
            code = None
            with contextlib.suppress(OSError, EOFError, AssertionError):
                code = self.one_mail(source=f"127.0.8.{next(self.numbers) % 250 + 1}")
            self.answers.append((code, time.monotonic() - begun))
            time.sleep(0.05)

    def fails_and_comes_back(self, begin, end, is_as_before, allowed):
        """`allowed`: the codes of answers to the mails that are sent meanwhile."""
        wait_until("all is well", is_as_before)
        self.answers = []
        begin()
        until = time.monotonic() + OUTAGE
        senders = [threading.Thread(target=self.keep_sending, args=(until,)) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        self.assertGreaterEqual(len(self.answers), SENDERS)
        self.assertLessEqual({code for code, _ in self.answers}, allowed)
        self.assertLess(max(took for _, took in self.answers), ANSWER)
        end()
        wait_until("all is as before", is_as_before, RECOVERY)
        self.assertEqual(self.faults("internal"), 0)
        self.assertEqual(self.faults("loop_stall"), 0)

    def serve(self, upstream, **more):
        self.gateway({"default": {"servers": [f"127.0.0.1:{upstream}"]}},
                     timeouts={"policy": "3s", "upstream_connect": "2s", "upstream_reply": "2s"}, **more)


class Names(Recovery):
    """A list on a name server; its clients are refused."""

    def setUp(self):
        super().setUp()
        self.name_port = free_port()
        self.zone = self.folder / "zone.json"
        listed = {f"{host}.9.0.127.list.example": {"A": ["127.0.0.2"]} for host in range(1, 255)}
        self.zone.write_text(json.dumps({"2.0.0.127.list.example": {"A": ["127.0.0.2"]}, **listed}))
        self.begin_names()
        self.serve(self.sink().port, dns={"servers": [f"127.0.0.1:{self.name_port}"], "timeout": "1s"}, workers=2,
                   policy={"mode": "off", "dnsbl": {"mode": "enforce", "zones": {"list.example": {"score": 10.0, "self_test": "on"}}}})
        self.tested = time.monotonic()

    def begin_names(self):
        self.names = Process("names", [sys.executable, ROOT / "tests/support/dns_server.py", self.zone, "--port", str(self.name_port)], self.folder)
        self.processes.append(self.names)
        wait_until("the name server", lambda: "ready" in self.names.out.read_text())

    def end_names(self):
        self.names.kill()
        self.processes.remove(self.names)
        self.names.out.unlink()

    def refuses_listed(self):
        return self.one_mail(source=f"127.0.9.{next(self.numbers) % 250 + 1}") == 550

    def test_is_gone(self):
        self.fails_and_comes_back(self.end_names, self.begin_names, self.refuses_listed, {250})

    def test_is_silent(self):
        self.fails_and_comes_back(lambda: self.names.signal(signal.SIGSTOP), lambda: self.names.signal(signal.SIGCONT), self.refuses_listed, {250})

    def test_answers_noise(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def answer_noise(udp):
            with udp:
                udp.settimeout(0.1)
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        question, client = udp.recvfrom(4096)
                        udp.sendto(question[:2] + NOISE, client)

        def begin():
            self.end_names()
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", self.name_port))
            self.noise = threading.Thread(target=answer_noise, args=(udp,))
            self.noise.start()

        def end():
            stop.set()
            self.noise.join()
            self.begin_names()

        self.fails_and_comes_back(begin, end, self.refuses_listed, {250})

    def state_of_list(self):
        return json.loads(run([PROGRAM, "lists", "--json", "-c", self.folder / "sallyport.toml"]).stdout)[0]

    def answered_by_another(self, address):
        """A resolver that answers every question with an address, as one does that sells advertisements in place of errors; each answer may be kept for an hour."""
        stop = threading.Event()
        self.addCleanup(stop.set)
        record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 3600, 4) + socket.inet_aton(address)

        def answer_all(udp):
            with udp:
                udp.settimeout(0.1)
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        question, client = udp.recvfrom(4096)
                        end = question.index(b"\0", 12) + 5
                        udp.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:end] + record, client)

        def begin():
            self.end_names()
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", self.name_port))
            self.deceiver = threading.Thread(target=answer_all, args=(udp,))
            self.deceiver.start()
            # Before the self test finds it out the answers themselves count for nothing.
            for _ in range(12):
                self.assertEqual(self.one_mail(source=f"127.0.8.{next(self.numbers) % 250 + 1}"), 250)
            time.sleep(max(0.0, self.tested + 61 - time.monotonic()))  # a list that passes is tested once a minute at most
            self.assertEqual(run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"]).returncode, 0)
            wait_until("the list fails its test", lambda: "failed" in json.dumps(self.state_of_list()))

        def end():
            stop.set()
            self.deceiver.join()
            self.begin_names()

        self.fails_and_comes_back(begin, end, self.refuses_listed, {250})
        self.assertNotIn("failed", json.dumps(self.state_of_list()))

    def test_a_resolver_answers_in_its_place(self):
        self.answered_by_another("192.0.2.80")

    def test_a_resolver_answers_everything_with_127_0_0_1(self):
        self.answered_by_another("127.0.0.1")


class Upstream(Recovery):
    def setUp(self):
        super().setUp()
        self.upstream_port = free_port()
        self.begin_upstream()
        self.serve(self.upstream_port, workers=2)

    def begin_upstream(self):
        self.server = self.sink(port=self.upstream_port).process

    def end_upstream(self):
        self.server.kill()
        self.processes.remove(self.server)

    def relays(self):
        with contextlib.suppress(EOFError):
            return self.one_mail() == 250

    def test_is_gone(self):
        self.fails_and_comes_back(self.end_upstream, self.begin_upstream, self.relays, {451})

    def test_is_silent(self):
        self.fails_and_comes_back(lambda: self.server.signal(signal.SIGSTOP), lambda: self.server.signal(signal.SIGCONT), self.relays, {451})

    def test_answers_noise(self):
        def begin():
            self.end_upstream()
            self.noisy = ScriptedServer(self, listener=socket.create_server(("127.0.0.1", self.upstream_port)), GREETING=NOISE)

        def end():
            self.noisy.close()
            self.begin_upstream()

        self.fails_and_comes_back(begin, end, self.relays, {451})


class Milter(Recovery):
    """One that refuses a certain sender; what it cannot say counts for nothing."""

    def setUp(self):
        super().setUp()
        self.asked = ScriptedMilter(self.folder / "asked.sock", {"M": lambda _, data: REJECT if b"bad@" in data else None})
        self.asked.keeps_notes = False
        self.addCleanup(self.asked.stop)
        self.usual = dict(self.asked.answers)
        self.serve(self.sink().port, workers=2, policy={"mode": "off", "milters": [
            {"address": f"unix:{self.asked.path}", "mode": "enforce", "on_error": "skip", "command_timeout": "1s", "message_timeout": "2s"}]})

    def refuses_the_bad(self):
        return self.one_mail("bad@sender.example") == 550

    def answer(self, answers):
        self.asked.answers = {**self.usual, **answers}

    def test_is_gone(self):
        self.fails_and_comes_back(self.asked.stop, self.asked.start, self.refuses_the_bad, {250})

    def test_is_silent(self):
        self.fails_and_comes_back(lambda: self.answer({"O": STALL, "M": STALL}), lambda: self.answer({}), self.refuses_the_bad, {250})

    def test_answers_noise(self):
        self.fails_and_comes_back(lambda: self.answer({"O": NOISE, "M": packet(b"?", NOISE)}), lambda: self.answer({}), self.refuses_the_bad, {250})

    def test_dies_again_and_again(self):
        self.fails_and_comes_back(lambda: self.answer({"M": CLOSE}), lambda: self.answer({}), self.refuses_the_bad, {250})


if __name__ == "__main__":
    unittest.main()
