#!/usr/bin/env python3
"""Milters that crash, stall, lie and break the protocol, at every stage; what a mail, and the next one, meets then."""
import struct
import threading
import time
import unittest

from scripted_milter import (CLOSE, CONTINUE, PROGRESS, REJECT, SILENT, SKIP, STALL, ScriptedMilter, add_header, add_rcpt, change_header,
                             packet, replace_body)
from support import Client, wait_until
from test_milters import MAIL, MilterTest, lines_of

GARBAGE = {
    "length 0": b"\0\0\0\0",
    "2 MiB": struct.pack(">I", 2 << 20) + b"c",
    "unknown letter": packet(b"?"),
    "short": packet(b"i", b"\0\0"),
    "an answer too many": CONTINUE + CONTINUE,
    "a change before the end": add_header("X-Early", "1") + CONTINUE,
    "negotiation again": packet(b"O", struct.pack(">III", 6, 0, 0)),
}
BAD_CHANGES = {
    "line ends in a value": packet(b"h", b"X-A\0one\r\nX-B: two\0"),
    "a bare line feed": packet(b"h", b"X-A\0one\nX-B: two\0"),
    "a colon in a name": packet(b"h", b"X-A: b\0c\0"),
    "a blank in a name": packet(b"h", b"X A\0c\0"),
    "no name": packet(b"h", b"\0c\0"),
    "no NUL": packet(b"h", b"X-A"),
    "no address": packet(b"+", b"<a b>\0"),
    "a body with NUL": replace_body(b"a\0b\r\n"),
}


class Faults(MilterTest):
    on_error = {"tempfail": 451, "skip": 250, "reject": 550}

    def verdict(self, milter, on_error, **settings):
        """Sends one mail; gives the code of the answer that decided about it."""
        with Client(self.port) as client:
            client.greet()
            for command in ("MAIL FROM:<ann@sender.example>", "RCPT TO:<user@test.example>", "DATA"):
                client.send(command + "\r\n")
                answer = client.reply()
                if answer[0] not in "23":
                    return int(answer[:3])
            client.send(lines_of(MAIL) + "\r\n.\r\n")
            return int(client.reply()[:3])

    def each_stage(self, what, stages, name, **settings):
        """The fault at each stage with each on_error: the mail is treated as on_error says, whole or not at all, and the next one is fine."""
        is_bad = {"now": False}
        milter = ScriptedMilter(self.folder / "first.sock")
        self.addCleanup(milter.stop)
        for on_error, code in self.on_error.items():
            self.serve(milter, settings={"on_error": on_error, **settings})
            relayed = 0
            for stage in stages:
                with self.subTest(name, on_error=on_error, stage=stage):
                    milter.answers = {stage: lambda conversation, data: what if is_bad["now"] else None}
                    is_bad["now"] = True
                    before = len(self.log_lines())
                    self.assertEqual(self.verdict(milter, on_error), code)
                    is_bad["now"] = False
                    if code == 250:
                        relayed += 1
                        _, content = self.relayed(relayed)
                        self.assertTrue(content.endswith(MAIL.encode() + b"\r\n"), content)
                        wait_until("its line", lambda: any("!milters:first" in line["symbols"] for line in self.log_lines()[before:]))
                    self.assertEqual(self.verdict(milter, on_error), 250)
                    relayed += 1
                    self.relayed(relayed)
            self.stop_all()

    def test_dies(self):
        self.each_stage(CLOSE, "MRTLNBE", "dies")

    def test_sends_garbage(self):
        for name, octets in GARBAGE.items():
            self.each_stage(octets, "MLE" if name != "a change before the end" else "ML", name)
        # What it did is counted: once for each mail.

    def test_wants_what_cannot_be(self):
        for name, octets in BAD_CHANGES.items():
            self.each_stage([add_header("X-Good", "1"), octets, CONTINUE], "E", name)

    def test_stalls(self):
        self.each_stage(STALL, "MRLE", "stalls", command_timeout="300ms", message_timeout="1s")

    def test_half_done_changes(self):
        self.each_stage([change_header(1, "Subject", "half"), replace_body(b"half"), add_rcpt("<half@test.example>"), CLOSE], "E", "half done")

    def test_progress_does_not_go_on_for_ever(self):
        self.each_stage([PROGRESS, 0.2] * 30, "ME", "progress", command_timeout="500ms", message_timeout="1s")

    def test_not_negotiated(self):
        for name, actions, answer in (("header", 0x2, add_header("X-A", "1")), ("body", 0x1, replace_body(b"x")),
                                      ("recipient", 0x1, add_rcpt("<x@test.example>"))):
            with self.subTest(name):
                milter = self.milter({"E": [answer, CONTINUE]}, name=name, actions=actions)
                self.serve(milter)
                self.assertEqual(self.verdict(milter, "tempfail"), 451)
                self.assertEqual(self.violations("milter_protocol"), 1)
                self.stop_all()
        milter = self.milter({"L": SKIP}, name="skip")
        self.serve(milter)
        self.assertEqual(self.verdict(milter, "tempfail"), 451)

    def test_wants_what_was_not_offered(self):
        milter = self.milter(actions=0x80000000)
        self.serve(milter)
        self.assertEqual(self.verdict(milter, "tempfail"), 451)

    def test_fails_before_mail_and_is_there_again(self):
        down = {"C": CLOSE}
        milter = self.milter(down)
        self.serve(milter)
        client = self.client()
        milter.answers = {}
        client.mail()
        client.message(lines_of(MAIL))
        self.assertIn("!milters:first", self.last()["symbols"])

    def test_is_not_there(self):
        milter = self.milter()
        milter.stop()
        self.serve(milter)
        began = time.monotonic()
        for _ in range(10):
            self.assertEqual(self.verdict(milter, "tempfail"), 451)
        self.assertLess(time.monotonic() - began, 10)
        line = self.wait_for_log(count=10)[-1]
        self.assertEqual((line["check"], line["rule"]), ("milters", "first"))
        self.assertEqual(len(self.wait_for_log("milter")), 1)
        milter.start()
        wait_until("it is asked again", lambda: self.verdict(milter, "tempfail") == 250)

    def test_restarts_between_two_mails(self):
        milter = self.milter()
        self.serve(milter)
        client = self.client()
        client.mail()
        client.message(lines_of(MAIL))
        milter.answers = {"M": lambda conversation, data: CLOSE if conversation.number == 1 else None}
        client.mail()
        client.message(lines_of(MAIL))
        self.assertEqual(len(self.store.wait_for(2)), 2)


class Sharing(MilterTest):
    """Connections to a milter are shared, and nobody keeps it from others."""

    def test_one_connection_for_one_session_after_another(self):
        milter = self.milter()
        self.serve(milter)
        for _ in range(5):
            self.send()
            wait_until("the session's end", lambda: milter.letters().endswith("K"))
        self.assertEqual(milter.connections, 1)
        self.assertEqual(milter.letters().count("O"), 1)
        self.assertEqual(milter.letters().count("C"), 5)

    def test_none_is_kept_without_reuse(self):
        milter = self.milter()
        self.serve(milter, settings={"reuse": False})
        for _ in range(3):
            self.send()
        wait_until("the last one's end", lambda: milter.letters().count("Q") == 3)
        self.assertEqual(milter.connections, 3)

    def test_silent_clients_give_theirs_up(self):
        milter = self.milter()
        self.serve(milter, settings={"max_connections": 2})
        silent = []
        for at in range(6):
            client = self.client()
            if at % 2:
                client.mail()
            if at % 3 == 0:
                client.ask("MAIL FROM:<slow@sender.example>" if not at % 2 else "NOOP", 250)
            silent.append((at, client))
        for _ in range(4):
            self.send()
        self.assertLessEqual(milter.connections, 20)
        for at, client in silent:
            if at % 2 == 0 and at % 3:
                client.mail()
            elif at % 2 == 0:
                client.ask("RCPT TO:<user@test.example>", 250)
            client.message(lines_of(MAIL))
        self.assertEqual(len(self.store.wait_for(10)), 10)
        self.assertLessEqual(milter.open, 2)

    def test_too_many_at_once_wait_and_our_own_shortage_is_named(self):
        milter = self.milter({"E": [1.5, CONTINUE]})
        self.serve(milter, settings={"max_connections": 1, "connect_timeout": "500ms"})
        slow = threading.Thread(target=self.send)
        slow.start()
        wait_until("the first is being looked at", lambda: "E" in milter.letters())
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 451)
        slow.join()
        line = next(one for one in self.wait_for_log(count=2) if one["verdict"] == "tempfail")
        self.assertIn("that we may have to it are in use", line["because"])
        self.assertEqual(self.faults("resource"), 2)

    def test_a_milter_that_closes_after_each_second_mail(self):
        def at_end(conversation, data):
            conversation.ends = getattr(conversation, "ends", 0) + 1
            return [CONTINUE, CLOSE] if conversation.ends == 2 else CONTINUE

        milter = self.milter({"E": at_end})
        self.serve(milter)
        client = self.client()
        for _ in range(7):
            client.mail()
            client.message(lines_of(MAIL))
        client.ask("QUIT", 221)
        for _ in range(7):
            self.send()
        self.assertEqual(len(self.store.wait_for(14)), 14)
        self.assertEqual(milter.letters().count("E"), 14)
        self.assertGreaterEqual(milter.connections, 7)

    def test_a_milter_that_is_restarted_under_load(self):
        milter = self.milter()
        milter.keeps_notes = False
        self.serve(milter)
        is_over, codes = threading.Event(), []

        def send_on(number):
            while not is_over.is_set():
                with Client(self.port, source=f"127.0.1.{number}") as client:
                    client.greet()
                    for command in ("MAIL FROM:<ann@sender.example>", "RCPT TO:<user@test.example>", "DATA"):
                        client.send(command + "\r\n")
                        answer = client.reply()
                        if answer[:3] not in ("250", "354"):
                            break
                    else:
                        client.send(lines_of(MAIL) + "\r\n.\r\n")
                        answer = client.reply()
                    codes.append(answer[:3])

        senders = [threading.Thread(target=send_on, args=(number,)) for number in range(1, 5)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            seen = len(codes)
            wait_until("mails pass", lambda seen=seen: codes[seen:].count("250") >= 10)
            milter.crash()
            time.sleep(0.5)
            milter.start()
        wait_until("mails pass again", lambda: codes[-10:] == ["250"] * 10)
        is_over.set()
        for sender in senders:
            sender.join()
        self.assertEqual(set(codes) - {"250", "451"}, set())
        self.assertEqual(len(self.store.wait_for(codes.count("250"))), codes.count("250"))

    def test_who_waits_gets_a_connection_that_comes_to_rest(self):
        milter = self.milter({"R": lambda conversation, data: [1.0, CONTINUE] if b"slow" in data else CONTINUE})
        self.serve(milter, settings={"max_connections": 1, "connect_timeout": "25s"}, domains=["test.example", "slow.example"])
        silent = self.client()
        silent.ask("MAIL FROM:<ann@sender.example>", 250)
        silent.send("RCPT TO:<user@slow.example>\r\n")
        wait_until("the milter is at work", lambda: "R" in milter.letters())
        began = time.monotonic()
        self.send()
        self.assertLess(time.monotonic() - began, 15)
        silent.expect(250)
        silent.message(lines_of(MAIL))
        self.assertEqual(len(self.store.wait_for(2)), 2)

    def test_a_stranger_who_keeps_it_busy_leaves_half_to_others(self):
        goes_on = threading.Event()
        self.addCleanup(goes_on.set)

        def at_end(conversation, data):
            if b"SLOW" in conversation.body:
                goes_on.wait(60)
            return CONTINUE

        milter = self.milter({"E": at_end})
        self.serve(milter, settings={"max_connections": 4})
        stranger = []
        for _ in range(4):
            client = self.client()
            client.mail()
            client.ask("DATA", 354)
            stranger.append(client)
        for client in stranger:
            client.send("Subject: x\r\n\r\nSLOW\r\n.\r\n")
        wait_until("two are being looked at", lambda: milter.letters().count("E") == 2)
        for number in range(3):
            with Client(self.port, source=f"127.0.0.{number + 2}") as other:
                other.greet()
                other.mail()
                other.message(lines_of(MAIL))
        self.assertEqual(milter.letters().count("E"), 5)
        goes_on.set()
        for client in stranger:
            client.expect(250)
        self.assertEqual(len(self.store.wait_for(7)), 7)

    def test_a_slow_one_leaves_time_to_those_behind_it(self):
        slow = self.milter({"E": STALL}, "slow")
        quick = self.milter({"E": [add_header("X-Quick", "1"), CONTINUE]}, "quick")
        self.store = self.sink()
        settings = [self.settings(slow, on_error="skip"), self.settings(quick, command_timeout="2s")]
        self.gateway(self.store.port, policy={"mode": "off", "milters": settings},
                     timeouts={"policy": "1s", "upstream_reply": "1s", "final_reply": "6s"})
        self.send()
        self.assertIn(b"X-Quick: 1", self.relayed()[1])
        self.assertIn("!milters:slow", self.last()["symbols"])

    def test_a_slow_client_is_told_again_from_the_beginning(self):
        milter = self.milter()
        self.serve(milter, settings={"max_connections": 1})
        slow = self.client()
        slow.ask("MAIL FROM:<slow@sender.example>", 250)
        slow.ask("RCPT TO:<user@test.example>", 250)
        self.send()
        slow.message(lines_of(MAIL))
        self.assertEqual(len(self.store.wait_for(2)), 2)
        self.assertTrue(milter.letters().rstrip("K").endswith("CHMRTLLLLNBE"), milter.letters())
        self.assertEqual(milter.data(b"M")[-1], b"<slow@sender.example>\0")


class Where(MilterTest):
    """Whose mail a milter is asked about."""

    def test_listeners(self):
        milter = self.milter()
        self.serve(milter, settings={"listeners": ["127.0.0.1:9"]})
        self.send()
        self.assertEqual(milter.connections, 0)

    def test_tenants_have_their_own(self):
        common = self.milter({"E": [add_header("X-Common", "1"), CONTINUE]}, "common")
        own = self.milter({"E": [add_header("X-Own", "1"), CONTINUE]}, "own")
        self.store = self.sink()
        tenants = {"one": {"domains": ["test.example"], "upstream": "default"},
                   "two": {"domains": ["two.example"], "upstream": "default", "policy": {"milters": [self.settings(own)]}}}
        self.gateway(self.store.port, domains=None, tenants=tenants, policy={"mode": "off", "milters": [self.settings(common)]})
        for domain in ("test.example", "two.example"):
            client = self.client()
            client.mail(recipient=f"user@{domain}")
            client.message(lines_of(MAIL))
        (_, first), (_, second) = self.store.wait_for(2)
        self.assertIn(b"X-Common: 1", first)
        self.assertNotIn(b"X-Own", first)
        self.assertIn(b"X-Own: 1", second)
        self.assertNotIn(b"X-Common", second)
        self.assertIn("CHMRT", own.letters())

    def test_a_reload_brings_another(self):
        first = self.milter({"E": [add_header("X-First", "1"), CONTINUE]}, "one")
        second = self.milter({"E": [add_header("X-Second", "1"), CONTINUE]}, "two")
        self.serve(first)
        client = self.client()
        client.mail()
        client.message(lines_of(MAIL))
        file = self.folder / "sallyport.toml"
        file.write_text(file.read_text().replace(first.path, second.path))
        from support import PROGRAM, run
        self.assertEqual(run([PROGRAM, "reload", "-c", file]).returncode, 0)
        client.mail()
        client.message(lines_of(MAIL))
        (_, before), (_, after) = self.store.wait_for(2)
        self.assertIn(b"X-First", before)
        self.assertIn(b"X-Second", after)
        self.assertNotIn(b"X-First", after)


if __name__ == "__main__":
    unittest.main()
