#!/usr/bin/env python3
"""Who the client is, told on through real programs: a real Postfix behind the gateway applies and logs the client's own
address (XCLIENT, XFORWARD, PROXY), and a real haproxy and nginx stand in front of it and behind it."""
import os
import re
import shutil
import unittest

from postfix_server import Postfix
from support import PROGRAM, Client, GatewayTest, accepts, free_port, our_header, run, tool, wait_until

SENDER = "127.0.0.77"   # has the name mail.sender.example
NAMELESS = "127.0.0.78"
BLOCKED = "127.0.0.66"
ZONE = {
    "77.0.0.127.in-addr.arpa": {"PTR": ["mail.sender.example"]},
    "mail.sender.example": {"A": [SENDER]},
}
ACCESS = f"""smtpd_client_restrictions = check_client_access inline:{{ {BLOCKED}=REJECT }}
smtpd_helo_restrictions = check_helo_access inline:{{ evil.example=REJECT }}
"""


def has(program):
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin")


class ClientInfoTest(GatewayTest):
    def dns_settings(self):
        return {"servers": [f"127.0.0.1:{self.dns(ZONE)}"]}

    def connect(self, source, port=None, helo="client.example"):
        client = Client(port or self.port, source=source)
        self.addCleanup(client.socket.close)
        client.greet(helo)
        return client

    def send(self, client, subject):
        client.mail()
        client.message(f"Subject: {subject}\r\n\r\nhello")

    def refused(self, client, code=554):
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        return client.ask("RCPT TO:<user@test.example>", code)


@unittest.skipUnless(has("postfix") and os.geteuid() == 0, "needs Postfix, and root, as Postfix does")
class PostfixIsTold(ClientInfoTest):
    def behind(self, way, more, **settings):
        self.postfix = Postfix(self, more)
        upstream = {"servers": [f"127.0.0.1:{self.postfix.port}"], "tls": "off", "client_info": way}
        self.gateway(upstream, dns=self.dns_settings(), policy={"mode": "off", "rdns": {"mode": "shadow"}}, **settings)
        self.wait_for_ehlo("8BITMIME")

    def log(self):
        return (self.postfix.folder / "postfix.log").read_text()

    def clients(self):
        """Of each mail that Postfix has accepted: what its log says of the client."""
        return re.findall(r"smtpd\[\d+\]: \w+: (client=.*)", self.log())

    def received(self, count):
        """Postfix's own Received fields, by subject."""
        self.postfix.wait_for(count)
        found = {}
        for file in sorted((self.postfix.folder / "mail").glob("user/new/*")):
            text = file.read_text()
            found[re.search(r"^Subject: (.*)$", text, re.M)[1]] = re.search(r"^Received: from (.*)$", text, re.M)[1]
        return found

    def several_clients(self):
        """Three clients, turn by turn, two mails each but for the one that Postfix does not want."""
        sender, nameless = self.connect(SENDER), self.connect(NAMELESS, helo="other.example")
        blocked = self.connect(BLOCKED)
        for turn in (1, 2):
            self.send(sender, f"sender {turn}")
            self.refused(blocked)
            blocked.ask("RSET", 250)
            self.send(nameless, f"nameless {turn}")

    def test_xclient(self):
        self.behind("xclient", ACCESS + "smtpd_authorized_xclient_hosts = 127.0.0.1\n")
        self.several_clients()
        self.assertEqual(self.received(4), {
            "sender 1": f"client.example (mail.sender.example [{SENDER}])",
            "sender 2": f"client.example (mail.sender.example [{SENDER}])",
            "nameless 1": f"other.example (unknown [{NAMELESS}])", "nameless 2": f"other.example (unknown [{NAMELESS}])"})
        self.assertEqual(self.clients(), [f"client=mail.sender.example[{SENDER}]", f"client=unknown[{NAMELESS}]"] * 2)
        self.assertIn(f"<unknown[{BLOCKED}]>: Client host rejected: Access denied", self.log())
        self.assertEqual(self.faults("client_info"), 0)

    def test_xclient_over_tls_with_few_places(self):
        self.postfix = Postfix(self, ACCESS + "smtpd_authorized_xclient_hosts = 127.0.0.1\n")
        self.gateway({"servers": [f"127.0.0.1:{self.postfix.port}"], "tls": "require", "client_info": "xclient",
                      "max_connections": 1}, dns=self.dns_settings(), policy={"mode": "off", "rdns": {"mode": "shadow"}})
        self.wait_for_ehlo("8BITMIME")
        self.several_clients()
        self.assertEqual(len(self.received(4)), 4)
        self.assertEqual(self.clients(), [f"client=mail.sender.example[{SENDER}]", f"client=unknown[{NAMELESS}]"] * 2)

    def test_xclient_that_rejects_at_once(self):
        """With smtpd_delay_reject = no XCLIENT itself, and EHLO behind it, are refused."""
        self.behind("xclient", ACCESS + "smtpd_authorized_xclient_hosts = 127.0.0.1\nsmtpd_delay_reject = no\n")
        self.assertIn("Client host rejected", self.refused(self.connect(BLOCKED)))
        self.assertIn("Helo command rejected", self.refused(self.connect(SENDER, helo="evil.example")))
        self.send(self.connect(SENDER), "sender")
        self.assertEqual(self.clients(), [f"client=mail.sender.example[{SENDER}]"])
        self.assertEqual(self.faults("upstream_down"), 0)

    def test_a_name_that_is_perhaps_there(self):
        """Nobody has looked the name up: a Postfix that insists on one says 450, not 550."""
        self.postfix = Postfix(self, "smtpd_authorized_xclient_hosts = 127.0.0.1\n"
                                     "smtpd_client_restrictions = reject_unknown_client_hostname\n")
        self.gateway({"servers": [f"127.0.0.1:{self.postfix.port}"], "tls": "off", "client_info": "xclient"})
        self.wait_for_ehlo("8BITMIME")
        self.refused(self.connect(SENDER), 450)

    def test_xclient_where_postfix_does_not_let_us(self):
        self.behind("xclient", ACCESS)
        self.send(self.connect(SENDER), "one")
        self.send(self.connect(NAMELESS), "two")
        self.assertEqual(self.clients(), ["client=localhost[127.0.0.1]"] * 2)
        self.assertEqual(self.faults("client_info"), 1)
        line = self.wait_for_log("fault")[0]
        self.assertEqual((line["kind"], line["upstream"]), ("client_info", f"127.0.0.1:{self.postfix.port}"))
        self.assertIn("XCLIENT", line["detail"])

    def test_xforward(self):
        self.behind("xforward", ACCESS + "smtpd_authorized_xforward_hosts = 127.0.0.1\n")
        sender, blocked = self.connect(SENDER), self.connect(BLOCKED)
        self.send(sender, "sender")
        self.send(blocked, "blocked")  # XFORWARD is for the log only
        self.send(sender, "again")
        ids = [line["id"] for line in self.wait_for_log(count=3)]
        self.assertEqual(self.clients(), [
            f"client=localhost[127.0.0.1], orig_queue_id={ids[0]}, orig_client=mail.sender.example[{SENDER}]",
            f"client=localhost[127.0.0.1], orig_queue_id={ids[1]}, orig_client=unknown[{BLOCKED}]",
            f"client=localhost[127.0.0.1], orig_queue_id={ids[2]}, orig_client=mail.sender.example[{SENDER}]"])
        self.assertEqual(self.faults("client_info"), 0)

    def test_proxy(self):
        for way in ("proxy-v1", "proxy-v2"):
            with self.subTest(way):
                self.behind(way, ACCESS + "smtpd_upstream_proxy_protocol = haproxy\n",
                            state={"path": self.folder / way})
                self.several_clients()
                self.assertEqual({f"[{SENDER}]": 2, f"[{NAMELESS}]": 2},
                                 {address: sum(address in line for line in self.clients())
                                  for address in (f"[{SENDER}]", f"[{NAMELESS}]")})
                self.assertIn(f"[{BLOCKED}]>: Client host rejected: Access denied", self.log())
                self.assertNotIn("haproxy read: bad", self.log())
                self.assertEqual(self.faults("upstream_down"), 0)
                self.gateway_process.stop()

    def test_proxy_to_a_server_that_knows_nothing_of_it(self):
        self.postfix = Postfix(self)
        self.gateway({"servers": [f"127.0.0.1:{self.postfix.port}"], "tls": "off", "client_info": "proxy-v1"})
        self.refused(self.connect(SENDER), 451)


class DryRun(ClientInfoTest):
    def test_explain_tells_no_server(self):
        for way in ("xclient", "xforward", "proxy-v1", "proxy-v2"):
            with self.subTest(way):
                file = self.configuration({"servers": ["127.0.0.1:9"], "client_info": way})
                message = self.folder / "mail.eml"
                message.write_text("From: ann@sender.example\r\n\r\nhello\r\n")
                done = run([PROGRAM, "explain", message, "--ip", SENDER, "--to", "user@test.example", "-c", file])
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertNotIn("client_info", done.stdout)


class Balancers(ClientInfoTest):
    """Programs that only carry octets, and say for whom."""

    def haproxy(self, text):
        if not has("haproxy"):
            self.skipTest("haproxy is not installed")
        file = self.folder / "haproxy.cfg"
        file.write_text("global\n  log stdout format raw local0\ndefaults\n  mode tcp\n  timeout connect 5s\n"
                        "  timeout client 60s\n  timeout server 60s\n  log global\n" + text)
        return self.start(f"haproxy-{len(self.processes)}", [tool("haproxy"), "-db", "-f", file])

    def nginx(self, name, text):
        if not has("nginx"):
            self.skipTest("nginx is not installed")
        module = f"/usr/lib/nginx/modules/ngx_{name}_module.so"
        if not os.path.exists(module):
            self.skipTest(f"{module} is not installed")
        folder = self.folder / "nginx"
        folder.mkdir()
        file = folder / "nginx.conf"
        file.write_text(f"load_module {module};\ndaemon off;\nmaster_process off;\npid {folder}/pid;\n"
                        f"error_log stderr info;\nevents {{}}\n{text}\n")
        return self.start("nginx", [tool("nginx"), "-e", "stderr", "-p", folder, "-c", file])

    def gateway_behind_a_balancer(self):
        self.upstream = self.sink()
        file = self.configuration(self.upstream.port)
        file.write_text(file.read_text().replace('"tls" = "starttls"', '"proxy_protocol_from" = ["127.0.0.1"]'))
        self.start_gateway(file)

    def expect_true_address_through(self, port):
        wait_until("the balancer", lambda: accepts(port))
        self.send(self.connect(SENDER, port), "through a balancer")
        line = self.wait_for_log()[0]
        self.assertEqual((line["ip"], line["verdict"]), (SENDER, "relay"))
        fields, _ = our_header(self.upstream.messages()[-1][1])
        self.assertIn(f"[{SENDER}]", dict(fields)["Received"])

    def test_haproxy_in_front(self):
        for version in ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl"):
            with self.subTest(version):
                self.gateway_behind_a_balancer()
                port = free_port()
                haproxy = self.haproxy(f"listen smtp\n  bind 127.0.0.1:{port}\n"
                                       f"  server gateway 127.0.0.1:{self.port} {version}\n")
                self.expect_true_address_through(port)
                haproxy.stop()
                self.gateway_process.stop()
                (self.folder / "gateway.log").unlink()

    def test_nginx_in_front(self):
        self.gateway_behind_a_balancer()
        port = free_port()
        self.nginx("stream", f"stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{self.port}; "
                             "proxy_protocol on; } }")
        self.expect_true_address_through(port)

    def behind(self, port, way):
        self.gateway({"servers": [f"127.0.0.1:{port}"], "tls": "off", "client_info": way})
        self.wait_for_ehlo("8BITMIME")
        for source in (SENDER, NAMELESS, SENDER):
            self.send(self.connect(source), "through a balancer")
        self.upstream.wait_for(3)

    def test_haproxy_behind(self):
        for way in ("proxy-v1", "proxy-v2"):
            with self.subTest(way):
                self.upstream = self.sink()
                port = free_port()
                haproxy = self.haproxy(f"listen smtp\n  bind 127.0.0.1:{port} accept-proxy\n  log-format client=%ci\n"
                                       f"  server inner 127.0.0.1:{self.upstream.port}\n")
                wait_until("haproxy", lambda: accepts(port))
                self.behind(port, way)
                self.gateway_process.stop()
                wait_until("its log", lambda: haproxy.output().count(f"client={SENDER}") == 2)
                self.assertEqual(haproxy.output().count(f"client={NAMELESS}"), 1)
                haproxy.stop()

    def test_nginx_behind(self):
        self.upstream = self.sink()
        port = free_port()
        log = self.folder / "clients.log"
        self.nginx("stream", "stream { log_format client 'client=$proxy_protocol_addr to=$proxy_protocol_server_addr:"
                             f"$proxy_protocol_server_port'; access_log {log} client; server {{ "
                             f"listen 127.0.0.1:{port} proxy_protocol; proxy_pass 127.0.0.1:{self.upstream.port}; }} }}")
        wait_until("nginx", lambda: accepts(port))
        self.behind(port, "proxy-v2")
        self.gateway_process.stop()
        wait_until("its log", lambda: log.read_text().count(f"client={SENDER} to=127.0.0.1:{self.port}\n") == 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
