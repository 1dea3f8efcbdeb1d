#!/usr/bin/env python3
"""Clients that end their side of the connection, or break it, while a slow server has not got the end of their mail yet (threats.md U13)."""
import socket
import ssl
import struct
import threading
import unittest

from scripted_server import ScriptedServer
from support import Client, GatewayTest, trusting_context, wait_until

CONTENT = b"Subject: half a close\r\n\r\nHello\r\n"


class Gated(ScriptedServer):
    """Keeps its go-ahead back until the test opens the gate, so that no end of data can have been written before."""

    def __init__(self, test):
        self.gate = threading.Event()
        test.addCleanup(self.gate.set)
        super().__init__(test)

    def say(self, connection, verb):
        if verb == "DATA":
            self.gate.wait(30)
        return super().say(connection, verb)


class TlsClient(Client):
    """TLS whose records the test carries itself: only so can one end its side by close_notify and go on reading."""

    def starttls(self):
        self.ask("STARTTLS", 220)
        self.arrived, self.leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting_context().wrap_bio(self.arrived, self.leaving, server_hostname="mx.test.example")
        self.carry(self.tls.do_handshake)
        return self

    def carry(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.pass_on()
                piece = self.socket.recv(65536)
                self.arrived.write(piece) if piece else self.arrived.write_eof()
            finally:
                self.pass_on()

    def pass_on(self):
        if octets := self.leaving.read():
            self.socket.sendall(octets)

    def send(self, octets):
        if not hasattr(self, "tls"):
            return super().send(octets)
        self.tls.write(octets if isinstance(octets, bytes) else octets.encode())
        self.pass_on()

    def line(self):
        while hasattr(self, "tls") and b"\r\n" not in self.buffer:
            piece = self.carry(lambda: self.tls.read(65536))
            if not piece:
                raise EOFError("closed")
            self.buffer += piece
        return super().line()

    def say_farewell(self):
        """close_notify alone: the connection below stays as it is."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.pass_on()


def end(client):
    client.socket.shutdown(socket.SHUT_WR)


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


def end_and_reset(client):
    end(client)
    # The gateway has seen the end and reads no more when the reset follows.
    threading.Event().wait(0.3)
    reset(client)


class HalfClose(GatewayTest):
    def setUp(self):
        super().setUp()
        self.server = Gated(self)
        self.gateway(self.server.port)

    def begin(self, tls):
        client = (TlsClient if tls else Client)(self.port)
        self.addCleanup(lambda: client.socket.close())
        client.greet()
        if tls:
            client.starttls().ask("EHLO client.example", 250)
        client.mail()
        return client

    def send_all(self, client, chunks):
        if chunks:
            client.send(b"BDAT %d LAST\r\n" % len(CONTENT) + CONTENT)
        else:
            client.ask("DATA", 354)
            client.send(CONTENT + b".\r\n")
        wait_until("DATA at the server", lambda: "DATA" in self.server.verbs)

    def each(self):
        for tls in (False, True):
            for chunks in (False, True):
                yield tls, chunks

    def outcome(self, lines):
        return self.wait_for_log(count=lines)[-1]

    def try_each(self, ways, check):
        """A client in each form has sent all, and leaves by each of the ways; then the server goes on. Gives how many that were."""
        count = 0
        for tls, chunks in self.each():
            for leave in ways:
                if leave is TlsClient.say_farewell and not tls:
                    continue
                with self.subTest(tls=tls, chunks=chunks, leave=leave.__name__):
                    self.server.gate.clear()
                    self.server.verbs.clear()
                    client = self.begin(tls)
                    self.send_all(client, chunks)
                    leave(client)
                    threading.Event().wait(0.3)
                    self.server.gate.set()
                    count += 1
                    check(client, count)
        return count

    def test_who_has_said_all_has_its_mail_delivered_and_hears_so(self):
        def is_delivered(client, count):
            client.expect(250)
            line = self.outcome(count)
            self.assertEqual((line["verdict"], line["check"], line["reply"][:3]), ("relay", "reply_lost", "250"), line)
            self.assertEqual(len(self.server.contents), count)

        self.assertEqual(self.try_each([end, TlsClient.say_farewell], is_delivered), 6)
        self.assertEqual(self.faults("client_lost"), 0)

    def test_a_broken_connection_completes_nothing(self):
        def is_dropped(_, count):
            line = self.outcome(count)
            self.assertEqual((line["verdict"], line["check"]), ("drop", "client_lost"), line)

        self.assertEqual(self.try_each([reset, end_and_reset], is_dropped), 8)
        self.assertNotIn(True, [complete for _, complete in self.server.contents])

    def test_an_unfinished_content_is_not_delivered(self):
        self.server.gate.set()
        for number, (tls, chunks) in enumerate(self.each(), 1):
            with self.subTest(tls=tls, chunks=chunks):
                client = self.begin(tls)
                if chunks:
                    client.send(b"BDAT %d LAST\r\n" % len(CONTENT) + CONTENT[:-1])
                else:
                    client.ask("DATA", 354)
                    client.send(CONTENT + b".\r")
                end(client)
                line = self.outcome(number)
                self.assertEqual(line["verdict"], "drop", line)
        self.assertNotIn(True, [complete for _, complete in self.server.contents])


if __name__ == "__main__":
    unittest.main()
