#!/usr/bin/env python3
"""The admin process: figures, health, readiness over HTTP; hostile clients of it; what Prometheus says of all that."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from support import PROGRAM, ROOT, Client, GatewayTest, accepts, children_of, free_port, is_admin, run, wait_until

MONITORING = ROOT / "packaging/monitoring"
PROMTOOL = shutil.which("promtool", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")
NAME_IN_EXPRESSION = re.compile(r"\bsallyport_[a-z0-9_]+")


class AdminTest(GatewayTest):
    """A gateway with an admin process beside it."""

    def start_both(self, upstream, **more):
        self.admin_port = free_port()
        self.gateway(upstream, admin={"listen": f"127.0.0.1:{self.admin_port}"}, **more)
        wait_until("the admin process", lambda: accepts(self.admin_port))

    def admins(self):
        """The processes that the gateway has started for it."""
        return [child for child in children_of(self.gateway_process.process.pid) if is_admin(child)]

    def get(self, path):
        """Status and body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def raw(self, octets, pieces=None):
        """Everything that comes back to these octets, sent whole or in pieces of this size."""
        with socket.create_connection(("127.0.0.1", self.admin_port), timeout=20) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for at in range(0, len(octets), pieces or len(octets)):
                    client.sendall(octets[at:at + (pieces or len(octets))])
                client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = b""
            try:
                while piece := client.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    def figures(self):
        """The lines of /metrics, as {series: value}."""
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                for line in text.splitlines() if not line.startswith("#")}

    @staticmethod
    def go_on(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def wait_for_figure(self, series, value):
        return wait_until(f"{series} {value}", lambda: self.figures().get(series) == value)


class Served(AdminTest):
    def test_figures_and_health_of_a_gateway_that_serves(self):
        sink = self.sink()
        self.start_both(sink.port)
        with Client(self.port) as client:
            client.greet()
            client.ask("NONSENSE", 500)
            client.mail()
            client.message(b"Subject: x\r\n\r\nx")
            client.ask("QUIT", 221)
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        wait_until("ready", lambda: self.get("/readyz") == (200, "ready\n"))
        figures = self.wait_for_figure("sallyport_relayed_total", 1) and self.figures()
        stats = self.stats()
        for name, value in stats.items():
            self.assertIn(name, figures)
            if name.endswith("_total") or "_total{" in name:
                self.assertLessEqual(figures[name], value)
        self.assertEqual(figures['sallyport_violations_total{kind="bad_command"}'], 1)
        self.assertEqual((figures["sallyport_up"], figures["sallyport_ready"]), (1, 1))
        self.assertEqual(figures["sallyport_mail_seconds_count"], 1)
        self.assertEqual(figures['sallyport_mail_seconds_bucket{le="+Inf"}'], 1)
        self.assertEqual(figures['sallyport_upstream_final_reply_seconds_count{upstream="default"}'], 1)
        self.assertGreaterEqual(figures['sallyport_upstream_reply_seconds_count{upstream="default"}'], 1)
        self.assertGreaterEqual(figures['sallyport_upstream_connect_seconds_count{upstream="default"}'], 1)
        self.assertEqual(figures['sallyport_tenant_mails_total{tenant="default",verdict="relay"}'], 1)
        self.assertEqual(figures['sallyport_tenant_mails_total{tenant="default",verdict="reject"}'], 0)
        self.assertGreater(figures['sallyport_tenant_octets_received_total{tenant="default"}'], 10)
        self.assertGreater(figures["sallyport_open_descriptors"], 5)
        self.assertGreater(figures["sallyport_open_descriptors_limit"], figures["sallyport_open_descriptors"])
        certificates = [value for name, value in figures.items() if name.startswith("sallyport_certificate_expires_in_seconds{")]
        self.assertEqual(certificates, [figures["sallyport_cert_expires_in_seconds"]])
        wait_until("timers of both loops", lambda: (now := self.figures()) and all(
            now.get(f'sallyport_loop_lag_seconds_count{{loop="{loop}"}}', 0) > 0 for loop in ("1", "main")))
        up = f'sallyport_upstream_server_up{{upstream="default",server="127.0.0.1:{sink.port}"}}'
        self.assertEqual(figures[up], 1)

    def test_it_runs_without_root_and_without_capabilities(self):
        self.start_both(free_port())
        admin, = self.admins()
        # It listens first, and gives up its rights then.
        status = wait_until("the end of its rights", lambda: (text := pathlib.Path(f"/proc/{admin}/status").read_text()) and
                            not re.search(r"(?m)^Uid:\t0\t", text) and text)
        self.assertRegex(status, r"(?m)^CapEff:\t0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")

    def test_why_it_is_not_ready(self):
        self.start_both(free_port())  # nobody is behind it
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 451)
            wait_until("the reason", lambda: self.get("/readyz")[0] == 503)
            self.assertEqual(self.get("/readyz"), (503, "upstream default: no server is up\n"))
            self.assertEqual(self.get("/healthz")[0], 200)

    def test_a_gateway_that_does_not_answer(self):
        self.start_both(free_port())
        serving = self.gateway_process.pid
        os.kill(serving, signal.SIGSTOP)
        self.addCleanup(self.go_on, serving)
        wait_until("healthz to fail", lambda: self.get("/healthz")[0] == 503)
        self.assertIn("no answer in time", self.get("/readyz")[1])
        self.assertEqual(self.figures(), {"sallyport_up": 0})
        # Others are answered while one waits.
        self.assertEqual(self.get("/nothing")[0], 404)
        self.go_on(serving)
        wait_until("healthz", lambda: self.get("/healthz")[0] == 200)
        self.gateway_process.kill()
        wait_until("the end of both", lambda: not accepts(self.admin_port))

    def test_scrapes_do_not_load_the_gateway(self):
        self.start_both(free_port())
        self.get("/metrics")
        stat = pathlib.Path(f"/proc/{self.gateway_process.pid}/stat")
        began = time.monotonic()
        answers = {self.get("/metrics")[1] for _ in range(300)}
        # The gateway was asked once a second at most, so there are so many different answers at most.
        self.assertLessEqual(len(answers), time.monotonic() - began + 2)
        self.assertTrue(stat.exists())

    def test_names_of_peers_make_no_series(self):
        sink = self.sink()
        self.start_both(sink.port, limits={"sessions_per_ip": 10000, "errors_per_session": 1000000, "unknown_recipients": 1000000,
                                           "unknown_recipients_close": 1000000, "junk_commands": 1000000})
        with Client(self.port) as client:
            client.greet()
        before = set(self.figures())
        for source in range(1, 30):
            with Client(self.port, source=f"127.1.2.{source}") as client:
                client.greet(f"host-{source}.peer-7b31.example")
                lines = "".join(f"MAIL FROM:<a{i}@peer-7b31-{source}-{i}.example>\r\nRCPT TO:<u{i}@peer-7b31-{i}.example>\r\n"
                                f"XNONSENSE{i}\r\nRSET\r\n" for i in range(250))
                client.send(lines + "QUIT\r\n")
                self.assertIn("221 ", client.rest())
        time.sleep(1.1)
        self.assertEqual(set(self.figures()), before)
        self.assertNotIn("7b31", self.get("/metrics")[1])


class Hostile(AdminTest):
    def setUp(self):
        super().setUp()
        self.start_both(free_port())

    def test_what_is_no_request_is_refused_however_it_comes(self):
        for octets, status in (
                (b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                (b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nxx", 405),
                (b"DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405),
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431),
                (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
                (b"EHLO mail.example.com\r\n\r\n", 400)):
            for pieces in (None, 1 if len(octets) < 1000 else 100):
                answer = self.raw(octets, pieces)
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (octets[:60], pieces, answer[:100]))
        # The Host is the client's word, and nothing is made of it.
        answer = self.raw(b"GET /healthz HTTP/1.1\r\nHost: evil-7b31.example\r\nConnection: close\r\n\r\n", 1)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertNotIn(b"7b31", answer)

    def test_requests_that_follow_each_other(self):
        answer = self.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nHEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
                          b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answer), [b"200", b"200", b"404"])

    def test_those_who_only_hold_connections_keep_out_nobody(self):
        held = [socket.create_connection(("127.0.0.1", self.admin_port), timeout=20) for _ in range(300)]
        try:
            for client in held:
                try:
                    client.sendall(b"GET /")
                except OSError:
                    pass
            self.assertEqual(self.get("/healthz")[0], 200)
            wait_until("the last of them to be closed", lambda: held[-1].recv(1) == b"")
        finally:
            for client in held:
                client.close()


class Start(AdminTest):
    def test_a_port_that_is_taken(self):
        self.admin_port = free_port()
        file = self.configuration(free_port(), admin={"listen": f"127.0.0.1:{self.admin_port}"})
        with socket.create_server(("127.0.0.1", self.admin_port)):
            done = run([PROGRAM, "admin", "-c", file])
            self.assertEqual(done.returncode, 74)
            self.assertIn(f"127.0.0.1:{self.admin_port}", done.stderr)
            checked = run([PROGRAM, "check", "-c", file])
            self.assertEqual(checked.returncode, 78)
            self.assertIn(f"127.0.0.1:{self.admin_port}", checked.stdout + checked.stderr)
        self.assertEqual(run([PROGRAM, "check", "-c", file]).returncode, 0)

    def test_a_port_that_its_own_process_has_keeps_no_gateway_from_its_start(self):
        """The unit for figures lives on when the gateway dies, and what the gateway's unit asks first is `check`."""
        self.admin_port = free_port()
        file = self.configuration(free_port(), admin={"listen": f"127.0.0.1:{self.admin_port}"})
        admin = self.start("admin", [PROGRAM, "admin", "-c", file])
        wait_until("the admin process", lambda: accepts(self.admin_port))
        checked = run([PROGRAM, "check", "-c", file])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stderr, rf"warning: .*127\.0\.0\.1:{self.admin_port}")
        admin.stop()
        with socket.create_server(("127.0.0.1", self.admin_port)):  # nor does another program's, which mail does not need
            checked = run([PROGRAM, "check", "-c", file], env={**os.environ, "INVOCATION_ID": "0" * 32})
            self.assertEqual(checked.returncode, 0, checked.stderr)
            self.assertIn(f"127.0.0.1:{self.admin_port}", checked.stderr)
            self.assertEqual(run([PROGRAM, "check", "-c", file]).returncode, 78)

    def test_without_an_address_there_is_nothing_to_do(self):
        done = run([PROGRAM, "admin", "-c", self.configuration(free_port())])
        self.assertEqual(done.returncode, 78)
        self.assertIn("admin.listen", done.stderr)

    def test_it_ends_by_a_signal_and_with_its_parent(self):
        self.admin_port = free_port()
        file = self.configuration(free_port(), admin={"listen": f"127.0.0.1:{self.admin_port}"})
        alone = self.start("admin", [PROGRAM, "admin", "-c", file])
        wait_until("the admin process", lambda: accepts(self.admin_port))
        for other in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            alone.signal(other)
            self.assertEqual(self.get("/healthz")[0], 503)
        alone.signal(signal.SIGTERM)
        self.assertEqual(alone.wait(), 0)
        # A shell that starts it and is killed.
        parent = self.start("parent", ["/bin/sh", "-c", f'"$0" admin --with-parent -c "$1" & wait', PROGRAM, file])
        wait_until("the admin process", lambda: accepts(self.admin_port))
        parent.kill()
        wait_until("its end", lambda: not accepts(self.admin_port))


class BesideTheGateway(AdminTest):
    """What `sallyport run` makes of admin.listen: a process that it keeps as it keeps the one that serves."""
    expects_deaths = True

    def test_its_death_and_that_of_what_serves(self):
        sink = self.sink()
        self.start_both(sink.port)
        admin, = self.admins()
        serving = self.gateway_process.pid
        os.kill(admin, signal.SIGKILL)
        wait_until("another one", lambda: self.admins() not in ([], [admin]) and accepts(self.admin_port))
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.gateway_process.pid, serving)
        other, = self.admins()
        os.kill(serving, signal.SIGKILL)
        wait_until("another one that serves", lambda: self.gateway_process.pid != serving and self.get("/readyz")[0] == 200)
        self.assertEqual(self.admins(), [other])
        os.kill(other, signal.SIGSTOP)  # mail does not hang on it
        with Client(self.port) as client:
            client.greet()
            client.mail()
        self.assertEqual(self.gateway_process.stop(), 0)
        self.assertFalse(accepts(self.admin_port))

    def test_a_drain_is_seen_to_its_end(self):
        sink = self.sink()
        self.start_both(sink.port)
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.ask("DATA", 354)
            self.gateway_process.signal(signal.SIGTERM)
            wait_until("the drain", lambda: self.get("/readyz") == (503, "draining: no new sessions are accepted\n"))
            self.assertEqual(self.get("/healthz")[0], 200)
            client.send("Subject: last\r\n\r\ntext\r\n.\r\n")
            client.expect(250)
        self.assertEqual(self.gateway_process.wait(), 0)
        self.assertFalse(accepts(self.admin_port))

    def test_another_configuration_or_program_has_another_one(self):
        sink = self.sink()
        self.admin_port = free_port()
        file = self.configuration(sink.port, admin={"listen": f"127.0.0.1:{self.admin_port}"})
        program = self.folder / "installed"
        shutil.copy(PROGRAM, program)
        self.gateway_process = self.start("gateway", [program, "run", "-c", file])
        wait_until("the admin process", lambda: accepts(self.admin_port))
        first, = self.admins()
        self.assertEqual(run([program, "upgrade", "-c", file]).returncode, 0)  # the same program
        self.assertEqual(self.admins(), [first])
        shutil.copy(PROGRAM, self.folder / "next")
        (self.folder / "next").rename(program)
        self.assertEqual(run([program, "upgrade", "-c", file]).returncode, 0)
        wait_until("that of the new program", lambda: self.admins() not in ([], [first]) and accepts(self.admin_port))
        second, = self.admins()
        was, self.admin_port = self.admin_port, free_port()
        file.write_text(file.read_text().replace(f":{was}", f":{self.admin_port}"))
        self.assertEqual(run([program, "upgrade", "-c", file]).returncode, 0)
        wait_until("it at the new address", lambda: accepts(self.admin_port))
        self.assertFalse(accepts(was))
        self.assertNotIn(second, self.admins())
        file.write_text(file.read_text().replace(f"127.0.0.1:{self.admin_port}", ""))
        self.assertEqual(run([program, "upgrade", "-c", file]).returncode, 0)
        wait_until("its end", lambda: self.admins() == [])
        self.assertFalse(accepts(self.admin_port))

    def test_an_address_that_is_not_free_yet(self):
        sink = self.sink()
        self.admin_port = free_port()
        with socket.create_server(("127.0.0.1", self.admin_port)):
            self.gateway(sink.port, admin={"listen": f"127.0.0.1:{self.admin_port}"})
            wait_until("that it says so", lambda: f"127.0.0.1:{self.admin_port} cannot be listened at" in self.gateway_process.output())
            with Client(self.port) as client:
                client.greet()
        wait_until("healthz", lambda: accepts(self.admin_port) and self.get("/healthz")[0] == 200)

    def test_it_may_be_left_to_somebody_else(self):
        sink = self.sink()
        self.admin_port = free_port()
        file = self.configuration(sink.port, admin={"listen": f"127.0.0.1:{self.admin_port}"})
        self.gateway_process = self.start("gateway", [PROGRAM, "run", "--without-admin", "-c", file])
        wait_until("the gateway", lambda: accepts(self.port))
        self.start("admin", [PROGRAM, "admin", "-c", file])
        wait_until("the admin process", lambda: accepts(self.admin_port))
        self.assertEqual(self.admins(), [])
        self.assertEqual(self.get("/healthz")[0], 200)


@unittest.skipUnless(PROMTOOL, "promtool is missing (Debian's package prometheus)")
class Prometheus(AdminTest):
    def test_the_figures_are_well_formed(self):
        self.start_both(free_port(), policy={"mode": "enforce", "dnsbl": {"zones": {"bl.test.example": {"name": "bl"}}},
                                             "rules": {"path": self.rules(
                                                 "sp.rule { name = 'X', stage = 'message', run = function(tx) return nil end }\n")}})
        text = self.get("/metrics")[1]
        self.assertIn('sallyport_list_questions_total{list="bl"} 0', text)
        self.assertIn('sallyport_rule_hits_total{rule="X"} 0', text)
        done = run([PROMTOOL, "check", "metrics"], input=text)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_the_alert_rules_are_right(self):
        done = run([PROMTOOL, "check", "rules", MONITORING / "alerts.yml"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run([PROMTOOL, "test", "rules", MONITORING / "alerts_test.yml"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Board(AdminTest):
    def test_every_name_in_the_board_and_in_the_alerts_is_a_figure(self):
        sink = self.sink()
        self.start_both(sink.port, policy={"mode": "enforce", "dnsbl": {"zones": {"bl.test.example": {"name": "bl"}}},
                                           "rules": {"path": self.rules(
                                               "sp.rule { name = 'X', stage = 'message', run = function(tx) return nil end }\n")}})
        known = {series.partition("{")[0] for series in self.figures()}
        board = json.loads((MONITORING / "grafana.json").read_text())
        expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        expressions += re.findall(r"(?m)^\s+expr: (.*)$", (MONITORING / "alerts.yml").read_text())
        self.assertGreater(len(expressions), 15)
        for expression in expressions:
            names = NAME_IN_EXPRESSION.findall(expression)
            self.assertTrue(names, expression)
            for name in names:
                self.assertIn(name, known, expression)


TABLE_ROW = re.compile(r"(?m)^\| `(sallyport_\w+)(?:\{([a-z,]+)\})?` \| (counter|gauge|histogram) \| (.+) \|$")


class Documented(AdminTest):
    """The table of packaging/monitoring/README.md has the names, labels and types of /metrics, all of them and no others."""

    def test_the_table_is_what_the_gateway_says(self):
        sink = self.sink()
        self.start_both(sink.port, policy={"mode": "enforce", "dnsbl": {"zones": {"bl.test.example": {"name": "bl"}}},
                                           "rules": {"path": self.rules(
                                               "sp.rule { name = 'X', stage = 'message', run = function(tx) return nil end }\n")}})
        text = self.get("/metrics")[1]
        types = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text))
        labels = {}
        for series in (line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")):
            name, _, inside = series.partition("{")
            if types.get(name) is None:
                name = re.sub(r"_(bucket|sum|count)$", "", name)
            found = [label for label in re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', inside) if label != "le"]
            labels.setdefault(name, set()).add(tuple(found))
        rows = TABLE_ROW.findall((MONITORING / "README.md").read_text())
        self.assertGreater(len(rows), 50)
        documented = {name: (kind, {tuple(inside.split(",")) if inside else ()}) for name, inside, kind, _ in rows}
        self.assertEqual(len(documented), len(rows), "a name stands twice")
        self.assertEqual(documented, {name: (kind, labels[name]) for name, kind in types.items()})


class Top(AdminTest):
    """`sallyport top`, which needs no admin process."""

    def test_a_single_look(self):
        self.gateway(free_port())
        file = self.folder / "sallyport.toml"
        text = run([PROGRAM, "top", "-c", file])
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertIn("mails per second\n", text.stdout)
        self.assertNotIn("\x1b", text.stdout)
        self.assertEqual(run([PROGRAM, "top", "--once", "-c", file]).returncode, 0)
        figures = json.loads(run([PROGRAM, "top", "--json", "-c", file]).stdout)
        self.assertEqual(figures["sessions"], 0)
        self.assertEqual([rate["what"] for rate in figures["verdicts"]],
                         ["relayed", "tagged", "rejected", "tempfailed", "discarded", "dropped"])
        self.assertEqual(run([PROGRAM, "top", "-c", self.configuration(free_port(), state={"path": self.folder / "none"})]).returncode, 69)

    def test_a_terminal_sees_it_anew_until_q(self):
        self.gateway(free_port())
        screen, terminal = os.openpty()
        self.addCleanup(os.close, screen)
        top = subprocess.Popen([PROGRAM, "top", "-c", self.folder / "sallyport.toml"], stdin=terminal, stdout=terminal,
                               stderr=subprocess.DEVNULL)
        self.addCleanup(top.kill)
        os.close(terminal)
        os.set_blocking(screen, False)
        seen = b""

        def drawn():
            nonlocal seen
            try:
                seen += os.read(screen, 65536)
            except BlockingIOError:
                pass
            return seen.count(b"mails per second") >= 3
        wait_until("three views", drawn)
        self.assertTrue(seen.startswith(b"\x1b[?1049h"), seen[:40])
        os.write(screen, b"q")
        self.assertEqual(top.wait(20), 0)
        os.set_blocking(screen, False)
        self.assertIn(b"\x1b[?1049l", os.read(screen, 65536))


if __name__ == "__main__":
    unittest.main(verbosity=2)
