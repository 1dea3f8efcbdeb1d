#!/usr/bin/env python3
"""No room on the disk, and files that cannot be written (threats.md R6): a mail that needs the spool hears 452 4.3.1, never 250; everything
else flows; what the log and the state lose is counted; and all is well when there is room again."""
import contextlib
import os
import shutil
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until

LARGE = b"Subject: large\r\n\r\n" + (b"0123456789" * 7 + b"\r\n") * 8000  # more than is held in memory


class DiskTest(GatewayTest):
    def client(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def refused_then_small(self):
        """One session: a large mail is put off, by DATA and in chunks, and a small one is relayed."""
        client = self.client()
        client.mail()
        self.assertRegex(client.message(LARGE, 452), r"^452 4\.3\.1 .*\(id \w+\)$")
        client.mail()
        client.send(b"BDAT %d\r\n" % len(LARGE) + LARGE + b"BDAT 2 LAST\r\n\r\n")
        client.reply()
        self.assertRegex(client.expect(452), r"^452 4\.3\.1 ")
        client.mail()
        client.message("Subject: small\r\n\r\nx")
        for line in self.wait_for_log()[:2]:
            self.assertEqual((line["verdict"], line["check"], line["stage"]), ("tempfail", "spool", "message"))

    def subjects(self, sink):
        return [content.split(b"Subject: ")[1].split(b"\r\n")[0] for _, content in sink.messages()]


class NoRoom(DiskTest):
    def disk(self, name, size):
        """A small file system; gives its directory."""
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small file system")
        folder = self.folder / name
        folder.mkdir()
        if run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", folder]).returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(run, ["umount", "-l", folder])
        return folder

    def fill(self, disk):
        with contextlib.suppress(OSError), open(disk / "filling", "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def test_for_the_spool(self):
        for size in ("6m", "24m"):
            with self.subTest(size=size):
                disk = self.disk(f"disk-{size}", size)
                sink = self.sink()
                self.gateway(sink.port, state={"path": disk / "state"}, limits={"memory_per_message": "64KiB"})
                self.fill(disk)
                self.refused_then_small()
                self.assertEqual(self.faults("spool"), 2)
                self.assertEqual(self.subjects(sink), [b"small"])
                (disk / "filling").unlink()
                client = self.client()
                client.mail()
                client.message(LARGE)
                self.assertEqual(self.subjects(sink), [b"small", b"large"])
                wait_until("the end of the spool file", lambda: not self.spool_files())
                self.gateway_process.stop()
                (self.folder / "gateway.log").unlink()

    def test_for_the_log(self):
        disk = self.disk("disk", "4m")
        log = disk / "gateway.log"
        sink = self.sink()
        self.file = self.configuration(sink.port, log={"target": f"file:{log}"})
        process = self.start("gateway", [PROGRAM, "run", "-c", self.file])
        wait_until("ready", lambda: log.exists() and b"event=ready" in log.read_bytes() or not process.is_running())
        self.fill(disk)
        client = self.client()
        for _ in range(30):  # more than what is left of the log's last block
            client.mail(recipient="user+" + "x" * 50 + "@test.example")
            client.message("Subject: x\r\n\r\ny")
        wait_until("lost lines", lambda: self.faults("log") > 0)
        self.assertEqual(len(sink.wait_for(30)), 30)
        (disk / "filling").unlink()
        before = log.stat().st_size
        client.mail()
        client.message("Subject: x\r\n\r\ny")
        wait_until("the next line", lambda: log.stat().st_size > before)
        self.assertIn(b"event=transaction", log.read_bytes()[before:])

    def test_for_the_state(self):
        """What rules remember and servers have offered is lost, and mail flows."""
        disk = self.disk("disk", "2m")
        sink = self.sink()
        rules = self.rules("""sp.rule { name = "REMEMBERS", stage = "rcpt", score = 0.1, mode = "enforce", run = function(tx)
  return (sp.seen("senders", tx.from.addr, "1d"))
end }
""")
        self.gateway(sink.port, state={"path": disk / "state"}, policy={"mode": "off", "rules": {"mode": "enforce", "path": rules}})
        self.fill(disk)
        client = self.client()
        for i in range(20):
            client.mail(sender=f"ann{i}@sender.example")
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(len(sink.wait_for(20)), 20)
        (disk / "filling").unlink()
        client.mail()
        client.message("Subject: x\r\n\r\ny")


    def spool_files(self):
        folder = f"/proc/{self.gateway_process.pid}/fd"
        return [target for one in os.listdir(folder) if "/spool/" in (target := os.readlink(f"{folder}/{one}"))]


class FilesThatCannotGrow(DiskTest):
    """A write that fails as on a broken disk, in the middle of a file: the largest size that a file may have."""

    def test_of_the_spool(self):
        for size in (40000, 150000):
            with self.subTest(size=size):
                sink = self.sink()
                file = self.configuration(sink.port, limits={"memory_per_message": "32KiB"}, log={"target": "stderr"})
                process = self.start(f"limited-{size}", [shutil.which("prlimit"), f"--fsize={size}:{size}", PROGRAM, "run", "-c", file])
                wait_until("ready", lambda: "event=ready" in process.output() or not process.is_running())
                self.assertTrue(process.is_running(), process.output())
                client = self.client()
                client.mail()
                self.assertRegex(client.message(LARGE, 452), r"^452 4\.3\.1 ")
                client.mail()
                client.message("Subject: small\r\n\r\nx")
                self.assertEqual(self.subjects(sink), [b"small"])
                self.assertEqual(self.faults("spool"), 1)
                process.stop()


if __name__ == "__main__":
    unittest.main()
