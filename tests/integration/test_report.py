#!/usr/bin/env python3
"""`sallyport report` on logs that a running gateway wrote, in each form, and on what else may stand in a file."""
import json
import subprocess
import unittest

from support import PROGRAM, Client, GatewayTest, run

LISTED, CLEAN = "127.0.0.9", "127.0.0.8"
RECORDS = {
    "2.0.0.127.bl.test.example": {"A": ["127.0.0.2"]},
    "9.0.0.127.bl.test.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.trial.test.example": {"A": ["127.0.0.2"]},
    "8.0.0.127.trial.test.example": {"A": ["127.0.0.2"]},
}


class Report(GatewayTest):
    def serve(self, **log):
        port = self.dns(RECORDS)
        rules = self.rules("""
sp.rule { name = "SHADOWED", stage = "message", mode = "shadow", run = function(tx) return sp.reject() end }
""")
        lists = {"mode": "enforce", "zones": {
            "bl.test.example": {"score": 8.0, "name": "bl", "self_test": "off"},
            "trial.test.example": {"score": 0.5, "name": "trial", "self_test": "off"}}}
        self.gateway(self.sink("--reject-rcpt", "nobody@").port, dns={"servers": [f"127.0.0.1:{port}"]},
                     policy={"mode": "off", "dnsbl": lists, "rules": {"mode": "enforce", "path": rules}},
                     log={"target": f"file:{self.folder}/gateway.log", **log})
        with Client(self.port, source=CLEAN) as client:
            client.greet()
            for sender in ("ann@sender.example", "bob@sender.example", "\"a b\"@other.example"):
                client.mail(sender=sender)
                client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("QUIT", 221)
        with Client(self.port, source=LISTED) as client:
            client.greet("x.example")
            client.ask("MAIL FROM:<spam@bad.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("RCPT TO:<other@test.example>", 550)
            client.ask("QUIT", 221)
        self.gateway_process.stop()

    def report(self, *arguments, **options):
        return run([PROGRAM, "report", *arguments], **options)

    def numbers(self, *arguments, **options):
        done = self.report("--json", *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def expect_what_happened(self, numbers):
        self.assertEqual(numbers["unreadable"], 0)
        self.assertEqual(numbers["mails"]["relay"], 3)
        self.assertEqual(numbers["accepted_recipients"], 3)
        self.assertEqual(numbers["refused_recipients"]["reject"], 3)
        self.assertEqual({one["name"]: one["count"] for one in numbers["reasons"]["entries"]},
                         {"reject upstream": 1, "reject dnsbl:bl": 2})
        lists = {one["name"]: one for one in numbers["lists"]}
        self.assertEqual((lists["dnsbl:bl"]["decided"], lists["dnsbl:bl"]["alone"], lists["dnsbl:bl"]["together"]),
                         (2, 2, 0))
        self.assertEqual((lists["dnsbl:trial"]["decided"], lists["dnsbl:trial"]["passed"]), (0, 3))
        self.assertEqual(numbers["shadow"]["entries"], [{"name": "rules:SHADOWED", "count": 3}])
        self.assertEqual(numbers["sender_domains"]["entries"][0], {"name": "sender.example", "count": 3})
        self.assertEqual({one["name"]: one["count"] for one in numbers["refused_clients"]["entries"]},
                         {CLEAN: 1, LISTED: 2})

    def test_text_lines(self):
        self.serve()
        log = self.folder / "gateway.log"
        numbers = self.numbers(log)
        self.expect_what_happened(numbers)
        # The configuration names the file.
        self.assertEqual(self.numbers("-c", self.folder / "sallyport.toml"), numbers)
        with open(log) as lines:
            self.assertEqual(self.numbers("-", stdin=lines), numbers)
        self.assertEqual(self.numbers(log, log)["mails"]["relay"], 6)
        text = self.report(log).stdout
        for part in ("relayed", "reject dnsbl:bl", "rules:SHADOWED", "sender.example", "dnsbl:trial"):
            self.assertIn(part, text)

    def test_json_lines(self):
        self.serve(format="json")
        self.expect_what_happened(self.numbers(self.folder / "gateway.log"))

    def test_since(self):
        self.serve()
        log = self.folder / "gateway.log"
        self.expect_what_happened(self.numbers("--since", "1h", log))
        none = self.numbers("--since", "2199-01-01", log)
        self.assertEqual((sum(none["mails"].values()), none["older"]), (0, none["lines"]))
        wrong = self.report("--since", "soon", log)
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("expected a time", wrong.stderr)


class OtherFiles(GatewayTest):
    def report(self, octets, *arguments):
        file = self.folder / "log"
        file.write_bytes(octets)
        return run([PROGRAM, "report", *arguments, file])

    def test_what_is_no_log_is_told(self):
        done = self.report(b"hello\n\xff\xfe\x00\n" + b"x" * 1_000_000 + b"\ninfo event=transaction verdict=relay\n", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        numbers = json.loads(done.stdout)
        self.assertEqual((numbers["lines"], numbers["unreadable"], numbers["undated"]), (4, 3, 1))
        self.assertEqual(self.report(b"hello\nworld\n").returncode, 65)
        self.assertEqual(self.report(b"").returncode, 0)
        packed = self.report(b"\x1f\x8b\x08\x00")
        self.assertEqual(packed.returncode, 74)
        self.assertIn("zcat", packed.stderr)
        self.assertEqual(run([PROGRAM, "report", self.folder / "nothing"]).returncode, 66)

    def test_memory_stays_bounded(self):
        """Three hundred thousand clients and senders; the one that comes again and again is found."""
        process = subprocess.Popen([PROGRAM, "report", "--json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        peak = 0
        with process.stdin as pipe:
            for block in range(30):
                lines = []
                for i in range(block * 10000, block * 10000 + 10000):
                    ip = "2001:db8::1" if i % 10 == 0 else f"2001:db8::{i:x}:2"
                    lines.append(f"2026-11-22T10:00:00.000Z info event=transaction verdict=reject check=c{i} rule=r{i} ip={ip} "
                                 f"from=<a@{i}.example> symbols=dnsbl:l{i}\n")
                pipe.write("".join(lines).encode())
            pipe.flush()
            with open(f"/proc/{process.pid}/status") as status:
                peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        numbers = json.loads(process.stdout.read())
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(numbers["mails"]["reject"], 300_000)
        self.assertEqual(numbers["clients"]["entries"][0]["name"], "2001:db8::1")
        self.assertLess(peak, 100_000)  # KiB


if __name__ == "__main__":
    unittest.main()
