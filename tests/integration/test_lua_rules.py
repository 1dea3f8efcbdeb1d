#!/usr/bin/env python3
"""Rules in Lua that look things up, on the running program: what they find, what happens beside them, and what is told of it."""
import json
import threading
import time
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until

ZONE = {
    "bad.example.dbl.example": {"A": ["127.0.1.2"]},
    "hunter.paid.example": "SERVFAIL",
    "1.0.0.127.hunter4815162342.paid.example": {"A": ["127.0.0.4"]},
    "sender.example": {"MX": [[10, "mx.sender.example"]], "A": ["192.0.2.1"]},
    "silent.example": "TIMEOUT",
}
# The function of one rule.
RULE = 'sp.rule {{ name = "{name}", stage = "{stage}", score = {score}, {more} run = function(tx) {body} end }}\n'


def rule(name, body, stage="message", score=1, more=""):
    return RULE.format(name=name, body=body, stage=stage, score=score, more=more)


class RulesTest(GatewayTest):
    def serve(self, rules, dns_timeout="1s", **more):
        self.receiver = self.sink()
        path = self.rules(rules)
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"], "timeout": dns_timeout}
        self.gateway(self.receiver.port, dns=dns, policy={"mode": "off", "rules": {"mode": "enforce", "path": path}},
                     log={"format": "json", "target": f"file:{self.folder}/gateway.log"}, **more)

    def log(self, event="transaction"):
        file = self.folder / "gateway.log"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [line for line in lines if line.get("event") == event]

    def send(self, sender="ann@sender.example", subject="x", code=250):
        with Client(self.port) as client:
            client.greet()
            client.mail(sender)
            client.message(f"From: {sender}\r\nSubject: {subject}\r\n\r\nbody\r\n", code)
            client.ask("QUIT", 221)


class Lookups(RulesTest):
    def test_what_they_find_decides(self):
        self.serve(rule("LISTED", 'local code = sp.dns.listed(tx.from.domain, "dbl.example") '
                                  'if code then return sp.reject(554, "5.7.9", "Listed as " .. code) end', "rcpt") +
                   rule("NO_MX", 'local mx, err = sp.dns.mx(tx.from.domain) if not mx and not err then return true end'))
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@bad.example>", 250)
            self.assertIn("Listed as 127.0.1.2", client.ask("RCPT TO:<user@test.example>", 554))
        self.send()
        self.send("ann@nothing.example")
        wait_until("both mails are logged", lambda: len([one for one in self.log() if one["verdict"] == "relay"]) == 2)
        with_mx, without = [line for line in self.log() if line["verdict"] == "relay"]
        self.assertEqual(with_mx["symbols"], [])
        self.assertEqual(without["symbols"], ["rules:NO_MX(1)"])

    def test_explain_shows_what_was_asked_but_no_key(self):
        self.serve(rule("PAID", 'return sp.dns.listed(tx.client.ip, "hunter4815162342.paid.example") ~= nil') +
                   rule("QUIET", 'sp.each({ "sender.example", "nothing.example" }, sp.dns.a)'))
        (self.folder / "mail.eml").write_bytes(b"From: a@b.example\r\nSubject: x\r\n\r\ny\r\n")
        shown = run([PROGRAM, "explain", self.folder / "mail.eml", "-c", self.folder / "sallyport.toml", "--ip", "127.0.0.1",
                     "--to", "user@test.example", "--json"])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertNotIn("hunter", shown.stdout)
        rules = next(check for check in json.loads(shown.stdout)["checks"] if check["check"] == "rules")
        asked = {question["name"] for question in rules["dns"]}
        self.assertEqual(asked, {"1.0.0.127.paid.example", "sender.example", "nothing.example"})

    def test_one_that_waits_for_ever_ends_by_its_on_error(self):
        self.serve(rule("FOR_EVER", 'return sp.dns.a("silent.example") ~= nil', more='on_error = "skip",') +
                   rule("AFTER", "return true"), timeouts={"policy": "2s"}, dns_timeout="10s")
        self.send()
        wait_until("the mail is logged", self.log)
        self.assertEqual(self.log()[0]["symbols"], ["!rules:FOR_EVER", "rules:AFTER(1)"])
        fault = next(line for line in self.log("fault") if line["kind"] == "rule_timeout")
        self.assertEqual((fault["rule"], fault["line"]), ("FOR_EVER", 2))


class Beside(RulesTest):
    def test_others_are_served_while_rules_loop_and_wait(self):
        """Endless rules of some mails, and rules that wait of others; nobody else notices."""
        self.serve(rule("LOOP", 'if tx.msg.subject == "loop" then while true do end end', more='on_error = "skip",') +
                   rule("WAIT", 'if tx.msg.subject == "wait" then sp.dns.a("silent.example") end'), workers=1, dns_timeout="3s")
        stop = threading.Event()
        sent = []

        def loop():
            while not stop.is_set():
                self.send(subject="loop")
                sent.append("loop")

        waiting = [threading.Thread(target=self.send, kwargs={"subject": "wait"}) for _ in range(20)]
        looping = [threading.Thread(target=loop) for _ in range(4)]
        for thread in waiting + looping:
            thread.start()
        try:
            took = []
            for _ in range(50):
                began = time.monotonic()
                self.send(subject="neighbour")
                took.append(time.monotonic() - began)
        finally:
            stop.set()
            for thread in waiting + looping:
                thread.join()
        took.sort()
        print(f"neighbours beside endless rules: median {took[25] * 1000:.1f} ms, slowest {took[-1] * 1000:.1f} ms, {len(sent)} loops")
        self.assertLess(took[-1], 2)
        self.assertEqual(len(self.receiver.wait_for(70 + len(sent))), 70 + len(sent))

    def test_all_rules_of_a_mail_have_one_budget(self):
        self.serve("".join(rule(f"LOOP{i}", "while true do end", more='on_error = "skip",') for i in range(100)))
        began = time.monotonic()
        self.send()
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.faults("rule_timeout"), 100)


class Stages(RulesTest):
    def test_each_stage_has_its_turn(self):
        stages = ["connect", "helo", "mail", "rcpt", "headers", "message", "done"]
        outcome = {"done": '"tag"'}  # six points are over policy.actions.tag
        self.serve("".join(rule(stage.upper(), f"return tx.outcome == {outcome.get(stage, 'nil')}", stage) for stage in stages))
        self.send()
        wait_until("the mail is logged", self.log)
        self.assertEqual(self.log()[0]["symbols"],
                         [f"rules:{stage.upper()}(1)" for stage in stages[:-1]] + ["rules:DONE"])
        self.assertEqual(float(self.log()[0]["score"]), 6)

    def test_done_comes_after_the_reply_and_changes_nothing(self):
        self.serve(rule("LATE", 'sp.dns.a("silent.example") return sp.reject()', "done"), dns_timeout="2s")
        with Client(self.port) as client:
            client.greet()
            client.mail()
            began = time.monotonic()
            client.message("Subject: x\r\n\r\nbody\r\n")
            self.assertLess(time.monotonic() - began, 1.5)
            client.ask("QUIT", 221)
        wait_until("the mail is logged", self.log)
        self.assertEqual((self.log()[0]["verdict"], self.log()[0]["symbols"]), ("relay", ["rules:LATE"]))

    def test_done_sees_refusals_and_discards(self):
        self.serve(rule("NO", 'if tx.msg.subject == "no" then return sp.reject() end if tx.msg.subject == "away" then return sp.discard() end') +
                   rule("SEEN", "return sp.hit { detail = tx.outcome }", "done"))
        self.send(subject="no", code=550)
        self.send(subject="away")
        wait_until("both are logged", lambda: len(self.log()) == 2)
        for line, verdict in zip(self.log(), ["reject", "discard"]):
            self.assertEqual(line["verdict"], verdict)
            self.assertIn("rules:SEEN", line["symbols"])


if __name__ == "__main__":
    unittest.main()
