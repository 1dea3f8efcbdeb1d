#!/usr/bin/env python3
"""The gateway asks milters about its mail: what they hear, what follows from what they say, and what from their faults."""
import re
import struct
import unittest

from scripted_milter import (ACCEPT, CLOSE, CONTINUE, DISCARD, PROGRESS, REJECT, SHUTDOWN, SILENT, SKIP, TEMPFAIL, ScriptedMilter,
                             add_header, add_rcpt, change_header, change_sender, delete_rcpt, insert_header, quarantine, reply,
                             replace_body)
from support import Client, GatewayTest, wait_until

MAIL = ("From: Ann <ann@sender.example>\r\nTo: user@test.example\r\nSubject: hello\r\n\tand more\r\nMessage-ID: <1@sender.example>\r\n"
        "\r\nfirst line\r\n..second")  # the client ends it with CRLF and the dot


NO_BOB = """sp.rule { name = "NO_BOB", stage = "rcpt", run = function(tx)
  if tx.rcpt.user == "bob" then return sp.reject(553, "5.7.3", "No bob here") end
end }
"""


def lines_of(message):
    return message.replace("\r\n.", "\r\n..")


def addresses_of(envelope):
    address = lambda line: re.search(r"<(.*?)>", line)[1]
    return {"from": address(envelope["mail"]), "to": [address(line) for line in envelope["rcpt"]]}


class MilterTest(GatewayTest):
    def milter(self, answers=None, name="first", **more):
        milter = ScriptedMilter(self.folder / f"{name}.sock", answers, **more)
        self.addCleanup(milter.stop)
        return milter

    def settings(self, milter, **more):
        return {"address": f"unix:{milter.path}", "mode": "enforce", **more}

    def serve(self, *milters, settings=None, rules=None, sink=(), **more):
        """A gateway in front of a sink that asks these milters."""
        self.store = self.sink(*sink)
        asked = [self.settings(one, **(settings or {})) for one in milters]
        policy = {"mode": "off", "milters": asked}
        if rules:
            policy["rules"] = {"path": self.rules(rules), "mode": "enforce"}
        return self.gateway(self.store.port, policy=policy, **more)

    def client(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def send(self, content=MAIL, code=250):
        with Client(self.port) as client:
            client.greet()
            client.mail()
            answer = client.message(lines_of(content), code)
            client.ask("QUIT", 221)
        return answer

    def relayed(self, count=1):
        """The last of so many: its recipients and sender, and its content below our own fields."""
        envelope, content = self.store.wait_for(count)[-1]
        return addresses_of(envelope), content

    def last(self, count=1):
        return self.wait_for_log(count=count)[-1]


class Hearing(MilterTest):
    """What a milter hears."""

    def test_everything_in_order(self):
        milter = self.milter()
        self.serve(milter)
        self.send()
        wait_until("the session's end", lambda: milter.letters().endswith("K"))
        self.assertEqual(milter.letters(), "OCHMRT" + "LLLL" + "NBEK")
        version, actions, options = struct.unpack(">III", milter.data(b"O")[0])
        self.assertEqual((version, actions), (6, 0x1FF))
        self.assertTrue(milter.data(b"C")[0].startswith(b"[127.0.0.1]\0004"))
        self.assertEqual(milter.data(b"H"), [b"client.example\0"])
        self.assertEqual(milter.data(b"M"), [b"<ann@sender.example>\0"])
        self.assertEqual(milter.data(b"R"), [b"<user@test.example>\0"])
        self.assertIn(b"Subject\0hello\n\tand more\0", milter.data(b"L"))
        self.assertEqual(b"".join(milter.data(b"B")), b"first line\r\n..second\r\n")
        line = self.last()
        self.assertEqual(line["verdict"], "relay")

    def test_macros(self):
        milter = self.milter()
        self.serve(milter, settings={"macros_rcpt": ["i", "rcpt_addr", "{client_addr}"], "macros_data": ["client_connections"]})
        self.send()
        connect = milter.macros_of(b"C")
        self.assertEqual(connect["j"], "mx.test.example")
        self.assertEqual(connect["_"], "[127.0.0.1] [127.0.0.1]")
        self.assertEqual(connect["{client_addr}"], "127.0.0.1")
        identity = milter.macros_of(b"M")["i"]
        self.assertEqual(self.last()["id"], identity)
        self.assertEqual(milter.macros_of(b"M")["{mail_addr}"], "ann@sender.example")
        self.assertEqual(milter.macros_of(b"R"),
                         {"i": identity, "{rcpt_addr}": "user@test.example", "{client_addr}": "127.0.0.1"})
        self.assertEqual(milter.macros_of(b"T"), {"{client_connections}": "1"})
        self.assertEqual(milter.macros_of(b"E")["i"], identity)

    def test_a_list_of_macros_that_it_asks_for(self):
        milter = self.milter(macros=struct.pack(">I", 2) + b"{client_port} i\0")
        self.serve(milter)
        self.send()
        self.assertEqual(set(milter.macros_of(b"M")), {"i", "{client_port}"})
        self.assertIn("{rcpt_addr}", milter.macros_of(b"R"))

    def test_what_it_declines_is_left_out(self):
        no_connect, no_helo, no_mail, no_rcpt, no_body, no_headers, no_eoh, no_unknown, no_data = (
            0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x100, 0x200)
        milter = self.milter(options=no_connect | no_helo | no_mail | no_rcpt | no_body | no_headers | no_eoh | no_unknown | no_data)
        self.serve(milter)
        self.send()
        wait_until("the session's end", lambda: milter.letters().endswith("K"))
        self.assertEqual(milter.letters(), "OEK")

    def test_silent_stages_take_no_answer(self):
        silent = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 | 0x80000
        milter = self.milter({letter: SILENT for letter in "CHMRTLNB"}, options=silent)
        self.serve(milter)
        self.send()
        self.assertIn("CHMRTLLLLNBE", milter.letters())

    def test_skip_ends_the_body(self):
        milter = self.milter({"B": SKIP}, options=0x400)
        self.serve(milter)
        self.send(MAIL + "x" * 60 + "\r\n" + ("y" * 70 + "\r\n") * 4000)
        self.assertEqual(milter.letters().count("B"), 1)
        self.assertIn("BE", milter.letters())

    def test_a_large_body_comes_in_chunks(self):
        milter = self.milter()
        self.serve(milter)
        content = "Subject: x\r\n\r\n" + ("z" * 70 + "\r\n") * 20000
        self.send(content[:-2])
        self.assertEqual(b"".join(milter.data(b"B")).decode(), content.partition("\r\n\r\n")[2])
        self.assertLessEqual(max(len(data) for data in milter.data(b"B")), 65535)

    def test_versions_before_six(self):
        for version, letters in ((2, "OCHMRLLLLNBEQ"), (3, "OCHMRLLLLNBEQ"), (4, "OCHMRTLLLLNBEQ")):
            with self.subTest(version):
                milter = self.milter(name=f"version{version}", version=version, actions=0x3F)
                self.serve(milter)
                self.send()
                wait_until("the session's end", lambda m=milter: m.letters().endswith("Q"))
                self.assertEqual(milter.letters(), letters)
                self.stop_all()

    def test_parameters_and_tls(self):
        milter = self.milter()
        self.serve(milter)
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO secure.example", 250)
            client.ask("MAIL FROM:<ann@sender.example> SIZE=300", 250)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.message(lines_of(MAIL))
        self.assertEqual(milter.data(b"H"), [b"client.example\0", b"secure.example\0"])
        self.assertEqual(milter.data(b"M"), [b"<ann@sender.example>\0SIZE=300\0"])
        self.assertTrue(milter.macros_of(b"H")["{tls_version}"].startswith("TLSv1"))

    def test_refused_recipients_are_told_to_those_that_ask(self):
        rejected_rcpts = 0x800
        counting = self.milter({"R": lambda conversation, data: REJECT if b"bob" in data else CONTINUE}, "counting", options=rejected_rcpts)
        other = self.milter(name="other")
        self.serve(counting, other, rules=NO_BOB, sink=("--reject-rcpt", "nobody"))
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<user@test.example>", 250)
        client.ask("RCPT TO:<bob@test.example>", 553)
        client.ask("RCPT TO:<x@elsewhere.example>", 550)
        client.ask("RCPT TO:<nobody@test.example>", 550)
        client.message(lines_of(MAIL))
        self.assertEqual(self.relayed()[0]["to"], ["user@test.example"])
        self.assertEqual(other.data(b"R"), [b"<user@test.example>\0", b"<nobody@test.example>\0"])
        self.assertEqual(counting.data(b"R"), [b"<user@test.example>\0", b"<bob@test.example>\0", b"<x@elsewhere.example>\0",
                                               b"<nobody@test.example>\0", b"<nobody@test.example>\0"])
        asked, bob, elsewhere, unknown, refused = (counting.macros_of(b"R", index) for index in range(5))
        for macros in (asked, unknown):
            self.assertEqual(macros["{rcpt_mailer}"], "esmtp")
        self.assertEqual((bob["{rcpt_mailer}"], bob["{rcpt_host}"]), ("error", "5.7.3"))
        self.assertRegex(bob["{rcpt_addr}"], r"^No bob here \(id \w+\)$")
        self.assertRegex(elsewhere["{rcpt_addr}"], r"^Relaying denied \(id \w+\)$")
        self.assertEqual((refused["{rcpt_mailer}"], refused["{rcpt_host}"][:2]), ("error", "5."))
        # What the milter says of one is about nobody, and its own refusals it does not hear of.
        self.assertEqual([line["check"] for line in self.wait_for_log("recipient", 3)], ["rules", "recipients", "upstream"])

    def test_a_milter_that_fails_at_a_refused_recipient_has_failed(self):
        milter = self.milter({"R": lambda conversation, data: CLOSE if b"bob" in data else CONTINUE}, options=0x800)
        self.serve(milter, rules=NO_BOB)
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<bob@test.example>", 553)
        client.ask("RCPT TO:<user@test.example>", 451)
        client.ask("RSET", 250)
        client.mail()
        client.message(lines_of(MAIL))
        self.assertEqual(milter.letters().count("E"), 1)

    def test_an_aborted_mail_is_told(self):
        milter = self.milter()
        self.serve(milter)
        client = self.client()
        client.mail()
        client.ask("RSET", 250)
        wait_until("ABORT", lambda: "A" in milter.letters())
        client.mail()
        client.message(lines_of(MAIL))
        self.assertEqual(milter.letters().count("E"), 1)


class Words(MilterTest):
    """What follows from what a milter says."""

    def ask(self, stage, answer, **more):
        milter = self.milter({stage: answer}, name=f"milter-{stage}-{len(self.processes)}", **more)
        self.serve(milter)
        return milter

    def test_rejects_a_mail_at_each_stage(self):
        milter = self.milter()
        self.serve(milter)
        for stage in "MRTLNBE":
            for word, code in ((REJECT, 550), (TEMPFAIL, 451), (reply("554 5.7.9 go %% away"), 554)):
                with self.subTest(stage=stage, code=code):
                    milter.answers = {stage: word}
                    with Client(self.port) as client:
                        client.greet()
                        if stage == "M":
                            answer = client.ask("MAIL FROM:<ann@sender.example>", code)
                        else:
                            client.ask("MAIL FROM:<ann@sender.example>", 250)
                            answer = client.ask("RCPT TO:<user@test.example>", code if stage == "R" else 250)
                        if stage not in "MR":
                            answer = client.message(lines_of(MAIL), code)
                    if code == 554:
                        self.assertIn("5.7.9 go % away", answer)
                    self.assertEqual(self.store.messages(), [])

    def test_rejects_connections(self):
        self.ask("C", reply("554 5.7.1 not you"))
        with Client(self.port) as client:
            self.assertIn("not you", client.expect(554))

    def test_a_refused_greeting_holds(self):
        self.ask("H", lambda conversation, data: REJECT if data == b"bad.example\0" else CONTINUE)
        client = self.client()
        client.ask("EHLO bad.example", 550)
        client.ask("EHLO good.example", 550)
        client.ask("MAIL FROM:<ann@sender.example>", 550)

    def test_several_lines(self):
        self.ask("E", reply("550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three"))
        answer = self.send(code=550)
        self.assertRegex(answer, r"^550-5\.7\.1 one\n550-5\.7\.1 two\n550 5\.7\.1 three \(id \w+\)$")

    def test_one_recipient_of_several(self):
        milter = self.ask("R", lambda conversation, data: reply("550 5.1.1 no such") if b"bad" in data else CONTINUE)
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<good@test.example>", 250)
        client.ask("RCPT TO:<bad@test.example>", 550)
        client.ask("RCPT TO:<fine@test.example>", 250)
        client.message(lines_of(MAIL))
        self.assertEqual(self.relayed()[0]["to"], ["good@test.example", "fine@test.example"])
        line = self.wait_for_log("recipient")[0]
        self.assertEqual((line["check"], line["rule"]), ("milters", "milter-R-0"))
        self.assertEqual(milter.letters().count("R"), 3)

    def test_accept_ends_the_questions(self):
        milter = self.ask("M", ACCEPT)
        self.send()
        self.relayed()
        self.assertNotIn("R", milter.letters())
        self.assertNotIn("E", milter.letters())

    def test_discards(self):
        milter = self.milter()
        self.serve(milter)
        for count, stage in enumerate("MRE", 1):
            with self.subTest(stage):
                milter.answers = {stage: DISCARD}
                self.send()
                self.assertEqual(self.last(count)["verdict"], "discard")
                self.assertEqual(self.store.messages(), [])

    def test_discard_at_one_recipient_means_the_mail(self):
        self.ask("R", lambda conversation, data: DISCARD if b"bad" in data else CONTINUE)
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<good@test.example>", 250)
        client.ask("RCPT TO:<bad@test.example>", 250)
        client.message(lines_of(MAIL))
        self.assertEqual(self.last()["verdict"], "discard")

    def test_shutdown_closes(self):
        self.ask("M", SHUTDOWN)
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 421)
        self.assertTrue(client.is_closed())

    def test_unfit_replies_are_a_tempfail(self):
        milter = self.milter()
        self.serve(milter)
        for text in ("250 2.0.0 fine", "xyz", "550 5.7.1 a\x01b", "550-5.7.1 a\r\n451 4.7.1 b"):
            with self.subTest(text):
                milter.answers = {"M": reply(text)}
                self.client().ask("MAIL FROM:<ann@sender.example>", 451)

    def test_progress_keeps_it_waiting(self):
        milter = self.milter({"M": [PROGRESS, 0.6, PROGRESS, 0.6, PROGRESS, 0.6, CONTINUE]})
        self.serve(milter, settings={"command_timeout": "1s"})
        self.send()

    def test_a_verdict_is_of_one_mail(self):
        self.ask("E", lambda conversation, data: REJECT if b"BAD" in conversation.body else [add_header("X-Seen", "yes"), CONTINUE])
        client = self.client()
        for word, code in (("BAD", 550), ("good", 250), ("BAD", 550), ("good", 250)):
            client.mail()
            client.message(f"Subject: x\r\n\r\n{word}", code)
        self.assertEqual(len(self.store.wait_for(2)), 2)

    def test_several_in_order(self):
        first = self.milter({"E": [add_header("X-First", "1"), change_header(1, "Subject", "other"), CONTINUE]}, "one")
        second = self.milter({"E": lambda conversation, data: [add_header("X-Seen", ",".join(n for n, _ in conversation.header)), CONTINUE]},
                             "two")
        self.serve(first, second)
        self.send()
        self.assertIn(b"X-Seen: From,To,Subject,Message-ID,X-First\r\n", self.relayed()[1])
        self.assertIn(b"Subject\0other\0", second.data(b"L"))

    def test_the_first_refusal_decides(self):
        first = self.milter({"R": REJECT}, "one")
        second = self.milter(name="two")
        self.serve(first, second)
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<user@test.example>", 550)
        self.assertNotIn("R", second.letters())


class Changes(MilterTest):
    """What milters change of a mail."""

    def changed(self, *changes, content=MAIL, **more):
        self.serve(self.milter({"E": [*changes, CONTINUE]}), **more)
        self.send(content)
        return self.relayed()

    def test_headers(self):
        _, content = self.changed(add_header("X-Last", "1"), insert_header(1, "X-Below", "2"), insert_header(0, "X-Above", "3"),
                                  change_header(1, "Subject", "new\n\tlines"), change_header(1, "Message-ID", ""),
                                  change_header(1, "X-None", "made"), add_header("X-Folded", "a\n b\n\tc"))
        above, below = content.split(b"Received: ", 1)
        self.assertIn(b"\r\nX-Above: 3\r\n", above)
        below = below[below.index(b"\r\nX-Below") + 2:]
        self.assertEqual(below, b"X-Below: 2\r\nFrom: Ann <ann@sender.example>\r\nTo: user@test.example\r\nSubject: new\r\n\tlines\r\n"
                         b"X-Last: 1\r\nX-None: made\r\nX-Folded: a\r\n b\r\n\tc\r\n\r\nfirst line\r\n..second\r\n")
        self.assertIn("milters:first", self.last()["symbols"])

    def test_what_is_not_named_stays_as_it_came(self):
        odd = b"From: a@sender.example\r\nX-Odd :\r\n\t\xe4  \r\nx-odd: 2\r\nX-Odd: 3\r\n\r\nbody\r\n"
        self.serve(self.milter({"E": [change_header(2, "X-Odd", ""), CONTINUE]}))
        client = self.client()
        client.mail()
        client.message(odd[:-2])
        self.assertTrue(self.relayed()[1].endswith(b"From: a@sender.example\r\nX-Odd :\r\n\t\xe4  \r\nX-Odd: 3\r\n\r\nbody\r\n"))

    def test_a_new_body(self):
        _, content = self.changed(replace_body(b"one\r\n.two\n"), replace_body(b"three"))
        self.assertEqual(content.split(b"\r\n\r\n", 1)[1], b"one\r\n.two\r\nthree\r\n")

    def test_an_empty_body(self):
        _, content = self.changed(replace_body(b""))
        self.assertEqual(content.split(b"\r\n\r\n", 1)[1], b"")

    def test_a_body_for_a_mail_that_has_only_a_header(self):
        _, content = self.changed(replace_body(b"made\r\n"), content="Subject: x")
        self.assertTrue(content.endswith(b"Subject: x\r\n\r\nmade\r\n"), content)

    def test_a_large_new_body_lies_in_a_file(self):
        chunk = (b"n" * 62 + b"\r\n") * 1000
        _, content = self.changed(*[replace_body(chunk)] * 20)
        self.assertEqual(content.split(b"\r\n\r\n", 1)[1], chunk * 20)

    def test_the_envelope(self):
        envelope, _ = self.changed(change_sender("<new@sender.example>"), add_rcpt("<more@test.example>"), add_rcpt("plain@test.example"),
                                   delete_rcpt("<user@test.example>"))
        self.assertEqual(envelope["from"], "new@sender.example")
        self.assertEqual(envelope["to"], ["more@test.example", "plain@test.example"])
        self.assertIn("milters:first", self.last()["symbols"])

    def test_nobody_left(self):
        self.serve(self.milter({"E": [delete_rcpt("<user@test.example>"), CONTINUE]}))
        self.send()
        self.assertEqual(self.last()["verdict"], "discard")
        self.assertEqual(self.store.messages(), [])

    def test_a_recipient_that_the_server_refuses_refuses_the_mail(self):
        self.store = self.sink("--reject-rcpt", "nobody.*")
        milter = self.milter({"E": [add_rcpt("<nobody@test.example>"), CONTINUE]})
        self.gateway(self.store.port, policy={"mode": "off", "milters": [self.settings(milter)]})
        self.send(code=550)
        self.assertEqual(self.store.messages(), [])

    def test_quarantine(self):
        _, content = self.changed(quarantine("smells odd"))
        self.assertIn(b"X-Sallyport-Quarantine: smells odd\r\n", content)
        self.assertEqual(self.last()["verdict"], "quarantine")

    def test_changes_beside_rules(self):
        rules = """sp.rule { name = "R", stage = "message", run = function(tx)
            tx.msg:add_header("X-Rule", "r") return sp.tag { subject_prefix = "[tag] " } end }"""
        _, content = self.changed(change_header(1, "Subject", "other"), add_header("X-Milter", "m"), rules=rules)
        self.assertIn(b"Subject: [tag] other\r\n", content)
        self.assertIn(b"X-Rule: r\r\n", content)
        self.assertIn(b"X-Milter: m\r\n", content)

    def test_shadow_changes_nothing(self):
        first = self.milter({"E": [change_header(1, "Subject", "other"), replace_body(b"new"), add_rcpt("<x@test.example>"), CONTINUE]}, "one")
        second = self.milter({"E": REJECT}, "two")
        third = self.milter(name="three")
        self.store = self.sink()
        milters = [self.settings(first, mode="shadow"), self.settings(second, mode="shadow"), self.settings(third)]
        self.gateway(self.store.port, policy={"mode": "off", "milters": milters})
        self.send()
        envelope, content = self.relayed()
        self.assertTrue(content.endswith(MAIL.encode() + b"\r\n"), content)
        self.assertEqual(envelope["to"], ["user@test.example"])
        self.assertIn(b"Subject\0hello\n\tand more\0", third.data(b"L"))
        symbols = self.last()["symbols"]
        self.assertIn("~milters:one", symbols)
        self.assertIn("~milters:two", symbols)

    def test_off_is_not_asked(self):
        milter = self.milter({"C": REJECT})
        self.serve(milter, settings={"mode": "off"})
        self.send()
        self.assertEqual(milter.connections, 0)

    def test_forged_fields_of_ours_go_though_milters_see_them(self):
        milter = self.milter({"E": [add_header("X-New", "1"), CONTINUE]})
        self.serve(milter)
        self.send("X-Sallyport-Verdict: clean; score=-9\r\n" + MAIL)
        _, content = self.relayed()
        self.assertNotIn(b"score=-9", content)
        self.assertIn(b"X-New: 1\r\n", content)


if __name__ == "__main__":
    unittest.main()
