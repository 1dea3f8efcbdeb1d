#!/usr/bin/env python3
"""Mail flows for a long time, and every so often something fails: a server is killed, names are silent, the disk is full, clients are slow
or reset their connections, the configuration is read again, a good one and a bad one. Nothing may add up: no memory, no descriptors; and
mail flows as before when it is over.

`./dev bench soak [MINUTES]` is the long form, with a fault each 20 seconds. Each kind of fault comes again and again. RSS is looked at each second, and
the median of each round of all kinds is one sample. Two rounds are the warm-up: until then caches fill and heaps grow to what a reload or 200
slow clients take. The median of the slopes between any two later samples (Theil and Sen) is what memory grows by: one outlier, high or low, does
not move it; growth that goes on does.
"""
import contextlib
import itertools
import os
import pathlib
import re
import signal
import socket
import statistics
import struct
import subprocess
import threading
import time
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, Process, free_port, run, wait_until

MINUTES = float(os.environ.get("SALLYPORT_SOAK_MINUTES", "1.2"))
IS_LONG = MINUTES >= 10
INTERVAL = 20 if IS_LONG else 5  # seconds between faults
LASTS = INTERVAL * 0.4           # a fault that goes on
WARM_UP_ROUNDS = 2               # of all kinds of fault
ZONE = {"sender.example": {"MX": [[10, "mx.sender.example"]], "TXT": ["v=spf1 ip4:127.0.0.0/8 -all"]}, "mx.sender.example": {"A": ["127.0.0.1"]}}


class Soak(GatewayTest):
    def setUp(self):
        super().setUp()
        self.load = PROGRAM.parent / "smtp_load"
        self.slow = PROGRAM.parent / "slow_clients"
        if not self.load.exists() or not self.slow.exists():
            self.skipTest("smtp_load and slow_clients are not built")
        self.others = []
        self.addCleanup(self.stop_others)

    def stop_others(self):
        for process in self.others:
            if process.poll() is None:
                process.kill()
                process.wait()

    # ---- the surroundings ----

    def state_directory(self):
        """On a small file system of its own, where that can be had; gives also the file that fills it."""
        state = self.folder / "small"
        state.mkdir()
        if os.geteuid() == 0 and run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "tmpfs", state]).returncode == 0:
            self.addCleanup(run, ["umount", "-l", state])
            return state / "state", state / "filling"
        return state / "state", None

    def start_sink(self):
        self.upstream = Process("sink", [PROGRAM, "sink", "--listen", f"127.0.0.1:{self.sink_port}", "--quiet"], self.folder)
        self.processes.append(self.upstream)
        # The last one of this name is enough to look at.
        self.processes = [p for p in self.processes if p.name != "sink" or p is self.upstream]

    def serve(self):
        self.sink_port = free_port()
        self.start_sink()
        state, self.filling = self.state_directory()
        dns = self.dns(ZONE)
        self.names = next(p for p in self.processes if p.name == "dns")
        rules = self.rules("""sp.rule { name = "LOOKS", stage = "message", score = 0.1, run = function(tx)
  return tx.msg.subject == "never" or #tx.msg:text() > 100000000
end }
""")
        self.gateway({"default": {"servers": [f"127.0.0.1:{self.sink_port}"], "connection_idle": "2s"}}, state={"path": state}, workers=2, domains=["rcpt.example"],
                     dns={"servers": [f"127.0.0.1:{dns}"], "timeout": "2s"}, timeouts={"policy": "3s", "upstream_reply": "5s", "data_rate_after": "15s"},
                     limits={"sessions_per_ip": 10000, "memory_per_message": "16KiB"},
                     policy={"mode": "enforce", "rate": {"mode": "off"}, "helo": {"mode": "off"}, "rules": {"path": rules}, "dnsbl": {"zones": {"bl.example": {"score": 1.0}}}})
        self.pid = self.gateway_process.pid

    def serving_pid(self):
        """Of the process that has the sessions: `run` itself, or its child."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        found = max([self.pid, *map(int, children)], key=lambda pid: len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())))
        return found

    def begin_load(self):
        self.others.append(subprocess.Popen([self.load, f"127.0.0.1:{self.port}", "--rate", "20", "--sessions", str(int(20 * MINUTES * 60 + 200)),
                                             "--size", "30000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self.others[-1]

    # ---- what fails ----

    def kill_the_server(self):
        self.upstream.kill()
        time.sleep(LASTS)
        self.start_sink()

    def silence_the_names(self):
        self.names.signal(signal.SIGSTOP)
        time.sleep(LASTS)
        self.names.signal(signal.SIGCONT)

    def fill_the_disk(self):
        if self.filling is None:
            return
        with contextlib.suppress(OSError), open(self.filling, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 65536)
        time.sleep(LASTS)
        self.filling.unlink()

    def read_the_configuration(self):
        for _ in range(3):
            self.gateway_process.signal(signal.SIGHUP)
            time.sleep(LASTS / 3)

    def read_a_bad_one(self):
        file = self.folder / "sallyport.toml"
        text = file.read_text()
        file.write_text(text + 'nonsense = "x"\n')
        self.gateway_process.signal(signal.SIGHUP)
        time.sleep(LASTS)
        file.write_text(text)

    def slow_clients(self):
        process = subprocess.Popen([self.slow, f"127.0.0.1:{self.port}", "200"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.others.append(process)
        time.sleep(LASTS)
        process.kill()
        process.wait()

    def resets(self):
        for i in range(100):
            with contextlib.suppress(OSError, AssertionError, EOFError), Client(self.port) as client:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.socket.settimeout(2)
                client.expect(220)
                if i % 3:
                    client.send("EHLO resets.example\r\nMAIL FROM:<ann@sender.example>\r\nRCPT TO:<user@rcpt.example>\r\n")
                if i % 3 == 2:
                    client.send("BDAT 100000\r\n" + "x" * 50000)

    # ---- what is measured ----

    def rss(self):
        text = pathlib.Path(f"/proc/{self.serving}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024

    def seen_each_second(self, look):
        """A list that grows by what `look` gives, until the end of the test."""
        seen, is_over = [], threading.Event()

        def watch():
            while not is_over.wait(1):
                seen.append(look())

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.addCleanup(watcher.join)
        self.addCleanup(is_over.set)
        return seen

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.serving}/fd").iterdir()))

    def quiet_descriptors(self):
        """Those that are open when nobody is there: kept connections have gone."""
        wait_until("the end of all sessions", lambda: self.stats()["sallyport_sessions"] == 0, 60)
        wait_until("the end of kept connections", lambda: self.stats()["sallyport_upstream_open"] == 0, 90)
        return self.descriptors()

    def one_mail(self):
        with contextlib.suppress(OSError, AssertionError, EOFError), Client(self.port) as client:
            client.greet()
            client.mail(recipient="user@rcpt.example")
            client.message("From: ann@sender.example\r\nSubject: x\r\n\r\ny")
            return True
        return False

    def test_nothing_adds_up(self):
        self.serve()
        self.serving = self.serving_pid()
        self.assertTrue(self.one_mail())
        at_first = self.quiet_descriptors()
        load = self.begin_load()
        faults = [self.kill_the_server, self.silence_the_names, self.fill_the_disk, self.read_the_configuration, self.slow_clients,
                  self.resets, self.read_a_bad_one]
        rounds = []  # (seconds, MiB), one for each round of all faults
        begun = time.monotonic()
        number = 0
        in_round = self.seen_each_second(self.rss)
        while time.monotonic() - begun < MINUTES * 60:
            due = begun + INTERVAL * (number + 1)
            faults[number % len(faults)]()
            number += 1
            time.sleep(max(0, due - time.monotonic()))
            self.assertTrue(self.gateway_process.is_running() and self.serving_pid() == self.serving, "it has ended")
            if number % len(faults) == 0:
                rounds.append((time.monotonic() - begun, statistics.median(in_round)))
                in_round.clear()
        self.assertIsNone(load.poll(), "the load has ended")
        load.kill()
        load.wait()
        wait_until("mail flows as before", self.one_mail, 30)
        self.assertLessEqual(self.quiet_descriptors(), at_first + 4)
        relayed = self.stats()["sallyport_relayed_total"]
        self.assertGreater(relayed, 20 * 60 * MINUTES * 0.2)
        self.assertEqual(self.faults("internal"), 0)
        print(f"\n{number} faults, {relayed} mails relayed; {self.descriptors()} descriptors, {at_first} at first; RSS of each round of faults, in MiB: "
              + ", ".join(f"{mib:.1f}" for _, mib in rounds), flush=True)
        if not IS_LONG:
            self.assertLess(rounds[-1][1] - rounds[0][1], 32)
            return
        warm = rounds[WARM_UP_ROUNDS:]
        slope = statistics.median((b[1] - a[1]) / (b[0] - a[0]) * 3600 for a, b in itertools.combinations(warm, 2))
        print(f"RSS grows by {slope:.2f} MiB an hour after a warm-up of {WARM_UP_ROUNDS} rounds", flush=True)
        self.assertLessEqual(slope, 1.0)

    @unittest.skipIf(PATIENCE > 20, "the allocator of a sanitizer keeps what was freed")
    def test_what_a_burst_took_goes_back_to_the_system(self):
        self.serve()
        self.serving = self.serving_pid()
        self.assertTrue(self.one_mail())
        at_first = self.rss()
        clients = subprocess.Popen([self.slow, f"127.0.0.1:{self.port}", "1500"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.others.append(clients)
        wait_until("memory in use", lambda: self.rss() > at_first + 20, 60)
        clients.kill()
        clients.wait()
        # Some of the growth is code that has been used for the first time.
        wait_until("its return", lambda: self.rss() < at_first + 8, 120)


if __name__ == "__main__":
    unittest.main()
