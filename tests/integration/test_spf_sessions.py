#!/usr/bin/env python3
"""SPF as real sessions: clients at any address by a PROXY header, DNS on loopback, results from the log and the relayed mail.

Our own cases first; then every case of the openspf suite for RFC 7208 that SMTP can say.
"""
import json
import unittest

from auth_sessions import CORPORA, AuthSessionTest
from support import our_header

CORPUS = CORPORA / "spf-rfc7208"

# What no session can say; these cases run in process (tests/unit/policies/spf_corpus_test.cpp).
NOT_IN_SMTP = {
    "toolonglabel": "a label of 64 octets in MAIL FROM is refused with 501",
    "emptylabel": "an empty label in MAIL FROM is refused with 501",
    "nolocalpart": "a reverse-path without a local part is refused with 501",
    "invalid-hello-macro": "a HELO name ends at its first space",
}

ZONE = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 exp=why.example.org -all"]},
    "why.example.org": {"TXT": ["Call 555-1234 at once"]},
    "soft.example.org": {"TXT": ["v=spf1 ~all"]},
    "broken.example.org": {"TXT": ["v=spf1 foo -all"]},
    "silent.example.org": "TIMEOUT",
    "mail.example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"], "A": ["192.0.2.1"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mail.example.org"]},
    "2.2.0.192.in-addr.arpa": {"PTR": ["mail.example.org"]},
}


class SpfSessionTest(AuthSessionTest):
    def protect(self, records, **policy):
        return super().protect(records, dns={"timeout": "500ms"}, **policy)  # some names never answer

    def send(self, ip, helo, sender, subject="a case"):
        client = self.connect(ip)
        client.ask(f"EHLO {helo}", 250)
        client.mail(sender)
        client.message(f"Subject: {subject}\r\n\r\nA body.")
        client.ask("QUIT", 221)
        client.socket.close()

    def last_message(self, count):
        return our_header(self.upstream.wait_for(count)[-1][1])[0]


class OwnCases(SpfSessionTest):
    def test_results_stand_in_the_log_and_on_the_mail(self):
        self.protect(ZONE, spf={"mode": "enforce"})
        cases = [("192.0.2.1", "ann@example.org", "pass", "ip4:192.0.2.1"),
                 ("2001:db8::1", "ann@example.org", "pass", "ip6:2001:db8::/32"),
                 ("::ffff:192.0.2.1", "ann@example.org", "pass", "ip4:192.0.2.1"),
                 ("192.0.2.2", "ann@example.org", "fail", "-all"),
                 ("192.0.2.2", "ann@soft.example.org", "softfail", "~all"),
                 ("192.0.2.2", "ann@broken.example.org", "permerror", "default"),
                 ("192.0.2.2", "ann@silent.example.org", "temperror", "default"),
                 ("192.0.2.2", "ann@nowhere.example.org", "none", "default"),
                 ("192.0.2.1", "", "pass", "ip4:192.0.2.1")]
        for count, (ip, sender, result, mechanism) in enumerate(cases, 1):
            with self.subTest(ip=ip, sender=sender):
                self.send(ip, "mail.example.org", sender)
                self.assertEqual(self.wait_for_log(count=count)[-1]["spf"], result)
                fields = self.last_message(count)
                names = [name for name, _ in fields]
                self.assertEqual(names.count("Received-SPF"), 1, names)
                self.assertLess(names.index("X-Sallyport-Verdict"), names.index("Received-SPF"))
                self.assertLess(names.index("Received-SPF"), names.index("Received"))
                value = dict(fields)["Received-SPF"]
                self.assertTrue(value.startswith(result + " receiver=mx.test.example; identity=mailfrom;"), value)
                self.assertIn(f'mechanism="{mechanism}"' if ":" in mechanism else f"mechanism={mechanism}", value)
                self.assertIn(f'envelope-from="{sender or "postmaster@mail.example.org"}"', value)

    def test_refusals_have_their_codes(self):
        self.protect(ZONE, spf={"mode": "enforce", "on_fail": "reject", "on_softfail": "tempfail",
                                "on_permerror": "reject", "on_temperror": "tempfail"})
        cases = [("ann@example.org", "550 5.7.23 SPF does not allow this client to send for ann@example.org (id "),
                 ("ann@soft.example.org", "451 4.7.23 "),
                 ("ann@broken.example.org", "550 5.7.24 "),
                 ("ann@silent.example.org", "451 4.4.3 ")]
        for count, (sender, expected) in enumerate(cases, 1):
            with self.subTest(sender=sender):
                client = self.connect("192.0.2.3")
                client.ask("EHLO client.example.net", 250)
                reply = client.ask(f"MAIL FROM:<{sender}>", expected[:3])
                self.assertTrue(reply.startswith(expected), reply)
                self.assertNotIn("555", reply)  # the publisher's words are not ours
                line = self.wait_for_log(count=count)[-1]
                self.assertEqual((line["stage"], line["check"], line["dsn"]), ("mail", "spf", expected.split()[1]))
                client.ask("QUIT", 221)  # the connection has gone on

    def test_a_fail_of_the_greeting_counts(self):
        self.protect(ZONE, spf={"mode": "enforce", "on_fail": "reject"})
        client = self.connect("192.0.2.9")
        client.ask("EHLO mail.example.org", 250)
        reply = client.ask("MAIL FROM:<ann@nowhere.example.org>", 550)
        self.assertIn("5.7.23 SPF does not allow this client to send for mail.example.org", reply)

    def test_shadow_refuses_nothing(self):
        self.protect(ZONE, spf={"mode": "shadow", "on_fail": "reject"})
        self.send("192.0.2.9", "client.example.net", "ann@example.org")
        line = self.wait_for_log()[0]
        self.assertEqual((line["verdict"], line["spf"], line["score"]), ("relay", "fail", "0"))

    def test_a_confirmed_name_stands_in_log_and_received(self):
        self.protect(ZONE, rdns={"mode": "enforce"})
        for count, (ip, name, score) in enumerate([("192.0.2.1", "mail.example.org", "0"), ("192.0.2.2", "", "2"),
                                                   ("192.0.2.3", "", "2")], 1):
            self.send(ip, "client.example.net", "ann@example.org")
            line = self.wait_for_log(count=count)[-1]
            self.assertEqual((line["rdns"], line["score"]), (name, score), line)
            received = dict(self.last_message(count))["Received"]
            self.assertIn(f"from client.example.net ({name or 'unknown'} [{ip}])", received)


@unittest.skipUnless((CORPUS / "rfc7208-flat.json").is_file(), "skipped: corpora not found")
class Suite(SpfSessionTest):
    def test_every_case_that_smtp_can_say(self):
        suite = json.loads((CORPUS / "rfc7208-flat.json").read_text())
        cases = [case for case in suite["cases"] if case["id"] not in NOT_IN_SMTP]
        self.assertEqual(len(suite["cases"]) - len(cases), len(NOT_IN_SMTP))
        self.protect({}, spf={"mode": "enforce"})
        scenario = None
        for case in cases:
            if case["zone"] != scenario:
                scenario = case["zone"]
                self.write_zone(suite["zones"][scenario]["dns"])
            local, _, domain = case["mail_from"].rpartition("@")
            sender = f'"{local}"@{domain}' if " " in local else case["mail_from"]
            try:
                self.send(case["ip"], case["helo"], sender, case["id"])
            except AssertionError as error:
                raise AssertionError(f'{case["id"]}: {error}') from None
        lines = self.wait_for_log(count=len(cases))
        messages = self.upstream.wait_for(len(cases))
        self.assertEqual((len(lines), len(messages)), (len(cases), len(cases)))
        fields = {}
        for _, content in messages:
            header, rest = our_header(content)
            fields[rest.split(b"\r\n")[0].decode().removeprefix("Subject: ")] = dict(header)["Received-SPF"]
        passed = 0
        for case, line in zip(cases, lines):
            with self.subTest(case=case["id"]):
                self.assertIn(line["spf"], case["accept"])
                self.assertEqual(fields[case["id"]].split(" ")[0], line["spf"])
                passed += 1
        for name, why in NOT_IN_SMTP.items():
            print(f"not in SMTP: {name}: {why}")
        print(f"spf-rfc7208 in sessions: {passed}/{len(cases)}")


if __name__ == "__main__":
    unittest.main()
