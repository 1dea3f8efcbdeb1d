#!/usr/bin/env python3
"""The examples of lua/recipes.md, as they stand there, on the running program: each is short, loads, and finds what it is there for."""
import base64
import http.server
import json
import re
import ssl
import subprocess
import threading
import unittest

from support import ROOT, Client, GatewayTest, free_port, tool, wait_until

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


class RecipeTest(GatewayTest):
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


class Recipes(RecipeTest):
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


class Reputation(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scores = {"/bad.example": b'{"score": 7}', "/worse.example": b'{"score": 70}', "/odd.example": b'{"score": "much"}', "/broken.example": b'{"score":'}

    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.scores.get(self.path, b"not known")
        self.send_response(200 if self.path in self.scores else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WebService(RecipeTest):
    """The recipe that asks a web service, as it stands there but for the port, and a service that answers."""

    def setUp(self):
        super().setUp()
        [source] = [source for _, source in RECIPES if "sp.http" in source]
        [host] = set(re.findall(r'"https://([^/"]+)/"', source))
        certificate = self.folder / "web.crt"
        subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.folder / "web.key", "-out", certificate, "-days", "2", "-subj", f"/CN={host}",
                        "-addext", f"subjectAltName=DNS:{host}"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self.folder / "web.key")
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Reputation)
        self.web.daemon_threads = True
        self.web.asked = []
        self.web.socket = context.wrap_socket(self.web.socket, server_side=True)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.addCleanup(self.web.server_close)
        self.addCleanup(self.web.shutdown)
        folder = self.folder / "recipes"
        folder.mkdir()
        (folder / "web.lua").write_text(source.replace(f"https://{host}/", f"https://{host}:{self.web.server_port}/"))
        self.receiver = self.sink()
        self.log_file = self.folder / "gateway.log"
        self.gateway({"default": {"servers": [f"127.0.0.1:{self.receiver.port}"]}},
                     dns={"servers": [f"127.0.0.1:{self.dns({host: {'A': ['127.0.0.1']}})}"], "timeout": "1s"},
                     log={"format": "json", "target": f"file:{self.log_file}"},
                     policy={"mode": "off", "rules": {"mode": "enforce", "path": folder, "http": [host], "http_ca": str(certificate)},
                             "actions": {"tag": 100.0, "quarantine": 200.0, "reject": 300.0}})

    def score(self, domain):
        """What the rule adds for a sender of that domain; nothing where it says nothing."""
        reply, rules = self.send(mail(text("x")), sender=f"ann@{domain}")
        self.assertTrue(reply.startswith("250"), reply)
        found = re.findall(r"([!]?)rules:[A-Z_]+(?:\((\d+)\))?", str(self.transactions()[-1]["symbols"]))
        return None if not found else "failed" if found[0][0] else int(found[0][1])

    def test_what_the_service_says_is_asked_once_and_counts(self):
        self.assertEqual(self.score("bad.example"), 7)
        self.assertEqual(self.score("bad.example"), 7)
        self.assertEqual(self.web.asked, ["/bad.example"])
        self.assertEqual(self.score("worse.example"), 10)

    def test_what_the_service_does_not_know_is_asked_again(self):
        for _ in range(2):
            self.assertIsNone(self.score("unknown.example"))
        self.assertEqual(self.web.asked, ["/unknown.example"] * 2)

    def test_answers_that_are_none_do_no_harm(self):
        self.assertIsNone(self.score("odd.example"))
        self.assertIsNone(self.score("broken.example"))

    def test_without_the_service_mail_goes_on(self):
        self.web.shutdown()
        self.web.server_close()
        self.assertIsNone(self.score("bad.example"))


if __name__ == "__main__":
    unittest.main()
