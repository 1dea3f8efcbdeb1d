#!/usr/bin/env python3
"""Connections to the server from clients' own addresses (client_info = "tproxy"), in networks of the test's own: a client's,
the gateway's, and the server's, with the routing that `check` names."""
import os
import pathlib
import pwd
import re
import shutil
import signal
import unittest

from network import PATH, Host, children_of, skip_unless_possible
from postfix_server import Postfix
from scripted_server import ScriptedServer
from support import PROGRAM, Client, GatewayTest, run, tool, wait_until

PORT = 2525
CLIENTS = {4: [f"192.0.2.{n}" for n in (7, 8, 9, 10)], 6: [f"2001:db8:1::{n}" for n in (7, 8, 9, 10)]}
GATE = {4: "192.0.2.1", 6: "2001:db8:1::1"}    # towards the clients
INSIDE = {4: "10.9.9.1", 6: "2001:db8:9::1"}   # towards the server
SERVER = {4: "10.9.9.2", 6: "2001:db8:9::2"}
NET_ADMIN, NET_RAW = 1 << 12, 1 << 13


def at(address, port=PORT):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def statuses(pid):
    """The status of each thread, as dictionaries."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        found.append(dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line))
    return found


class Networks(GatewayTest):
    def setUp(self):
        skip_unless_possible()
        super().setUp()
        self.client_host, self.gate, self.server_host = (Host(self, name) for name in ("client", "gate", "server"))
        prefix = {4: 24, 6: 64}
        self.gate.cable("toclient", self.client_host, "eth0", [f"{GATE[v]}/{prefix[v]}" for v in (4, 6)],
                        [f"{address}/{prefix[v]}" for v in (4, 6) for address in CLIENTS[v]])
        self.gate.cable("toserver", self.server_host, "eth0", [f"{INSIDE[v]}/{prefix[v]}" for v in (4, 6)],
                        [f"{SERVER[v]}/{prefix[v]}" for v in (4, 6)])
        # One by one, as a listener of both families would not show which it was.
        self.servers = {v: ScriptedServer(self, listener=self.server_host.listener(SERVER[v], PORT)) for v in (4, 6)}

    def settings(self, version=4, workers=2, client_info="tproxy", **more):
        upstreams = {"default": {"servers": [at(SERVER[version])], "tls": "off", "client_info": client_info},
                     "plain": {"servers": [at(SERVER[4])], "tls": "off"}}
        more = {"domains": None, "workers": workers, "tls": None,
                "listen": [{"address": at(GATE[v]), "tls": "off"} for v in (4, 6)],
                "tenants": {"default": {"domains": ["test.example"]},
                            "plain": {"domains": ["plain.example"], "upstream": "plain"}}, **more}
        return self.configuration({**upstreams, **more.pop("upstreams", {})}, **more)

    def check(self, file):
        return run(self.gate.inside(PROGRAM, "check", "-c", file))

    def set_routes(self, file):
        """Does what `check` says, on the gateway and on the server, and gives that."""
        said = self.check(file)
        self.assertEqual(said.returncode, 0, said.stderr)
        commands = re.findall(r"`ip ([^`]*)`", said.stderr)
        for command in commands:
            host = self.server_host if "ADDRESS_OF_THIS_HOST" in command else self.gate
            host.ip(command.replace("ADDRESS_OF_THIS_HOST", INSIDE[6 if "-6" in command else 4]))
        return commands

    def run_gateway(self, file, *wrapper):
        before = len(self.log_lines("ready"))
        self.running = self.start("gateway", self.gate.inside(*wrapper, PROGRAM, "run", "-c", file))
        wait_until("the gateway", lambda: len(self.log_lines("ready")) > before or not self.running.is_running())
        self.assertTrue(self.running.is_running(), self.running.output())

    def helper(self):
        child, = wait_until("the helper", lambda: children_of(self.running.pid))
        return child

    def connect(self, source):
        version = 6 if ":" in source else 4
        client = Client(connection=self.client_host.connection(GATE[version], PORT, source))
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def send(self, source, domain="test.example", subject=None):
        client = self.connect(source)
        client.mail(recipient=f"user@{domain}")
        client.message(f"Subject: {subject or source}\r\n\r\nhello")
        client.ask("QUIT", 221)

    def refused(self, source, code=451):
        client = self.connect(source)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        return client.ask("RCPT TO:<user@test.example>", code)

    def arrived(self, version=4):
        """For each mail, the subject, and the address that its connection came from."""
        server = self.servers[version]
        subjects = [re.search(rb"^Subject: (\S+)", content, re.M)[1].decode() for content, _ in server.contents]
        return list(zip(subjects, server.came_from))

    def assert_harmless(self, user="nobody"):
        """What reads octets of strangers has no capability and no way to one, in any of its threads (threats.md V1)."""
        uid = str(pwd.getpwnam(user).pw_uid)
        for status in statuses(self.running.pid):
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[name], 16), 0, name)
            self.assertEqual((status["NoNewPrivs"], set(status["Uid"].split())), ("1", {uid}))

    def assert_modest(self, helper, user="nobody"):
        """The helper has one capability, and nothing but its channels, of which there is one for each worker."""
        status, = statuses(helper)
        self.assertIn(int(status["CapPrm"], 16), (NET_RAW, NET_ADMIN))
        self.assertEqual(status["CapEff"], status["CapPrm"])
        self.assertEqual({int(status[name], 16) for name in ("CapInh", "CapAmb")}, {0})
        self.assertEqual((status["NoNewPrivs"], set(status["Uid"].split())), ("1", {str(pwd.getpwnam(user).pw_uid)}))
        self.assertNotIn("0", status["Groups"].split())
        descriptors = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{helper}/fd").iterdir()]
        self.assertEqual([text.split(":")[0] for text in descriptors], ["socket"] * 2, descriptors)


class Addresses(Networks):
    def sees_the_clients(self, version):
        file = self.settings(version)
        self.assertEqual(len(self.set_routes(file)), 3)
        said = self.check(file)
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.run_gateway(file)
        clients = CLIENTS[version]
        # One after the other and again, and several at once.
        order = clients + clients[::-1] + clients[:2]
        for source in order:
            self.send(source)
        together = [self.connect(source) for source in clients for _ in range(3)]
        for client in together:
            client.mail()
        for client in together:
            client.message(f"Subject: {client.socket.getsockname()[0]}\r\n\r\nhello")
        self.assertEqual(self.arrived(version)[:len(order)], [(source, source) for source in order])
        self.assertEqual(sorted(self.arrived(version)[len(order):]), sorted((source, source) for source in clients * 3))
        self.assertEqual(self.faults("client_info"), 0)
        self.assert_harmless()
        self.assert_modest(self.helper())

    def test_ipv4(self):
        self.sees_the_clients(4)

    def test_ipv6(self):
        self.sees_the_clients(6)

    def test_who_cannot_be_seen_sends_all_the_same(self):
        file = self.settings(listen=[{"address": at(GATE[4]), "tls": "off"}, {"address": at(GATE[6]), "tls": "off"},
                                     {"address": "127.0.0.1:2526", "tls": "off"}])
        self.set_routes(file)
        self.run_gateway(file)
        for _ in range(2):
            self.send(CLIENTS[6][0])
            self.send(CLIENTS[4][0])
        local = Client(connection=self.gate.connection("127.0.0.1", 2526, "127.0.0.1"))
        self.addCleanup(local.socket.close)
        local.greet()
        local.mail()
        local.message("Subject: local\r\n\r\nhello")
        six, four = CLIENTS[6][0], CLIENTS[4][0]
        self.assertEqual(self.arrived(), [(six, INSIDE[4]), (four, four)] * 2 + [("local", INSIDE[4])])
        self.assertEqual(self.faults("client_info"), 1)
        self.assertIn("IPv6", self.log_lines("fault")[-1]["detail"])

    def test_the_address_that_a_balancer_names(self):
        file = self.settings(listen=[{"address": at(GATE[4]), "tls": "off", "proxy_protocol_from": [CLIENTS[4][0]]}])
        self.set_routes(file)
        self.run_gateway(file)
        for source, seen in (("203.0.113.77", "203.0.113.77"), ("198.51.100.5", "198.51.100.5"),
                             ("224.0.0.1", INSIDE[4]), ("255.255.255.255", INSIDE[4]), ("127.0.0.1", INSIDE[4])):
            client = Client(connection=self.client_host.connection(GATE[4], PORT, CLIENTS[4][0]))
            self.addCleanup(client.socket.close)
            client.send(f"PROXY TCP4 {source} {GATE[4]} 4711 25\r\n")
            client.greet()
            client.mail()
            client.message(f"Subject: {source}\r\n\r\nhello")
            self.assertEqual(self.arrived()[-1], (source, seen))

    def test_a_server_on_this_host(self):
        server = ScriptedServer(self, listener=self.gate.listener("127.0.0.1", 2527))
        file = self.settings(upstreams={"default": {"servers": ["127.0.0.1:2527"], "tls": "off", "client_info": "tproxy"}})
        self.assertEqual(len(self.set_routes(file)), 2)
        self.assertEqual(self.check(file).stderr, "")
        self.run_gateway(file)
        for source in CLIENTS[4][:2]:
            self.send(source)
        self.assertEqual(server.came_from, CLIENTS[4][:2])

    def test_a_server_that_speaks_lmtp(self):
        self.servers[4].special["LHLO"] = ["250 scripted.example"]
        file = self.settings(upstreams={"default": {"servers": [at(SERVER[4])], "tls": "off", "client_info": "tproxy",
                                                    "protocol": "lmtp"}})
        self.set_routes(file)
        self.run_gateway(file)
        for source in CLIENTS[4][:2]:
            self.send(source)
        self.assertEqual(self.arrived(), [(source, source) for source in CLIENTS[4][:2]])
        self.assertIn("LHLO", self.servers[4].verbs)

    # One client's connections fail: that says nothing of the server.
    def test_a_client_that_the_server_drops(self):
        file = self.settings()
        self.set_routes(file)
        self.server_host.ip(f"route add blackhole {CLIENTS[4][0]}")
        self.run_gateway(file)
        lost = self.connect(CLIENTS[4][0])
        lost.ask("MAIL FROM:<ann@sender.example>", 250)
        lost.send("RCPT TO:<user@test.example>\r\n")
        for _ in range(3):
            self.send(CLIENTS[4][1])
            self.send(CLIENTS[6][1])
        self.server_host.ip(f"route del blackhole {CLIENTS[4][0]}")
        self.assertEqual(self.arrived()[:2], [(CLIENTS[4][1], CLIENTS[4][1]), (CLIENTS[6][1], INSIDE[4])])
        self.assertFalse(self.log_lines("upstream"))


@unittest.skipUnless(shutil.which("postfix", path=PATH), "needs Postfix")
class RealServer(Networks):
    def test_postfix_applies_and_logs_the_clients_address(self):
        welcome, blocked = CLIENTS[4][:2]
        postfix = Postfix(self, f"smtpd_client_restrictions = check_client_access inline:{{ {blocked}=REJECT }}", self.gate)
        file = self.settings(upstreams={"default": {"servers": [f"127.0.0.1:{postfix.port}"], "tls": "off",
                                                    "client_info": "tproxy"}})
        self.set_routes(file)
        self.run_gateway(file)
        for _ in range(2):
            self.send(welcome)
            self.assertIn("Client host rejected", self.refused(blocked, 554))
        self.assertEqual(len(postfix.wait_for(2)), 2)
        log = (postfix.folder / "postfix.log").read_text()
        self.assertEqual(len(re.findall(rf"smtpd.*: \w+: client=unknown\[{welcome}\]", log)), 2, log)
        self.assertEqual(self.faults("client_info"), 0)


class Helper(Networks):
    def begin(self, *wrapper, **settings):
        file = self.settings(**settings)
        self.set_routes(file)
        self.run_gateway(file, *wrapper)
        return file

    def test_without_it_other_mail_goes_on(self):
        self.begin()
        self.send(CLIENTS[4][0])
        os.kill(self.helper(), signal.SIGKILL)
        wait_until("the line", lambda: [line for line in self.log_lines("fault") if "has ended" in line["detail"]])
        new = CLIENTS[4][1:]  # the first still has its connection
        for source in new:
            self.assertIn("4.3.1", self.refused(source))
        self.send(CLIENTS[4][0], "plain.example", subject="plain")
        self.send(CLIENTS[6][0], subject="six")
        self.assertEqual([subject for subject, _ in self.arrived()], [CLIENTS[4][0], "plain", "six"])
        lines = [line for line in self.log_lines("fault") if "has ended" in line.get("detail", "")]
        self.assertEqual(len(lines), 1)
        named = [line for line in self.log_lines("recipient") if "helper" in str(line)]
        self.assertEqual(len(named), len(new), self.log_lines("recipient"))
        self.assertFalse(self.log_lines("upstream"))  # no server is to blame
        self.assertEqual(children_of(self.running.pid), [])  # nor is there a zombie
        self.running.signal(signal.SIGTERM)
        self.assertEqual(self.running.wait(), 0)

    def test_one_that_is_stopped_is_waited_for_shortly(self):
        self.begin()
        helper = self.helper()
        os.kill(helper, signal.SIGSTOP)
        self.assertIn("4.3.1", self.refused(CLIENTS[4][0]))
        self.send(CLIENTS[4][0], "plain.example", subject="plain")
        os.kill(helper, signal.SIGCONT)
        self.send(CLIENTS[4][0])
        self.assertEqual(self.arrived()[-1], (CLIENTS[4][0], CLIENTS[4][0]))

    def test_it_ends_with_the_gateway_and_not_before(self):
        self.begin(timeouts={"drain": "20s"})
        helper = self.helper()
        client = self.connect(CLIENTS[4][0])
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        # As a service manager or a terminal does: to all processes.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(helper, number)
        self.send(CLIENTS[4][1])
        self.running.kill()
        wait_until("the helper's end", lambda: not pathlib.Path(f"/proc/{helper}").exists())
        self.run_gateway(self.folder / "sallyport.toml")
        helper = self.helper()
        self.send(CLIENTS[4][2])
        self.running.signal(signal.SIGTERM)
        self.assertEqual(self.running.wait(), 0)
        wait_until("the helper's end", lambda: not pathlib.Path(f"/proc/{helper}").exists())
        self.assertEqual(self.arrived(), [(source, source) for source in CLIENTS[4][1:3]])


class Start(Networks):
    WITHOUT = ("--bounding-set", "-net_admin,-net_raw", "--inh-caps", "-net_admin,-net_raw")

    def test_without_the_capability_it_does_not_start(self):
        file = self.settings()
        done = self.gate.run(tool("setpriv"), *self.WITHOUT, PROGRAM, "run", "-c", file)
        self.assertEqual(done.returncode, 77, done.stderr)
        for words in ("sallyport.toml:", "client_info", "CAP_NET_RAW", "AmbientCapabilities"):
            self.assertIn(words, done.stderr)
        checked = self.gate.run(tool("setpriv"), *self.WITHOUT, PROGRAM, "check", "-c", file)
        self.assertEqual(checked.returncode, 78)
        self.assertIn("CAP_NET_RAW", checked.stderr)
        # Whoever only checks for root is warned.
        os.chmod(file, 0o644)
        checked = self.gate.run(tool("setpriv"), "--reuid", "nobody", "--clear-groups", PROGRAM, "check", "-c", file)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("CAP_NET_RAW", checked.stderr)

    def test_either_capability_is_enough_and_root_is_not_needed(self):
        for name, bit in (("net_raw", NET_RAW), ("net_admin", NET_ADMIN)):
            with self.subTest(name):
                file = self.settings()
                self.set_routes(file)
                os.chmod(file, 0o644)
                for path in (self.folder, *self.folder.iterdir()):
                    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
                seen = len(self.log_lines("ready"))
                self.running = self.start(f"gateway-{name}", self.gate.inside(
                    tool("setpriv"), "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--inh-caps", f"+{name}",
                    "--ambient-caps", f"+{name}", PROGRAM, "run", "-c", file))
                wait_until("the gateway", lambda: len(self.log_lines("ready")) > seen or not self.running.is_running())
                self.assertTrue(self.running.is_running(), self.running.output())
                self.send(CLIENTS[4][0])
                self.assertEqual(self.arrived()[-1], (CLIENTS[4][0], CLIENTS[4][0]))
                self.assert_harmless()
                self.assert_modest(self.helper())
                status, = statuses(self.helper())
                self.assertEqual(int(status["CapPrm"], 16), bit)
                self.running.stop()

    def test_a_reload_does_not_bring_it(self):
        file = self.settings(client_info="headers")
        self.run_gateway(file)
        self.assertEqual(children_of(self.running.pid), [])  # who does not need it has none
        file.write_text(file.read_text().replace('"client_info" = "headers"', '"client_info" = "tproxy"'))
        reloaded = run([PROGRAM, "reload", "-c", file])
        self.assertEqual(reloaded.returncode, 78, reloaded.stderr)
        self.assertIn("restart", reloaded.stderr)
        self.assertIn("sallyport.toml:", reloaded.stderr)
        self.send(CLIENTS[4][0])
        self.assertEqual(self.arrived(), [(CLIENTS[4][0], INSIDE[4])])

    def test_a_reload_keeps_it(self):
        file = self.settings()
        self.set_routes(file)
        self.run_gateway(file)
        helper = self.helper()
        for way, seen in (("headers", INSIDE[4]), ("tproxy", CLIENTS[4][0])):
            file.write_text(re.sub(r'"client_info" = "\w+"', f'"client_info" = "{way}"', file.read_text()))
            reloaded = run([PROGRAM, "reload", "-c", file])
            self.assertEqual(reloaded.returncode, 0, reloaded.stderr)
            self.send(CLIENTS[4][0])
            self.assertEqual(self.arrived()[-1], (CLIENTS[4][0], seen))
        self.assertEqual(self.helper(), helper)

    def test_routes_that_are_missing_are_named(self):
        self.run_gateway(self.settings())
        def lines():
            return [line for line in self.log_lines("fault") if line["kind"] == "client_info"]
        wait_until("the line, which comes behind `ready`", lines)
        line, = lines()
        self.assertEqual(line["upstream"], at(SERVER[4]))
        self.assertIn("ip rule add from", line["detail"])
        # Who is no tproxy client is not concerned.
        self.send(CLIENTS[4][0], "plain.example")


if __name__ == "__main__":
    unittest.main(verbosity=2)
