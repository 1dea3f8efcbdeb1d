"""What a process that serves has given up, and that mail goes all the same (threats.md V2, V3, V5, I14)."""
import ctypes
import os
import pathlib
import signal
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until


def has_landlock():
    create_ruleset, say_version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, say_version) >= 1


class Serving(GatewayTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.sink()
        self.running = self.gateway(self.upstream.port, workers=2, limits={"memory_per_message": "4KiB"})
        if "libasan" in (maps := pathlib.Path(f"/proc/{self.running.pid}/maps").read_text()) or "libclang_rt" in maps:
            self.skipTest("sanitizers start processes themselves")

    def statuses(self):
        for task in pathlib.Path(f"/proc/{self.running.pid}/task").iterdir():
            yield dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)

    def test_no_thread_can_start_a_program_or_get_rights(self):
        for status in self.statuses():
            self.assertEqual(status["Seccomp"], "2", status["Name"])
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
            self.assertEqual(int(status["CapEff"], 16), 0, status["Name"])

    def test_its_memory_is_written_nowhere(self):
        limits = pathlib.Path(f"/proc/{self.running.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        # What is not dumpable belongs to root in /proc.
        self.assertEqual(os.stat(f"/proc/{self.running.pid}/environ").st_uid, 0)

    def test_it_writes_nowhere_but_where_it_said(self):
        if not has_landlock():
            self.assertIn("this kernel does not have it", self.log_lines("landlock")[0]["detail"])
            self.skipTest("this kernel has no Landlock")
        self.assertEqual(self.log_lines("landlock"), [])
        self.running.stop()
        for name in ("one", "two"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)
        link = self.folder / "logs"
        link.symlink_to("one")
        file = self.configuration(self.upstream.port, log={"target": f"file:{link}/gateway.log"})
        gateway = self.start("gateway", [PROGRAM, "run", "-c", file])
        log = self.folder / "one/gateway.log"
        wait_until("ready", lambda: log.exists() and "event=ready" in log.read_text())
        log.rename(self.folder / "one/gateway.log.1")
        gateway.signal(signal.SIGHUP)
        wait_until("the new file", log.exists)  # where it was at the start it may write
        link.unlink()
        link.symlink_to("two")
        gateway.signal(signal.SIGHUP)
        wait_until("a complaint", lambda: "Permission denied" in log.read_text())
        self.assertEqual(list((self.folder / "two").iterdir()), [])
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(run([PROGRAM, "upgrade", "-c", file]).returncode, 0)
        wait_until("the log where the link leads now", (self.folder / "two/gateway.log").exists)
        self.assertEqual(gateway.stop(), 0)

    def test_mail_goes_by_tls_and_spool(self):
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message(b"Subject: x\r\n\r\n" + b"z\r\n" * 20000)
        self.assertEqual(len(self.upstream.wait_for(1)), 1)
        self.assertEqual(self.log_lines("fault"), [])


if __name__ == "__main__":
    unittest.main()
