#!/usr/bin/env python3
"""Servers given by name, and at unix-domain sockets: names are looked up again as their TTL says, and mail goes on whatever
becomes of them (threats.md U12; contract.md, section 3)."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import time
import unittest

from scripted_server import ScriptedServer
from support import PROGRAM, Client, GatewayTest, free_port, run, wait_until

NAME = "mail.acme.internal"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class NamesTest(GatewayTest):
    mails = 0  # that have been answered

    def zone(self, records):
        """Replaces what the DNS server says."""
        (self.folder / "zone.new").write_text(json.dumps(records))
        (self.folder / "zone.new").rename(self.folder / "zone.json")

    def serve(self, records, port, ttl=1, workers=2, **upstream):
        """A gateway whose server is NAME at that port."""
        dns = self.dns(records, "--ttl", str(ttl))
        settings = {"servers": [f"{NAME}:{port}"], "balance": "failover", "health_interval": "200ms", **upstream}
        return self.gateway(settings, workers=workers, dns={"servers": [f"127.0.0.1:{dns}"]})

    def deliver(self, client=None, code=250):
        if client is None:
            with Client(self.port) as client:
                client.greet()
                return self.deliver(client, code)
        client.mail()
        reply = client.message("Subject: x\r\n\r\ny", code)
        self.mails += 1
        return reply

    def last_upstream(self):
        """Where the last mail of those that have been answered went."""
        return self.wait_for_log(count=self.mails)[self.mails - 1]["upstream"]

    def wait_for_name(self, **expected):
        return wait_until(f"a line about {NAME} with {expected}", lambda: [
            line for line in self.log_lines("upstream_name") if {key: line.get(key) for key in expected} == expected])[-1]


class Names(NamesTest):
    def test_every_address_is_a_server(self):
        port = free_port()
        hosts = ["127.0.0.1", "127.0.0.2"] + (["::1"] if has_ipv6() else [])
        sinks = {host: self.sink(port=port, host=host) for host in hosts}
        records = {NAME: {"A": ["127.0.0.2", "127.0.0.1"], "AAAA": ["::1"] if has_ipv6() else "NODATA"}}
        self.serve(records, port, ttl=300, balance="least-sessions")
        self.wait_for_ehlo("8BITMIME")
        clients = []
        for _ in range(2 * len(hosts)):
            clients.append(Client(self.port))
            self.addCleanup(clients[-1].socket.close)
            clients[-1].greet()
            clients[-1].mail()
        for client in clients:
            client.message("Subject: x\r\n\r\ny")
        stored = {host: len(sink.messages()) for host, sink in sinks.items()}
        self.assertEqual(sum(stored.values()), 2 * len(hosts))
        self.assertTrue(all(stored.values()), stored)  # how quick each is counts too

    def test_the_first_mail_of_all_finds_its_server(self):
        sink = self.sink()
        self.serve({"other.example": {"CNAME": [NAME]}, NAME: {"A": ["127.0.0.1"]}}, sink.port, ttl=300,
                   servers=[f"other.example:{sink.port}"])
        self.deliver()
        self.assertEqual(self.last_upstream(), f"127.0.0.1:{sink.port}")

    def test_a_new_address_takes_the_mail_and_the_old_one_is_let_go(self):
        port = free_port()
        old, new = self.sink(port=port), self.sink(port=port, host="127.0.0.3")
        self.serve({NAME: {"A": ["127.0.0.1"]}}, port)
        under_way = Client(self.port)
        self.addCleanup(under_way.socket.close)
        under_way.greet()
        under_way.mail()
        self.deliver()
        self.zone({NAME: {"A": ["127.0.0.3"]}})
        self.wait_for_name(name=NAME, addresses="127.0.0.3")
        wait_until("mail at the new address", lambda: self.deliver() and self.last_upstream() == f"127.0.0.3:{port}")
        under_way.message("Subject: under way\r\n\r\ny")
        self.mails += 1
        self.assertEqual(self.last_upstream(), f"127.0.0.1:{port}", "a mail stays where it is")
        self.deliver(under_way)
        self.assertEqual(self.last_upstream(), f"127.0.0.3:{port}", "the next one of that client does not")
        old_at = f"127.0.0.1:{port}"
        at_old = len(old.messages())
        wait_until("no connection to the old address", lambda: not self.connections_to(old_at))
        self.deliver()
        self.assertEqual(len(old.messages()), at_old)
        self.assertEqual({line["verdict"] for line in self.wait_for_log(count=self.mails)}, {"relay"}, "nobody was refused")

    def connections_to(self, address):
        host, port = address.split(":")
        wanted = "%02X%02X%02X%02X:%04X" % (*reversed([int(n) for n in host.split(".")]), int(port))
        lines = pathlib.Path(f"/proc/{self.gateway_process.pid}/net/tcp").read_text().splitlines()[1:]
        return [line for line in lines if line.split()[2] == wanted and line.split()[3] == "01"]

    def test_a_name_that_stops_resolving_keeps_its_addresses(self):
        sink = self.sink()
        self.serve({NAME: {"A": ["127.0.0.1"]}}, sink.port)
        self.deliver()
        for gone, problem in (({}, "nxdomain"), ({NAME: "SERVFAIL"}, "servfail"), ({NAME: {}}, "no_data")):
            with self.subTest(problem=problem):
                self.zone(gone)
                self.wait_for_name(problem=problem, addresses="127.0.0.1")
                self.deliver()
                self.zone({NAME: {"A": ["127.0.0.1"]}})
                count = len([line for line in self.log_lines("upstream_name") if line["problem"] == ""])
                wait_until("the name is back", lambda: len([line for line in self.log_lines("upstream_name")
                                                            if line["problem"] == ""]) > count or None)
                self.deliver()

    def test_a_name_that_comes_later(self):
        sink = self.sink()
        self.serve({}, sink.port)
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            self.assertRegex(client.ask("RCPT TO:<user@test.example>", 451), "^451 4.4.1 ")
            self.zone({NAME: {"A": ["127.0.0.1"]}})
            self.wait_for_name(addresses="127.0.0.1")
            wait_until("the workers have the address", lambda: self.is_taken(client))
            client.ask("RSET", 250)
            self.deliver(client)
        self.wait_for_ehlo("8BITMIME")

    def is_taken(self, client):
        client.ask("RSET", 250)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.send("RCPT TO:<user@test.example>\r\n")
        return client.reply().startswith("250")

    def test_a_silent_dns_holds_nobody_up(self):
        sink = self.sink()
        self.serve({NAME: {"A": ["127.0.0.1"]}}, sink.port)
        self.zone({NAME: "TIMEOUT"})
        self.wait_for_name(problem="timeout", addresses="127.0.0.1")
        for _ in range(5):
            self.deliver()

    def test_a_silent_dns_holds_up_no_restart(self):
        sink = self.sink()
        gateway = self.serve({NAME: {"A": ["127.0.0.1"]}}, sink.port)
        self.deliver()

        def is_noted():
            with contextlib.closing(sqlite3.connect(f"file:{self.folder}/state/state.db?mode=ro", uri=True)) as database:
                return database.execute("SELECT * FROM upstream_server").fetchall()
        wait_until("a note of the server", is_noted)
        self.zone({NAME: "TIMEOUT"})
        self.wait_for_name(problem="timeout", addresses="127.0.0.1")
        began = time.monotonic()
        self.expects_deaths = True
        os.kill(gateway.pid, signal.SIGKILL)
        self.deliver()
        self.assertLess(time.monotonic() - began, 1)
        self.wait_for_log("restarted")
        self.assertEqual(len(sink.wait_for(2)), 2)

    def test_a_reload_keeps_what_is_known_and_looks_up_new_names(self):
        first, second = self.sink(), self.sink(host="127.0.0.2")
        self.folder.chmod(0o777)
        self.serve({NAME: {"A": ["127.0.0.1"]}, "two.example": {"A": ["127.0.0.2"]}}, first.port, ttl=300,
                   workers=1, health_interval="1h")
        self.wait_for_ehlo("8BITMIME")
        connections = self.stats()["sallyport_upstream_connections_total"]
        self.deliver()
        self.assertEqual(run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"]).returncode, 0)
        with Client(self.port) as client:
            client.expect(220)
            self.assertIn("8BITMIME", client.ask("EHLO client.example", 250), "from the first moment on")
        self.deliver()
        self.assertEqual(self.stats()["sallyport_upstream_connections_total"], connections, "the connection is kept")
        file = self.folder / "sallyport.toml"
        file.write_text(file.read_text().replace(f"{NAME}:{first.port}", f"two.example:{second.port}"))
        self.assertEqual(run([PROGRAM, "reload", "-c", file]).returncode, 0)
        self.deliver()
        self.assertEqual((len(first.messages()), len(second.messages())), (2, 1))

    def test_the_certificate_is_held_against_the_name(self):
        certificate = self.certificate("mx.test.example")
        sink = self.sink("--tls-cert", certificate)
        records = {"mx.test.example": {"A": ["127.0.0.1"]}, "wrong.example": {"A": ["127.0.0.1"]}}
        for host, code in (("mx.test.example", 250), ("wrong.example", 451)):
            with self.subTest(host=host):
                gateway = self.serve(records, sink.port, ttl=300, servers=[f"{host}:{sink.port}"], tls="verify",
                                     tls_ca=certificate / "fullchain.pem")
                with Client(self.port) as client:
                    client.greet()
                    client.ask("MAIL FROM:<ann@sender.example>", 250)
                    reply = client.ask("RCPT TO:<user@test.example>", code)
                    self.assertTrue(code == 250 or reply.startswith("451 4.7.5 "), reply)
                gateway.stop()

    def test_localhost_and_the_short_form(self):
        sink = self.sink()
        file = self.configuration(sink.port, upstream=f"localhost:{sink.port}")
        lines = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("upstreams = ")]
        file.write_text("".join(lines))
        self.start_gateway(file)
        for _ in range(3):
            self.deliver()
        self.assertEqual(len(sink.messages()), 3)

    def test_check_warns_of_names_without_an_address(self):
        dns = self.dns({NAME: {"AAAA": ["::1"]}})
        file = self.configuration({"servers": [f"{NAME}:25", "gone.example:25"]}, dns={"servers": [f"127.0.0.1:{dns}"]})
        done = run([PROGRAM, "check", file])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r":\d+:\d+: warning: gone\.example has no address now \(nxdomain\)")
        self.assertNotIn(NAME, done.stderr)


class Extensions(NamesTest):
    def offers(self):
        with Client(self.port) as client:
            return client.greet()

    def test_a_server_that_was_never_there_has_no_say(self):
        server = ScriptedServer(self, EHLO="250-scripted.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN")
        self.gateway([server.port, free_port(), free_port()])
        self.wait_for_ehlo("8BITMIME")
        for keyword in ("SMTPUTF8", "DSN"):
            self.assertIn(keyword, self.offers())

    def test_hidden_keywords_are_absent(self):
        server = ScriptedServer(self, EHLO="250-scripted.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n"
                                           "250-DSN\r\n250 SIZE 1000")
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], "hide": ["chunking", "DSN", "SIZE", "PIPELINING"]})
        self.wait_for_ehlo("8BITMIME")
        self.assertNotIn("DSN", self.offers())
        self.assertNotIn("SIZE 1000", self.offers())
        self.deliver()
        self.assertIn("DATA", server.verbs)
        self.assertNotIn("BDAT", server.verbs)

    def test_promised_extensions_are_offered_from_the_first_second(self):
        self.gateway({"servers": [f"127.0.0.1:{free_port()}"], "extensions": ["8BITMIME", "dsn"]})
        offers = self.offers()
        self.assertIn("8BITMIME", offers)
        self.assertIn("DSN", offers)
        self.assertNotIn("SMTPUTF8", offers)


class Command(NamesTest):
    def upstreams(self, *options):
        done = run([PROGRAM, "upstreams", "-c", self.folder / "sallyport.toml", *options])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_every_server_with_its_state(self):
        server = ScriptedServer(self, EHLO="250-scripted.example\r\n250-8BITMIME\r\n250 SIZE 1000")
        dead = free_port()
        dns = self.dns({NAME: {"A": ["127.0.0.1"]}})
        began = int(time.time())
        self.gateway({"default": {"servers": [f"127.0.0.1:{dead}", f"{NAME}:{server.port}"], "balance": "failover"},
                      "local": {"servers": [f"unix:{self.folder}/none", "gone.example:26"]}},
                     dns={"servers": [f"127.0.0.1:{dns}"]})
        self.deliver()
        under_way = Client(self.port)
        self.addCleanup(under_way.socket.close)
        under_way.greet()
        under_way.mail()
        wait_until("all have been asked", lambda: "unknown" not in self.upstreams("--json"))
        down, up, local, gone = json.loads(self.upstreams("--json"))
        self.assertEqual((up["upstream"], up["name"], up["address"], up["state"], up["reason"]),
                         ("default", NAME, f"127.0.0.1:{server.port}", "up", ""))
        self.assertGreaterEqual(up["connections"], 1)
        self.assertEqual(up["extensions"], ["8BITMIME", "SIZE 1000"])
        self.assertEqual((down["address"], down["state"], down["connections"]), (f"127.0.0.1:{dead}", "down", 0))
        self.assertRegex(down["reason"], "refused")
        self.assertEqual((local["upstream"], local["address"], local["state"]), ("local", f"unix:{self.folder}/none", "down"))
        self.assertEqual((gone["address"], gone["state"], gone["reason"]), ("gone.example:26", "no address", "nxdomain"))
        for one in (up, down, local, gone):
            self.assertTrue(began <= one["since"] <= time.time(), one)
        text = self.upstreams()
        self.assertRegex(text, rf"(?m)^default  127\.0\.0\.1:{server.port} \({NAME}\)  up since \d{{4}}-.*, \d connections?$")
        self.assertRegex(text, rf"(?m)^default  127\.0\.0\.1:{dead}  down since .*\n  reason: .*refused")
        self.assertIn("  has 8BITMIME, SIZE 1000\n", text)

    def test_without_a_daemon(self):
        file = self.configuration(free_port())
        done = run([PROGRAM, "upstreams", "-c", file])
        self.assertEqual((done.returncode, done.stdout), (69, ""))


class Remembered(NamesTest):
    EHLO = "250-scripted.example\r\n250-8BITMIME\r\n250 DSN"

    def offers(self):
        with Client(self.port) as client:
            return client.greet()

    def test_over_a_restart(self):
        server = ScriptedServer(self, EHLO=self.EHLO)
        dns = self.dns({NAME: {"A": ["127.0.0.1"]}})
        for address in (f"127.0.0.1:{server.port}", f"{NAME}:{server.port}"):
            with self.subTest(address=address):
                (self.folder / "state" / "state.db").unlink(missing_ok=True)
                server.special = {"EHLO": [self.EHLO]}
                gateway = self.gateway({"servers": [address], "health_interval": "200ms"},
                                       dns={"servers": [f"127.0.0.1:{dns}"]})
                self.wait_for_ehlo("DSN")
                wait_until("it is written down", lambda: self.remembered(f"127.0.0.1:{server.port}"))
                gateway.kill()
                server.special = {"GREETING": ["421 not now"]}
                again = self.start_gateway(self.folder / "sallyport.toml")
                offers = self.offers()
                self.assertIn("8BITMIME", offers)
                self.assertIn("DSN", offers)
                self.assertNotIn("SMTPUTF8", offers)
                again.stop()

    def remembered(self, address):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/state/state.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT offers FROM upstream_server WHERE address = ?", [address]).fetchall()

    def test_another_configuration_of_the_extensions_counts(self):
        server = ScriptedServer(self, EHLO=self.EHLO)
        gateway = self.gateway({"servers": [f"127.0.0.1:{server.port}"]})
        self.wait_for_ehlo("DSN")
        wait_until("it is written down", lambda: self.remembered(f"127.0.0.1:{server.port}"))
        gateway.stop()
        server.special = {"GREETING": ["421 not now"]}
        file = self.folder / "sallyport.toml"
        file.write_text(file.read_text().replace('"servers"', '"hide" = ["DSN"], "servers"'))
        self.start_gateway(file)
        self.assertIn("8BITMIME", self.offers())
        self.assertNotIn("DSN", self.offers())


if __name__ == "__main__":
    unittest.main()
