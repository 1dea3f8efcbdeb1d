#!/usr/bin/env python3
"""The shipped rules on the running program, switched on by name: each finds what it is there for, and none of them does
anything while it is off; and the tests that stand beside them, by `sallyport rule test`."""
import pathlib
import re
import tempfile
import unittest

from auth_sessions import AuthSessionTest, Signer, stuffed
from support import PROGRAM, ROOT, run, wait_until

RULES = ROOT / "lua/rules"
SHIPPED = sorted(file.stem.upper() for file in RULES.glob("*.lua") if not file.stem.endswith("_test"))
LISTS = {"SENDER_RATE": {"entries": ["2/1h"]}, "LISTED_LINKS": {"entries": ["dbl.example"]},
         "EXECUTIVE_NAME": {"entries": ["Ann Boss"]}, "ARC_FORWARDER": {"entries": ["lists.example"]}}
KEYS = None


def setUpModule():
    global KEYS
    folder = tempfile.TemporaryDirectory(prefix="sallyport-test-")
    unittest.addModuleCleanup(folder.cleanup)
    KEYS = Signer(pathlib.Path(folder.name))


def message(body="hello\r\n", **fields):
    fields = {"From": "Ann <ann@sender.example>", "To": "user@test.example", "Subject": "x", **fields}
    return "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value) + "\r\n" + body


def with_file(name, **fields):
    return message(f"--b\r\nContent-Type: application/octet-stream; name={name}\r\n\r\ncontent\r\n--b--\r\n",
                   MIME_Version="1.0", Content_Type="multipart/mixed; boundary=b", **fields)


class Rules(AuthSessionTest):
    def serve(self, shipped=SHIPPED, **policy):
        records = {"evil.com.dbl.example": {"A": ["127.0.1.2"]}, "sender.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
                   "_dmarc.strict.example": {"TXT": ["v=DMARC1; p=reject"]}, "strict.example": {"A": ["198.51.100.1"]},
                   **KEYS.published("strict.example", "lists.example")}
        self.protect(records, domains=["test.example", "exemplary.example"], content={"mode": "enforce"}, spf={"mode": "enforce"},
                     actions={"tag": 100.0, "quarantine": 200.0, "reject": 300.0},
                     rules={"mode": "enforce", "shipped": shipped, "lists": LISTS}, **policy)

    def submit(self, content, recipient="user@test.example"):
        """One mail: the last reply, and its line in the log."""
        answers, line = self.to_many(content, [recipient])
        return answers[-1], line

    def symbols(self, content, **options):
        return self.rules_of(self.submit(content, **options)[1])

    @staticmethod
    def rules_of(line):
        """The names of the rules that had something to say, in shadow or not."""
        return re.findall(r"rules:([A-Z_]+)", str(line["symbols"]))

    def to_many(self, content, recipients, sender="ann@sender.example"):
        """The answers to RCPT and to the content, and the line in the log."""
        client = self.connect()
        client.ask("EHLO [192.0.2.1]", 250)
        client.ask(f"MAIL FROM:<{sender}>", 250)
        answers = []
        for recipient in recipients:
            client.send(f"RCPT TO:<{recipient}>\r\n")
            answers.append(client.reply())
        client.ask("DATA", 354)
        client.send(stuffed(content))
        answers.append(client.reply())
        client.ask("QUIT", 221)
        client.socket.close()
        self.mails += 1
        return answers, self.wait_for_log(count=self.mails)[-1]

    # What each rule is there for: (rule, what makes a mail that it finds).
    def found_by(self):
        reply = {"References": "<1@mail.test.example>", "In_Reply_To": "<1@mail.test.example>", "Subject": "Re: x"}
        return {
            "EXECUTIVE_NAME": lambda: self.symbols(message(From="Ann Boss <x@mailbox.example>")),
            "EXTERNAL_TAG": lambda: self.symbols(message()),
            "LISTED_LINKS": lambda: self.symbols(message("see https://www.evil.com/x\r\n")),
            "REPLY_TO_ELSEWHERE": lambda: self.symbols(message(Reply_To="eve@mailbox.example")),
            "LOOKALIKE_DOMAIN": lambda: self.symbols(message(From="ann@exernplary.example"), recipient="bob@exemplary.example"),
            "MASS_BCC": lambda: self.rules_of(self.to_many(message(To="x@y.example"), [f"user{i}@test.example" for i in range(12)])[1]),
            "NEW_SENDER_TO_FINANCE": lambda: self.symbols(message(), recipient="finance@test.example"),
            "THREAD_HIJACK": lambda: self.symbols(with_file("a.pdf", **{**reply, "From": "eve@mailbox.example"})),
            "SUBJECT_WORDS": lambda: self.symbols(message(Subject="cheap viagra")),
            "OWN_DOMAIN_FROM_OUTSIDE": lambda: self.symbols(message(From="ann@test.example")),
            "PLAIN_CONNECTION": lambda: self.symbols(message()),
        }

    def expect_refusals(self, are_on):
        """What those rules do that refuse."""
        reply, _ = self.submit(with_file("run.exe"))
        self.assertTrue(reply.startswith("550 5.7.1" if are_on else "250"), reply)
        answers, _ = self.to_many(message(), ["a@test.example", "b@test.example"], sender="")
        self.assertTrue(answers[1].startswith("452 4.5.3" if are_on else "250"), answers)


class On(Rules):
    def test_each_finds_what_it_is_there_for(self):
        self.serve()
        self.expect_refusals(True)
        cases = self.found_by()
        self.assertEqual(sorted([*cases, "ATTACHMENT_NAMES", "BOUNCE_TO_MANY", "SENDER_RATE", "ARC_FORWARDER"]), SHIPPED)
        for rule, symbols in cases.items():
            with self.subTest(rule=rule):
                self.assertIn(rule, symbols())

    def test_one_alone(self):
        self.serve(["EXTERNAL_TAG"])
        self.assertEqual(self.symbols(message(Subject="cheap viagra", Reply_To="eve@mailbox.example")), ["EXTERNAL_TAG"])
        relayed = wait_until("the mail at the server", self.upstream.messages)[0][1]
        self.assertIn(b"Subject: [External] cheap viagra", relayed)
        self.assertIn(b"X-External: yes", relayed)

    def test_a_setting_may_change_how_one_takes_part(self):
        self.protect({}, content={"mode": "enforce"}, rules={"mode": "enforce", "shipped": ["ATTACHMENT_NAMES"],
                                                             "rules": {"ATTACHMENT_NAMES": {"mode": "shadow"}}})
        self.assertTrue(self.submit(with_file("run.exe"))[0].startswith("250"))

    def test_a_sender_has_so_many_mails(self):
        self.serve(["SENDER_RATE"])
        answers = [self.submit(message(From="ann@sender.example"))[0] for _ in range(3)]
        self.assertEqual([answer[:9] for answer in answers], ["250 2.0.0", "250 2.0.0", "451 4.7.1"])

    def test_a_known_sender_is_not_new(self):
        self.serve(["NEW_SENDER_TO_FINANCE"])
        found = [self.symbols(message(), recipient="finance@test.example") for _ in range(2)]
        self.assertEqual(found, [["NEW_SENDER_TO_FINANCE"], []])

    def test_a_known_forwarder_is_believed(self):
        forwarded = KEYS.arc(message(From="ann@strict.example", Subject="[list] x"), "lists.example", "dmarc=pass")
        self.serve(["ARC_FORWARDER"], arc={"mode": "enforce"}, dkim={"mode": "enforce"}, dmarc={"mode": "enforce"})
        reply, line = self.submit(forwarded)
        self.assertTrue(reply.startswith("250"), (reply, line))
        self.assertEqual(line["verdict"], "tag")
        self.assertTrue(self.submit(message(From="ann@strict.example"))[0].startswith("550"))


class Off(Rules):
    def test_nothing_happens(self):
        self.serve([])
        self.expect_refusals(False)
        for rule, symbols in self.found_by().items():
            with self.subTest(rule=rule):
                self.assertEqual(symbols(), [])


class Names(Rules):
    def test_a_name_that_no_shipped_rule_has(self):
        file = self.configuration(1, policy={"mode": "off", "rules": {"mode": "enforce", "shipped": ["EXTERNAL_TAGS"]}})
        checked = run([PROGRAM, "check", file])
        self.assertEqual(checked.returncode, 78)
        self.assertIn("there is no shipped rule 'EXTERNAL_TAGS'; did you mean 'EXTERNAL_TAG'?", checked.stderr)

    def test_they_are_listed(self):
        file = self.configuration(1, policy={"rules": {"shipped": ["MASS_BCC", "EXTERNAL_TAG"]}})
        listed = run([PROGRAM, "rule", "list", "-c", file])
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("shipped/external_tag.lua", listed.stdout)
        self.assertIn("MASS_BCC", listed.stdout)


class Tests(unittest.TestCase):
    def test_each_rule_has_tests_and_they_pass(self):
        done = run([PROGRAM, "rule", "test", RULES])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for rule in SHIPPED:
            self.assertTrue((RULES / f"{rule.lower()}_test.lua").exists(), rule)


if __name__ == "__main__":
    unittest.main()
