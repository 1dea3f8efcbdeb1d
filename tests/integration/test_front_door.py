#!/usr/bin/env python3
"""A front door that says with XCLIENT for whom it speaks: one of ours, and a real nginx (threats.md S35)."""
import os
import re
import unittest

from support import Client, GatewayTest, accepts, free_port, our_header, tool, wait_until
from test_operation import BLOCKLIST_ZONE

NGINX_MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so"
NGINX = """load_module %(module)s;
daemon off;
error_log stderr;
pid nginx.pid;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:%(auth)d;
    location / {
      add_header Auth-Status OK;
      add_header Auth-Server 127.0.0.1;
      add_header Auth-Port %(gateway)d;
      return 200;
    }
  }
}
mail {
  server_name front.example;
  auth_http 127.0.0.1:%(auth)d/;
  xclient on;
  server {
    listen 127.0.0.1:%(port)d;
    protocol smtp;
    smtp_auth none;
  }
}
"""


class FrontDoor(GatewayTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.sink()

    def serve(self, **more):
        file = self.configuration(self.upstream.port, **more)
        file.write_text(file.read_text().replace('"tls" = "starttls"', '"xclient_from" = ["127.0.0.1"]'))
        self.start_gateway(file)

    def introduced(self, what, greeting=220):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet("front.example")
        client.ask(f"XCLIENT {what}", greeting)
        return client

    def received(self):
        return dict(our_header(self.upstream.messages()[-1][1])[0])["Received"]

    def test_the_client_counts(self):
        self.serve(dns={"servers": [f"127.0.0.1:{self.dns(BLOCKLIST_ZONE)}"]}, policy={
            "mode": "off", "dnsbl": {"mode": "enforce", "zones": {"bl.test.example": {"score": 9.0}}}})
        with self.introduced("ADDR=192.0.2.7 NAME=listed.example") as client:
            client.ask("EHLO listed.example", 250)
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 550)
            client.ask("RSET", 250)
            # The next one, on the same connection.
            client.ask("XCLIENT ADDR=IPV6:2001:db8::8 NAME=mail.friend.example HELO=friend.example", 220)
            client.ask("EHLO front.example", 250)
            client.mail()
            client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)
        self.assertIn("from friend.example (mail.friend.example [IPv6:2001:db8::8])", self.received())
        refused, relayed = self.wait_for_log(count=2)
        self.assertEqual((refused["ip"], refused["check"]), ("192.0.2.7", "dnsbl"))
        self.assertEqual((relayed["ip"], relayed["helo"], relayed["verdict"]), ("2001:db8::8", "friend.example", "relay"))

    def test_connections_are_the_clients(self):
        """Of one client only so many; the front door may have as many as it likes."""
        self.serve(policy={"mode": "off", "rate": {"mode": "enforce", "connect_per_ip": "3/1h burst 3"}})
        for _ in range(3):
            self.introduced("ADDR=192.0.2.7").ask("QUIT", 221)
        reply = self.introduced("ADDR=192.0.2.7", 421).rest()
        self.assertEqual(reply, "")
        for host in range(20, 30):
            self.introduced(f"ADDR=192.0.2.{host}").ask("QUIT", 221)

    def test_others_are_not_asked(self):
        self.serve()
        with Client(self.port, source="127.0.0.9") as client:
            self.assertNotIn("XCLIENT", client.greet())
            client.ask("XCLIENT ADDR=192.0.2.7", 502)
            client.mail()
            client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)
        self.assertEqual(self.wait_for_log()[-1]["ip"], "127.0.0.9")

    def test_nginx_in_front(self):
        if not os.path.exists(NGINX_MODULE):
            self.skipTest("nginx with its mail module is not installed")
        self.serve()
        port, auth = free_port(), free_port()
        folder = self.folder / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(
            NGINX % {"module": NGINX_MODULE, "auth": auth, "gateway": self.port, "port": port})
        self.start("nginx", [tool("nginx"), "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"])
        wait_until("nginx", lambda: accepts(port) and accepts(auth))
        for source in ("127.0.0.9", "127.0.0.10"):
            with Client(port, source=source) as client:
                client.greet(f"of-{source}.example")
                client.mail()
                client.message("Subject: through nginx\r\n\r\ny")
                client.ask("QUIT", 221)
            self.assertRegex(self.received(), re.escape(f"from of-{source}.example ") + rf".*\[{re.escape(source)}\]")
        self.assertEqual([line["ip"] for line in self.wait_for_log(count=2)], ["127.0.0.9", "127.0.0.10"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
