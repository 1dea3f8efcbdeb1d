#!/usr/bin/env python3
"""Sender authentication, our own cases in real sessions: what is found out, what is said about it on the relayed mail and
in the log, what is done about it, whose results are left out, and what it may cost in DNS questions.

The suites of others are in test_auth_sessions.py and test_spf_sessions.py.
"""
import pathlib
import signal
import tempfile
import unittest

from auth_sessions import CLIENT, AuthSessionTest, Signer, stuffed
from support import wait_until

METHODS = ("spf", "dkim", "dmarc", "arc")
ALL = {name: {"mode": "enforce"} for name in METHODS}
OTHER_CLIENT = "198.51.100.9"  # nobody's SPF record names it
OUR_ID = "mx.test.example"
BODY = "A body.\r\n\r\n  Two lines of it.\r\n"

KEYS = None


def setUpModule():
    global KEYS
    folder = tempfile.TemporaryDirectory(prefix="sallyport-test-")
    unittest.addModuleCleanup(folder.cleanup)
    KEYS = Signer(pathlib.Path(folder.name))


def spf(terms):
    return {"TXT": [f"v=spf1 {terms}"]}


def dmarc(tags):
    return {"TXT": [f"v=DMARC1; {tags}"]}


def zone():
    """Everybody's records. The client is allowed to send for those below pass.example, and for nobody else."""
    records = {
        "pass.example": spf("ip4:192.0.2.1 -all"), "fail.example": spf("-all"), "soft.example": spf("~all"),
        "neutral.example": spf("?all"), "broken.example": spf("nonsense -all"), "silent.example": {"TXT": "SERVFAIL"},
        "_dmarc.pass.example": dmarc("p=reject"), "_dmarc.none.example": dmarc("p=none"),
        "_dmarc.reject.example": dmarc("p=reject"), "_dmarc.quarantine.example": dmarc("p=quarantine"),
        "_dmarc.testing.example": dmarc("p=reject; t=y"), "_dmarc.silent.example": {"TXT": "SERVFAIL"},
        "s1._domainkey.silent.example": {"TXT": "SERVFAIL"}, "s1._domainkey.revoked.example": {"TXT": ["v=DKIM1; p="]},
        **KEYS.published("pass.example", "reject.example", "stranger.example", "lists.example"),
    }
    for name in ("none", "reject", "quarantine", "testing", "stranger", "revoked", "lists"):
        records[f"{name}.example"] = {"A": ["198.51.100.1"]}
    return records


def mail_from(author, subject="A message", more=""):
    return f"{more}From: Ann <ann@{author}>\r\nTo: user@test.example\r\nSubject: {subject}\r\n\r\n{BODY}"


class Results(AuthSessionTest):
    """One result after the other, in the log and on the mail."""

    def setUp(self):
        super().setUp()
        self.protect(zone(), **ALL, actions={"tag": 100, "quarantine": 100, "reject": 100})

    def check(self, method, result, content, **options):
        outcome = self.submit(content, **options)
        self.assertEqual(outcome.line[method], result, (outcome.reply, outcome.line))
        if outcome.fields:
            self.assertEqual(outcome.of(method)[0].result, result, outcome.results)
        return outcome

    def test_spf(self):
        for sender, result in [("pass", "pass"), ("fail", "fail"), ("soft", "softfail"), ("neutral", "neutral"),
                               ("nobody", "none"), ("broken", "permerror"), ("silent", "temperror")]:
            with self.subTest(sender=sender):
                sender += ".example"
                outcome = self.check("spf", result, mail_from("none.example"), sender=f"ann@{sender}", helo="pass.example")
                self.assertEqual(outcome.of("spf")[0].properties["smtp.mailfrom"], f"ann@{sender}")
                greeting = outcome.of("spf")[1]
                self.assertEqual((greeting.result, greeting.properties), ("pass", {"smtp.helo": "pass.example"}))
                self.assertTrue(outcome.field("Received-SPF").startswith(f"{result} receiver={OUR_ID};"))
        outcome = self.check("spf", "pass", mail_from("none.example"), sender="", helo="pass.example")
        self.assertEqual(outcome.of("spf")[0].properties["smtp.mailfrom"], "postmaster@pass.example")

    def test_dkim(self):
        plain = mail_from("none.example")
        signed = KEYS.dkim(plain, "pass.example")
        outcome = self.check("dkim", "pass", signed)
        clause = outcome.of("dkim")[0]
        self.assertEqual(clause.comment, "2048-bit key")
        self.assertEqual({name: text for name, text in clause.properties.items() if name != "header.b"},
                         {"header.d": "pass.example", "header.i": "@pass.example", "header.s": "s1",
                          "header.a": "rsa-sha256"})
        self.assertIn("b=" + clause.properties["header.b"], signed)
        self.assertEqual(outcome.rest, stuffed(signed)[:-3])  # as it came
        for reason, result, content in [
                ("", "none", plain),
                ("body hash did not verify", "fail", signed + "One line more.\r\n"),
                ("signature did not verify", "fail", signed.replace("Subject: A", "Subject: Another")),
                ("key look-up failed", "temperror", KEYS.dkim(plain, "silent.example")),
                ("no key for signature", "permerror", KEYS.dkim(plain, "nobody.example")),
                ("key revoked", "permerror", KEYS.dkim(plain, "revoked.example")),
                ("", "permerror", KEYS.dkim(plain, "pass.example", algorithm="rsa-sha1")),
                ("", "permerror", KEYS.dkim(plain, "pass.example", more=" l=10000;")),
                ("", "policy", KEYS.dkim(plain, "pass.example", more=" l=7;") + "And a stranger's line.\r\n")]:
            with self.subTest(result=result, reason=reason):
                clause = self.check("dkim", result, content).of("dkim")[0]
                if result == "none":
                    self.assertEqual(clause.properties, {})
                else:
                    self.assertIn(reason, clause.properties["reason"])
                    self.assertTrue(clause.properties["reason"])

    def test_every_signature_has_its_clause(self):
        content = KEYS.dkim(KEYS.dkim(mail_from("none.example"), "pass.example"), "nobody.example")
        outcome = self.submit(content)
        self.assertEqual([(c.result, c.properties["header.d"]) for c in outcome.of("dkim")],
                         [("permerror", "nobody.example"), ("pass", "pass.example")])
        self.assertEqual(outcome.line["dkim"], "pass")

    def test_arc(self):
        plain = mail_from("none.example")
        once = KEYS.arc(plain, "lists.example", "dmarc=pass")
        twice = KEYS.arc(once, "stranger.example", "arc=pass; dmarc=fail", instance=2, cv="pass")
        changed = once.replace("Subject: A", "Subject: [list] A")
        behind_a_change = KEYS.arc(changed, "stranger.example", "arc=pass", instance=2, cv="pass")
        for result, content, oldest in [
                ("none", plain, None), ("pass", once, "0"), ("pass", twice, "0"), ("pass", behind_a_change, "2"),
                ("fail", changed, None), ("fail", twice + "One line more.\r\n", None),
                ("fail", KEYS.arc(plain, "silent.example", "dmarc=pass"), None),
                ("fail", KEYS.arc(plain, "nobody.example", "dmarc=pass"), None),
                ("fail", KEYS.arc(once, "lists.example", "arc=fail", instance=2, cv="fail"), None)]:
            with self.subTest(result=result, oldest=oldest):
                clause = self.check("arc", result, content).of("arc")[0]
                self.assertEqual(clause.properties.get("header.oldest-pass"), oldest)
                self.assertEqual(clause.properties.get("smtp.remote-ip"), None if result == "none" else CLIENT)

    def test_dmarc(self):
        by_signature = KEYS.dkim(mail_from("reject.example"), "reject.example")
        for result, author, content in [
                ("none", "nobody.example", mail_from("nobody.example")),
                ("pass", "pass.example", mail_from("pass.example")),
                ("pass", "sub.pass.example", mail_from("sub.pass.example")),
                ("pass", "reject.example", by_signature),
                ("fail", "none.example", mail_from("none.example")),
                ("temperror", "silent.example", mail_from("silent.example"))]:
            with self.subTest(result=result, author=author):
                outcome = self.check("dmarc", result, content, sender="ann@pass.example")
                clause = outcome.of("dmarc")[0]
                self.assertEqual(clause.properties["header.from"], author)
        clause = self.submit(mail_from("none.example")).of("dmarc")[0]
        self.assertEqual((clause.comment, clause.properties["policy.dmarc"]), ("p=none", "none"))
        clause = self.submit(mail_from("testing.example")).of("dmarc")[0]  # the policy that applies (RFC 9989, 9.1)
        self.assertEqual((clause.comment, clause.properties["policy.dmarc"]), ("p=reject, policy_test_mode", "quarantine"))

    def test_our_fields_stand_on_top_in_their_order(self):
        outcome = self.submit("Authentication-Results: mx.other.example; spf=pass\r\n" + mail_from("none.example"))
        self.assertEqual(outcome.names, ["X-Sallyport-Id", "X-Sallyport-Verdict", "Authentication-Results", "Received-SPF",
                                         "Received"])
        self.assertTrue(outcome.field("Authentication-Results").startswith(f"{OUR_ID}; "))
        self.assertEqual([clause.method for clause in outcome.results], ["spf", "dkim", "dmarc", "arc"])
        self.assertTrue(outcome.rest.startswith(b"Authentication-Results: mx.other.example;"))

    def test_what_strangers_chose_stays_in_its_place(self):  # D23
        sender = r'"x; dkim=pass (a) \"b"@pass.example'
        content = KEYS.dkim(mail_from("none.example"), "nobody.example", more=" i=a; dmarc=pass(@nobody.example;")
        outcome = self.submit(content, sender=sender, helo="a;dkim=pass")
        self.assertEqual([clause.method for clause in outcome.results], ["spf", "dkim", "dmarc", "arc"])
        self.assertIn("dkim=pass", outcome.of("spf")[0].properties["smtp.mailfrom"])
        self.assertNotEqual(outcome.of("dkim")[0].result, "pass")


class Actions(AuthSessionTest):
    """What is done about a result."""

    def run_with(self, cases, records=None, **policy):
        """Mail that nobody stands behind, unless a case says otherwise: (author or message, reply, verdict) each."""
        self.protect(records or zone(), **{**ALL, "spf": {"mode": "enforce", "on_fail": "none"}, **policy})
        for content, reply, verdict in cases:
            with self.subTest(content=content[:300], policy=policy):
                content = content if "\r\n" in content else mail_from(content)
                outcome = self.submit(content, ip=OTHER_CLIENT)
                self.assertTrue(outcome.reply.startswith(reply), outcome.reply)
                self.assertEqual(outcome.line["verdict"], verdict, outcome.line)
                if verdict in ("relay", "tag", "quarantine"):
                    said = outcome.field("X-Sallyport-Verdict")
                    self.assertTrue(said.startswith("clean;" if verdict == "relay" else f"{verdict};"), said)
                else:
                    self.assertEqual((outcome.line["check"], outcome.line["stage"]), ("dmarc", "message"))
        self.assertEqual(len(self.upstream.messages()), self.relayed)

    def test_the_authors_policy_is_followed(self):
        self.run_with([("none.example", "250", "relay"), ("nobody.example", "250", "relay"),
                       ("quarantine.example", "250", "tag"), ("testing.example", "250", "tag"),
                       ("reject.example", "550 5.7.1 Rejected by the DMARC policy of reject.example (id ", "reject"),
                       ("sub.reject.example", "550 5.7.1 ", "reject"),
                       (KEYS.dkim(mail_from("reject.example"), "reject.example"), "250", "relay"),
                       (KEYS.dkim(mail_from("reject.example"), "stranger.example"), "550 5.7.1 ", "reject"),
                       # D17: what stands below the signed part is nobody's.
                       (KEYS.dkim(mail_from("reject.example"), "reject.example", more=" l=7;") + "More.\r\n",
                        "550 5.7.1 ", "reject")])

    def test_the_administrator_may_be_milder(self):
        self.run_with([("reject.example", "250", "tag"), ("quarantine.example", "250", "tag")],
                      dmarc={"mode": "enforce", "on_reject": "tag"})

    def test_quarantine_relays_with_a_mark_as_long_as_there_is_none(self):
        self.run_with([("reject.example", "250", "quarantine"), ("quarantine.example", "250", "quarantine")],
                      dmarc={"mode": "enforce", "on_reject": "quarantine", "on_quarantine": "quarantine"})

    def test_or_stricter(self):
        self.run_with([("quarantine.example", "550 5.7.1 ", "reject"), ("none.example", "250", "relay"),
                       ("silent.example", "451 4.4.3 ", "tempfail")],
                      dmarc={"mode": "enforce", "on_quarantine": "reject", "on_temperror": "tempfail"})

    def test_scores_decide_together(self):
        self.run_with([("none.example", "250", "tag"), ("nobody.example", "250", "relay")],
                      dmarc={"mode": "enforce", "score": 3.0}, actions={"tag": 3.0})

    def test_shadow_only_records(self):
        self.run_with([("reject.example", "250", "relay"), ("quarantine.example", "250", "relay"),
                       ("From: a@a.example, b@b.example\r\n\r\nx", "250", "relay")], dmarc={"mode": "shadow"})
        self.assertEqual([line["dmarc"] for line in self.wait_for_log(count=3)], ["fail", "fail", "permerror"])
        self.assertEqual(self.submit(mail_from("reject.example"), ip=OTHER_CLIENT).of("dmarc")[0].result, "fail")

    def test_mail_without_one_author_is_refused(self):  # D21
        author = "From: Ann <ann@pass.example>\r\n"
        refused = [
            "Subject: x\r\n\r\nx", "\r\nx", "From: <ann@pass..example>\r\n\r\nx", author + author + "\r\nx", author + "from : <bob@none.example>\r\n\r\nx",
            author + "From\r\n : <bob@none.example>\r\n\r\nx", "From\r\n : <ann@pass.example>\r\n\r\nx",
            "From: ann@pass.example, bob@none.example\r\n\r\nx", "From: <ann@pass.example>bob@none.example\r\n\r\nx",
            "From: Team: ann@pass.example, bob@none.example;\r\n\r\nx", "From: \"x\" <ann@pass.example>,\r\n"
            " =?utf-8?B?PGJvYkBub25lLmV4YW1wbGU+?=\r\n\r\nx",
        ]
        taken = [author + "\r\nx", "From: ann@pass.example, bob@pass.example\r\n\r\nx",
                 "From: \"bob@none.example\" <ann@pass.example>\r\n\r\nx", "From: @ 5 bob@none.example <ann@pass.example>\r\n\r\nx",
                 "From: Ann <@none.example:ann@pass.example>\r\n\r\nx"]
        # To an author without a domain DMARC does not apply.
        taken += [f"From: {author}\r\n\r\nx" for author in ("", "Ann", "undisclosed:;", "<ann@[192.0.2.1]>", "\"root\" <root>")]
        self.run_with([(content, "550 5.6.0 ", "reject") for content in refused] +
                      [(content, "250 ", "relay") for content in taken],
                      records={"pass.example": spf("+all"), "none.example": spf("+all")})

    def test_trouble_of_the_dns_never_refuses_for_good(self):  # D21
        everything = {name: "SERVFAIL" for name in
                      ("a.example", "_dmarc.a.example", "_dmarc.example", "s1._domainkey.a.example", "example")}
        content = KEYS.arc(KEYS.dkim(mail_from("a.example"), "a.example"), "a.example", "dmarc=pass")
        strict = {"mode": "enforce", "on_fail": "reject", "on_softfail": "reject", "on_permerror": "reject"}
        self.protect(everything, **{**ALL, "spf": strict})
        outcome = self.submit(content, sender="ann@a.example", helo="a.example")
        self.assertTrue(outcome.reply.startswith("250"), outcome.reply)
        self.assertEqual([outcome.line[name] for name in METHODS], ["temperror", "temperror", "temperror", "fail"])

    def test_a_trusted_sealer_may_speak_for_the_author(self):
        passed = KEYS.arc(mail_from("reject.example"), "lists.example", "dmarc=pass header.from=reject.example")
        self.run_with([(passed, "250", "relay"),
                       (KEYS.arc(mail_from("reject.example"), "lists.example", "dmarc=fail"), "550 5.7.1 ", "reject"),
                       (KEYS.arc(mail_from("reject.example"), "stranger.example", "dmarc=pass"), "550 5.7.1 ", "reject"),
                       (passed + "One line more.\r\n", "550 5.7.1 ", "reject")],
                      arc={"mode": "enforce", "trusted_sealers": ["lists.example"]})
        outcome = self.submit(passed, ip=OTHER_CLIENT)
        self.assertEqual((outcome.line["dmarc"], outcome.line["arc"]), ("fail", "pass"))
        self.assertIn("local_policy", outcome.of("dmarc")[0].comment)

    def test_a_trusted_sealer_speaks_of_the_author_it_names(self):  # D22
        def sealed(results):
            return KEYS.arc(mail_from("reject.example"), "lists.example", results)

        many = "".join(f"dkim=fail (no) header.d=d{at}.example;\r\n\t" for at in range(150))
        self.run_with([(sealed("dmarc=pass header.from=stranger.example"), "550 5.7.1 ", "reject"),
                       (sealed("dmarc=pass"), "550 5.7.1 ", "reject"),
                       (sealed(many + "dmarc=pass\r\n\theader.from=Reject.Example"), "250", "relay"),
                       (sealed("dkim=pass header.d=mail.reject.example"), "250", "relay"),
                       (sealed("spf=pass smtp.mailfrom=bounces@reject.example"), "250", "relay"),
                       (sealed("spf=pass smtp.mailfrom=bounces@stranger.example"), "550 5.7.1 ", "reject"),
                       (sealed("dkim=pass header.d=reject.example; dmarc=fail header.from=reject.example"), "550 5.7.1 ", "reject")],
                      arc={"mode": "enforce", "trusted_sealers": ["Lists.Example"]})

    def test_a_rule_may_override_it_for_a_forwarder(self):
        rules = self.rules("""
sp.rule { name = "FORWARDED", stage = "message", run = function(tx)
  if tx.auth.arc == "pass" then return sp.override { check = "dmarc", to = "tag", reason = "a chain that holds" } end
end }
""")
        forwarded = KEYS.arc(mail_from("reject.example"), "stranger.example", "dmarc=pass")
        self.run_with([(forwarded, "250", "tag"), (mail_from("reject.example"), "550 5.7.1 ", "reject"),
                       (forwarded + "One line more.\r\n", "550 5.7.1 ", "reject")],
                      rules={"mode": "enforce", "path": rules})
        line = self.wait_for_log()[0]
        self.assertEqual((line["check"], line["changes"]), ("dmarc", "rules:FORWARDED override dmarc to tag"))
        self.assertTrue(line["because"].endswith("reject overridden by rules:FORWARDED: a chain that holds"), line["because"])

    def test_exceptions_are_let_pass_with_their_reason(self):
        exceptions = [{"domain": "quarantine.example", "networks": ["0.0.0.0/0"], "reason": "an archive"},
                      {"domain": "reject.example", "networks": ["203.0.113.0/24", "198.51.100.8/29"], "reason": "forwards for us"}]
        self.run_with([("reject.example", "250", "relay"), ("quarantine.example", "250", "relay"),
                       ("sub.reject.example", "550 5.7.1 ", "reject"), ("testing.example", "250", "tag")],
                      dmarc={"mode": "enforce", "exceptions": exceptions})
        outcome = self.submit(mail_from("reject.example"), ip=OTHER_CLIENT)
        self.assertEqual((outcome.line["dmarc"], outcome.line["local_policy"]), ("fail", "forwards for us"))
        self.assertIn("dmarc:local_policy", outcome.line["symbols"])
        self.assertEqual(outcome.of("dmarc")[0].comment, "p=reject, local_policy")
        outcome = self.submit(mail_from("reject.example"), ip="198.51.100.16")
        self.assertTrue(outcome.reply.startswith("550 5.7.1 "), outcome.reply)

    def test_what_the_phrase_shows_is_scored(self):  # D21
        self.run_with([("From: service@bank.example <ann@none.example>\r\n\r\nx", "250", "relay")])
        line = self.wait_for_log()[-1]
        self.assertIn("dmarc:from_phrase(1)", line["symbols"])

    def test_off_is_silent(self):
        self.protect(zone())
        outcome = self.submit(KEYS.dkim(mail_from("reject.example"), "pass.example"))
        self.assertEqual(outcome.names, ["X-Sallyport-Id", "X-Sallyport-Verdict", "Received"])
        self.assertEqual([outcome.line[name] for name in METHODS], [""] * 4)
        self.assertEqual(self.questions(), [])


class Forged(AuthSessionTest):
    """S38: what pretends to be ours leaves the mail, and is counted."""

    def setUp(self):
        super().setUp()
        self.protect({}, **ALL)

    def removes(self, fields, count=1):
        around = ("Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n", mail_from("nobody.example"))
        outcome = self.submit(fields.join(around))
        self.assertEqual(outcome.rest.decode("latin-1"), "".join(around), fields)
        self.removed = getattr(self, "removed", 0) + count
        self.assertEqual(self.violations("ar_removed"), self.removed, fields)
        self.assertEqual(outcome.names.count("Authentication-Results"), 1)

    def keeps(self, fields):
        content = fields + mail_from("nobody.example")
        self.assertEqual(self.submit(content).rest.decode("latin-1"), content)
        self.assertEqual(self.violations("ar_removed"), 0, fields)

    def test_results_in_our_name(self):
        for field in [
                "Authentication-Results: mx.test.example; dmarc=pass header.from=bank.example",
                "authentication-RESULTS: MX.Test.EXAMPLE; dmarc=pass",
                "Authentication-Results : mx.test.example; dmarc=pass",
                "Authentication-Results\t \t:mx.test.example;dmarc=pass",
                "Authentication-Results\r\n : mx.test.example; dmarc=pass",
                "Authentication-Results:\r\n\tmx.test.example;\r\n dmarc=pass",
                "Authentication-Results: (a (nested\\)) comment) mx.test.example (and (another)); dmarc=pass",
                "Authentication-Results: (;) mx.test.example; dmarc=pass",
                'Authentication-Results: "mx.test.example"; dmarc=pass',
                'Authentication-Results: "m\\x.test.ex\\ample"; dmarc=pass',
                "Authentication-Results: mx.test.example 1; dmarc=pass",
                "Authentication-Results: mx.test.example (version) 1 (is one); dmarc=pass",
                "Authentication-Results: mx.test.example 17; none",
                "Authentication-Results: mx.test.example",
                "Authentication-Results: mx.test.example.; dmarc=pass",
                "Authentication-Results:mx.test.example;" + " dmarc=pass;" * 300]:
            with self.subTest(field=field[:100]):
                self.removes(field + "\r\n")

    def test_results_in_nobodys_name(self):
        for value in ["", " ; dmarc=pass", " (mx.test.example", ' "mx.test.example; dmarc=pass', " =mx.test.example; x",
                      " mx.test.example/1; dmarc=pass", " mx.test.example dmarc=pass", " mx@test.example; dmarc=pass",
                      ' mx."test.example"; dmarc=pass', " =?utf-8?q?mx.test.example?=; dmarc=pass"]:
            with self.subTest(value=value):
                self.removes(f"Authentication-Results:{value}\r\n")

    def test_our_own_fields(self):
        for fields in ["X-Sallyport-Verdict: clean; score=0.0; checks=\r\n", "x-sallyport-ID : 0\r\n",
                       "X-SALLYPORT-Anything:\r\n folded\r\n\tand on\r\n", "X-Sallyport-:\r\n", "X-Sallyport-Id\r\n : 0\r\n"]:
            with self.subTest(fields=fields):
                self.removes(fields)

    def test_many_in_one_mail_are_one_violation(self):
        self.removes("Authentication-Results: mx.test.example; none\r\nX-Sallyport-Id: 0\r\n" * 50)

    def test_what_is_somebody_elses_stays(self):
        self.keeps("".join(f"{field}\r\n" for field in [
            "Authentication-Results: mx.other.example; dmarc=pass",
            "Authentication-Results: mx.test.example.other.example; dmarc=pass",
            "Authentication-Results: other-mx.test.example; dmarc=pass",
            "Authentication-Results: test.example; dmarc=pass",
            "Authentication-Results: other.example (mx.test.example); dmarc=pass",
            'Authentication-Results: "other.example"; x=y policy.z=mx.test.example',
            "ARC-Authentication-Results: i=1; mx.test.example; dmarc=pass",
            "X-Authentication-Results: mx.test.example; dmarc=pass",
            "Authentication-Results-Original: mx.test.example; dmarc=pass",
            "Subject: x\r\n Authentication-Results: mx.test.example; dmarc=pass",
            "X-Sallyportier: x"]))

    def test_attached_messages_stay_as_they_are(self):
        content = ("From: Ann <ann@nobody.example>\r\nContent-Type: message/rfc822\r\n\r\n"
                   "Authentication-Results: mx.test.example; dmarc=pass\r\nX-Sallyport-Id: 0\r\n\r\nx\r\n")
        self.assertEqual(self.submit(content).rest.decode(), content)
        self.assertEqual(self.violations("ar_removed"), 0)

    def test_without_checks_too(self):
        for process in reversed(self.processes):
            process.stop()
        self.processes.clear()
        self.protect({})
        outcome = self.submit("Authentication-Results: mx.test.example; dmarc=pass\r\n" + mail_from("nobody.example"))
        self.assertEqual(outcome.rest.decode(), mail_from("nobody.example"))
        self.assertNotIn("Authentication-Results", outcome.names)


class Questions(AuthSessionTest):
    """What a mail may cost in DNS questions."""

    def greedy(self):
        """The zone and the mail of a sender who wants to cost as much as can be."""
        hosts = [f"{m}-{h}.many.example" for m in range(10) for h in range(10)]
        records = {f"m{m}.many.example": {"MX": [[h, f"{m}-{h}.many.example"] for h in range(10)]} for m in range(10)}
        records.update({host: {"A": ["198.51.100.1"]} for host in hosts})
        terms = " ".join(f"mx:m{m}.many.example" for m in range(10))
        records["many.example"] = spf(f"{terms} -all")
        content = mail_from("a.b.c.d.e.f.g.h.many.example")
        for at in range(12):
            content = KEYS.dkim(content, f"d{at}.many.example")
        return records, content

    def test_no_mail_costs_more_than_a_hundred(self):
        records, content = self.greedy()
        self.protect(records, **{**ALL, "spf": {"mode": "enforce", "on_permerror": "reject", "on_fail": "reject"}})
        outcome = self.submit(content, sender="ann@many.example")
        self.assertTrue(outcome.reply.startswith("250"), outcome.reply)
        self.assertEqual(len(self.questions()), 100)
        self.assertEqual(self.violations("dns_budget"), 1)
        self.assertEqual(outcome.line["spf"], "temperror")  # it was not found out, so nothing is said
        self.assertNotIn("pass", [outcome.line[name] for name in METHODS])

    def test_nor_does_it_where_less_is_allowed(self):
        records, content = self.greedy()
        self.protect(records, limits={"dns_per_message": 7}, **ALL)
        self.submit(content, sender="ann@many.example")
        self.assertEqual(len(self.questions()), 7)

    def test_sessions_at_the_same_time_ask_once(self):
        self.ask_at_the_same_time(workers=1)

    def test_and_so_do_sessions_of_several_workers(self):
        self.ask_at_the_same_time(workers=4)

    def ask_at_the_same_time(self, workers):
        self.protect(zone(), workers=workers, dns={"cache_entries": 1000}, **ALL)
        content = stuffed(KEYS.dkim(mail_from("reject.example"), "reject.example"))
        clients = [self.connect(OTHER_CLIENT) for _ in range(20)]
        for client in clients:
            client.ask("EHLO [198.51.100.9]", 250)
        self.while_the_dns_waits(clients, b"MAIL FROM:<ann@pass.example>\r\n", workers)
        for client in clients:
            client.expect(250)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.ask("DATA", 354)
        self.while_the_dns_waits(clients, content, workers)
        for client in clients:
            client.expect(250)
            client.ask("QUIT", 221)
        lines = self.wait_for_log(count=20)
        self.assertEqual([[line[name] for name in METHODS] for line in lines], [["fail", "pass", "pass", "none"]] * 20)
        questions = self.questions()
        self.assertEqual(sorted(questions), sorted(set(questions)))
        for name in ("pass.example", "s1._domainkey.reject.example", "_dmarc.reject.example"):
            self.assertIn(("TXT", name), questions)

    def while_the_dns_waits(self, clients, octets, workers):
        """All clients say this while no question is answered, so that all of them wait for the same answers."""
        self.dns_server.signal(signal.SIGSTOP)
        try:
            for client in clients:
                client.send(octets)
            # A worker that has answered who came later has read what was sent before; of so many each gets one.
            for _ in range(1 if workers == 1 else 10 * workers):
                with self.connect() as late:
                    late.ask("EHLO later.example", 250)
                    late.ask("NOOP", 250)
                    late.ask("QUIT", 221)
        finally:
            self.dns_server.signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
