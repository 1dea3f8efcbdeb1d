#!/usr/bin/env python3
"""Mail that is not relayed: each check's reply, at its stage, and its one line in the log, as text and as JSON."""
import time
import unittest

from support import Client, GatewayTest, free_port, our_header

LISTED, FRIEND, CLEAN = "127.0.0.9", "127.0.0.10", "127.0.0.11"
ZONE = {
    "9.0.0.127.bl.test.example": {"A": ["127.0.0.2"], "TXT": ["listed for the test"]},
    "10.0.0.127.bl.test.example": {"A": ["127.0.0.2"]},
    "10.0.0.127.white.test.example": {"A": ["127.0.0.3"]},
    "9.0.0.127.odd.test.example": {"A": ["127.255.255.254"]},
    "9.0.0.127.far.test.example": {"A": ["192.0.2.1"]},
    "9.0.0.127.silent.test.example": "TIMEOUT",
    "9.0.0.127.sick.test.example": "SERVFAIL",
    "9.0.0.127.everyone.test.example": {"A": ["127.0.0.2"]},
    "1.0.0.127.everyone.test.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.everyone.test.example": {"A": ["127.0.0.2"]},
}
BLOCKLIST = {"bl.test.example": {"score": 8.0}}


class RefusalTest(GatewayTest):
    log_format = "text"

    def protect(self, upstream=None, **more):
        """A gateway whose only policies are those given."""
        upstream = upstream or self.sink("--reject-rcpt", "^stranger")
        self.upstream = upstream
        more.setdefault("policy", {"mode": "off"})
        log = {"format": self.log_format, "target": f"file:{self.folder}/gateway.log"}
        return self.gateway(upstream.port, log=log, **more)

    def protect_by_lists(self, zones=BLOCKLIST, mode="enforce", **more):
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"], "timeout": "1s"}
        return self.protect(dns=dns, policy={"mode": "off", "dnsbl": {"mode": mode, "zones": zones}, **more})

    def protect_by_rules(self, text, **more):
        return self.protect(policy={"mode": "off", "rules": {"mode": "enforce", "path": self.rules(text), **more}})

    def rule(self, result, stage="message", name="THE_RULE"):
        return f'sp.rule {{ name = "{name}", stage = "{stage}", run = function(tx) {result} end }}\n'

    def connect(self, source=CLEAN):
        client = Client(self.port, source=source)
        self.addCleanup(client.socket.close)
        return client

    def greeted(self, source=CLEAN):
        client = self.connect(source)
        client.greet()
        return client

    def only_line(self, **expected):
        """The log's only transaction line, which has these fields."""
        self.wait_for_log()
        time.sleep(0.05)
        lines = self.log_lines()
        self.assertEqual(len(lines), 1, lines)
        self.assert_fields(lines[0], expected)
        return lines[0]

    def assert_fields(self, line, expected):
        self.assertEqual({key: line.get(key) for key in expected}, expected, line)

    def assert_refused(self, reply, code, dsn, line, text=""):
        """The reply has this code and, but for the upstream's own, the transaction's id."""
        self.assertTrue(reply.startswith(f"{code} {dsn} {text}"), reply)
        self.assertTrue(reply.endswith(f" (id {line['id']})"), (reply, line))
        self.assert_fields(line, {"code": str(code), "dsn": dsn, "reply": reply})


class DnsLists(RefusalTest):
    def test_listed(self):
        self.protect_by_lists()
        with self.greeted(LISTED) as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            reply = client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("DATA", 554)
            client.ask("QUIT", 221)
        line = self.only_line(verdict="reject", stage="rcpt", check="dnsbl", ip=LISTED, dnsbl="bl.test.example",
                              helo="client.example", to="<user@test.example>" if self.log_format == "text" else
                              '["user@test.example"]', nrcpt="0")
        self.assert_refused(reply, 550, "5.7.1", line, "Listed by bl.test.example")
        self.assertEqual(self.upstream.messages(), [])

    def test_who_is_refused_and_hangs_up_has_been_refused(self):
        self.protect_by_lists()
        with self.greeted(LISTED) as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
        self.only_line(verdict="reject", stage="rcpt", check="dnsbl", code="550", dsn="5.7.1")

    def test_postmaster_and_abuse_can_be_written_to(self):
        self.protect_by_lists()
        for name in ("postmaster@test.example", "Abuse@test.example", "Postmaster"):
            with self.greeted(LISTED) as client:
                client.ask("MAIL FROM:<ann@sender.example>", 250)
                client.ask(f"RCPT TO:<{name}>", 250)
                client.ask("RCPT TO:<user@test.example>", 550)
                client.message("Subject: help\r\n\r\nwhy am I listed?")
        for line in self.wait_for_log(count=3):
            self.assertIn(line["verdict"], ("relay", "tag"))
            self.assert_fields(line, {"nrcpt": "1", "code": "250"})
        self.assertEqual([len(envelope["rcpt"]) for envelope, _ in self.upstream.wait_for(3)], [1, 1, 1])

    def test_a_list_of_friends_outweighs(self):
        self.protect_by_lists({**BLOCKLIST, "white.test.example": {"score": -5.0}})
        with self.greeted(FRIEND) as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(float(self.only_line(verdict="relay", code="250", ip=FRIEND)["score"]), 3.0)
        verdict = dict(our_header(self.upstream.wait_for(1)[0][1])[0])["X-Sallyport-Verdict"]
        self.assertEqual(verdict, "clean; score=3.0; checks=dnsbl:bl.test.example(8),dnsbl:white.test.example(-5)")

    def test_two_lists_add_up_and_one_does_not_suffice(self):
        zones = {"bl.test.example": {"score": 5.0}, "everyone.test.example": {"score": 5.0, "self_test": "off"}}
        self.protect_by_lists(zones)
        with self.greeted(FRIEND) as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        with self.greeted(LISTED) as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("QUIT", 221)
        one, two = self.wait_for_log(count=2)
        # 5 points are what policy.actions.tag asks for.
        self.assert_fields(one, {"verdict": "tag", "ip": FRIEND})
        self.assert_fields(two, {"verdict": "reject", "ip": LISTED, "check": "dnsbl"})

    def test_shadow_mode_only_looks(self):
        self.protect_by_lists(mode="shadow")
        with self.greeted(LISTED) as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.only_line(verdict="relay", code="250", dnsbl="bl.test.example")
        verdict = dict(our_header(self.upstream.wait_for(1)[0][1])[0])["X-Sallyport-Verdict"]
        self.assertEqual(verdict, "clean; score=0.0; checks=~dnsbl:bl.test.example(8)")

    def test_answers_that_are_errors_are_no_hits(self):
        self.protect_by_lists({f"{zone}.test.example": {"score": 9.0} for zone in ("odd", "far", "sick", "silent")})
        with self.greeted(LISTED) as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.only_line(verdict="relay", code="250", dnsbl="", ip=LISTED)
        self.assertGreaterEqual(self.faults("dnsbl_error"), 2)

    def test_a_list_that_lists_everyone_is_left_out(self):
        self.protect_by_lists({"everyone.test.example": {"score": 9.0, "self_test": True}})
        self.wait_for_log("fault")
        with self.greeted(LISTED) as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.only_line(verdict="relay", code="250", dnsbl="")
        self.assertGreaterEqual(self.faults("dnsbl_wildcard"), 1)


class Rates(RefusalTest):
    def test_connections(self):
        self.protect(policy={"mode": "off", "rate": {"mode": "enforce", "connect_per_ip": "1/1h burst 2"}})
        for _ in range(2):
            self.greeted().ask("QUIT", 221)
        client = self.connect()
        reply = client.expect(421)
        self.assertTrue(client.is_closed())
        line, = self.wait_for_log("connection")
        self.assert_refused(reply, 421, "4.7.1", line)
        self.assert_fields(line, {"verdict": "tempfail", "stage": "connect", "check": "rate", "ip": CLEAN})
        self.greeted("127.0.0.12")
        self.assertEqual(self.violations("rate_limit"), 1)

    def test_mails(self):
        self.protect(policy={"mode": "off", "rate": {"mode": "enforce", "mail_per_ip": "1/1h burst 2"}})
        with self.greeted() as client:
            for _ in range(2):
                client.mail()
                client.message("Subject: x\r\n\r\ny")
            reply = client.ask("MAIL FROM:<ann@sender.example>", 451)
            client.ask("NOOP", 250)
        line = self.wait_for_log(count=3)[2]
        self.assert_refused(reply, 451, "4.7.1", line)
        self.assert_fields(line, {"verdict": "tempfail", "stage": "mail", "check": "rate", "nrcpt": "0"})

    def protect_by_rate_and_spf(self, **rate):
        own = {"TXT": [f"v=spf1 ip4:{CLEAN} -all"]}
        dns = {"servers": [f"127.0.0.1:{self.dns({'sender.example': own, 'other.example': own})}"], "timeout": "1s"}
        self.protect(dns=dns, policy={"mode": "off", "rate": {"mode": "enforce", **rate}, "spf": {"mode": "enforce"}})

    def test_recipients_of_a_sender_domain(self):
        self.protect_by_rate_and_spf(rcpt_per_sender_domain="1/1h burst 2")
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@Sender.example>", 250)
            client.ask("RCPT TO:<a@test.example>", 250)
            client.ask("RCPT TO:<b@test.example>", 250)
            reply = client.ask("RCPT TO:<c@test.example>", 451)
            self.assertTrue(reply.startswith("451 4.7.1 "), reply)
            client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<bob@sender.EXAMPLE>", 250)
            client.ask("RCPT TO:<a@test.example>", 451)
            client.ask("RSET", 250)
            client.ask("MAIL FROM:<ann@other.example>", 250)
            client.ask("RCPT TO:<a@test.example>", 250)
        kept, refused, left = self.wait_for_log(count=3)
        self.assert_fields(kept, {"verdict": "relay", "nrcpt": "2", "code": "250"})
        self.assert_fields(refused, {"verdict": "tempfail", "check": "rate", "stage": "rcpt", "code": "451"})
        self.assert_fields(left, {"verdict": "drop"})

    def test_a_forger_uses_up_his_own_allowance(self):
        self.protect_by_rate_and_spf(rcpt_per_sender_domain="1/1h burst 3")
        with self.greeted("127.0.0.12") as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            for name in ("a", "b", "A", "b", "b", "a"):
                client.ask(f"RCPT TO:<{name}@test.example>", 250)
            for _ in range(4):  # refused by the server behind: nothing is taken
                client.ask("RCPT TO:<stranger@test.example>", 550)
            client.ask("RCPT TO:<c@test.example>", 250)
            client.ask("RCPT TO:<d@test.example>", 451)
        with self.greeted("127.0.0.13") as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<a@test.example>", 250)
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            for name in "abc":
                client.ask(f"RCPT TO:<{name}@test.example>", 250)
            client.ask("RCPT TO:<d@test.example>", 451)

    def test_workers_share_the_count(self):
        self.protect(workers=2, policy={"mode": "off", "rate": {"mode": "enforce", "mail_per_ip": "1/1h burst 5"}})
        answers = []
        for _ in range(12):
            with self.greeted() as client:
                client.send("MAIL FROM:<ann@sender.example>\r\n")
                answers.append(client.reply()[:3])
        self.assertEqual(answers, ["250"] * 5 + ["451"] * 7)


class Trusted(RefusalTest):
    def test_no_limits_and_no_lists(self):
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"], "timeout": "1s"}
        rate = {"mode": "enforce", "connect_per_ip": "1/1h", "mail_per_ip": "1/1h", "rcpt_per_sender_domain": "1/1h"}
        dnsbl = {"mode": "enforce", "zones": BLOCKLIST}
        self.protect(dns=dns, trusted={"networks": [LISTED]}, limits={"sessions_per_ip": 2},
                     policy={"mode": "off", "rate": {**rate, "skip": ["127.0.0.32/28"]}, "dnsbl": dnsbl})
        clients = [self.greeted(LISTED) for _ in range(4)]
        for client in clients:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        for line in self.wait_for_log(count=4):
            self.assert_fields(line, {"verdict": "relay", "ip": LISTED, "dnsbl": ""})
            self.assertIn("rate:trusted", line["symbols"])
            self.assertIn("dnsbl:trusted", line["symbols"])
        for _ in range(3):
            with self.greeted("127.0.0.34") as client:
                client.mail()
                client.message("Subject: x\r\n\r\ny")
        for line in self.wait_for_log(count=7)[4:]:
            self.assertEqual(line["symbols"], "rate:skipped")
        held = [self.greeted("127.0.0.35") for _ in range(4)]
        self.assertEqual(len(held), 4)
        self.greeted().ask("QUIT", 221)
        self.connect().expect(421)


class Rules(RefusalTest):
    def test_reject_at_each_stage(self):
        cases = {"connect": "tx.client.ip == '127.0.0.13'", "rcpt": "tx.rcpt.user == 'badrcpt'",
                 "message": "tx.msg.subject == 'bad'"}
        self.protect_by_rules("".join(self.rule(f"if {test} then return sp.reject(554, '5.7.9', 'No to {stage}') end",
                                                stage, f"AT_{stage.upper()}") for stage, test in cases.items()))
        with self.greeted() as client:
            replies = {}
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            replies["rcpt"] = client.ask("RCPT TO:<badrcpt@test.example>", 554)
            client.ask("RSET", 250)
            client.mail()
            replies["message"] = client.message("Subject: bad\r\n\r\nx", 554)
            client.mail()
            client.message("Subject: fine\r\n\r\nx")
        lines = self.wait_for_log(count=3)
        self.assertEqual([line["rule"] for line in lines], ["AT_RCPT", "AT_MESSAGE", ""])
        for stage, line in zip(("rcpt", "message"), lines):
            self.assert_fields(line, {"verdict": "reject", "check": "rules", "stage": stage})
            self.assert_refused(replies[stage], 554, "5.7.9", line, f"No to {stage}")
        with self.connect("127.0.0.13") as client:
            self.assertTrue(client.expect(554).startswith("554 5.7.9 No to connect (id "))
            self.assertTrue(client.is_closed())
        self.assert_fields(self.wait_for_log("connection")[0],
                           {"verdict": "reject", "stage": "connect", "check": "rules", "code": "554", "dsn": "5.7.9"})
        self.assertEqual(len(self.upstream.messages()), 1)

    def test_tempfail(self):
        self.protect_by_rules(self.rule("return sp.tempfail(450, '4.7.25', 'Come back')"))
        with self.greeted() as client:
            client.mail()
            reply = client.message("Subject: x\r\n\r\ny", 450)
        line = self.only_line(verdict="tempfail", stage="message", check="rules", rule="THE_RULE")
        self.assert_refused(reply, 450, "4.7.25", line, "Come back")
        self.assertEqual(self.upstream.messages(), [])

    def test_discard(self):
        self.protect_by_rules(self.rule("return sp.discard { reason = 'silence' }"))
        with self.greeted() as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny", 250)
            self.only_line(verdict="discard", check="rules", rule="THE_RULE", code="250")  # written before the answer
        self.assertEqual(self.upstream.messages(), [])

    def test_drop(self):
        self.protect_by_rules(self.rule("return sp.drop()"))
        with self.greeted() as client:
            client.mail()
            client.ask("DATA", 354)
            client.send("Subject: x\r\n\r\ny\r\n.\r\n")
            self.assertEqual(client.rest(), "")
        self.only_line(verdict="drop", check="rules", rule="THE_RULE")
        self.assertEqual(self.upstream.messages(), [])

    def test_tag(self):
        self.protect_by_rules(self.rule("return sp.tag { header = 'X-Marked: yes', subject_prefix = '[marked] ' }"))
        with self.greeted() as client:
            client.mail()
            client.message("From: a@sender.example\r\nSubject:  hello\r\n\r\ny")
        self.only_line(verdict="tag", check="rules", rule="THE_RULE", code="250")
        content = self.upstream.wait_for(1)[0][1]
        self.assertIn(b"X-Sallyport-Verdict: tag; score=0.0; checks=rules:THE_RULE\r\nX-Marked: yes\r\nReceived: ", content)
        self.assertTrue(content.endswith(b"From: a@sender.example\r\nSubject: [marked] hello\r\n\r\ny\r\n"), content)

    def test_hits_add_up(self):
        self.protect_by_rules("".join(self.rule("return sp.hit { score = 4 }", name=f"HIT_{n}") for n in range(4)))
        with self.greeted() as client:
            client.mail()
            reply = client.message("Subject: x\r\n\r\ny", 550)
        line = self.only_line(verdict="reject", check="score", stage="message")
        self.assertEqual(float(line["score"]), 16.0)
        self.assert_refused(reply, 550, "5.7.1", line)

    def protect_by_both(self, rule):
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"]}
        self.protect(dns=dns, policy={"mode": "off", "dnsbl": {"mode": "enforce", "zones": BLOCKLIST},
                                      "rules": {"mode": "enforce", "path": self.rules(rule)}})

    def test_accept_at_connect_skips_a_check(self):
        self.protect_by_both(self.rule(f"if tx.client.ip == '{LISTED}' then return sp.accept {{ skip = {{'dnsbl'}} }} end",
                                       "connect"))
        with self.greeted(LISTED) as client:
            for _ in range(2):
                client.mail()
                client.message("Subject: x\r\n\r\ny")
        with self.greeted(FRIEND) as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("QUIT", 221)
        self.assertEqual([line["verdict"] for line in self.wait_for_log(count=3)], ["relay", "relay", "reject"])

    def test_accept_at_rcpt_skips_a_check_for_this_mail_only(self):
        self.protect_by_both(self.rule("if tx.from.user == 'vip' then return sp.accept { skip = {'dnsbl'} } end", "rcpt"))
        with self.greeted(LISTED) as client:
            client.mail("vip@sender.example")
            client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("QUIT", 221)
        vip, other = self.wait_for_log(count=2)
        self.assert_fields(vip, {"verdict": "relay", "code": "250"})
        self.assert_fields(other, {"verdict": "reject", "check": "dnsbl", "code": "550"})

    def test_a_rule_that_fails(self):
        self.protect_by_rules(self.rule("local x = nil; return x.y"), on_error="tempfail")
        with self.greeted() as client:
            client.mail()
            reply = client.message("Subject: secret words\r\n\r\ny", 451)
        line = self.only_line(verdict="tempfail", check="rules", rule="THE_RULE")
        self.assert_refused(reply, 451, "4.7.1", line)
        fault, = self.log_lines("fault")
        self.assert_fields(fault, {"kind": "rule_error", "rule": "THE_RULE", "line": "2",
                                   "error": "attempt to index a nil value (local 'x')"})
        self.assertTrue(fault["file"].endswith("rules.lua"))
        self.assertNotIn("secret", (self.folder / "gateway.log").read_text())

    def test_a_rule_that_does_not_end(self):
        self.protect_by_rules(self.rule("while true do end"), on_error="skip")
        began = time.monotonic()
        with self.greeted() as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny", 250)
        self.assertLess(time.monotonic() - began, 10)
        self.only_line(verdict="relay", code="250")
        self.assertEqual(self.faults("rule_timeout"), 1)

    def test_shadow(self):
        self.protect_by_rules(self.rule("return sp.reject()"), mode="shadow")
        with self.greeted() as client:
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.only_line(verdict="relay", code="250")
        self.assertIn(b"checks=~rules:THE_RULE\r\n", self.upstream.wait_for(1)[0][1])


class Session(RefusalTest):
    def test_relaying(self):
        self.protect(domains=["test.example", "*.sub.example"])
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            replies = [client.ask(f"RCPT TO:<user@{domain}>", 550)
                       for domain in ("elsewhere.example", "sub.example", "test.example.org", "xtest.example")]
            for domain in ("a.sub.example", "TEST.example", "a.b.sub.example"):
                client.ask(f"RCPT TO:<user@{domain}>", 250)
            client.ask("RSET", 250)
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@elsewhere.example>", 550)
            client.ask("QUIT", 221)
        line = self.wait_for_log(count=2)[1]
        self.assert_fields(line, {"verdict": "reject", "stage": "rcpt", "code": "550", "dsn": "5.7.1",
                                  "check": "recipients"})
        for reply in replies:
            self.assertRegex(reply, r"^550 5\.7\.1 Relaying denied \(id [0-9A-Z]{16}\)$")

    def test_an_unknown_user_is_the_upstreams_word(self):
        self.protect()
        with Client(self.upstream.port) as direct:
            direct.greet()
            direct.ask("MAIL FROM:<ann@sender.example>", 250)
            theirs = direct.ask("RCPT TO:<stranger@test.example>", 550)
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            self.assertEqual(client.ask("RCPT TO:<stranger@test.example>", 550), theirs)
            client.ask("DATA", 554)
            client.ask("QUIT", 221)
        self.only_line(verdict="reject", stage="rcpt", check="upstream", code="550", dsn="5.1.1", reply=theirs,
                       upstream=f"127.0.0.1:{self.upstream.port}")

    def test_harvesting(self):
        self.protect(limits={"sessions_per_ip": 100, "unknown_recipients": 2, "unknown_recipients_close": 4})
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            began = time.monotonic()
            for _ in range(3):
                client.ask("RCPT TO:<stranger@test.example>", 550)
            self.assertGreater(time.monotonic() - began, 0.9)
            client.send("RCPT TO:<stranger@test.example>\r\n")
            text = client.rest()
        self.assertRegex(text, r"(?m)^421 4\.7\.0 ")
        self.assertEqual(self.violations("harvest"), 1)

    def test_size(self):
        self.protect(limits={"message_size": "10KiB", "sessions_per_ip": 100})
        large = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 1000
        with self.greeted() as client:
            self.assertTrue(client.ask("MAIL FROM:<ann@sender.example> SIZE=10241", 552).startswith("552 5.3.4 "))
            client.mail()
            reply = client.message(large, 552)
            client.mail()
            client.send(b"BDAT %d LAST\r\n" % len(large) + large)
            self.assertTrue(client.expect(552).startswith("552 5.3.4 "))
            client.mail()
            client.message("Subject: x\r\n\r\nsmall")
        by_data, by_bdat, small = self.wait_for_log(count=3)
        self.assert_refused(reply, 552, "5.3.4", by_data)
        for line in (by_data, by_bdat):
            self.assert_fields(line, {"verdict": "reject", "check": "size", "code": "552", "dsn": "5.3.4"})
        self.assert_fields(small, {"verdict": "relay"})
        self.assertEqual(self.violations("size"), 3)
        self.assertEqual(len(self.upstream.messages()), 1)

    def test_recipients(self):
        self.protect(limits={"recipients": 3, "sessions_per_ip": 100})
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            for _ in range(3):
                client.ask("RCPT TO:<user@test.example>", 250)
            for _ in range(3):
                self.assertTrue(client.ask("RCPT TO:<user@test.example>", 452).startswith("452 4.5.3 "))
            client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            for number in range(7):
                client.ask("RCPT TO:<user@test.example>", 250 if number < 3 else 452 if number < 6 else 421)
            self.assertTrue(client.is_closed())
        kept, flood = self.wait_for_log(count=2)
        self.assert_fields(kept, {"verdict": "relay", "nrcpt": "3"})
        self.assert_fields(flood, {"verdict": "tempfail", "check": "rcpt_limit", "code": "421", "dsn": "4.7.0"})

    def test_errors(self):
        self.protect(limits={"errors_per_session": 5, "sessions_per_ip": 100})
        with self.greeted() as client:
            for _ in range(5):
                client.ask("NONSENSE", 500)
            self.assertTrue(client.expect(421).startswith("421 4.7.0 "))
            self.assertTrue(client.is_closed())
        self.assertEqual((self.violations("bad_command"), self.violations("error_limit")), (5, 1))

    def test_junk(self):
        self.protect(limits={"junk_commands": 10, "errors_per_session": 3, "sessions_per_ip": 100})
        with self.greeted() as client:
            for _ in range(10):
                client.ask("NOOP", 250)
            client.mail()
            client.message("Subject: x\r\n\r\ny")  # whoever sends mail may do it again
            for command in ("NOOP", "RSET", "HELP", "VRFY x", "NOOP") * 2:
                client.send(command + "\r\n")
                self.assertIn(client.reply()[:3], ("250", "214", "252"))
            client.send("NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n")
            text = client.rest()
        self.assertRegex(text, r"421 4\.7\.0 [^\n]*\r\n$")
        self.assertEqual(text.count("\r\n421 "), 1)
        self.assertEqual(self.violations("junk_flood"), 3)

    def test_sessions_of_one_address(self):
        self.protect(limits={"sessions_per_ip": 3})
        clients = [self.greeted() for _ in range(3)]
        late = self.connect()
        reply = late.expect(421)
        self.assertTrue(reply.startswith("421 4.7.0 "), reply)
        self.assertTrue(late.is_closed())
        self.greeted("127.0.0.12")
        line, = self.wait_for_log("connection")
        self.assert_fields(line, {"verdict": "tempfail", "stage": "connect", "code": "421", "dsn": "4.7.0",
                                  "check": "session_limit", "ip": CLEAN})
        clients[0].ask("QUIT", 221)
        clients[0].rest()
        self.greeted()

    def test_content(self):
        self.protect(limits={"hops": 5, "sessions_per_ip": 100})
        cases = [("nul", 550, "5.6.0", b"Subject: x\r\n\r\na\0b"),
                 ("line_long", 550, "5.6.0", b"Subject: x\r\n\r\n" + b"x" * 70000),
                 ("loop", 554, "5.4.6", b"Received: from a by b; x\r\n" * 6 + b"\r\nx"),
                 ("header_malformed", 550, "5.6.0", b"Sub\x01ject: x\r\n\r\ny"),
                 ("header_limit", 550, "5.6.0", b"A: b\r\n" * 1001 + b"\r\nx")]
        with self.greeted() as client:
            for _, code, _, content in cases:
                client.mail()
                client.message(content, code)
        for (check, code, dsn, _), line in zip(cases, self.wait_for_log(count=len(cases))):
            with self.subTest(check):
                self.assert_fields(line, {"verdict": "reject", "stage": "message", "check": check, "code": str(code),
                                          "dsn": dsn})
                self.assertEqual(self.violations(check), 1)
        self.assertEqual(self.upstream.messages(), [])

    def test_bare_line_ends(self):
        strict = free_port()
        upstream = self.sink()
        self.upstream = upstream
        file = self.configuration(upstream.port)
        text = file.read_text()
        listen = (f'listen = [{{ address = "127.0.0.1:{self.port}" }}, '
                  f'{{ address = "127.0.0.1:{strict}", bare_newline = "reject" }}]')
        file.write_text("\n".join(listen if line.startswith("listen") else line for line in text.splitlines()) + "\n")
        self.start_gateway(file)
        smuggled = b"Subject: x\r\n\r\none\n.\nMAIL FROM:<x@y.example>\nRCPT TO:<user@test.example>\nDATA\n\rtwo\r\n.\rthree"
        for port, code in ((self.port, 250), (strict, 550)):
            with Client(port) as client:
                client.greet()
                client.mail()
                reply = client.message(smuggled, code)
                self.assertTrue(reply.startswith("550 5.5.2" if code == 550 else "250"), reply)
                client.ask("NOOP", 250)
        (_, content), = upstream.wait_for(1)
        self.assertTrue(content.endswith(b"\r\none\r\n.\r\nMAIL FROM:<x@y.example>\r\nRCPT TO:<user@test.example>\r\nDATA"
                                         b"\r\n two\r\n. three\r\n"), content)
        self.assertEqual(self.violations("eod_lookalike"), 2)

    def test_what_a_peer_says_cannot_break_the_log(self):
        self.protect()
        name = 'a"b\\c=d verdict=relay'.replace(" ", "\t")
        with self.connect() as client:
            client.expect(220)
            client.send(f"EHLO {name}\r\n")
            client.reply()
            client.ask("EHLO x\"=verdict=relay", 250)
            client.ask('MAIL FROM:<"a\\" verdict=relay b\\\\"@sender.example>', 250)
            client.ask("RCPT TO:<user@elsewhere.example>", 550)
            client.ask("QUIT", 221)
        line = self.only_line(verdict="reject", helo="x\"=verdict=relay")
        self.assertIn('"a\\" verdict=relay b\\\\"@sender.example', line["from"])


class InJson(RefusalTest):
    """One refusal of each kind again, its record as a JSON object."""
    log_format = "json"
    test_listed = DnsLists.test_listed
    test_connections = Rates.test_connections
    test_mails = Rates.test_mails
    test_reject_at_each_stage = Rules.test_reject_at_each_stage
    test_drop = Rules.test_drop
    test_relaying = Session.test_relaying
    test_an_unknown_user_is_the_upstreams_word = Session.test_an_unknown_user_is_the_upstreams_word
    test_size = Session.test_size
    test_what_a_peer_says_cannot_break_the_log = Session.test_what_a_peer_says_cannot_break_the_log


if __name__ == "__main__":
    unittest.main(verbosity=2)
