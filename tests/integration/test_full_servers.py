#!/usr/bin/env python3
"""Exim and Postfix as they are set up in practice: with limits on connections and on mails, with little patience, and with
mailboxes that are made while mail flows. No client may notice (threats.md U7, U9, U17)."""
import concurrent.futures
import pathlib
import threading
import time
import unittest

from postfix_server import Postfix
from servers.exim import CONFIGURATION, Exim
from servers.jail import skip_unless_possible
from support import Client, GatewayTest, run, tool, wait_until

LIMITED = """smtpd_client_event_limit_exceptions =
anvil_rate_time_unit = 60s
"""


class LimitedExim(Exim):
    """Takes few connections at once, and few mails on each."""
    accept_max = "smtp_accept_max = 4"
    more = ""

    def configure(self):
        super().configure()
        text = CONFIGURATION.format(port=self.port).replace("smtp_accept_max = 200", f"{self.accept_max}\n{self.more}")
        assert self.accept_max in text
        self.write("etc/exim4/exim4.conf", text)


class EximOfFewMails(LimitedExim):
    accept_max = "smtp_accept_max = 30"
    more = "smtp_accept_max_per_connection = 3"


class ServersWithLimits(GatewayTest):
    def behind(self, port, **more):
        timeouts = more.pop("timeouts", {})
        self.gateway({"servers": [f"127.0.0.1:{port}"], **more}, workers=2, timeouts=timeouts)
        self.wait_for_ehlo("8BITMIME")

    def client(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def send(self, subject, client=None):
        """One mail; the codes that decide."""
        if client is None:
            with Client(self.port) as client:
                client.greet()
                return self.send(subject, client)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.send("RCPT TO:<user@test.example>\r\n")
        answer = client.reply()
        if not answer.startswith("250"):
            client.ask("RSET", 250)
            return answer
        client.ask("DATA", 354)
        client.send(f"Subject: {subject}\r\n\r\ntext of {subject}\r\n.\r\n")
        return client.reply()[:3]

    def send_many(self, clients, mails):
        """So many clients at once, each with so many mails in sessions of their own."""
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            def one(number):
                return [self.send(f"{number}.{mail}") for mail in range(mails)]
            return [answer for answers in pool.map(one, range(clients)) for answer in answers]

    def send_slowly(self, client, octets, seconds):
        step = len(octets) // 20 + 1
        for at in range(0, len(octets), step):
            client.send(octets[at:at + step])
            time.sleep(seconds / 20)


class EximWithLimits(ServersWithLimits):
    def test_more_clients_than_it_takes_connections(self):
        skip_unless_possible("exim")
        server = LimitedExim(self).start()
        self.behind(server.port, tls="off")
        answers = self.send_many(12, 3)
        self.assertEqual(answers, ["250"] * 36)
        self.assertEqual(len(server.stored()), 36)
        self.assertEqual(self.faults("upstream_down"), 0)

    def test_few_mails_on_each_connection(self):
        skip_unless_possible("exim")
        server = EximOfFewMails(self).start()
        self.behind(server.port, tls="off")
        client = self.client()
        answers = [self.send(f"{number}", client) for number in range(11)]
        answers += [self.send(f"alone {number}") for number in range(8)]
        self.assertEqual(answers, ["250"] * 19)
        self.assertEqual(len(server.stored()), 19)
        self.assertGreater(self.stats()["sallyport_upstream_reused_total"], 5)


class PostfixWithLimits(ServersWithLimits):
    def contents(self, server, count):
        return [content.partition(b"\r\n\r\n")[2] for content in server.wait_for(count)]

    def test_more_clients_than_it_takes_connections(self):
        skip_unless_possible()
        server = Postfix(self, more=LIMITED + "smtpd_client_connection_count_limit = 3\n")
        self.behind(server.port)
        self.assertEqual(self.send_many(10, 3), ["250"] * 30)
        self.assertEqual(len(set(self.contents(server, 30))), 30)
        self.assertEqual(self.faults("upstream_down"), 0)

    def test_a_client_slower_than_the_server_waits(self):
        skip_unless_possible()
        server = Postfix(self, more="smtpd_timeout = 2s\n")
        self.behind(server.port)
        content = b"Subject: slow\r\n\r\n" + b"word " * 200 + b"\r\n"

        def by_data(client):
            client.mail()
            time.sleep(3)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.ask("DATA", 354)
            self.send_slowly(client, content + b"by data\r\n.\r\n", 5)
            return client.reply()[:3]

        def by_bdat(client):
            client.mail()
            whole = content + b"by bdat\r\n"
            client.send(f"BDAT {len(whole)} LAST\r\n")
            self.send_slowly(client, whole, 6)
            return client.reply()[:3]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            running = [pool.submit(how, self.client()) for how in (by_data, by_bdat)]
            self.assertEqual([one.result() for one in running], ["250", "250"])
        found = b"".join(self.contents(server, 2))
        self.assertEqual((found.count(b"by data"), found.count(b"by bdat")), (1, 1))
        self.assertGreater(self.stats()["sallyport_upstream_reopened_total"], 1)

    def test_a_mailbox_made_under_traffic(self):
        skip_unless_possible()
        server = Postfix(self, more="virtual_mailbox_maps = texthash:{folder}/mailboxes\n")
        self.behind(server.port)
        over = threading.Event()
        answers = []

        def flow():
            while not over.is_set():
                answers.append(self.send(f"flow {len(answers)}"))
                time.sleep(0.1)

        flowing = [threading.Thread(target=flow, daemon=True) for _ in range(2)]
        for one in flowing:
            one.start()
        try:
            time.sleep(2)
            self.assertTrue(self.answer_to("new").startswith("550"))
            with open(server.mailboxes, "a") as mailboxes:
                mailboxes.write("new@test.example new/\n")
            done = run([tool("postfix"), "-c", server.folder / "conf", "reload"])
            self.assertEqual(done.returncode, 0, done.stderr)
            time.sleep(30)
            self.assertEqual(self.answer_to("new")[:3], "250")  # at the first attempt
        finally:
            over.set()
            for one in flowing:
                one.join()
        self.assertEqual(set(answers), {"250"})
        stats = self.stats()
        self.assertLess(stats["sallyport_upstream_connections_total"], len(answers) / 4)

    def answer_to(self, name):
        with self.client() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.send(f"RCPT TO:<{name}@test.example>\r\n")
            return client.reply()


if __name__ == "__main__":
    unittest.main()
