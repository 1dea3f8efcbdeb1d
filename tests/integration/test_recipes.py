#!/usr/bin/env python3
"""The examples of lua/recipes.md, as they stand there, on the running program: each is short, loads, and finds what it is there for."""
import base64
import json
import re
import unittest

from support import ROOT, Client, GatewayTest, wait_until

PAGE = (ROOT / "lua/recipes.md").read_text()
RECIPES = re.findall(r"^## (\d+)\. .*?^```lua\n(.*?)^```$", PAGE, re.M | re.S)
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


def attachment(name, content):
    return (f'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="{name}"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(content).decode().strip()}")


def mail(*parts, **fields):
    fields = {"From": "Ann <ann@sender.example>", "To": "user@test.example", "Subject": "x", **fields}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return f"{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n"


def text(words):
    return "Content-Type: text/plain\r\n\r\n" + words


class Recipes(GatewayTest):
    def setUp(self):
        super().setUp()
        folder = self.folder / "recipes"
        folder.mkdir()
        for number, source in RECIPES:
            (folder / f"recipe{int(number):02}.lua").write_text(source)
        zone = {"evil.com.dbl.example": {"A": ["127.0.1.2"]}, "sender.example": {"MX": [[10, "mx.sender.example"]]},
                "nomx.example": {"A": ["192.0.2.1"]}}
        self.receiver = self.sink()
        self.log_file = self.folder / "gateway.log"
        self.archive = self.sink()
        self.gateway({"default": {"servers": [f"127.0.0.1:{self.receiver.port}"]},
                      "archive": {"servers": [f"127.0.0.1:{self.archive.port}"]}}, dns={"servers": [f"127.0.0.1:{self.dns(zone)}"], "timeout": "1s"},
                     log={"format": "json", "target": f"file:{self.log_file}"},
                     policy={"mode": "off", "content": {"mode": "enforce"}, "rules": {"mode": "enforce", "path": folder},
                             "actions": {"tag": 100.0, "quarantine": 200.0, "reject": 300.0}})

    def send(self, content, sender="ann@sender.example", recipient="user@test.example"):
        """The last reply, and the rules that had something to say."""
        before = len(self.transactions())
        with Client(self.port) as client:
            client.greet()
            client.ask(f"MAIL FROM:<{sender}>", 250)
            client.send(f"RCPT TO:<{recipient}>\r\n")
            reply = client.reply()
            if reply.startswith("250"):
                client.ask("DATA", 354)
                client.send(content + "\r\n.\r\n")
                reply = client.reply()
            client.ask("QUIT", 221)
        wait_until("the mail is logged", lambda: len(self.transactions()) > before)
        return reply, re.findall(r"rules:([A-Z_]+)", str(self.transactions()[-1]["symbols"]))

    def transactions(self):
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [line for line in map(json.loads, lines) if line.get("event") in ("transaction", "recipient")]

    def test_each_is_short(self):
        self.assertEqual([int(number) for number, _ in RECIPES], list(range(1, len(RECIPES) + 1)))
        for number, source in RECIPES:
            self.assertLessEqual(len(source.splitlines()), 15, number)

    def test_each_finds_what_it_is_there_for(self):
        link = 'Content-Type: text/html\r\n\r\n<a href="https://www.evil.com/x">www.bank.example.org</a>'
        for rule, reply, content, more in [
                ("HEADER_WORDS", "250", mail(text("x"), Subject="You won the JACKPOT"), {}),
                ("TEXT_WORDS", "250", mail(text("buy gift cards and verify your account")), {}),
                ("PROGRAMS", "550 5.7.1", mail(attachment("a.exe", b"x")), {}),
                ("BAD_FILE", "554 5.7.1", mail(attachment("a.txt", EICAR)), {}),
                ("URL_DBL", "250", mail(link), {}),
                ("DECEPTIVE_LINK", "250", mail(link), {}),
                ("SENDER_WITHOUT_MX", "250", mail(text("x")), {"sender": "ann@nomx.example"}),
                ("FIRST_CONTACT", "250", mail(text("x"), From="new@sender.example"), {}),
                ("CHIEF_FROM_OUTSIDE", "250", mail(text("x"), From="Ann Boss <x@mailbox.example>"), {})]:
            with self.subTest(rule=rule):
                answer, rules = self.send(content, **more)
                self.assertTrue(answer.startswith(reply), answer)
                self.assertIn(rule, rules)

    def test_changes_and_other_ways(self):
        self.send(mail(text("x")))
        relayed = wait_until("the mail at the server", self.receiver.messages)[0][1]
        self.assertIn(b"X-Seen-By: the gateway", relayed)
        self.send(mail(text("y"), X_Archive="yes"))
        self.assertIn(b"X-Archive: yes", wait_until("the mail in the archive", self.archive.messages)[0][1])

    def test_a_list_for_those_inside(self):
        self.assertTrue(self.send(mail(text("x")), recipient="all-staff@test.example")[0].startswith("250"))  # 127.0.0.1 is inside

    def test_an_ordinary_mail_of_a_known_sender_meets_only_the_one_that_marks_all(self):
        self.send(mail(text("hello")))
        reply, rules = self.send(mail(text("hello")))
        self.assertTrue(reply.startswith("250"), reply)
        self.assertEqual(rules, ["ROUTING"])

    def test_a_sender_has_so_many_mails(self):
        with Client(self.port) as client:
            client.greet()
            replies = []
            for _ in range(101):
                client.mail("ann@sender.example")
                client.ask("DATA", 354)
                client.send(mail(text("x")) + "\r\n.\r\n")
                replies.append(client.reply()[:9])
        self.assertEqual(replies[0][:3], "250")
        self.assertEqual(replies[-1], "451 4.7.1")


if __name__ == "__main__":
    unittest.main()
