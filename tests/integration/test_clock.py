"""The wall clock is wrong by years, at the start or from one mail to the next: it is told, and nothing expires by it."""
import mmap
import os
import struct
import time
import unittest

from auth_sessions import Signer
from support import Client, GatewayTest, wait_until

SHIM = os.environ.get("SALLYPORT_MOVED_CLOCK_LIBRARY", "")
TEN_YEARS = 3653 * 86400


@unittest.skipUnless(SHIM, "the clock that can be moved is not built (a sanitizer is in its way)")
class Clock(GatewayTest):
    def setUp(self):
        super().setUp()
        self.signer = Signer(self.folder)
        self.upstream = self.sink()
        file = self.folder / "clock"
        file.write_bytes(bytes(8))
        file.chmod(0o644)
        with open(file, "r+b") as opened:
            self.shared = mmap.mmap(opened.fileno(), 8)
        self.file = self.configuration(self.upstream.port, workers=2, policy={"mode": "enforce"}, dns={
            "servers": [f"127.0.0.1:{self.dns(self.signer.published('sender.example'))}"]})

    def move(self, seconds):
        self.shared[0:8] = struct.pack("=q", seconds)

    def serve(self):
        os.environ |= {"LD_PRELOAD": SHIM, "SALLYPORT_MOVED_CLOCK": str(self.folder / "clock")}
        try:
            return self.start_gateway(self.file)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["SALLYPORT_MOVED_CLOCK"]

    def verified(self, signed_at, expires_at):
        """What is said of the signature of a mail that was made at this time and expires at that."""
        seen = len(self.log_lines("transaction"))
        message = self.signer.dkim("From: ann@sender.example\r\nTo: user@test.example\r\nSubject: x\r\n\r\ny\r\n", "sender.example",
                                   more=f" t={signed_at:.0f}; x={expires_at:.0f};")
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.ask("DATA", 354)
            client.send(message + ".\r\n")
            client.expect(250)
        wait_until("its line", lambda: len(self.log_lines("transaction")) > seen)
        return self.log_lines("transaction")[-1]["dkim"].split(":")[0].split("(")[0]

    def suspicions(self):
        faults = [line for line in self.log_lines("fault") if line["kind"] == "clock_suspect"]
        self.assertEqual(self.stats()['sallyport_faults_total{kind="clock_suspect"}'], len(faults))
        return [line["detail"] for line in faults]

    def test_it_is_set_wrong_and_right_again(self):
        self.serve()
        now = time.time()
        self.assertEqual(self.verified(now, now + 3600), "pass")
        self.assertNotEqual(self.verified(now - 7200, now - 3600), "pass", "by a clock that is trusted it has expired")
        self.assertEqual(self.suspicions(), [])
        for number, (seconds, said) in enumerate(((TEN_YEARS, "forward"), (-TEN_YEARS, "back"), (0, "forward")), 1):
            self.move(seconds)
            self.assertEqual(self.verified(now, now + 3600), "pass", seconds)  # at once, and also when no mail comes:
            wait_until("the fault", lambda: len(self.suspicions()) >= number)
            self.assertEqual(self.suspicions()[-1].split()[4], said)
            time.sleep(2)
            self.assertEqual(len(self.suspicions()), number, "each jump is told once")

    def test_it_is_wrong_at_the_start(self):
        self.move(-int(time.time()) + 86400)  # a host without a battery, in 1970
        self.serve()
        now = time.time()
        self.assertEqual(self.verified(now, now + 3600), "pass")
        self.assertEqual(len(self.suspicions()), 1)
        self.assertIn("cannot be right", self.suspicions()[0])

    def test_a_year_that_does_not_fit_what_was_known(self):
        self.serve().stop()
        self.assertEqual([line for line in self.log_lines("fault") if line["kind"] == "clock_suspect"], [])
        self.move(TEN_YEARS)
        self.serve()
        now = time.time()
        self.assertEqual(self.verified(now, now + 3600), "pass")
        self.assertEqual(len(self.suspicions()), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
