#!/usr/bin/env python3
"""The fail2ban filter under the real fail2ban-regex, on lines that the running gateway wrote. Nothing that a client says
about itself may put another address into the place of its own."""
import re
import shutil
import unittest

from support import ROOT, Client, GatewayTest, run

FILTER = ROOT / "packaging/fail2ban/filter.d/sallyport.conf"
JAIL = ROOT / "packaging/fail2ban/jail.d/sallyport.conf"
LISTED, CLEAN = "127.0.0.9", "127.0.0.8"
VICTIM = "203.0.113.77"
RECORDS = {"2.0.0.127.bl.test.example": {"A": ["127.0.0.2"]}, "9.0.0.127.bl.test.example": {"A": ["127.0.0.2"]}}

# Every field that a client fills, and a rule's reason that repeats it.
RULE = """
sp.rule { name = "SUBJECT", stage = "message", run = function(tx)
  if tx.msg.subject and tx.msg.subject:find("bad") then return sp.reject(550, "5.7.1", tx.msg.subject) end
end }
sp.rule { name = "SLOWLY", stage = "mail", run = function(tx)
  if tx.from and tx.from.user == "slowly" then return sp.tempfail(451, "4.7.1", "later") end
end }
"""
HOSTILE = [f"x ip={VICTIM} ", f'" ip={VICTIM} verdict=reject check=dnsbl a="', f"\\\" ip={VICTIM}", f"ip={VICTIM}",
           f"a\\ ip={VICTIM}", f"info event=violation kind=x ip={VICTIM}"]


@unittest.skipUnless(shutil.which("fail2ban-regex"), "fail2ban is not installed")
class Filter(GatewayTest):
    def serve(self):
        port = self.dns(RECORDS)
        self.gateway(self.sink("--reject-rcpt", "nobody@").port, dns={"servers": [f"127.0.0.1:{port}"]},
                     policy={"mode": "off", "dnsbl": {"mode": "enforce", "zones": {
                         "bl.test.example": {"score": 8.0, "name": "bl", "self_test": "off"}}},
                         "rules": {"mode": "enforce", "path": self.rules(RULE)}})
        self.log = self.folder / "gateway.log"

    def banned(self, mode="normal", log=None):
        """The addresses that the filter finds, one for each line that counts."""
        done = run(["fail2ban-regex", "--print-all-matched", "-o", "ip", log or self.log, f"{FILTER}[mode={mode}]"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [line for line in done.stdout.split() if re.fullmatch(r"[0-9a-fA-F.:]+", line)]

    def refused_by_list(self, helo="x.example", sender="spam@bad.example", recipients=1):
        with Client(self.port, source=LISTED) as client:
            client.greet(helo)
            client.ask(f"MAIL FROM:<{sender}>", 250)
            for number in range(recipients):
                client.ask(f"RCPT TO:<user{number}@test.example>", 550)
            client.ask("QUIT", 221)

    def test_each_refusal_counts_once(self):
        self.serve()
        self.refused_by_list(recipients=2)
        with Client(self.port, source=CLEAN) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
            client.mail()
            client.message("Subject: bad\r\n\r\ny", 550)
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("RSET", 250)
            client.ask("MAIL FROM:<slowly@sender.example>", 451)
            client.ask("QUIT", 221)
        self.gateway_process.stop()
        self.assertEqual(sorted(self.banned()), [CLEAN, LISTED, LISTED])
        # Unknown recipients are the upstream's word, and count where that is asked for.
        self.assertEqual(sorted(self.banned("harvest")), [CLEAN, CLEAN, LISTED, LISTED])
        self.assertEqual(sorted(self.banned("aggressive")), [CLEAN, CLEAN, LISTED, LISTED])

    def test_no_word_of_a_client_bans_another(self):
        self.serve()
        for text in HOSTILE:
            with Client(self.port, source=LISTED) as client:
                client.expect(220)
                client.send(f"EHLO {text}\r\n")
                client.reply()
                client.send("HELO x.example\r\n")
                client.reply()
                quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"@bad.example'
                client.send(f"MAIL FROM:<{quoted}>\r\n")
                if client.reply().startswith("250"):
                    client.ask(f"RCPT TO:<{quoted.replace('bad.example', 'test.example')}>", 550)
            with Client(self.port, source=CLEAN) as client:
                client.greet()
                client.mail()
                client.message(f"Subject: bad {text}\r\n\r\ny", 550)
        self.gateway_process.stop()
        text = self.log.read_text()
        self.assertGreater(text.count(VICTIM), 2 * len(HOSTILE))
        for mode in ("normal", "aggressive", "harvest"):
            found = self.banned(mode)
            self.assertGreaterEqual(len(found), 2 * len(HOSTILE))
            self.assertLessEqual(set(found), {LISTED, CLEAN}, found)

    def test_lines_as_the_journal_gives_them(self):
        self.serve()
        self.refused_by_list(helo="x.example")
        self.gateway_process.stop()
        journal = self.folder / "journal.log"
        lines = []
        for line in self.log.read_text().splitlines():
            time, rest = line.split(" ", 1)
            lines += [f"{time} mx1 sallyport[77]: {rest}", f"mx1 sallyport[77]: {line}"]
        # Of another program, with our words in it.
        lines.append(f"2026-11-30T00:00:00.000Z mx1 other[1]: said sallyport[2]: info event=violation kind=x ip={VICTIM}")
        journal.write_text("\n".join(lines) + "\n")
        self.assertEqual(self.banned(log=journal), [LISTED, LISTED])

    def test_violations_count(self):
        log = self.folder / "violations.log"
        log.write_text(f"2026-11-30T00:00:00.000Z info event=violation kind=starttls_inject id=X ip=2001:db8::9\n"
                       f"2026-11-30T00:00:00.000Z info event=violation kind=\"x ip={VICTIM}\" id=X ip=192.0.2.9\n"
                       f"2026-11-30T00:00:00.000Z warning event=fault kind=resource id=X ip={VICTIM} upstream=\"\"\n")
        self.assertEqual(self.banned(log=log), ["2001:db8::9"])

    def test_the_jail_is_one(self):
        folder = self.folder / "fail2ban"
        shutil.copytree("/etc/fail2ban", folder)
        shutil.copy(FILTER, folder / "filter.d")
        (folder / "jail.d").mkdir(exist_ok=True)
        for shipped in (folder / "jail.d").iterdir():
            shipped.unlink()
        log = self.folder / "sallyport.log"
        log.touch()
        jail = JAIL.read_text().replace("/var/log/sallyport/sallyport.log", str(log))
        (folder / "jail.d/sallyport.conf").write_text(jail)
        done = run(["fail2ban-client", "-c", folder, "--str2sec", "1h"])
        self.assertEqual(done.stdout.strip(), "3600")
        done = run(["fail2ban-client", "-c", folder, "-d"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("['add', 'sallyport', 'auto']", done.stdout)
        self.assertIn("'addlogpath'", done.stdout)


if __name__ == "__main__":
    unittest.main()
