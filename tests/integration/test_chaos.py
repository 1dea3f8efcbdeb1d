#!/usr/bin/env python3
"""Everything at once, for a minute: servers, name server and clients that misbehave, stops, reloads, ends and successors. Afterwards
every mail is accounted for, and nothing is left of it all (chaos/run.py).

SALLYPORT_CHAOS_SECONDS and SALLYPORT_CHAOS_CLIENTS make it longer and denser; SALLYPORT_CHAOS_SEED repeats a run's choices (the
moments are the machine's own).
"""
import os
import random
import unittest

from chaos.run import ChaosRun
from support import PATIENCE, GatewayTest

SECONDS = float(os.environ.get("SALLYPORT_CHAOS_SECONDS", "60"))
CLIENTS = int(os.environ.get("SALLYPORT_CHAOS_CLIENTS", "40"))
SANITIZED = PATIENCE > 20  # whose allocators keep what was freed
SEED = int(os.environ.get("SALLYPORT_CHAOS_SEED", random.randrange(1 << 32)))


class Chaos(GatewayTest):
    def test_every_mail_is_accounted_for_and_nothing_is_left_behind(self):
        print(f"SALLYPORT_CHAOS_SEED={SEED}", flush=True)
        ledger = ChaosRun(self, SECONDS, CLIENTS, SEED, most_growth=1000 if SANITIZED else 16).run()
        print("\n".join(f"{count:7} {what}" for what, count in sorted(ledger.counts.items())))
        print("\n".join(f"for example {line}" for line in ledger.samples.values()))
        print("the longest waits:", ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in sorted(ledger.waits.items())))
        print(ledger.figures)
        for name, entries in ledger.books.items():
            for entry in entries[:20]:
                print(f"{name}: {entry}")
        for name, entries in ledger.books.items():
            self.assertEqual(len(entries), 0, name)
        self.assertGreater(ledger.counts["told"], 10)  # a machine that has other things to do may have brought no more about
        for what in ("hand-over", "second TERM", "stop", "reload: 0"):
            self.assertGreater(ledger.counts[what], 0, what)


if __name__ == "__main__":
    unittest.main(verbosity=2)
