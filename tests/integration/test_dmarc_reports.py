#!/usr/bin/env python3
"""DMARC aggregate reports from the mail that is seen to the report that is delivered."""
import datetime
import email
import gzip
import importlib.util
import os
import sqlite3
import sys
import unittest
import xml.etree.ElementTree as ElementTree

# python3-dkim belongs to the system's Python, which need not be the one that runs the tests.
if importlib.util.find_spec("dkim") is None and sys.executable != "/usr/bin/python3":
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

from support import PROGRAM, ROOT, Client, GatewayTest, free_port, run, toml, tool

SPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"

ZONE = {
    # Asks at home, and at a vendor who has agreed.
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject; sp=none; rua=mailto:reports@example.org,mailto:us@vendor.example"]},
    "example.org._report._dmarc.vendor.example": {"TXT": ["v=DMARC1"]},
    "example.org": {"TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
    # Would have a stranger flooded.
    "_dmarc.evil.example": {"TXT": ["v=DMARC1; p=none; rua=mailto:victim@stranger.example"]},
    # Asks for nothing.
    "_dmarc.quiet.example": {"TXT": ["v=DMARC1; p=reject"]},
    # Cannot be asked.
    "_dmarc.slow.example": {"TXT": ["v=DMARC1; p=none; rua=mailto:a@silent.example"]},
    "slow.example._report._dmarc.silent.example": "TIMEOUT",
}


class DmarcReports(GatewayTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.sink()
        self.relay_port = free_port()
        self.database = self.folder / "state" / "state.db"
        self.dns_port = self.dns(ZONE)
        dns = {"servers": [f"127.0.0.1:{self.dns_port}"], "timeout": "500ms"}
        report = {"enabled": True, "organization": "Test & Sons", "from": "dmarc@mx.test.example",
                  "contact": "help@mx.test.example", "upstream": "out"}
        self.file = self.configuration(
            self.upstream.port, dns=dns,
            policy={"spf": {"mode": "enforce", "on_fail": "none"}, "dkim": {"mode": "enforce"},
                    "dmarc": {"mode": "enforce", "report": report}})
        out = toml({"out": {"servers": [f"127.0.0.1:{self.relay_port}"], "tls": "off"}})
        self.file.write_text(self.file.read_text().replace("upstreams = { ", f"upstreams = {out[:-2]}, "))

    def send(self, author, sender, answer=250, subject="Hello"):
        client = Client(self.port)
        client.greet("mail.example.org")
        client.mail(sender)
        client.message(f"From: <ann@{author}>\r\nSubject: {subject}\r\n\r\nA body.", answer)
        client.ask("QUIT", 221)
        client.socket.close()

    def report(self, *arguments, status=0):
        done = run([PROGRAM, "dmarc", "report", "-c", self.file, *arguments])
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def age_by_a_day(self):
        """What was collected today becomes yesterday's."""
        with sqlite3.connect(self.database) as database:
            database.execute("UPDATE dmarc_row SET day = day - 1")
        database.close()

    def collect(self):
        gateway = self.start_gateway(self.file)
        self.send("example.org", "bob@example.org")
        self.send("example.org", "bob@example.org")
        self.send("example.org", "bob@elsewhere.example", answer=550)
        self.send("sub.example.org", "bob@elsewhere.example")
        self.send("example.org", "bob@example.org", subject="Report Domain: x Submitter: y Report-ID: <z>")
        self.send("evil.example", "bob@evil.example")
        self.send("quiet.example", "bob@quiet.example", answer=550)
        # What is queued is written before the program has ended.
        self.assertEqual(gateway.stop(), 0, gateway.output())

    def files_of(self, message):
        """The report in a mail: its name, and the XML."""
        parts = email.message_from_bytes(message)
        attachment = [part for part in parts.walk() if part.get_content_type() == "application/gzip"][0]
        return attachment.get_filename(), gzip.decompress(attachment.get_payload(decode=True))

    def test_from_the_mail_to_the_report(self):
        self.collect()
        self.age_by_a_day()
        relay = self.sink(port=self.relay_port)

        would = self.report("--dry-run")
        self.assertIn("example.org: 4 mails in 3 rows", would)
        self.assertIn("reports@example.org: would get mx.test.example!example.org!", would)
        self.assertEqual(len(relay.messages()), 0)

        told = self.report()
        self.assertIn("victim@stranger.example: not sent, stranger.example has not agreed", told)
        self.assertIn("2 reports, 2 sent, 1 refused", told)
        stored = [message for _, message in relay.wait_for(2)]
        self.assertEqual(sorted(email.message_from_bytes(m)["To"] for m in stored),
                         ["<reports@example.org>", "<us@vendor.example>"])
        name, xml = self.files_of(stored[0])
        yesterday = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
        begin = int(datetime.datetime(*yesterday.timetuple()[:3], tzinfo=datetime.timezone.utc).timestamp())
        self.assertRegex(name, rf"^mx\.test\.example!example\.org!{begin}!{begin + 86399}![0-9a-z]+\.xml\.gz$")
        file = self.folder / "report.xml"
        file.write_bytes(xml)
        valid = run([tool("xmllint"), "--nonet", "--noout", "--schema", ROOT / "tests/cases/dmarc_report.xsd", file])
        self.assertEqual(valid.returncode, 0, valid.stderr)

        root = ElementTree.fromstring(xml)
        self.assertEqual(root.findtext(f"{SPACE}report_metadata/{SPACE}org_name"), "Test & Sons")
        self.assertEqual(root.findtext(f"{SPACE}policy_published/{SPACE}sp"), "none")
        seen = set()
        for record in root.iter(f"{SPACE}record"):
            find = lambda *path: record.findtext("/".join(SPACE + step for step in path))
            seen.add((find("row", "count"), find("row", "policy_evaluated", "disposition"),
                      find("row", "policy_evaluated", "spf"), find("identifiers", "header_from"),
                      find("identifiers", "envelope_from"), find("auth_results", "spf", "result")))
        self.assertEqual(seen, {("2", "pass", "pass", "example.org", "example.org", "pass"),
                                ("1", "reject", "fail", "example.org", "elsewhere.example", "none"),
                                ("1", "none", "fail", "sub.example.org", "elsewhere.example", "none")})

        # Nobody gets it twice.
        self.assertIn("0 sent, 2 sent before", self.report())
        self.assertEqual(len(relay.messages()), 2)
        self.assertIn("nothing to report", self.report("--day", "2001-01-01"))

    def test_reports_go_to_whom_the_whole_record_names(self):  # D24
        filler = "x" * 450
        long = (f"v=DMARC1; p=none; n={filler}; rua=mailto:a@long.example,mailto:dmarc%21x@long.example,"
                "mailto:re%2Cports@long.example,mailto:b@long.example.reports.long.example;\tadkim=s")
        tabs = "v=DMARC1;\tp=quarantine;\trua=mailto:a@tabs.example,\tmailto:b@tabs.example"
        addresses = ",".join(f"mailto:{at}@many.example" for at in range(40))
        records = {"long.example": long, "tabs.example": tabs, "many.example": f"v=DMARC1; p=none; rua={addresses}"}
        zone = {f"_dmarc.{name}": {"TXT": [[text[at:at + 255] for at in range(0, len(text), 255)]]}
                for name, text in records.items()}
        zone["bulk.example"] = {"TXT": ["v=spf1 +all"]}
        self.file.write_text(self.file.read_text().replace(str(self.dns_port), str(self.dns(zone))))
        self.start_gateway(self.file)
        for name in records:
            self.send(name, "x@bulk.example", answer=250)
        self.processes[-1].stop()
        self.age_by_a_day()
        relay = self.sink(port=self.relay_port)
        self.assertIn("3 reports, 46 sent", self.report())
        messages = [email.message_from_bytes(message) for _, message in relay.wait_for(46)]
        to = sorted(message["To"] for message in messages)
        self.assertEqual(to, sorted(["<a@long.example>", "<dmarc!x@long.example>", '<"re,ports"@long.example>',
                                     "<b@long.example.reports.long.example>", "<a@tabs.example>", "<b@tabs.example>",
                                     *(f"<{at}@many.example>" for at in range(40))]))
        told = {message["To"]: self.files_of(message.as_bytes())[1].decode() for message in messages}
        self.assertIn("<adkim>s</adkim>", told["<a@long.example>"])
        self.assertIn("<p>quarantine</p>", told["<a@tabs.example>"])

    def test_there_is_one_report_for_a_domain_and_day(self):
        self.collect()
        self.age_by_a_day()
        later = "v=DMARC1; p=none; rua=mailto:reports@example.org"
        with sqlite3.connect(self.database) as database:
            database.execute("UPDATE dmarc_row SET record = ?, seen_at = seen_at + 1000 WHERE header_from = 'sub.example.org'",
                             [later])
        database.close()
        relay = self.sink(port=self.relay_port)
        self.assertIn("2 reports, 1 sent, 1 refused", self.report())
        ((_, message),) = relay.wait_for(1)
        root = ElementTree.fromstring(self.files_of(message)[1])
        self.assertEqual(root.findtext(f"{SPACE}policy_published/{SPACE}p"), "none")
        counts = [record.findtext(f"{SPACE}row/{SPACE}count") for record in root.iter(f"{SPACE}record")]
        self.assertEqual(sorted(counts), ["1", "1", "2"])

    def test_two_runs_at_a_time_send_it_once(self):
        self.collect()
        self.age_by_a_day()
        relay = self.sink(port=self.relay_port)
        runs = [self.start("report", [PROGRAM, "dmarc", "report", "-c", self.file]) for _ in range(4)]
        self.assertEqual([run.wait() for run in runs], [0] * 4)
        self.assertEqual(len(relay.wait_for(2)), 2)
        self.assertEqual(sorted(email.message_from_bytes(m)["To"] for _, m in relay.messages()),
                         ["<reports@example.org>", "<us@vendor.example>"])

    def test_reports_are_signed_where_a_key_is_configured(self):
        try:
            import dkim
        except ImportError:
            self.skipTest("skipped: no python3-dkim")
        key = self.folder / "dkim.pem"
        openssl = tool("openssl")
        run([openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key])
        public = run([openssl, "pkey", "-in", key, "-pubout"]).stdout
        record = "v=DKIM1; p=" + "".join(public.splitlines()[1:-1])
        sign = toml({"domain": "mx.test.example", "selector": "s1", "key": {"file": str(key)}})
        self.file.write_text(self.file.read_text().replace('"upstream" = "out"', f'"upstream" = "out", "sign" = {sign}'))
        self.collect()
        self.age_by_a_day()
        relay = self.sink(port=self.relay_port)
        self.report()
        for _, message in relay.wait_for(2):
            asked = []
            answer = lambda name, timeout=5: asked.append(name) or record.encode()
            self.assertTrue(dkim.verify(message, dnsfunc=answer))
            self.assertEqual(asked, [b"s1._domainkey.mx.test.example."])
            self.assertFalse(dkim.verify(message.replace(b"Subject: Report", b"Subject: A report"), dnsfunc=answer))
        key.write_text("no key")
        self.assertIn("is not a PEM private key", self.report(status=74))
        done = run([PROGRAM, "check", self.file])
        self.assertEqual(done.returncode, 78)
        self.assertIn(f"{key} is not a PEM private key", done.stdout + done.stderr)

    def test_what_cannot_be_sent_is_tried_again(self):
        self.start_gateway(self.file)
        self.send("slow.example", "bob@slow.example")
        self.send("example.org", "bob@example.org")
        self.processes[-1].stop()
        self.age_by_a_day()
        told = self.report(status=75)  # there is no relay
        self.assertIn("reports@example.org: not sent", told)
        self.assertIn("a@silent.example: not sent, whether it agrees could not be asked for", told)
        relay = self.sink(port=self.relay_port)
        self.assertIn("2 sent, 1 to try again", self.report(status=75))
        self.assertEqual(len(relay.wait_for(2)), 2)

    def test_a_day_that_is_not_over_is_only_shown(self):
        self.collect()
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        self.assertIn("not over yet", self.report("--day", today, status=64))
        self.assertIn("example.org: 4 mails", self.report("--day", today, "--dry-run"))
        self.assertIn("expected a day", self.report("--day", "2026-02-30", status=64))

    def test_without_reports_nothing_is_collected(self):
        self.file.write_text(self.file.read_text().replace('"enabled" = true', '"enabled" = false'))
        self.start_gateway(self.file)
        self.send("example.org", "bob@example.org")
        self.processes[-1].stop()
        with sqlite3.connect(self.database) as database:
            self.assertEqual(database.execute("SELECT count(*) FROM dmarc_row").fetchone(), (0,))
        database.close()
        self.assertIn("reports are off", self.report(status=78))


if __name__ == "__main__":
    unittest.main()
