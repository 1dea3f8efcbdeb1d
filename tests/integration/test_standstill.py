#!/usr/bin/env python3
"""The whole process stands still for longer than every deadline (SIGSTOP, a machine that is moved), in each phase of a mail. What
the client, a server or a name server says meanwhile came in time: no 421, no 451, no outcome_unknown for it."""
import contextlib
import os
import signal
import socket
import ssl
import struct
import threading
import time
import unittest

from scripted_server import ANSWERS
from support import PATIENCE, Client, GatewayTest, free_port

DEADLINE = "1s"
BEFORE, STANDSTILL, ANSWER_AFTER = 0.1, 2.0, 0.3  # seconds


class Standstill:
    """Stops a process once, when phase() is called for the phase that it is about; whoever calls goes on when the answer is due."""

    def __init__(self, phase):
        self.wanted, self.pid, self.over = phase, None, threading.Event()

    def phase(self, name):
        if name != self.wanted:
            return
        self.wanted = None
        time.sleep(BEFORE)  # so that the gateway waits by now
        os.kill(self.pid, signal.SIGSTOP)
        threading.Timer(STANDSTILL, self.go_on).start()
        time.sleep(ANSWER_AFTER)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)
        self.over.set()


class Server:
    """A mail server in whose answers the standstill may begin. Phases: verbs, GREETING, END, content (the first octets of it),
    handshake, and EHLO2 after it."""

    def __init__(self, test, standstill, certificates):
        self.standstill, self.taken = standstill, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates / "fullchain.pem", certificates / "privkey.pem")
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.open = []
        test.addCleanup(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        for one in [self.listener, *self.open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(PATIENCE)
                self.open.append(connection)
                threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection):
        with contextlib.suppress(OSError, EOFError):
            self.standstill.phase("GREETING")
            connection.sendall(b"220 server.example ESMTP\r\n")
            buffer, secured = b"", False

            def line():
                nonlocal buffer
                while b"\n" not in buffer:
                    piece = connection.recv(65536)
                    if not piece:
                        raise EOFError
                    buffer += piece
                first, _, buffer = buffer.partition(b"\n")
                return first

            while True:
                verb = line().split(None, 1)[0].decode().upper()
                self.standstill.phase(verb + "2" if verb == "EHLO" and secured else verb)
                if verb == "EHLO":
                    extra = "" if secured else "250-STARTTLS\r\n"
                    connection.sendall(f"250-server.example\r\n{extra}250 8BITMIME\r\n".encode())
                elif verb == "STARTTLS":
                    connection.sendall(b"220 2.0.0 Ready\r\n")
                    self.standstill.phase("handshake")
                    connection = self.context.wrap_socket(connection, server_side=True)
                    self.open.append(connection)
                    secured = True
                elif verb == "DATA":
                    connection.sendall(b"354 Go ahead\r\n")
                    buffer += connection.recv(1)
                    self.standstill.phase("content")
                    while not buffer.endswith(b"\r\n.\r\n"):
                        piece = connection.recv(1 << 20)
                        if not piece:
                            raise EOFError
                        buffer = buffer[-5:] + piece
                    buffer = b""
                    self.standstill.phase("END")
                    self.taken += 1
                    connection.sendall(b"250 2.0.0 Taken\r\n")
                else:
                    connection.sendall(ANSWERS.get(verb, "500 5.5.1 What?").encode() + b"\r\n")


class NameServer:
    """Knows the address 127.0.0.1 by the name client.example, and no other name. Phases: PTR, A."""

    def __init__(self, test, standstill):
        self.standstill = standstill
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        test.addCleanup(self.socket.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                packet, asker = self.socket.recvfrom(4096)
                threading.Thread(target=self.answer, args=(packet, asker), daemon=True).start()

    def answer(self, packet, asker):
        end = packet.index(b"\0", 12) + 1
        kind = struct.unpack(">H", packet[end:end + 2])[0]
        self.standstill.phase({1: "A", 12: "PTR"}.get(kind, ""))
        data = {12: b"\x06client\x07example\0", 1: bytes([127, 0, 0, 1])}.get(kind)
        count = 1 if data else 0
        answer = packet[:2] + struct.pack(">HHHHH", 0x8180, 1, count, 0, 0) + packet[12:end + 4]
        if data:
            answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        with contextlib.suppress(OSError):
            self.socket.sendto(answer, asker)


OF_SERVER = ["GREETING", "EHLO", "STARTTLS", "handshake", "EHLO2", "MAIL", "RCPT", "DATA", "content", "END"]
OF_NAMES = ["PTR", "A"]
OF_CLIENT = ["greeting", "command", "starttls", "recipient", "data", "text", "chunk", "between mails", "reply"]


class InEachPhase(GatewayTest):
    def start_all(self, phase, workers):
        standstill = Standstill(phase)
        self.server = Server(self, standstill, self.certificate())
        names = NameServer(self, standstill)
        timeouts = dict.fromkeys(("greeting", "command", "handshake", "data_block", "upstream_connect", "upstream_reply",
                                  "final_reply", "policy"), DEADLINE)
        self.gateway(self.server.port, workers=workers, timeouts=timeouts, policy={"mode": "enforce", "rdns": {"mode": "enforce"}},
                     dns={"servers": [f"127.0.0.1:{names.port}"], "timeout": DEADLINE})
        standstill.pid = self.gateway_process.pid
        return standstill

    def send_mail(self, client, standstill, large):
        standstill.phase("command")
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        standstill.phase("recipient")
        client.ask("RCPT TO:<user@test.example>", 250)
        text = b"From: ann@sender.example\r\nSubject: x\r\n\r\n" + b"A line of text.\r\n" * (400_000 if large else 10)
        if standstill.wanted == "chunk":
            client.send(f"BDAT {len(text)} LAST\r\n".encode() + text[:20])
            standstill.phase("chunk")
            client.send(text[20:])
        else:
            standstill.phase("data")
            client.ask("DATA", 354)
            client.send(text[:20])
            standstill.phase("text")
            client.send(text[20:] + b".\r\n")
        client.expect(250)

    def check(self, phase, workers):
        standstill = self.start_all(phase, workers)
        with Client(self.port) as client:
            client.expect(220)
            standstill.phase("greeting")
            client.ask("EHLO client.example", 250)
            if phase == "starttls":
                client.ask("STARTTLS", 220)
                standstill.phase("starttls")
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                client.socket = context.wrap_socket(client.socket)
                client.ask("EHLO client.example", 250)
            self.send_mail(client, standstill, large=phase == "content")
            standstill.phase("between mails")
            self.send_mail(client, standstill, large=False)
            client.ask("QUIT", 221) if phase != "reply" else self.quit_while_it_stands_still(client, standstill)
        self.assertTrue(standstill.over.wait(PATIENCE), "the standstill never began")
        self.assertEqual(self.server.taken, 2)
        self.assertEqual(self.log_lines("fault"), [])
        self.assertEqual([line["verdict"] for line in self.wait_for_log(count=2)], ["relay", "relay"])

    @staticmethod
    def quit_while_it_stands_still(client, standstill):
        standstill.phase("reply")
        client.ask("QUIT", 221)

    def in_phases(self, phases, workers):
        for phase in phases:
            with self.subTest(phase=phase, workers=workers):
                try:
                    self.check(phase, workers)
                finally:
                    self.stop_all()
                    self.processes.clear()
                    (self.folder / "gateway.log").unlink(missing_ok=True)

    def test_of_the_client(self):
        self.in_phases(OF_CLIENT, 1)

    def test_of_the_server(self):
        self.in_phases(OF_SERVER, 1)

    def test_of_the_names(self):
        self.in_phases(OF_NAMES, 1)

    def test_with_several_workers(self):
        self.in_phases(["command", "PTR", "GREETING", "RCPT", "END"], 4)


class Waiting(GatewayTest):
    def test_for_a_place_at_the_server(self):
        """Of two mails and one place the second waits, while the answer to the first arrives."""
        for workers in (1, 4):
            with self.subTest(workers=workers):
                standstill = Standstill("END")
                server = Server(self, standstill, self.certificate())
                self.gateway({"default": {"servers": [f"127.0.0.1:{server.port}"], "max_connections": 1}}, workers=workers,
                             timeouts={"upstream_connect": DEADLINE, "final_reply": DEADLINE})
                standstill.pid = self.gateway_process.pid
                with Client(self.port) as first, Client(self.port) as second:
                    first.greet()
                    second.greet()
                    first.mail()
                    first.ask("DATA", 354)
                    first.send("Subject: x\r\n\r\ntext\r\n.\r\n")
                    second.ask("MAIL FROM:<ann@sender.example>", 250)
                    second.send("RCPT TO:<user@test.example>\r\n")
                    first.expect(250)
                    second.expect(250)
                    second.message("Subject: y\r\n\r\ntext")
                self.assertEqual(server.taken, 2)
                self.stop_all()
                self.processes.clear()

    def test_for_what_never_comes_ends(self):
        """A standstill makes nobody wait for ever."""
        standstill = Standstill("command")
        self.gateway(self.sink().port, timeouts={"command": DEADLINE})
        standstill.pid = self.gateway_process.pid
        with Client(self.port) as client:
            client.greet()
            standstill.phase("command")
            client.expect(421)
            self.assertTrue(client.is_closed())


if __name__ == "__main__":
    unittest.main()
