#!/usr/bin/env python3
"""The servers behind the gateway: several of them, slow, broken, gone and back again; with TLS and without."""
import contextlib
import socket
import ssl
import threading
import time
import unittest

from scripted_server import HANG_UP, SILENCE, ScriptedServer
from support import PATIENCE, Client, GatewayTest, free_port, wait_until


class UpstreamTest(GatewayTest):
    def greeted(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def deliver(self, client=None, subject="x", code=250):
        if client is None:
            with self.greeted() as client:
                return self.deliver(client, subject, code)
        client.mail()
        return client.message(f"Subject: {subject}\r\n\r\ntext", code)

    def refused_at_rcpt(self, code=451):
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            reply = client.ask("RCPT TO:<user@test.example>", code)
            client.ask("QUIT", 221)
            return reply

    def refused_at_the_end(self, server, code=451, content="Subject: x\r\n\r\ntext"):
        with self.greeted() as client:
            client.mail()
            reply = client.message(content, code)
            client.ask("NOOP", 250)  # the client's session lives on
            client.ask("QUIT", 221)
            return reply

    def assert_outcome_unknown(self, server):
        line = self.last_line(verdict="tempfail", stage="message", code="451", dsn="4.4.2")
        self.assertEqual(self.faults("outcome_unknown"), 1)
        told = [fault for fault in self.log_lines("fault")
                if (fault["kind"], fault["id"]) == ("outcome_unknown", line["id"])]
        self.assertEqual([fault["upstream"] for fault in told], [f"127.0.0.1:{server.port}"])
        self.assertGreater(int(told[0]["size"]), 10)

    def last_line(self, **expected):
        line = self.wait_for_log()[-1]
        self.assertEqual({key: line[key] for key in expected}, expected, line)
        return line


class Several(UpstreamTest):
    def test_the_first_is_dead(self):
        live = self.sink()
        self.gateway([free_port(), live.port])
        began = time.monotonic()
        self.deliver()
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(len(live.wait_for(1)), 1)
        self.assertEqual(self.last_line(verdict="relay")["upstream"], f"127.0.0.1:{live.port}")

    def test_the_first_dies_and_comes_back(self):
        first, second = self.sink(), self.sink()
        self.gateway([first.port, second.port])
        client = self.greeted()
        self.deliver(client, "one")
        first.process.kill()
        self.deliver(client, "two")
        self.deliver(client, "three")
        self.assertEqual([len(first.messages()), len(second.messages())], [1, 2])
        again = self.sink(port=first.port)

        def first_serves_again():
            self.deliver(client)
            return len(again.messages()) > 1

        wait_until("mail at the first server", first_serves_again, 10)

    def test_greetings_and_answers_that_send_us_elsewhere(self):
        live = self.sink()
        for verb, answer in (("GREETING", "554 no"), ("GREETING", "421 later"), ("GREETING", HANG_UP), ("EHLO", HANG_UP),
                             ("EHLO", "421 later"), ("MAIL", HANG_UP), ("RCPT", HANG_UP)):
            with self.subTest(verb=verb, answer=answer):
                gateway = self.gateway([ScriptedServer(self, **{verb: answer}).port, live.port])
                before = len(live.messages())
                self.deliver()
                self.assertEqual(len(live.wait_for(before + 1)), before + 1)
                gateway.stop()

    def test_sessions_are_spread(self):
        first, second = self.sink(), self.sink()
        self.gateway({"servers": [f"127.0.0.1:{s.port}" for s in (first, second)], "balance": "least-sessions"})
        clients = [self.greeted() for _ in range(6)]
        for client in clients:
            client.mail()
        for client in clients:
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual([len(first.messages()), len(second.messages())], [3, 3])

    def test_no_more_connections_than_allowed(self):
        server = self.sink()
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], "max_connections": 1})
        # The probe's, which is kept. Before it stands, a mail takes the probe's place, and opens a connection of its own.
        wait_until("a connection", lambda: self.stats()["sallyport_upstream_idle"] == 1)
        first, second = self.greeted(), self.greeted()
        first.mail()
        second.ask("MAIL FROM:<bob@sender.example>", 250)
        second.send("RCPT TO:<user@test.example>\r\n")
        second.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            second.line()  # waits for the one connection
        second.socket.settimeout(20)
        first.message("Subject: one\r\n\r\n1")
        second.expect(250)
        second.message("Subject: two\r\n\r\n2")
        self.assertEqual(len(server.wait_for(2)), 2)
        self.assertEqual(self.stats()["sallyport_upstream_connections_total"], 1)

    def test_connections_are_kept(self):
        server = self.sink()
        self.gateway(server.port)
        self.wait_for_ehlo("8BITMIME")
        for _ in range(10):
            self.deliver()
        stats = self.stats()
        self.assertLessEqual(stats["sallyport_upstream_connections_total"], 2)
        self.assertGreaterEqual(stats["sallyport_upstream_reused_total"], 9)
        self.assertEqual(stats["sallyport_upstream_idle"], stats["sallyport_upstream_open"])
        self.assertEqual(len(server.wait_for(10)), 10)

    def test_a_kept_connection_that_died_meanwhile_is_no_failure(self):
        server = self.sink()
        self.gateway(server.port)
        self.deliver()
        server.process.kill()
        self.sink(port=server.port)
        self.deliver()
        self.assertEqual(self.last_line(verdict="relay")["code"], "250")


class Down(UpstreamTest):
    def test_down_and_back(self):
        port = free_port()
        self.gateway(port)
        began = time.monotonic()
        reply = self.refused_at_rcpt()
        self.assertLess(time.monotonic() - began, 3)
        self.assertTrue(reply.startswith("451 4.4.1 "), reply)
        self.last_line(verdict="tempfail", stage="rcpt", check="upstream_down", code="451", dsn="4.4.1", reply=reply)
        for _ in range(5):
            self.refused_at_rcpt()
        server = self.sink(port=port)
        back = time.monotonic()

        def served():
            with self.greeted() as client:
                client.ask("MAIL FROM:<ann@sender.example>", 250)
                client.send("RCPT TO:<user@test.example>\r\n")
                return client.reply().startswith("250") and client.message("Subject: x\r\n\r\ny")

        wait_until("service", served, 10)
        self.assertLess(time.monotonic() - back, 5)
        self.assertEqual(len(server.wait_for(1)), 1)

    def killed_after_the_recipient(self, *sink_options):
        server = self.sink(*sink_options)
        self.gateway(server.port)
        client = self.greeted()
        client.mail()
        server.process.kill()
        time.sleep(0.2)
        reply = client.message("Subject: x\r\n\r\ny", 451)
        self.assertTrue(reply.startswith("451 4.4.1 "), reply)
        self.last_line(verdict="tempfail", check="upstream_down", code="451", dsn="4.4.1", stage="message")
        self.assertEqual(self.faults("outcome_unknown"), 0)
        server = self.sink(port=server.port)
        time.sleep(3)
        self.deliver(client)
        self.assertEqual(len(server.wait_for(1)), 1)

    def test_killed_after_the_recipient(self):
        self.killed_after_the_recipient("--no-chunking")

    def test_killed_after_the_recipient_with_chunking(self):
        self.killed_after_the_recipient()

    def test_killed_before_its_final_answer(self):
        server = self.sink("--delay", "20s")
        self.gateway(server.port)
        client = self.greeted()
        client.mail()
        client.ask("DATA", 354)
        client.send("Subject: x\r\n\r\ny\r\n.\r\n")
        time.sleep(0.5)
        server.process.kill()
        reply = client.expect(451)
        self.assertTrue(reply.startswith("451 4.4.2 "), reply)
        self.assert_outcome_unknown(server)

    def test_killed_in_the_middle_of_many_mails(self):
        server = self.sink()
        self.gateway(server.port)
        accepted = 0
        client = self.greeted()
        for number in range(60):
            if number == 30:
                server.process.kill()
                store = server.store
                server = self.sink(port=server.port)
                self.assertEqual(server.store, store)  # numbering goes on where it was
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.send("RCPT TO:<user@test.example>\r\n")
            if not client.reply().startswith("250"):
                client.ask("RSET", 250)
                time.sleep(0.1)
                continue
            client.ask("DATA", 354)
            client.send(f"Subject: {number}\r\n\r\ny\r\n.\r\n")
            accepted += client.reply().startswith("250")
        self.assertGreaterEqual(accepted, 50)
        self.assertGreaterEqual(len(server.messages()), accepted)  # I1: nothing acknowledged is lost


class HastyServer:
    """Says 250 to a message of which it has read the first octets, and reads no further."""
    def __init__(self, test, with_tls):
        self.context = None
        if with_tls:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            home = test.certificate("hasty.example")
            self.context.load_cert_chain(home / "fullchain.pem", home / "privkey.pem")
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # so that its kernel takes little more
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.open = []
        test.addCleanup(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        for sock in [self.listener, *self.open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                sock.settimeout(PATIENCE)
                self.open.append(sock)
                threading.Thread(target=self.converse, args=(sock,), daemon=True).start()

    def converse(self, sock):
        with contextlib.suppress(OSError):
            sock.sendall(b"220 hasty.example ESMTP\r\n")
            waiting = b""
            while octets := sock.recv(512):
                waiting += octets
                while b"\r\n" in waiting:
                    line, _, waiting = waiting.partition(b"\r\n")
                    verb = line[:4].upper()
                    if verb == b"EHLO":
                        offers = b"" if self.context is None or isinstance(sock, ssl.SSLSocket) else b"250-STARTTLS\r\n"
                        sock.sendall(b"250-hasty.example\r\n" + offers + b"250 8BITMIME\r\n")
                    elif verb == b"STAR":
                        sock.sendall(b"220 Go\r\n")
                        sock = self.context.wrap_socket(sock, server_side=True)
                        self.open.append(sock)
                    elif verb == b"DATA":
                        sock.sendall(b"354 Go\r\n")
                        sock.recv(100)
                        time.sleep(0.3)
                        sock.sendall(b"250 2.0.0 Taken\r\n")
                        return
                    else:
                        sock.sendall(b"250 2.0.0 Ok\r\n")


class Misbehaving(UpstreamTest):
    def behind(self, **special):
        timeouts = special.pop("timeouts", {})
        if hasattr(self, "gateway_process"):
            self.gateway_process.stop()
            (self.folder / "gateway.log").unlink()  # its lines are not those of the next one
        server = ScriptedServer(self, **special)
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], "tls": "off", "health_interval": "1h"},
                     timeouts=timeouts)
        return server

    def test_refusals_pass_unchanged(self):
        self.behind(RCPT=["550-5.1.1 not\r\n550 5.1.1 here", "450 4.2.0 greylisted by the server", "250 2.1.5 Ok"],
                    END=["552 5.2.2 Mailbox full", "452 4.2.2 for now", "250 2.0.0 Taken"])
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            self.assertEqual(client.ask("RCPT TO:<user@test.example>", 550), "550-5.1.1 not\n550 5.1.1 here")
            self.assertEqual(client.ask("RCPT TO:<user@test.example>", 450), "450 4.2.0 greylisted by the server")
            client.ask("RCPT TO:<user@test.example>", 250)
            self.assertEqual(client.message("Subject: x\r\n\r\ny", 552), "552 5.2.2 Mailbox full")
            self.assertEqual(self.deliver(client, code=452), "452 4.2.2 for now")
            self.assertEqual(self.deliver(client), "250 2.0.0 Taken")
        full, later, taken = self.wait_for_log(count=3)
        self.assertEqual([(line["verdict"], line["check"], line["code"]) for line in (full, later, taken)],
                         [("reject", "upstream", "552"), ("tempfail", "upstream", "452"), ("relay", "", "250")])

    def test_unfit_text_is_filtered(self):
        self.behind(RCPT=[b"550 5.1.1 \x1b[31mno\x07\xff\r\n", b"550 2.1.5 wrong class\r\n",
                          b"550 " + b"x" * 2000 + b"\r\n"])
        with self.greeted() as client:
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            for _ in range(3):
                reply = client.ask("RCPT TO:<user@test.example>", 550)
                for line in reply.split("\n"):
                    self.assertTrue(all(" " <= char <= "~" for char in line), reply)
                    self.assertLessEqual(len(line), 510)
                self.assertNotIn(" 2.1.5", reply)

    def test_mail_refused_is_the_answer_to_the_recipient(self):
        self.behind(MAIL="550 5.7.1 Not you", RCPT="503 5.5.1 No MAIL")
        self.assertEqual(self.refused_at_rcpt(550), "550 5.7.1 Not you")

    def test_no_answer_to_the_end_of_data(self):
        for answer, patience in ((HANG_UP, "60s"), (SILENCE, "1s")):
            with self.subTest(answer=answer):
                server = self.behind(END=answer, timeouts={"final_reply": patience})
                reply = self.refused_at_the_end(server)
                self.assertTrue(reply.startswith("451 4.4.2 "), reply)
                self.assert_outcome_unknown(server)
                self.assertEqual([whole for _, whole in server.contents], [True])  # once, U10

    def test_protocol_violations(self):
        for name, special in {
            "differing codes": {"RCPT": b"250-2.1.5 a\r\n550 5.1.1 b\r\n"},
            "no code": {"RCPT": b"hello\r\n"},
            "code out of range": {"RCPT": b"150 what\r\n"},
            "bare LF": {"RCPT": b"250 2.1.5 a\nb\r\n"},
            "354 to RCPT": {"RCPT": "354 go"},
            "endless": {"RCPT": b"250-2.1.5 more\r\n" * 200},
        }.items():
            with self.subTest(name):
                self.behind(**special)
                reply = self.refused_at_rcpt()
                self.assertTrue(reply.startswith("451 4.3.0 "), reply)
                self.assertEqual(self.violations("upstream_protocol"), 1)

    def test_an_answer_that_comes_too_early(self):
        server = self.behind(DATA=b"354 go\r\n250 2.0.0 taken already\r\n")
        reply = self.refused_at_the_end(server)
        self.assertTrue(reply.startswith("451 4.3.0 "), reply)
        self.assertEqual(self.violations("upstream_early"), 1)

    def test_an_answer_to_what_has_not_arrived(self):
        self.answer_to_what_has_not_arrived({})

    def test_an_answer_to_what_has_not_arrived_over_tls(self):
        self.answer_to_what_has_not_arrived({"tls": "require"})

    def answer_to_what_has_not_arrived(self, upstream_settings):
        """The server reads a little of the content and says that it has taken it; the kernels hold the rest."""
        server = HastyServer(self, with_tls=bool(upstream_settings))
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], **upstream_settings})
        for content in ("x" * 70 + "\r\n") * 500, ("y" * 70 + "\r\n") * 300:
            reply = self.refused_at_the_end(server, content="Subject: x\r\n\r\n" + content)
            self.assertTrue(reply.startswith("451 4.3.0 "), reply)
        self.assertEqual(self.violations("upstream_early"), 2)

    def test_250_to_data(self):
        server = self.behind(DATA="250 2.0.0 fine")
        self.assertTrue(self.refused_at_the_end(server).startswith("451 4.3.0 "))

    def test_421_later_leaves_the_client_alone(self):
        server = self.behind(END=["421 4.3.2 Going down", "250 2.0.0 Taken"])
        reply = self.refused_at_the_end(server)
        self.assertTrue(reply.startswith("451 4.3.0 "), reply)
        self.deliver()

    def test_a_slow_server(self):
        self.behind(RCPT=SILENCE, timeouts={"upstream_reply": "1s", "upstream_connect": "2s"})
        began = time.monotonic()
        reply = self.refused_at_rcpt()
        self.assertLess(time.monotonic() - began, 6)
        self.assertTrue(reply.startswith("451 4.4.1 "), reply)
        self.assertGreaterEqual(self.faults("upstream_timeout"), 1)

    def test_the_client_leaves_in_the_middle(self):
        server = self.sink()
        self.gateway(server.port)
        with self.greeted() as client:
            client.mail()
            client.ask("DATA", 354)
            client.send("Subject: x\r\n\r\nhalf of it\r\n")
        self.last_line(verdict="drop", check="client_lost")
        self.deliver(subject="whole")
        (_, content), = server.wait_for(1)
        self.assertIn(b"Subject: whole", content)

    def test_the_client_leaves_before_our_answer(self):
        server = self.sink("--delay", "1s")
        self.gateway(server.port)
        client = self.greeted()
        client.mail()
        client.ask("DATA", 354)
        client.send("Subject: x\r\n\r\ny\r\n.\r\n")
        time.sleep(0.3)
        client.socket.close()
        self.assertEqual(len(server.wait_for(1)), 1)
        line = self.last_line(verdict="relay", code="250")
        self.assertEqual(line["check"], "reply_lost")
        self.assertEqual(self.faults("reply_lost"), 1)

    def test_the_client_leaves_behind_mails_that_nobody_has_read_yet(self):
        """Its end lies behind them, and yet it is known when the first one is answered."""
        server = self.sink("--delay", "1s")
        self.gateway(server.port)
        content = b"Subject: x\r\n\r\n" + b"text\r\n" * 20000
        with self.greeted() as client:
            for number in range(2):
                client.send(b"MAIL FROM:<ann%d@sender.example>\r\nRCPT TO:<user@test.example>\r\nBDAT %d LAST\r\n"
                            % (number, len(content)) + content)
            client.socket.shutdown(socket.SHUT_WR)
            self.wait_for_log()
        line = self.log_lines()[0]
        self.assertEqual((line["from"], line["verdict"], line["check"]), ("<ann0@sender.example>", "relay", "reply_lost"))


class Secure(UpstreamTest):
    def server(self, tls=True):
        return self.sink("--tls-cert", self.certificate("inner.test.example")) if tls else self.sink()

    def before(self, server, mode, **more):
        self.gateway({"servers": [f"127.0.0.1:{server.port}"], "tls": mode, **more})

    def test_opportunistic(self):
        for tls in (True, False):
            server = self.server(tls)
            self.before(server, "opportunistic")
            self.deliver()
            self.assertEqual(server.wait_for(1)[0][0]["tls"], tls)
            self.gateway_process.stop()

    def test_off(self):
        server = self.server()
        self.before(server, "off")
        self.deliver()
        self.assertFalse(server.wait_for(1)[0][0]["tls"])

    def assert_no_secure_connection(self, server):
        for _ in range(3):  # also while the server is passed over because of an earlier failure
            reply = self.refused_at_rcpt()
            self.assertTrue(reply.startswith("451 4.7.5 "), reply)
        self.last_line(verdict="tempfail", stage="rcpt", check="upstream_tls", code="451", dsn="4.7.5")
        self.assertGreaterEqual(self.faults("upstream_tls"), 1)
        self.assertEqual(server.messages(), [])

    def test_required(self):
        server = self.server()
        self.before(server, "require")
        self.deliver()
        self.assertTrue(server.wait_for(1)[0][0]["tls"])

    def test_required_but_not_there(self):
        server = self.server(tls=False)
        self.before(server, "require")
        self.assert_no_secure_connection(server)

    def test_verified(self):
        ca = self.certificate("inner.test.example") / "fullchain.pem"
        server = self.server()
        for more in ({"tls_name": "inner.test.example"}, {}):  # by default the address, which the certificate has too
            self.before(server, "verify", tls_ca=ca, **more)
            self.deliver()
            self.gateway_process.stop()
        self.assertEqual([envelope["tls"] for envelope, _ in server.wait_for(2)], [True, True])

    def test_verified_with_the_wrong_name(self):
        ca = self.certificate("inner.test.example") / "fullchain.pem"
        server = self.server()
        self.before(server, "verify", tls_ca=ca, tls_name="other.test.example")
        self.assert_no_secure_connection(server)

    def test_verified_by_authorities_that_do_not_know_it(self):
        server = self.server()
        self.before(server, "verify", tls_name="inner.test.example")
        self.assert_no_secure_connection(server)

    def test_plaintext_behind_the_go_ahead(self):
        server = ScriptedServer(self, EHLO="250-scripted.example\r\n250 STARTTLS",
                                STARTTLS=b"220 2.0.0 Ready\r\n250 injected\r\n")
        self.before(server, "require")
        for _ in range(3):
            reply = self.refused_at_rcpt()
            self.assertTrue(reply.startswith("451 4.7.5 "), reply)
        self.assertNotIn("MAIL", server.verbs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
