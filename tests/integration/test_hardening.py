"""What a process that serves has given up, and that mail goes all the same (threats.md V2, V5, I14)."""
import os
import pathlib
import unittest

from support import Client, GatewayTest


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
