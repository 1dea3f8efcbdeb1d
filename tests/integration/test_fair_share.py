#!/usr/bin/env python3
"""Tenants share what a gateway has: places at a server, sessions. One with much mail leaves the others their part (I13)."""
import threading
import time
import unittest

from scripted_server import ScriptedServer
from support import Client, GatewayTest, wait_until


class SlowServer(ScriptedServer):
    """Takes its time for each message."""

    def answer_to(self, verb):
        if verb == "END":
            time.sleep(0.1)
        return super().answer_to(verb)


class FairShare(GatewayTest):
    def serve(self, server, places=100, **more):
        self.gateway({"shared": {"servers": [server.name], "tls": "off", "max_connections": places}}, domains=None,
                     tenants={name: {"domains": [f"{name}.example"], "upstream": "shared"} for name in ("many", "few", "none")}, **more)

    def client(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def send(self, domain):
        client = self.client()
        client.mail(recipient=f"user@{domain}")
        client.message(f"Subject: {domain}\r\n\r\nx")

    def test_places_at_a_server(self):
        """One tenant's mails wait for a place in a long row: another's do not wait behind all of them."""
        for places, row in ((1, 14), (2, 24)):
            with self.subTest(places=places):
                server = SlowServer(self)
                self.serve(server, places)
                row_of_many = [threading.Thread(target=self.send, args=("many.example",)) for _ in range(row)]
                for thread in row_of_many:
                    thread.start()
                wait_until("the first of them", lambda: len(server.contents) >= places)
                time.sleep(0.1)
                before = len(server.contents)
                self.send("few.example")
                after = [content for content, _ in server.contents]
                of_few = [i for i, content in enumerate(after) if b"Subject: few" in content]
                self.assertEqual(len(of_few), 1)
                self.assertLessEqual(of_few[0] - before, 2 + 2 * places, (before, of_few))
                for thread in row_of_many:
                    thread.join()
                self.assertEqual(len(server.contents), row + 1)
                self.gateway_process.stop()

    def test_sessions(self):
        """Mails of one tenant take half of all places at most."""
        server = ScriptedServer(self)
        self.serve(server, limits={"sessions": 20})
        row = []
        for _ in range(10):
            client = self.client()
            client.mail(recipient="user@many.example")
            client.ask("DATA", 354)
            row.append(client)
        one_more = self.client()
        one_more.ask("MAIL FROM:<ann@sender.example>", 250)
        self.assertRegex(one_more.ask("RCPT TO:<user@many.example>", 451), r"^451 4\.3\.2 Too many messages for this domain")
        line = self.wait_for_log("recipient")[0]
        self.assertEqual((line["check"], line["because"]), ("resource", "tenant many has half of all sessions"))
        one_more.ask("RCPT TO:<user@few.example>", 250)
        one_more.message("Subject: x\r\n\r\ny")
        row[0].send("Subject: x\r\n\r\ny\r\n.\r\n")
        row[0].expect(250)
        one_more.mail(recipient="user@many.example")
        one_more.message("Subject: x\r\n\r\ny")


if __name__ == "__main__":
    unittest.main()
