#!/usr/bin/env python3
"""`sallyport report` on logs that a running gateway wrote, in each form, and on what else may stand in a file."""
import datetime
import gzip
import json
import lzma
import os
import shutil
import subprocess
import unittest

from support import PROGRAM, Client, GatewayTest, free_port, run

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


class Rotated(GatewayTest):
    """What logrotate makes of the file of log.target, by its several habits."""
    NOW = datetime.datetime.now(datetime.timezone.utc)

    def write(self, name, hours, packed=False):
        """A mail for each hour: so long ago."""
        times = [self.NOW - datetime.timedelta(hours=hour) for hour in sorted(hours, reverse=True)]
        text = "".join(f"{time:%Y-%m-%dT%H:%M:%S}.000Z info event=transaction verdict=relay from=<h{hour}@x.example> to=<a@b.example>\n"
                       for time, hour in zip(times, sorted(hours, reverse=True))).encode()
        path = self.folder / name
        path.write_bytes(gzip.compress(text) if packed else text)
        os.utime(path, (times[-1].timestamp(), times[-1].timestamp()))
        return path

    def mails(self, *arguments):
        done = run([PROGRAM, "report", "--json", "-c", self.file, *arguments])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["mails"]["relay"]

    def setUp(self):
        super().setUp()
        self.file = self.configuration(free_port(), log={"target": f"file:{self.folder}/gate.log"})
        self.write("gate.log", range(1, 5))

    def test_by_numbers(self):
        self.write("gate.log.1", range(24, 30))
        self.write("gate.log.2.gz", range(48, 55), packed=True)
        self.write("gate.log.10.gz", range(240, 242), packed=True)
        for other in ("gate.log.bak", "gate.logs.1", "other.log.1", "gate.log-", "gate.log.1~"):
            self.write(other, range(1, 3))
        self.assertEqual(self.mails(), 4)
        self.assertEqual(self.mails("--since", "3h"), 2)
        self.assertEqual(self.mails("--since", "26h"), 4 + 2)
        self.assertEqual(self.mails("--since", "3d"), 4 + 6 + 7)
        self.assertEqual(self.mails("--since", "30d"), 4 + 6 + 7 + 2)
        self.assertEqual(self.mails("--since", "30d", self.folder / "gate.log"), 4)
        self.assertEqual(self.mails(self.folder / "gate.log.2.gz", self.folder / "gate.log.1"), 13)

    def test_by_dates_and_with_another_name_for_one_file(self):
        self.write("gate.log-20261129", range(24, 30))
        self.write("gate.log-20261128-1764288000.gz", range(48, 55), packed=True)
        os.link(self.folder / "gate.log", self.folder / "gate.log.1")
        (self.folder / "gate.log.2").symlink_to("gate.log-20261129")
        self.assertEqual(self.mails("--since", "3d"), 4 + 6 + 7)

    def test_what_is_not_read_is_told(self):
        line = self.write("gate.log.3", range(72, 74))
        packed = self.folder / "gate.log.3.xz"
        packed.write_bytes(lzma.compress(line.read_bytes()))
        shutil.copystat(line, packed)
        done = run([PROGRAM, "report", "-c", self.file, "--since", "30d"])
        self.assertEqual(done.returncode, 74)
        self.assertIn("gate.log.3.xz", done.stderr)
        self.assertEqual(self.mails("--since", "2h"), 1)


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
        line = b"2026-11-30T10:00:00.000Z info event=transaction verdict=relay to=<a@b.example>\n"
        packed = self.report(gzip.compress(line) + gzip.compress(line), "--json")
        self.assertEqual(json.loads(packed.stdout)["mails"]["relay"], 2)
        for damaged in (b"\x1f\x8b\x08\x00", gzip.compress(line * 5000)[:-40], gzip.compress(line)[:-8] + b"12345678"):
            packed = self.report(damaged)
            self.assertEqual(packed.returncode, 74, packed.stdout)
            self.assertIn("compressed", packed.stderr)
        self.assertEqual(self.report(lzma.compress(line)).returncode, 74)
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
