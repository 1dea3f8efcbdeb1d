#!/usr/bin/env python3
"""Running it: configuration errors, exit codes, counters, privileges, draining, balancers, crashes, many sessions."""
import os
import pathlib
import pwd
import resource
import signal
import socket
import struct
import time
import unittest

from support import PROGRAM, Client, GatewayTest, free_port, our_header, run, tool, wait_until

IS_ROOT = os.geteuid() == 0
BLOCKLIST_ZONE = {"7.2.0.192.bl.test.example": {"A": ["127.0.0.2"]}}


class CommandLine(GatewayTest):
    def test_every_mistake_of_a_configuration_in_one_run(self):
        file = self.folder / "wrong.toml"
        file.write_text('hostname = "mx.test.example"\n'
                        'domains = ["test.example"]\n'
                        'upstream = "127.0.0.1:26"\n'
                        '[limits]\n'
                        '  mesage_size = "1MiB"\n'
                        'recipients = "many"\n'
                        '[[listen]]\n'
                        'address = "127.0.0.1:25"\n'
                        'tls = "starttsl"\n')
        done = run([PROGRAM, "check", "-c", file])
        self.assertEqual(done.returncode, 78)
        said = done.stderr + done.stdout
        self.assertRegex(said, rf'(?m)^{file}:5:3: error: .*mesage_size.*message_size')
        self.assertRegex(said, rf'(?m)^{file}:6:\d+: error: .*')
        self.assertRegex(said, rf'(?m)^{file}:9:\d+: error: .*starttls')
        self.assertEqual(len([line for line in said.splitlines() if ": error: " in line]), 3, said)
        done = run([PROGRAM, "run", "-c", file])
        self.assertEqual(done.returncode, 78)
        self.assertIn(f"{file}:5:3: error: ", done.stderr)

    def test_a_syntax_error_and_a_missing_file(self):
        file = self.folder / "broken.toml"
        file.write_text('hostname = "mx.test.example"\ndomains = [\n')
        done = run([PROGRAM, "check", "-c", file])
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr + done.stdout, rf"{file}:\d+:\d+: error: ")
        done = run([PROGRAM, "check", "-c", self.folder / "nowhere.toml"])
        self.assertIn(done.returncode, (66, 78))
        self.assertIn("nowhere.toml", done.stderr + done.stdout)

    def test_a_rule_that_does_not_load_is_named(self):
        rules = self.rules("sp.rule { name = 'X', stage = 'message', run = function(tx) return end\n")
        file = self.configuration(1, policy={"mode": "enforce", "rules": {"path": rules}})
        done = run([PROGRAM, "check", "-c", file])
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr + done.stdout, rf"{rules}/rules\.lua:[23]:\d+: error: ")

    def test_a_good_configuration(self):
        done = run([PROGRAM, "check", "-c", self.configuration(1)])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_usage(self):
        for argv in (["nonsense"], ["run", "--nonsense"], ["--nonsense"]):
            self.assertEqual(run([PROGRAM, *argv]).returncode, 64, argv)
        for argv in (["--help"], ["run", "--help"], ["--version"]):
            done = run([PROGRAM, *argv])
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout)

    def test_no_daemon_to_ask(self):
        done = run([PROGRAM, "stats", "-c", self.configuration(1)])
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("control.sock", done.stderr)

    def test_an_address_in_use(self):
        file = self.configuration(1)
        with socket.create_server(("127.0.0.1", self.port)):
            done = run([PROGRAM, "run", "-c", file])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.port), done.stderr)


class Counters(GatewayTest):
    def test_violations_and_totals(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        with Client(self.port) as client:
            client.greet()
            client.ask("NONSENSE", 500)
            client.ask("RCPT TO:<user@test.example>", 503)
            client.ask("MAIL FROM:<ann@>", 501)
            client.mail()
            client.message(b"Subject: x\r\n\r\na\nb\rc")
            client.ask("QUIT", 221)
        with Client(self.port) as client:
            client.expect(220)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertRegex(client.rest(), r"^554 5\.5\.1 [^\n]*\r\n$")
        stats = self.stats()
        violations = {name.split('"')[1]: value for name, value in stats.items() if "violations" in name and value}
        # Of a bare LF and a bare CR in one message either may stand for both.
        bare = {kind: violations.pop(kind) for kind in ("bare_lf", "bare_cr") if kind in violations}
        self.assertIn(1, bare.values())
        self.assertEqual(violations, {"bad_command": 1, "sequence": 1, "syntax": 1, "non_smtp": 1})
        self.assertEqual((stats["sallyport_connections_total"], stats["sallyport_relayed_total"],
                          stats["sallyport_transactions_total"]), (2, 1, 1))
        text = run([PROGRAM, "stats", "-c", self.folder / "sallyport.toml"])
        self.assertIn('sallyport_violations_total{kind="bad_command"} 1\n', text.stdout)

    def test_the_socket_is_for_few_and_survives_nonsense(self):
        self.gateway(free_port())
        path = self.folder / "state/control.sock"
        self.assertEqual(path.stat().st_mode & 0o777, 0o660)
        for nonsense in (b"", b"\n", b"{\n", b"[]\n", b'{"command":"x"}\n', b"\0" * 100000, b'{"command":5}\n',
                         b"[" * 60000 + b"\n"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(path))
                try:
                    client.sendall(nonsense)
                    client.shutdown(socket.SHUT_WR)
                    answer = b""
                    while piece := client.recv(65536):
                        answer += piece
                    self.assertNotIn(b'"ok":true', answer)
                except (BrokenPipeError, ConnectionResetError):
                    pass
        self.assertIn("sallyport_sessions", self.stats())


class Ending(GatewayTest):
    def test_sigterm_drains(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port)
        idle, greeted, busy, half = (Client(self.port) for _ in range(4))
        for client in (idle, greeted, busy, half):
            self.addCleanup(client.socket.close)
            client.expect(220)
        for client in (greeted, busy, half):
            client.ask("EHLO client.example", 250)
        half.mail()
        busy.mail()
        busy.ask("DATA", 354)
        busy.send("Subject: x\r\n\r\nfirst half\r\n")
        time.sleep(0.2)
        gateway.signal(signal.SIGTERM)
        for client in (idle, greeted, half):
            self.assertTrue(client.expect(421).startswith("421 4.3.2 "))
            self.assertTrue(client.is_closed())
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        self.assertTrue(gateway.is_running())
        busy.send("second half\r\n.\r\n")
        busy.expect(250)
        self.assertTrue(busy.expect(421).startswith("421 4.3.2 "))
        self.assertEqual(gateway.wait(), 0)
        (_, content), = upstream.wait_for(1)
        self.assertTrue(content.endswith(b"first half\r\nsecond half\r\n"))
        lines = self.wait_for_log(count=2)
        self.assertEqual({line["verdict"] for line in lines}, {"relay", "tempfail"})

    def test_draining_has_an_end(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port, timeouts={"drain": "1s"})
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.ask("DATA", 354)
            time.sleep(0.1)
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.wait(), 0)
        self.assertEqual(upstream.messages(), [])

    def test_killed_and_started_again_at_once(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port)
        file = self.folder / "sallyport.toml"
        for _ in range(3):
            with Client(self.port) as client:
                client.greet()
                client.mail()
                client.ask("DATA", 354)
                client.send("Subject: lost\r\n\r\n" + "x" * 70 + "\r\n")
                gateway.kill()
                gateway = self.start_gateway(file)
                self.assertEqual(client.rest(), "")
            with Client(self.port) as client:
                client.greet()
                client.mail()
                client.message("Subject: kept\r\n\r\ny")
        self.assertEqual(len(upstream.messages()), 3)
        self.assertTrue(all(b"Subject: kept" in content for _, content in upstream.messages()))
        self.assertEqual(list((self.folder / "state/spool").iterdir()), [])
        self.assertIn("sallyport_sessions", self.stats())

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        upstream = self.sink()
        self.gateway(upstream.port)
        done = run([PROGRAM, "run", "-c", self.folder / "sallyport.toml"])
        self.assertNotEqual(done.returncode, 0)
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.assertIn("sallyport_sessions", self.stats())


class Privileges(GatewayTest):
    def status(self, process):
        text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def test_no_capabilities_and_no_way_to_new_ones(self):
        status = self.status(self.gateway(free_port(), workers=2))
        self.assertEqual(status["NoNewPrivs"], "1")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)

    @unittest.skipUnless(IS_ROOT, "only root can become somebody else")
    def test_root_becomes_the_user(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port, workers=2, limits={"memory_per_message": "4KiB"})
        nobody = pwd.getpwnam("nobody")
        for task in pathlib.Path(f"/proc/{gateway.pid}/task").iterdir():
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(nobody.pw_gid)] * 4)
            self.assertNotIn("0", status["Groups"].split())
        with Client(self.port) as client:  # and can do its work, the spool file and TLS included
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message(b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n" + b"z\r\n" * 20000)
        self.assertEqual(len(upstream.wait_for(1)), 1)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)

    @unittest.skipUnless(IS_ROOT, "only root needs a user")
    def test_root_never_serves(self):
        for user in ("root", "nobody-of-that-name"):
            done = run([PROGRAM, "run", "-c", self.configuration(free_port(), user=user)])
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertIn("user", done.stderr)


def proxy_v2(source, port=4711, command=1, extra=b""):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack(">HH", port, 25) + extra
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, 0x11]) + struct.pack(">H", len(addresses)) + addresses


class Balancer(GatewayTest):
    """PROXY headers from 127.0.0.50, and only from there."""
    BALANCER = "127.0.0.50"

    def setUp(self):
        super().setUp()
        self.upstream = self.sink()
        dns = {"servers": [f"127.0.0.1:{self.dns(BLOCKLIST_ZONE)}"]}
        file = self.configuration(self.upstream.port, dns=dns, policy={
            "mode": "off", "dnsbl": {"mode": "enforce", "zones": {"bl.test.example": {"score": 9.0}}}})
        file.write_text(file.read_text().replace('"tls" = "starttls"', '"proxy_protocol_from" = ["127.0.0.50"]'))
        self.start_gateway(file)

    def connect(self, header, source=BALANCER):
        client = Client(self.port, source=source)
        self.addCleanup(client.socket.close)
        client.send(header)
        return client

    def test_the_address_counts(self):
        for header in (b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n", proxy_v2("192.0.2.7"),
                       proxy_v2("192.0.2.7", extra=b"\4\0\1x")):
            client = self.connect(header)
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("QUIT", 221)
        for header, literal in ((b"PROXY TCP4 192.0.2.8 127.0.0.1 4711 25\r\n", "[192.0.2.8]"),
                                (proxy_v2("192.0.2.8"), "[192.0.2.8]"),
                                (b"PROXY TCP6 2001:db8::8 ::1 4711 25\r\n", "[IPv6:2001:db8::8]"),
                                (b"PROXY UNKNOWN\r\n", "[127.0.0.50]"), (proxy_v2("192.0.2.8", command=0), "[127.0.0.50]")):
            client = self.connect(header)
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
            fields, _ = our_header(self.upstream.messages()[-1][1])
            self.assertIn(f"(unknown {literal})", dict(fields)["Received"])
            client.ask("QUIT", 221)
        lines = self.wait_for_log(count=8)
        self.assertEqual([line["ip"] for line in lines], ["192.0.2.7"] * 3 + ["192.0.2.8"] * 2 +
                         ["2001:db8::8", "127.0.0.50", "127.0.0.50"])
        self.assertEqual([line["check"] for line in lines[:3]], ["dnsbl"] * 3)

    def test_octet_by_octet(self):
        for header in (b"PROXY TCP4 192.0.2.8 127.0.0.1 4711 25\r\n", proxy_v2("192.0.2.8")):
            client = self.connect(b"")
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(header)):
                client.send(header[at:at + 1])
            client.greet()

    def test_a_balancer_without_a_valid_header(self):
        for nonsense in (b"EHLO client.example\r\n", b"PROXY TCP4 nonsense\r\n",
                         b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 99999\r\n",
                         b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", b"PROXY " + b"x" * 200):
            self.assertEqual(self.connect(nonsense).rest(), "", nonsense)
        self.assertEqual(self.violations("proxy_untrusted"), 5)
        began = time.monotonic()
        self.assertEqual(self.connect(b"").rest(), "")
        self.assertAlmostEqual(time.monotonic() - began, 5, delta=2)
        self.assertEqual(self.violations("proxy_untrusted"), 6)

    def test_anybody_else_is_another_protocol(self):
        for header in (b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n", ):
            client = Client(self.port)
            self.addCleanup(client.socket.close)
            client.expect(220)
            client.send(header + b"EHLO client.example\r\n")
            self.assertRegex(client.rest(), r"^554 5\.5\.1 [^\n]*\r\n$")
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.expect(220)
        client.send(proxy_v2("192.0.2.7"))
        self.assertRegex(client.rest(), r"^5\d\d [^\n]*\r\n")
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()  # without a header it is an ordinary client


class Many(GatewayTest):
    def idle_sessions(self, wanted):
        """As many greeted sessions as there may be descriptors for, opened side by side."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = min(wanted, hard - 500)
        sockets = []
        self.addCleanup(lambda: [s.close() for s in sockets])
        for number in range(count):
            # Ten source addresses: the ephemeral ports of one would not do for much more.
            sockets.append(socket.create_connection(("127.0.0.1", self.port), 20, (f"127.0.0.{100 + number % 10}", 0)))
        for s in sockets:
            self.assertTrue(s.recv(4096).startswith(b"220 "))
            s.sendall(b"EHLO client.example\r\n")
        for s in sockets:
            self.assertTrue(s.recv(4096).startswith(b"250-"))
        return sockets

    def test_thousands_of_idle_sessions_and_some_active_ones(self):
        upstream = self.sink()
        self.gateway(upstream.port, workers=2, limits={"sessions_per_ip": 20000, "sessions": 20000})
        idle = self.idle_sessions(5000)
        self.assertGreaterEqual(len(idle), 500)
        self.assertEqual(self.stats()["sallyport_sessions"], len(idle))
        done = run([tool("smtp-source"), "-s", "50", "-m", "500", "-l", "3000", "-f", "ann@sender.example", "-t",
                    "user@test.example", f"127.0.0.1:{self.port}"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(upstream.wait_for(500)), 500)
        for s in idle[::100]:
            s.sendall(b"NOOP\r\n")
            self.assertTrue(s.recv(4096).startswith(b"250 "))
        for s in idle:
            s.close()
        wait_until("the end of all sessions", lambda: self.stats()["sallyport_sessions"] == 0)
        self.wait_for_log(count=500)
        self.assertEqual(self.log_lines("connection"), [])

    def test_connections_go_to_both_workers(self):
        upstream = self.sink()
        gateway = self.gateway(upstream.port, workers=2)
        tasks = pathlib.Path(f"/proc/{gateway.pid}/task")

        def busy_threads():
            with_work = 0
            for task in tasks.iterdir():
                with_work += int((task / "schedstat").read_text().split()[2]) > 150
            return with_work

        for _ in range(3):
            run([tool("smtp-source"), "-s", "20", "-m", "200", "-d", "-f", "ann@sender.example", "-t", "user@test.example",
                 f"127.0.0.1:{self.port}"])
        self.assertEqual(len(upstream.wait_for(600)), 600)
        self.assertGreaterEqual(busy_threads(), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
