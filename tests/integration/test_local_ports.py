#!/usr/bin/env python3
"""No local port is left towards the server, in a network of the test's own: that is said, and not held against the server."""
import socket
import struct
import unittest

from network import Host, skip_unless_possible
from scripted_server import ScriptedServer
from support import PROGRAM, Client, GatewayTest, wait_until

PORT, SERVER_PORT = 2525, 2527
PORTS = (40000, 40001)  # all that connections of this host may have which ask for none


class NoneLeft(GatewayTest):
    def setUp(self):
        skip_unless_possible()
        super().setUp()
        self.gate = Host(self, "gate")
        done = self.gate.run("sh", "-c", f"echo {PORTS[0]} {PORTS[1]} > /proc/sys/net/ipv4/ip_local_port_range")
        if done.returncode:
            self.skipTest(f"the range of local ports cannot be set here: {done.stderr}")
        self.server = ScriptedServer(self, listener=self.gate.listener("127.0.0.1", SERVER_PORT))
        self.last_source = 50000
        self.taken = [self.connect(SERVER_PORT, port) for port in PORTS]
        file = self.configuration({"default": {"servers": [f"127.0.0.1:{SERVER_PORT}"], "tls": "off"}}, workers=2, tls=None,
                                  listen=[{"address": f"127.0.0.1:{PORT}", "tls": "off"}])
        self.running = self.start("gateway", self.gate.inside(PROGRAM, "run", "-c", file))
        wait_until("the gateway", lambda: self.log_lines("ready") or not self.running.is_running())
        self.assertTrue(self.running.is_running(), self.running.output())

    def connect(self, port, source):
        connection = self.gate.make(lambda: socket.create_connection(("127.0.0.1", port), 20, ("127.0.0.1", source)))
        self.addCleanup(connection.close)
        return connection

    def client(self):
        self.last_source += 1
        client = Client(connection=self.connect(PORT, self.last_source))
        client.greet()
        return client

    def test_it_is_said_and_is_over_with_the_shortage(self):
        for _ in range(12):
            with self.client() as client:
                client.ask("MAIL FROM:<ann@sender.example>", 250)
                said = client.ask("RCPT TO:<user@test.example>", 451)
                self.assertRegex(str(said), r"4\.3\.1 Out of .*ports")
        for connection in self.taken:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its port is free at once
            connection.close()
        with self.client() as client:
            client.mail()
            client.message("Subject: now\r\n\r\nhello")
        self.assertEqual(len(self.server.contents), 1)
        self.assertEqual(self.log_lines("upstream"), [], "it is not put down")
        self.assertEqual(self.faults("resource"), 12)
        self.assertEqual({line["detail"] for line in self.log_lines() if line["code"] == "451"},
                         {"connect: out of local ports"})


if __name__ == "__main__":
    unittest.main()
