#!/usr/bin/env python3
"""Sender authentication by the book of others: whole messages of published suites as real sessions, with the suites' DNS.

Results are read from the log's line and from Authentication-Results on the relayed mail, which have to agree. What SPF
alone has to prove is in test_spf_sessions.py, our own cases are in test_auth_results.py.
"""
import json
import unittest

from auth_sessions import CORPORA, AuthSessionTest, Signer, read_auth_results, unquoted

METHODS = ("spf", "dkim", "dmarc", "arc")
PLAIN = "From: Ann <ann@author.example>\r\nTo: user@test.example\r\nSubject: A message\r\n\r\nA body.\r\n"


def in_one_word(clauses):
    """The results of one method in one word, as the log has them."""
    results = [clause.result for clause in clauses]
    return "pass" if "pass" in results else results[0]


class SuiteTest(AuthSessionTest):
    def assert_mail_says_what_the_log_says(self, outcome, methods):
        for method in methods:
            self.assertEqual(in_one_word(outcome.of(method)), outcome.line[method], outcome.fields)

    def hold(self, suite, cases, disagreements):
        """Runs the cases, (id, function that gives what is wrong or None); those that differ are just the listed ones."""
        wrong = {name: said for name, run in cases if (said := run())}
        for name, said in wrong.items():
            print(f"{suite}: {name}: {said}" + (f" ({disagreements[name]})" if name in disagreements else ""))
        print(f"{suite} in sessions: {len(cases) - len(wrong)}/{len(cases)}")
        self.assertEqual(sorted(wrong), sorted(disagreements))


RSPAMD = CORPORA / "auth-e2e-rspamd"


@unittest.skipUnless((RSPAMD / "cases.json").is_file(), "skipped: corpora not found")
class Rspamd(SuiteTest):
    # What differs, and why. The suite itself calls all of these contested.
    ALWAYS = {
        "rspamd-115-dmarc-pct-zero-reject": "pct= is gone since RFC 9989",
        "rspamd-115-dmarc-pct-zero-sp-quarantine": "pct= is gone since RFC 9989",
        "rspamd-117-spf-fail-unresolveable-include": "include: of a domain without a record (RFC 7208, 5.2)",
        "rspamd-117-spf-allow-dns-requests-at-limit": "thirty terms that ask; RFC 7208, 4.6.4 has ten",
    }
    # The only record is that of my.mom.za.org, so that no walk leads from it to mom.za.org (RFC 9989, 4.10).
    BY_TREE_WALK = {
        "rspamd-115-dmarc-subdomain-pass-dkim-relaxed-alignment": "mom.za.org is another organization",
        "rspamd-115-dmarc-subdomain-pass-spf-relaxed-alignment": "mom.za.org is another organization",
    }
    # What the default actions do to a mail by its author's policy.
    VERDICTS = {"none": "relay", "quarantine": "tag", "reject": "reject"}

    def test_whole_messages(self):
        self.hold_all("tree-walk", {**self.ALWAYS, **self.BY_TREE_WALK})

    def test_whole_messages_by_the_public_suffix_list(self):
        self.hold_all("psl", self.ALWAYS)

    def hold_all(self, organizational_domain, disagreements):
        cases = json.loads((RSPAMD / "cases.json").read_text())["cases"]
        zones = json.loads((RSPAMD / "dns.json").read_text())
        policies = {name: {"mode": "enforce"} for name in METHODS}
        policies["dmarc"]["organizational_domain"] = organizational_domain
        self.protect({}, dns={"timeout": "1s"}, **policies)  # some of the suite's names never answer
        self.hold("auth-e2e-rspamd", [(case["id"], lambda case=case: self.wrong_with(case, zones[case["dns"]]))
                                      for case in cases], disagreements)

    def wrong_with(self, case, zone):
        self.write_zone(zone)
        message = (RSPAMD / case["message"]).read_bytes() if case["message"] else PLAIN
        # Without a sender: from nobody, by a client whose greeting is no name either.
        outcome = self.submit(message, case["mail_from"] or "", case["ip"] or "192.0.2.77", case["helo"] or "[192.0.2.77]")
        line = outcome.line
        if outcome.fields:
            self.assert_mail_says_what_the_log_says(outcome, METHODS)
        expected = dict(case["expect"])
        found = {name: line[name] for name in METHODS}
        disposition = expected.pop("dmarc_disposition", None)
        if disposition:
            expected["verdict"], found["verdict"] = self.VERDICTS[disposition], line["verdict"]
        if "temperror" in found.values() and "temperror" not in (found["spf"], found["dkim"]):
            self.assertFalse(outcome.reply.startswith("5"), outcome.reply)
        wrong = [f"{name}={found[name]}, not {result}" for name, result in expected.items() if found[name] != result]
        wrong += [said for said in case["not_expected"] if found[said.split("=")[0]] == said.split("=")[1]]
        return ", ".join(wrong)


VALIMAIL = CORPORA / "arc-valimail/arc-validation-tests.json"


@unittest.skipUnless(VALIMAIL.is_file(), "skipped: corpora not found")
class Valimail(SuiteTest):
    DISAGREEMENTS = {}

    def test_every_chain(self):
        self.protect({}, arc={"mode": "enforce"})
        cases = [(test["name"] + " (2)" * ("duplicate_of_name" in test),
                  lambda test=test, scenario=scenario: self.wrong_with(test, scenario["txt-records"]))
                 for scenario in json.loads(VALIMAIL.read_text()) for test in scenario["tests"]]
        self.assertEqual(len(cases), len(dict(cases)))
        self.hold("arc-valimail", cases, self.DISAGREEMENTS)

    def wrong_with(self, test, records):
        self.write_zone({name: {"TXT": ["".join(text.split("\n"))]} for name, text in records.items()})
        outcome = self.submit(test["message"].replace("\n", "\r\n"))
        self.assert_mail_says_what_the_log_says(outcome, ["arc"])
        said = outcome.line["arc"]
        return f'arc={said}, not {test["expect"]}' if said != test["expect"] else None


ESPOOFER = CORPORA / "auth-spoofing-espoofer/cases.json"


@unittest.skipUnless(ESPOOFER.is_file(), "skipped: corpora not found")
class Espoofer(SuiteTest):
    """Mail of an attacker who owns attack.com and would pass for legitimate.com."""

    def setUp(self):
        super().setUp()
        self.cases = json.loads(ESPOOFER.read_text())["cases"]
        self.signer = Signer(self.folder, 1024)
        owned = {"TXT": ["v=spf1 +all"], "A": ["192.0.2.1"]}
        self.records = {"legitimate.com": {"TXT": ["v=spf1 -all"], "A": ["198.51.100.1"]},
                        "_dmarc.legitimate.com": {"TXT": ["v=DMARC1; p=reject"]},
                        **{name: owned for name in ("attack.com", "33.attack.com", "any.attack.com", "a.attack.com")},
                        "selector._domainkey.attack.com": {"TXT": [self.signer.record]}}

    def run_cases(self, mode, check):
        self.protect(self.records, domains=["victim.com"], spf={"mode": "enforce"}, dkim={"mode": "enforce"},
                     arc={"mode": "enforce"}, dmarc={"mode": mode})
        for case in self.cases:
            with self.subTest(case=case["id"]):
                message = case["message"]
                if sign := case.get("dkim_signature_to_add"):
                    self.signer.selector = sign["s"]
                    message = self.signer.dkim(message, sign["d"], "From")
                outcome = self.submit(message, case["mail_from"].removeprefix("<").removesuffix(">"), helo=case["helo"],
                                      recipient="victim@victim.com")
                check(case, outcome)

    def test_none_gets_through(self):
        refused = []

        def check(case, outcome):
            self.assertRegex(outcome.reply, "^5")
            if outcome.line:
                self.assertNotEqual(outcome.line["dmarc"], "pass")
            refused.append(case["id"])

        self.run_cases("enforce", check)
        self.assertEqual(self.upstream.messages(), [])
        print(f"auth-spoofing-espoofer in sessions: {len(refused)}/{len(self.cases)}")

    def test_none_is_believed_where_nothing_is_refused(self):
        relayed = []

        def check(case, outcome):
            if outcome.rest is None:  # no address, or no text: refused whatever the policies are
                self.assertRegex(outcome.reply, "^(501|550 5.6.0|550 5.6.2)")
                return
            self.assertNotEqual(outcome.line["dmarc"], "pass")
            self.assertEqual(unquoted(read_auth_results(outcome.field("Authentication-Results"))[0]), "mx.test.example")
            # One clause for each that we have something to say of, and none that somebody else has made.
            clauses = [clause.method for clause in outcome.results]
            self.assertEqual(clauses, ["spf", "spf", "dkim", "dmarc", "arc"], outcome.fields)
            self.assertIn(outcome.of("dmarc")[0].result, ("fail", "permerror"))
            self.assertEqual(outcome.names.count("Authentication-Results"), 1)
            relayed.append(case["id"])

        self.run_cases("shadow", check)
        self.assertGreater(len(relayed), 6)


if __name__ == "__main__":
    unittest.main()
