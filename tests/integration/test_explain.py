#!/usr/bin/env python3
"""`sallyport explain`: stored messages through the whole pipeline, with DNS on loopback and no mail server anywhere."""
import json
import unittest

from support import PROGRAM, GatewayTest, free_port, run

# RFC 8463, appendix A: the message, its ed25519 signature and the key.
SIGNED = """DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
SPOOFED = "From: Bank <service@bank.example>\nTo: bob@test.example\nSubject: your account\n\nClick here\n"
ZONE = {
    "brisbane._domainkey.football.example.com": {
        "TXT": ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]},
    "football.example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "_dmarc.football.example.com": {"TXT": ["v=DMARC1; p=reject"]},
    "bank.example": {"TXT": ["v=spf1 -all"]},
    "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]},
    "9.2.0.192.list.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.list.example": {"A": ["127.0.0.2"]},
}
RULE = 'sp.rule { name = "NO_CLICKS", stage = "message", run = function(tx) ' \
       'if tx.msg.subject == "clicks" then return sp.reject(554, "5.7.9", "No clicks") end end }'


class ExplainTest(GatewayTest):
    def setUp(self):
        super().setUp()
        self.upstream_port = free_port()  # nobody listens there, and nobody must be asked
        self.configure()

    def configure(self, **policy):
        policy = {"mode": "off", "spf": {"mode": "enforce"}, "dkim": {"mode": "enforce"}, "dmarc": {"mode": "enforce"},
                  "arc": {"mode": "enforce"}, **policy}
        if not hasattr(self, "dns_port"):
            self.dns_port = self.dns(ZONE)
        self.file = self.configuration(self.upstream_port, dns={"servers": [f"127.0.0.1:{self.dns_port}"]},
                                       policy=policy, log={"target": f"file:{self.folder}/none/gateway.log"})

    def explain(self, message, *arguments, status=None):
        done = run([PROGRAM, "explain", "-c", self.file, "-", *arguments], input=message)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def explain_json(self, message, *arguments, status):
        return json.loads(self.explain(message, "--json", *arguments, status=status).stdout)

    def check(self, explanation, name):
        return next(check for check in explanation["checks"] if check["check"] == name)

    def test_json_shows_no_signs_that_turn_text_round_and_keeps_what_was_said(self):
        note = "note: paid\u202eun\u200bpaid\u0085"
        self.dns_port = self.dns({"turned.example": {"TXT": ["v=spf1 -all", note]}})
        self.configure()
        said = self.explain(SPOOFED, "--json", "--ip", "192.0.2.7", "--from", "a@turned.example").stdout
        self.assertTrue(said.isascii())
        self.assertIn(note, json.dumps(json.loads(said), ensure_ascii=False))

    def test_a_signed_message_passes(self):
        arguments = ["--ip", "192.0.2.1", "--helo", "football.example.com", "--to", "bob@test.example"]
        said = self.explain_json(SIGNED, *arguments, status=0)
        self.assertEqual((said["verdict"], said["passes"]), ("relay", True))
        self.assertEqual(said["envelope"]["from"], "joe@football.example.com")
        self.assertEqual(said["envelope"]["assumed"], ["from: the From field"])
        self.assertEqual(said["message"]["notes"], ["LF line ends are taken as CRLF"])
        dkim = self.check(said, "dkim")
        self.assertEqual(dkim["result"], "pass")
        signature = dkim["facts"]["signatures"][0]
        self.assertEqual(signature["body_hash"], "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
        self.assertTrue(signature["header_hash"])
        self.assertEqual(dkim["dns"][0]["name"], "brisbane._domainkey.football.example.com")
        self.assertEqual(self.check(said, "spf")["facts"]["mailfrom"]["mechanism"], "ip4:192.0.2.1")
        dmarc = self.check(said, "dmarc")
        self.assertEqual((dmarc["result"], dmarc["facts"]["record"]), ("pass", "v=DMARC1; p=reject"))
        self.assertIn("Authentication-Results: mx.test.example;", said["relayed_header"])
        self.assertEqual([exchange["command"].split(" ")[0] for exchange in said["dialogue"]],
                         ["", "EHLO", "MAIL", "RCPT", "DATA", "(the"])
        text = self.explain(SIGNED, *arguments, status=0).stdout
        self.assertRegex(text, r"(?m)^relay ")
        self.assertRegex(text, r"(?m)^dkim +pass +football.example.com \(selector brisbane\)$")
        self.assertLess(len(text.splitlines()), 30, text)

    def test_a_changed_message_says_why_its_signature_fails(self):
        said = self.explain_json(SIGNED.replace("lost", "won"), "--ip", "192.0.2.1", "--to", "bob@test.example", status=0)
        dkim = self.check(said, "dkim")
        self.assertEqual(dkim["result"], "fail")
        self.assertIn("body hash", dkim["facts"]["signatures"][0]["reason"])
        self.assertNotEqual(dkim["facts"]["signatures"][0]["body_hash"], "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")

    def test_a_spoofed_sender_is_refused_with_the_exact_reply(self):
        done = self.explain(SPOOFED, "--ip", "192.0.2.7", "--helo", "mail.evil.example", status=1)
        self.assertRegex(done.stdout, r"\Areject +550 5\.7\.1 Rejected by the DMARC policy of bank\.example \(id \w{16}\)\n"
                                      r"because +dmarc at message: ")
        self.assertRegex(done.stdout, r"(?m)^dmarc +fail .*<- decided$")
        said = self.explain_json(SPOOFED, "--ip", "192.0.2.7", "--helo", "mail.evil.example", status=1)
        self.assertEqual((said["verdict"], said["check"], said["stage"]), ("reject", "dmarc", "message"))
        self.assertEqual((said["reply"]["code"], said["reply"]["by"]), (550, "gateway"))
        self.assertIn(f"(id {said['id']})", said["reply"]["line"])
        self.assertEqual(said["relayed_header"], "")

    def test_a_listed_client(self):
        self.configure(dnsbl={"mode": "enforce", "zones": {"list.example": {"score": 9.0, "self_test": True}}})
        said = self.explain_json(SPOOFED, "--ip", "192.0.2.9", "--helo", "mail.evil.example", status=1)
        self.assertEqual((said["verdict"], said["check"], said["stage"]), ("reject", "dnsbl", "rcpt"))
        listed = self.check(said, "dnsbl")
        self.assertEqual(listed["facts"]["hits"], [{"zone": "list.example", "codes": ["127.0.0.2"]}])
        self.assertEqual((listed["result"], listed["fact"]), ("listed", "list.example (127.0.0.2, score 9)"))
        self.assertEqual([asked["name"] for asked in listed["dns"]], ["9.2.0.192.list.example"])
        self.assertEqual(self.check(said, "dmarc")["result"], "not run")
        # The test points belong to the daemon.
        self.assertNotIn("2.0.0.127.list.example", (self.folder / "dns.log").read_text())

    def test_a_rule_refuses(self):
        self.configure(dmarc={"mode": "off"}, rules={"mode": "enforce", "path": self.rules(RULE)})
        said = self.explain_json(SPOOFED.replace("your account", "clicks"), status=1)
        self.assertEqual((said["check"], said["rule"]), ("rules", "NO_CLICKS"))
        self.assertTrue(said["reply"]["line"].startswith("554 5.7.9 No clicks (id "), said["reply"])

    def test_rates_are_told_and_not_counted(self):
        self.configure(rate={"mode": "enforce", "connect_per_ip": "1/1h", "mail_per_ip": "1/1h"})
        for _ in range(2):
            said = self.explain_json(SIGNED, "--ip", "192.0.2.1", "--to", "bob@test.example", status=0)
        asked = self.check(said, "rate")["facts"]["asked"]
        self.assertEqual([(rate["name"], rate["key"]) for rate in asked],
                         [("connect_per_ip", "192.0.2.1"), ("proven_mail_per_ip", "192.0.2.1"),
                          ("rcpt_per_sender_domain", "football.example.com")])
        self.assertTrue(all(rate["allowed"] and not rate["counted"] for rate in asked))

    def test_recipients_senders_and_tls(self):
        said = self.explain_json(SIGNED, "--from", "", "--to", "bob@test.example", "--to", "eve@elsewhere.example",
                                 "--tls", status=0)
        self.assertEqual((said["envelope"]["from"], said["envelope"]["tls"]), ("", True))
        replies = [e["reply"][-1] for e in said["dialogue"] if e["command"].startswith("RCPT")]
        self.assertRegex(replies[0], "^250 ")
        self.assertRegex(replies[1], r"^550 5\.7\.1 Relaying denied \(id ")
        self.assertIn("ESMTPS", said["relayed_header"])
        self.explain(SIGNED, "--to", "eve@elsewhere.example", status=1)

    def test_the_message_tells_its_envelope(self):
        trace = ("Return-Path: <ann@football.example.com>\nReceived: from inner.example (inner.example [10.0.0.3])\n by store.example\n"
                 "Received: from mail.example.org (unknown [IPv6:2001:db8::7])\n by mx.test.example with ESMTP id 1\n")
        envelope = self.explain_json(trace + SPOOFED, status=1)["envelope"]
        self.assertEqual((envelope["ip"], envelope["helo"]), ("2001:db8::7", "mail.example.org"))
        self.assertEqual((envelope["from"], envelope["to"]), ("ann@football.example.com", ["bob@test.example"]))

    def test_what_is_wrong_with_the_content(self):
        said = self.explain_json(SIGNED.replace("Hi.", "H\0i"), "--to", "bob@test.example", status=1)
        self.assertEqual((said["verdict"], said["stage"]), ("reject", "message"))
        mixed = "Subject: a\r\nFrom: ann@example.org\r\n\r\none\ntwo\r\n"
        said = self.explain_json(mixed, "--to", "bob@test.example", status=0)
        self.assertEqual(said["message"]["notes"], [])
        self.assertIn("bare_lf", [remark["kind"] for remark in said["remarks"]])

    def test_unusable(self):
        self.explain("", status=65)
        self.explain("no message at all\n", status=65)
        self.assertEqual(run([PROGRAM, "explain", "-c", self.file, self.folder / "nothing.eml"]).returncode, 66)
        self.assertEqual(run([PROGRAM, "explain", "-c", self.file, self.folder]).returncode, 65)
        self.explain(SIGNED, "--ip", "192.0.2", status=64)
        self.explain(SIGNED, "--from", "a b@c", status=64)
        self.assertEqual(run([PROGRAM, "explain", "-c", self.file]).returncode, 64)
        self.file.write_text("hostnam = 1\n")
        done = self.explain(SIGNED, status=78)
        self.assertIn("did you mean", done.stderr)


if __name__ == "__main__":
    unittest.main()
