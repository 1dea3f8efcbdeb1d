#!/usr/bin/env python3
"""What is in mails, and what clients and the configuration keep secret, stands in no log, in no figure and in no state (threats.md I11)."""
import base64
import re
import unittest

from scripted_milter import CLOSE, ScriptedMilter
from support import PROGRAM, Client, run, wait_until
from test_admin import AdminTest

# Each of these is in something that must not be told.
SUBJECT, TEXT, HEADER, ATTACHMENT, URL_PATH = "Canary-subject-71", "canary text 72", "canary-header-73", "canary attachment 74", "canary-path-75"
PASSWORD, LIST_KEY, GARBAGE = "canary-password-76", "canarykey77", "canary-garbage-78"
CANARIES = (SUBJECT, TEXT, HEADER, ATTACHMENT, URL_PATH, PASSWORD, LIST_KEY, GARBAGE)
RULES = """
sp.rule { name = "TELLS", stage = "message", score = 0.1, run = function(tx)
  if tx.msg:header("X-Case") == "throws text" then error(tx.msg.subject .. tx.msg:text()) end
  if tx.msg:header("X-Case") == "throws a table" then error({ tx.msg.subject }) end
  if tx.msg:header("X-Case") == "adds to a text" then return tx.msg:text() + 1 end
  if tx.msg:header("X-Case") == "calls a text" then return tx.msg.subject() end
  if tx.msg:header("X-Case") == "indexes by a text" then local t = nil; return t[tx.msg.subject] end
  if tx.msg:header("X-Case") == "wrong result" then return tx.msg.subject end
  if tx.msg:header("X-Case") == "wrong argument" then return sp.address.parse(tx.msg.subject, tx.msg:text()) end
  return false
end }
"""
CASES = ("none", "throws text", "throws a table", "adds to a text", "calls a text", "indexes by a text", "wrong result", "wrong argument")


def message(case):
    return (f"From: ann@sender.example\r\nSubject: {SUBJECT}\r\nX-Case: {case}\r\nX-Secret: {HEADER}\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{TEXT} <a href=\"http://site.example/{URL_PATH}\">x</a></p>\r\n"
            f"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.exe\r\n\r\n{ATTACHMENT}\r\n--b--")


class Told(AdminTest):
    def forms(self):
        """Each canary as it could stand somewhere: itself, or as base64 at any of the three places."""
        for canary in CANARIES:
            yield canary, canary.encode()
            for before in range(3):
                octets = base64.b64encode(b"\0" * before + canary.encode())
                yield f"{canary} as base64", octets[4 if before else 0:len(octets) // 4 * 4 - 4]

    def test_nothing_of_it_anywhere(self):
        milter = ScriptedMilter(self.folder / "dies.sock", {"E": CLOSE})
        self.addCleanup(milter.stop)
        dns = self.dns({f"2.0.0.127.{LIST_KEY}.list.example": {"A": ["127.0.0.2"]}})
        store = self.sink()
        self.start_both(store.port, workers=2, dns={"servers": [f"127.0.0.1:{dns}"]}, log={"level": "debug"}, limits={"memory_per_message": "4KiB"},
                        policy={"mode": "enforce", "rate": {"mode": "off"}, "helo": {"mode": "off"}, "rules": {"path": self.rules(RULES), "on_error": "skip"},
                                "dnsbl": {"zones": {f"{LIST_KEY}.list.example": {"score": 9.0, "name": "the-list"}}},
                                "milters": [{"address": f"unix:{milter.path}", "mode": "enforce", "on_error": "skip"}]})
        for case in CASES:
            with self.subTest(case), Client(self.port) as client:
                client.greet()
                client.mail()
                client.message(message(case))
        secrets = base64.b64encode(f"\0ann\0{PASSWORD}".encode()).decode()
        with Client(self.port) as client:  # what clients say that should not
            client.greet()
            for command in (f"AUTH PLAIN {secrets}", f"{GARBAGE} {PASSWORD}", f"MAIL FROM:<ann@sender.example> AUTH={PASSWORD}", f"VRFY {PASSWORD}"):
                client.send(command + "\r\n")
                client.reply()
        with Client(self.port) as client:  # the end in the middle of the content
            client.greet()
            client.mail()
            client.ask("DATA", 354)
            client.send(message("none"))
        wait_until("the lines of all mails", lambda: len(self.log_lines()) > len(CASES))
        told_errors = [line for line in self.log_lines("fault") if line.get("kind") == "rule_error"]
        self.assertGreaterEqual(len(told_errors), 3)  # what rules say when they fail is looked at too
        told = {"metrics": self.get("/metrics")[1].encode(), "readyz": self.get("/readyz")[1].encode()}
        for command in ("stats", "lists", "top --once", "top --json", "report"):
            done = run([PROGRAM, *command.split(), "-c", self.folder / "sallyport.toml"])
            told[command] = (done.stdout + done.stderr).encode()
        self.gateway_process.stop()
        for file in [self.folder / "gateway.log", self.gateway_process.out, self.gateway_process.err, *(self.folder / "state").rglob("*")]:
            if file.is_file():
                told[str(file.relative_to(self.folder))] = file.read_bytes()
        self.assertGreater(len(told["gateway.log"]), 1000)
        for where, octets in told.items():
            for what, form in self.forms():
                with self.subTest(where=where, what=what):
                    found = re.search(rb".{0,200}" + re.escape(form) + rb".{0,100}", octets)
                    self.assertIsNone(found, found and found[0])


if __name__ == "__main__":
    unittest.main()
