#!/usr/bin/env python3
"""Lists of domains and hashes as a mail through a whole program meets them: what stands in its parts is asked for, scored, told and explained."""
import base64
import hashlib
import json
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until

ZONE = {
    "evil.com.customer77.dbl.paid.example": {"A": ["127.0.1.2"]},
    "evil.com.multi.example": {"A": ["127.0.0.72"]},
    hashlib.sha1(b"evil@gmail.com").hexdigest() + ".ebl.example": {"A": ["127.0.0.2"]},
    "broken.com.multi.example": {"A": ["127.0.0.1"]},
}


class UrlLists(GatewayTest):
    def setUp(self):
        super().setUp()
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"], "timeout": "1s"}
        zones = {"customer77.dbl.paid.example": {"score": 6.0},
                 "multi.example": {"codes": {"&8": 2.0, "&64": 3.0}},
                 "ebl.example": {"kind": "hash", "score": 1.0}}
        self.gateway(self.sink().port, dns=dns, log={"format": "json", "target": f"file:{self.folder}/gateway.log"},
                     policy={"mode": "off", "content": {"mode": "enforce"}, "url_lists": {"mode": "enforce", "zones": zones},
                             "actions": {"tag": 100.0, "quarantine": 200.0, "reject": 300.0}})
        self.log = self.folder / "gateway.log"

    def symbols(self, content):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<user@test.example>", 250)
        client.ask("DATA", 354)
        client.send(content.replace("\n", "\r\n") + "\r\n.\r\n")
        self.assertTrue(client.reply().startswith("250"))
        client.ask("QUIT", 221)
        wait_until("a line of the log", lambda: '"transaction"' in self.log.read_text())
        lines = [line for line in self.log.read_text().splitlines() if '"transaction"' in line]
        return sorted(json.loads(lines[-1])["symbols"])

    def test_what_stands_in_the_parts_is_asked_for(self):
        html = base64.b64encode(b'<p>Go to <a href="http://www.bank.com@ev&#105;l.com/x">www.bank.com</a></p>').decode()
        found = self.symbols(f"From: a@sender.example\nReply-To: e.v.i.l+x@googlemail.com\nMIME-Version: 1.0\n"
                             f"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n{html}\n")
        self.assertEqual(found, ["url_lists:dbl.paid.example(6)", "url_lists:ebl.example(1)", "url_lists:multi.example(5)"])
        self.assertNotIn("customer77", self.log.read_text())

    def test_a_list_in_trouble_is_not_clean(self):
        self.assertEqual(self.symbols("From: a@sender.example\n\nsee hxxp://broken[.]com/\n"), ["!url_lists:multi.example"])

    def test_they_are_shown_and_explained(self):
        self.symbols("From: a@sender.example\n\nsee http://evil.com/\n")
        file = self.folder / "sallyport.toml"
        lists = json.loads(run([PROGRAM, "lists", "--json", "-c", file]).stdout)
        self.assertEqual({one["list"]: one["names"]["state"] for one in lists},
                         {"dbl.paid.example": "asked", "multi.example": "asked", "ebl.example": "asked"})
        mail = self.folder / "mail.eml"
        mail.write_bytes(b"From: a@sender.example\r\n\r\nsee http://evil.com/\r\n")
        told = run([PROGRAM, "explain", "-c", file, "--ip", "127.0.0.1", "--from", "ann@sender.example", "--to", "user@test.example", mail]).stdout
        self.assertIn("multi.example=127.0.0.72 evil.com", told)
        self.assertNotIn("customer77", told)


if __name__ == "__main__":
    unittest.main()
