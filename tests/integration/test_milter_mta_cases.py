#!/usr/bin/env python3
"""The corpus milter-mta-side-gomilter: what an MTA must do with a milter's answers. Skipped where there is no corpus."""
import json
import os
import pathlib
import re
import unittest

from scripted_milter import (CONTINUE, DISCARD, REJECT, TEMPFAIL, add_header, add_rcpt, change_header, change_sender, delete_rcpt,
                             insert_header, quarantine, reply, replace_body)
from support import Client, wait_until
from test_milters import MilterTest

CORPUS = pathlib.Path(os.environ.get("SALLYPORT_CORPORA", "/none"), "milter-mta-side-gomilter/testcases.json")
CASES = json.loads(CORPUS.read_text())["testcases"] if CORPUS.exists() else []
# We offer no AUTH to clients, so there is no {auth_authen} to see; contract.md has it for later.
BEYOND = {"auth/no-tls.testcase": "AUTH", "auth/ok.testcase": "AUTH"}
DEFAULT_HEADER = ("From: <from@example.com>\r\nTo: <to@example.com>\r\nSubject: test\r\nDate: Fri, 10 Mar 2023 23:29:35 +0000 (UTC)\r\n"
                  "Message-ID: <id@example.com>\r\n")
GO_AWAY = reply("550-5.7.1 We do not like you\r\n550 5.7.1 very much, please go away")
WORDS = {"reject": REJECT, "temp-fail": TEMPFAIL, "discard": DISCARD, "custom": reply("555 5.0.0 custom")}


def word_of(path):
    return re.match(r"<?([^@>]*)", path)[1]


def header_changes(sender, header):
    """By sender; indices count our own Received as the first."""
    names = [name.lower() for name, _ in header]
    first = [insert_header(1, "X-First1", "Test"), insert_header(2, "X-First2", "Test")]
    last = [add_header("X-ADD1", "Test"), add_header("X-ADD2", "Test")]
    before = lambda name: names.index(name) + 1
    middle = [insert_header(before("subject"), "X-Middle1", "Test"), insert_header(before("subject") + 1, "X-Middle2", "Test")]
    multi = [*first, change_header(1, "Subject", ""), insert_header(before("date") + 1, "X-Before-DATE", "Test"), *last]
    return {
        "multi": multi,
        "add": last,
        "add-first": first,
        "add-middle": middle,
        "subject": [change_header(1, "Subject", "changed")],
        "del": [change_header(1, "Subject", "")],
        "multiline": [add_header("X-MultiLine", "Line1\n\tLine2\n\tLine3")],
        "change-to": [change_header(1, "To", "<to@example.com>,\n <to@example.org>")],
    }.get(sender)


class Cases(MilterTest):
    def behaviour(self, kind):
        if kind == "header":
            return {"E": lambda one, data: [*(header_changes(word_of(one.sender), one.header) or []), CONTINUE]}
        if kind == "body":
            return {"E": lambda one, data: [replace_body(one.body + b"two\r\n"), CONTINUE]}
        if kind == "mail-from":
            def at_end(one, data):
                word = word_of(one.sender)
                return [*([quarantine("test")] if word == "quarantine" else []),
                        *([change_sender("<another@example.com>")] if word == "change" else []), CONTINUE]
            return {"M": lambda one, data: WORDS.get(word_of(data.decode())), "E": at_end}
        if kind == "rcpt-to":
            def at_rcpt(one, data):
                return {"reject-one": REJECT, "discard-one": DISCARD}.get(word_of(data.decode()))

            def at_data(one, data):
                return next((WORDS[word_of(rcpt)] for rcpt in one.rcpts if word_of(rcpt) in WORDS), None)

            def at_end(one, data):
                words = [word_of(rcpt) for rcpt in one.rcpts]
                changes = [quarantine("test")] if "quarantine" in words else []
                if "add" in words or "change" in words:
                    changes.append(add_rcpt("<another@example.com>"))
                if "change" in words:
                    changes.append(delete_rcpt("<change@example.com>"))
                return [*changes, CONTINUE]
            return {"R": at_rcpt, "T": at_data, "E": at_end}
        if kind == "milter":
            return {"R": lambda one, data: reply("550 5.7.1 not him") if data.startswith(b"<other-spammer@example.com>") else None,
                    "M": lambda one, data: GO_AWAY if word_of(data.decode()) == "reject-me" else None}
        if kind == "auth":
            return {"M": lambda one, data: reply("501 5.0.0 No authentication")}
        return {"M": lambda one, data: None if b"Cj\0" in dict_of_macros(one) else TEMPFAIL}

    def test_each(self):
        if not CASES:
            self.skipTest("no corpus here")
        self.assertEqual(len(CASES), 36)
        done = 0
        for case in CASES:
            if case["file"] in BEYOND:
                continue
            with self.subTest(case["file"]):
                milter = self.milter(self.behaviour(case["milter"]), name=f"case{done}")
                self.store = self.sink()
                self.lines_before = len(self.log_lines())
                self.gateway(self.store.port, domains=["example.com"], policy={"mode": "off", "milters": [self.settings(milter)]})
                try:
                    self.play_all(case["transactions"])
                finally:
                    self.stop_all()
            done += 1
        self.assertEqual(done + len(BEYOND), 36)

    def play_all(self, transactions):
        with Client(self.port) as client:
            client.greet()
            self.relayed_before = 0
            for transaction in transactions:
                self.play(client, transaction)

    def play(self, client, transaction):
        steps = transaction["input"] or []
        kinds = [next(iter(step)) for step in steps]
        heard, header, body, said_mail = [], DEFAULT_HEADER, "body\r\n", False

        def say(command):
            client.send(command + "\r\n")
            heard.append(client.reply())
            return heard[-1][0] in "23"

        goes_on = True
        accepted = 0
        for step in steps:
            (kind, value), = step.items()
            if kind == "starttls":
                client.starttls()
                client.ask("EHLO client.example", 250)
            elif kind == "reset":
                client.ask("RSET", 250)
                said_mail, accepted = False, 0
            elif kind == "from":
                said_mail = True
                goes_on = say(f"MAIL FROM:{value}")
                if not goes_on:
                    break
            elif kind == "to":
                if not said_mail:
                    said_mail = say("MAIL FROM:<from@example.com>")
                accepted += say(f"RCPT TO:{value}")
            elif kind == "header":
                header = value
            elif kind == "body":
                body = value
        if goes_on and not said_mail:
            goes_on = say("MAIL FROM:<from@example.com>")
        if goes_on and "to" not in kinds:
            accepted += say("RCPT TO:<to@example.com>")
        goes_on = goes_on and accepted > 0
        if goes_on and say("DATA"):
            content = f"{header}\r\n{body}"
            client.send(content.removesuffix("\r\n").replace("\r\n.", "\r\n..") + "\r\n.\r\n")
            heard.append(client.reply())
            goes_on = heard[-1][0] == "2"
        elif goes_on:
            goes_on = False
        if not goes_on:
            client.ask("RSET", 250)
        self.judge(transaction, heard, goes_on)

    def judge(self, transaction, heard, goes_on):
        decision = transaction["decision"]
        self.assertEqual(goes_on, decision in ("ACCEPT", "DISCARD-OR-QUARANTINE"), heard)
        if decision in ("REJECT", "TEMPFAIL"):
            self.assertTrue(any(reply.startswith("5" if decision == "REJECT" else "4") for reply in heard), heard)
        if decision == "CUSTOM":
            words = [re.sub(r"^\d{3}[ -](\d\.\d\.\d )?", "", line) for line in transaction["reply"]]
            last = [re.sub(r" \(id \w+\)$", "", re.sub(r"^\d{3}[ -](\d\.\d\.\d )?", "", line)) for line in heard[-1].split("\n")]
            self.assertEqual((heard[-1][:3], last), (transaction["reply"][0][:3], words))
        if decision == "DISCARD-OR-QUARANTINE":
            wait_until("its line", lambda: any(line["verdict"] in ("discard", "quarantine") for line in self.log_lines()[self.lines_before:]))
            return
        if decision != "ACCEPT":
            return
        self.relayed_before += 1
        envelope, content = self.relayed(self.relayed_before)
        header, _, body = content.decode().partition("\r\n\r\n")
        wanted = {}
        for step in transaction["output"] or []:
            (kind, value), = step.items()
            wanted.setdefault(kind, []).append(value)
        if "from" in wanted:
            self.assertEqual(envelope["from"], re.match(r"<(.*?)>", wanted["from"][0])[1])
        if "to" in wanted:
            self.assertEqual([f"<{rcpt}>" for rcpt in envelope["to"]], [re.match(r"<.*?>", one)[0] for one in wanted["to"]])
        if "body" in wanted:
            self.assertEqual(body, wanted["body"][0])
        if "header" in wanted:
            ours = re.search(r"(?m)^Received: .*(\r\n[ \t].*)*\r\n", header + "\r\n")
            self.assertEqual((header + "\r\n")[ours.end():], wanted["header"][0].replace("Received: placeholder\r\n", ""))


def dict_of_macros(conversation):
    """The macros that the conversation has heard with CONNECT."""
    return b"".join(data for number, letter, data in conversation.milter.heard
                    if number == conversation.number and letter == b"D" and data[:1] == b"C")


if __name__ == "__main__":
    unittest.main()
