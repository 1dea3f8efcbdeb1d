#!/usr/bin/env python3
"""The service for Logwatch under the real Logwatch, on logs that the running gateway wrote and on older and broken lines."""
import datetime
import gzip
import os
import pathlib
import shutil
import unittest

from support import PROGRAM, ROOT, Client, GatewayTest, run

LOGWATCH = pathlib.Path("/usr/share/logwatch")
OURS = ROOT / "packaging/logwatch"


@unittest.skipUnless((LOGWATCH / "scripts/logwatch.pl").is_file(), "logwatch is missing (Debian's package logwatch)")
class Logwatch(GatewayTest):
    def setUp(self):
        super().setUp()
        # A Logwatch of the test's own: the system's keeps its configuration.
        self.base, self.settings, self.logs = (self.folder / name for name in ("base", "etc", "logs"))
        shutil.copytree(LOGWATCH, self.base)
        (self.settings / "conf").mkdir(parents=True)
        (self.logs / "sallyport").mkdir(parents=True)
        (self.folder / "cache").mkdir()
        for source, target in (("scripts/services/sallyport", "scripts/services"), ("conf/services/sallyport.conf", "dist.conf/services"),
                               ("conf/logfiles/sallyport.conf", "dist.conf/logfiles")):
            shutil.copy(OURS / source, self.base / target)
        with open(self.base / "dist.conf/services/sallyport.conf", "a") as conf:
            conf.write(f"$sallyport_program = {PROGRAM}\n")
        script = self.base / "scripts/logwatch.pl"
        text = script.read_text(errors="surrogateescape")
        for before, after in (("/usr/share/logwatch", self.base), ("/etc/logwatch", self.settings), ("/var/cache/logwatch", self.folder / "cache")):
            text = text.replace(before, str(after))
        script.write_text(text, errors="surrogateescape")

    def logwatch(self, *options, zone="UTC"):
        environment = {**os.environ, "TZ": zone, "PERL5LIB": str(self.base / "lib")}
        done = run(["perl", self.base / "scripts/logwatch.pl", "--service", "sallyport", "--logdir", self.logs, "--output", "stdout",
                    *options], env=environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("rror", done.stderr)
        return done.stdout

    def serve(self, **log):
        self.gateway(self.sink("--reject-rcpt", "nobody@").port, log={"target": f"file:{self.folder}/gateway.log", **log})
        with Client(self.port) as client:
            client.greet()
            for sender in ("ann@sender.example", "bob@other.example"):
                client.mail(sender=sender)
                client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("QUIT", 221)
        self.gateway_process.stop()
        shutil.copy(self.folder / "gateway.log", self.logs / "sallyport/sallyport.log")

    def test_what_happened_today(self):
        for log in ({}, {"format": "json"}, {"format": "json", "schema": "ecs"}):
            with self.subTest(log):
                self.serve(**log)
                said = self.logwatch("--range", "today")
                self.assertIn("Sallyport mail gateway", said)
                for part in ("sender.example", "other.example", "reject upstream"):
                    self.assertIn(part, said)
                (self.folder / "gateway.log").unlink()

    def line(self, when, sender):
        return f"{when:%Y-%m-%dT%H:%M:%S}.123Z info event=transaction verdict=relay ip=192.0.2.1 from=<ann@{sender}.example>\n"

    def test_the_range_is_kept_and_archives_count(self):
        noon = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0)
        day = datetime.timedelta(days=1)
        (self.logs / "sallyport/sallyport.log").write_text(
            self.line(noon, "today") + "no line of ours\n\xff\n" + "9999-99-99T99:99:99.000Z info event=x\n")
        with gzip.open(self.logs / "sallyport/sallyport.log.2.gz", "wt") as archive:
            archive.write(self.line(noon - day, "yesterday") + self.line(noon - 5 * day, "before"))
        today, yesterday, everything = (self.logwatch("--range", which, "--archives") for which in ("today", "yesterday", "all"))
        for said, names in ((today, {"today"}), (yesterday, {"yesterday"}), (everything, {"today", "yesterday", "before"})):
            self.assertEqual({name for name in ("today", "yesterday", "before") if f"{name}.example" in said}, names, said)

    def test_a_day_begins_at_the_local_midnight(self):
        ahead, minute = datetime.timedelta(hours=14), datetime.timedelta(minutes=1)
        midnight = (datetime.datetime.now(datetime.timezone.utc) + ahead).replace(hour=0, minute=0, second=0) - ahead
        (self.logs / "sallyport/sallyport.log").write_text(self.line(midnight - minute, "before") + self.line(midnight + minute, "after"))
        said = self.logwatch("--range", "today", zone="Etc/GMT-14")
        self.assertIn("after.example", said)
        self.assertNotIn("before.example", said)

    def test_a_silent_day_has_no_part(self):
        (self.logs / "sallyport/sallyport.log").write_text("")
        self.assertNotIn("Sallyport", self.logwatch("--range", "today"))

    def test_words_of_peers_run_nothing(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        mark = self.folder / "mark"
        (self.logs / "sallyport/sallyport.log").write_text(
            f'{now:%Y-%m-%dT%H:%M:%S}.000Z info event=transaction verdict=reject check="`touch {mark}`" helo="$(touch {mark}); |touch {mark}" '
            f'from=<`touch${{IFS}}{mark}`@x.example>\n')
        self.assertIn("Sallyport", self.logwatch("--range", "today"))
        self.assertFalse(mark.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
