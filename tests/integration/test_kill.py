"""Killed in the middle of everything: nothing acknowledged is lost, and no mail comes twice without a word in the log.

Once in front of a server of the test's own, which is aimed at as well and fails now and then; once in front of a real
Postfix, to which connections live for two seconds. SALLYPORT_KILL_MESSAGES, SALLYPORT_KILLS and SALLYPORT_KILL_SEED make it
longer, and repeat a run's choices (the moments are the machine's own).
"""
import os
import random
import unittest

from kill_run import KillRun, PostfixKillRun
from servers.jail import skip_unless_possible
from support import GatewayTest

MESSAGES = int(os.environ.get("SALLYPORT_KILL_MESSAGES", "200"))
KILLS = int(os.environ.get("SALLYPORT_KILLS", "8"))
SEED = int(os.environ.get("SALLYPORT_KILL_SEED", random.randrange(1 << 32)))
CONNECTIONS = 32


class Killed(GatewayTest):
    def test_no_message_is_lost_or_doubled_in_silence(self):
        print(f"SALLYPORT_KILL_SEED={SEED}", flush=True)
        self.check(KillRun(self, MESSAGES, KILLS, CONNECTIONS, SEED).run())

    def test_in_front_of_a_real_server(self):
        skip_unless_possible()
        print(f"SALLYPORT_KILL_SEED={SEED}", flush=True)
        self.check(PostfixKillRun(self, MESSAGES, KILLS, CONNECTIONS, SEED).run())

    def check(self, account):
        print(account)
        self.assertEqual(account.lost, [])
        self.assertEqual(account.unexplained, [])
        self.assertEqual(account.damaged, [])
        self.assertEqual(account.surprises, [])
        self.assertEqual(account.left_over, [])
        self.assertEqual(account.acknowledged, MESSAGES)
        self.assertEqual(sum(account.kills.values()), KILLS)


if __name__ == "__main__":
    unittest.main()
