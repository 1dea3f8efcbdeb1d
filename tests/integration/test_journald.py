"""The systemd journal itself takes the log: its own view of /run is a folder of the test's, where its socket is."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from support import PATIENCE, PROGRAM, Client, accepts, wait_until
from test_log import HOSTILE, Hostile

JOURNALD = next((path for path in ("/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald") if os.path.exists(path)), None)


def why_not():
    if not JOURNALD or not shutil.which("journalctl"):
        return "systemd-journald is not installed"
    if os.geteuid() != 0:
        return "only root gives a process another /run"
    if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return "this machine lets nobody mount anything"
    return None


WHY_NOT = why_not()


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Journald(Hostile):
    def setUp(self):
        super().setUp()
        self.run = pathlib.Path(self.folder) / "run"
        (self.run / "systemd/journal").mkdir(parents=True)
        for folder in (self.folder, self.run, self.run / "systemd", self.run / "systemd/journal"):
            os.chmod(folder, 0o755)
        self.journald = None

    def begin_journal(self, room=None):
        """Starts it, or another one in the place of the last. `room`: for what it keeps, and then out of this test's sight."""
        self.end_journal()
        drop_in = self.run / "systemd/journald.conf.d/test.conf"
        drop_in.parent.mkdir(exist_ok=True)
        drop_in.write_text("[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToWall=no\n")
        (self.run / "log").mkdir(exist_ok=True)
        small = f"mount -t tmpfs -o size={room} none /run/log &&" if room else ""
        before = self.identity()
        self.journald = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                                          f'mount --bind "{self.run}" /run && {small} exec {JOURNALD}'],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_journal)
        wait_until("the journal", lambda: self.identity() not in (None, before) or self.journald.poll() is not None)
        self.assertIsNone(self.journald.poll(), "the journal does not run")

    def end_journal(self):
        if self.journald:
            self.journald.terminate()
            self.journald.wait(PATIENCE)
        self.journald = None

    def identity(self):
        try:
            made = os.stat(self.run / "systemd/journal/socket")
            return made.st_ino, made.st_ctime_ns
        except FileNotFoundError:
            return None

    def entries(self, *matches):
        folder = next((self.run / "log/journal").iterdir())
        done = subprocess.run(["journalctl", "-D", folder, "-o", "json", "--all", "--no-pager", *matches], capture_output=True, text=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def until(self, count, *matches):
        return wait_until(f"{count} entries {matches}", lambda: len(found := self.entries(*matches)) >= count and found)

    def serve(self, wait=True):
        self.upstream = self.sink("--reject-rcpt", "nobody@")
        file = self.configuration(self.upstream.port, log={"target": f"journal:{self.run}/systemd/journal/socket"}, limits={"sessions_per_ip": 100000})
        self.gateway_process = self.start("gateway", [PROGRAM, "run", "-c", file])
        if wait:
            self.until(1, "SALLYPORT_EVENT=ready")
        else:
            wait_until("the gateway", lambda: accepts(self.port))

    def send(self, *senders):
        with Client(self.port) as client:
            client.greet()
            for sender in senders:
                client.mail(sender=sender)
                client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)

    def test_it_finds_mails_by_their_fields(self):
        self.begin_journal()
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.ask("RCPT TO:<other@test.example>", 250)
            client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)
        entry = self.until(1, "SALLYPORT_VERDICT=relay")[0]
        self.assertEqual((entry["SALLYPORT_FROM"], entry["SALLYPORT_TO"], entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["_TRANSPORT"]),
                         ("ann@sender.example", ["user@test.example", "other@test.example"], "6", "sallyport", "journal"))
        # Who has sent it, the journal knows from the kernel.
        self.assertEqual(entry["_COMM"], "sallyport")
        self.assertEqual([one["SALLYPORT_TO"] for one in self.until(1, "SALLYPORT_EVENT=recipient", "SALLYPORT_CODE=550")], ["nobody@test.example"])
        self.assertEqual([one["SALLYPORT_ID"] for one in self.entries("SALLYPORT_TO=other@test.example")], [entry["SALLYPORT_ID"]])

    def test_words_of_peers_make_no_field_and_no_entry(self):
        self.begin_journal()
        self.serve()
        self.provoke()
        self.assertEqual(self.gateway_process.stop(), 0)
        self.until(1, "SALLYPORT_EVENT=stopped")
        ours = self.until(len(HOSTILE), "SALLYPORT_IP=127.0.0.9")
        names = {name for entry in self.entries("SYSLOG_IDENTIFIER=sallyport") for name in entry if not name.startswith("_")}
        self.assertEqual({name for name in names if not name.startswith("SALLYPORT_")}, {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER"})
        for entry in ours:
            self.assertIsInstance(entry["MESSAGE"], str)  # else it is no text, and shown as a blob
            self.assertNotRegex(json.dumps(entry, ensure_ascii=False), "[\x00-\x1f\x7f-\x9f\u2028\u202e]")

    def test_another_journal_in_its_place_gets_what_comes_then(self):
        self.begin_journal()
        self.serve()
        self.send("first@sender.example")
        self.until(1, "SALLYPORT_FROM=first@sender.example")
        self.end_journal()
        self.send(*(f"without{number}@sender.example" for number in range(20)))  # nobody takes it, and mail flows
        self.begin_journal()
        self.send(*(f"then{number}@sender.example" for number in range(5)))
        self.until(5, *(f"SALLYPORT_FROM=then{number}@sender.example" for number in range(5)))
        self.assertEqual(len(self.upstream.wait_for(26)), 26)
        self.assertEqual(self.gateway_process.stop(), 0)

    def test_one_whose_disk_is_full_holds_up_no_mail(self):
        self.begin_journal(room="9m")
        self.serve(wait=False)
        filled = subprocess.run(["nsenter", "--mount", "--target", str(self.journald.pid), "sh", "-c", "cat /dev/zero > /run/log/filler"],
                                capture_output=True, text=True, timeout=60)
        self.assertIn("No space left", filled.stderr)
        self.send(*(f"ann{number}@sender.example" for number in range(60)))
        self.assertEqual(len(self.upstream.wait_for(60)), 60)
        self.assertEqual(self.gateway_process.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
