#!/usr/bin/env python3
"""./dev run --demo as a newcomer sees it: every verdict is the documented one."""
import sys
import unittest

from support import PROGRAM, ROOT, GatewayTest, free_port, run


class Demo(GatewayTest):
    def test_every_verdict_is_the_documented_one(self):
        port = free_port(also=(75, 76))  # its receiving server and its DNS
        done = run([sys.executable, ROOT / "packaging/try/run.py", "--program", PROGRAM, "--demo", "--port", port], 120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("BAD ", done.stdout)
        self.assertIn("as documented", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
