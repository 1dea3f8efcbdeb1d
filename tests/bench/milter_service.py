#!/usr/bin/env python3
"""What it costs a Postfix in front to have its mail judged: SPF, DKIM and DMARC by us, and by opendkim with opendmarc, in turns.
`./dev bench milter_service` runs it, as root.

The same signed mails go through the same Postfix; CPU is what the milters' processes have used, the median of the runs. opendkim has the key
in a file; opendmarc asks the same DNS server as we do.
"""
import concurrent.futures
import os
import pathlib
import statistics
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from auth_sessions import Signer  # noqa: E402
from postfix_server import Postfix  # noqa: E402
from support import Client, accepts, free_port, tool, wait_until  # noqa: E402
from test_milter_service import Served  # noqa: E402

MESSAGES = int(os.environ.get("SALLYPORT_BENCH_MESSAGES", "400"))
REPEATS = 3
DNS = "127.0.53.1"


def cpu_seconds(pid):
    """What all threads of a process have used, those that have ended too: theirs make one for each connection."""
    return time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid() makes it


class Cost(Served):
    def send(self, port, count):
        with Client(port) as client:
            client.expect(220)
            client.ask("EHLO before.example", 250)
            client.ask("XCLIENT ADDR=192.0.2.1 NAME=client.pass.example", 220)
            client.ask("EHLO client.pass.example", 250)
            for _ in range(count):
                client.mail("ann@pass.example")
                client.message(self.message)

    def cost_of(self, postfix, pids):
        self.send(postfix.port, 5)
        before = sum(map(cpu_seconds, pids))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(self.send, postfix.port, 5) for _ in range(MESSAGES // 5)]:
                done.result()
        return (sum(map(cpu_seconds, pids)) - before) / MESSAGES * 1e6

    def behind(self, *milters):
        return Postfix(self, more="smtpd_authorized_xclient_hosts = 127.0.0.0/8\nmilter_default_action = tempfail\n"
                       "smtpd_client_connection_rate_limit = 0\nsmtpd_milters = " + ", ".join(milters) + "\n")

    def test_we_cost_less(self):
        signer = Signer(self.folder)
        self.message = signer.dkim("From: Ann <ann@pass.example>\r\nTo: user@test.example\r\nSubject: A message\r\n"
                                   "Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@pass.example>\r\n\r\n"
                                   + "A line of some text in a body.\r\n" * 120, "pass.example")
        self.dns({"pass.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}, "_dmarc.pass.example": {"TXT": ["v=DMARC1; p=reject"]},
                  "client.pass.example": {"A": ["192.0.2.1"]}, **signer.published("pass.example")}, "--address", DNS, "--port", "53")
        gateway = self.serve(rules="", dns={"servers": [f"{DNS}:53"]}, policy={name: {"mode": "enforce"} for name in ("spf", "dkim", "dmarc")})
        ours = self.behind(f"inet:127.0.0.1:{self.milter_port}")

        (self.folder / "resolv.conf").write_text(f"nameserver {DNS}\n")
        key, dmarc = free_port(), free_port()
        (self.folder / "public").write_text(f"s1._domainkey.pass.example {signer.record}\n")
        (self.folder / "opendkim.conf").write_text(
            f"Socket inet:{key}@127.0.0.1\nMode v\nSyslog no\nTestPublicKeys {self.folder}/public\nAlwaysAddARHeader yes\n"
            "AuthservID inner.test.example\nRequireSafeKeys no\n")
        (self.folder / "opendmarc.conf").write_text(
            f"Socket inet:{dmarc}@127.0.0.1\nAuthservID inner.test.example\nTrustedAuthservIDs inner.test.example\nSyslog false\n"
            "SPFSelfValidate true\nSPFIgnoreResults true\nRejectFailures false\n")
        inside = ["unshare", "-m", "sh", "-c", f'mount --bind {self.folder}/resolv.conf /etc/resolv.conf && exec "$@"', "sh"]
        opendkim = self.start("opendkim", [tool("opendkim"), "-f", "-x", self.folder / "opendkim.conf"])
        opendmarc = self.start("opendmarc", [*inside, tool("opendmarc"), "-f", "-c", self.folder / "opendmarc.conf"])
        for port in key, dmarc:
            wait_until("a milter", lambda port=port: accepts(port))
        theirs = self.behind(f"inet:127.0.0.1:{key}", f"inet:127.0.0.1:{dmarc}")

        runs = {"ours": [], "opendkim + opendmarc": []}
        for _ in range(REPEATS):
            runs["ours"].append(self.cost_of(ours, [gateway.pid]))
            runs["opendkim + opendmarc"].append(self.cost_of(theirs, [opendkim.pid, opendmarc.pid]))
        line = self.log_lines()[-1]
        self.assertEqual((line["spf"], line["dkim"], line["dmarc"]), ("pass", "pass", "pass"), line)
        found = {name: statistics.median(costs) for name, costs in runs.items()}
        for name, cost in found.items():
            print(f"{name:22} {cost:7.0f} us CPU per message  {cost / found['opendkim + opendmarc']:.0%}", flush=True)
        self.assertLess(found["ours"], found["opendkim + opendmarc"])


if __name__ == "__main__":
    unittest.main()
