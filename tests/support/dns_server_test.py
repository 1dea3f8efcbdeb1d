#!/usr/bin/env python3
"""dns_server.py answers as its table says, by UDP and TCP."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dns_server.py")
A, CNAME, TXT, MX = 1, 5, 16, 15
TABLE = {
    "example.org": {"A": ["192.0.2.1", "192.0.2.2"], "MX": [[10, "mx.example.org"]], "TXT": ["v=spf1 -all", ["in ", "parts"]]},
    "www.example.org": {"CNAME": ["Example.ORG."]},
    "empty.example.org": {"CNAME": ["mx.example.org"]},
    "mx.example.org": {"A": ["192.0.2.3"]},
    "loop.example.org": {"CNAME": ["loop.example.org"]},
    "big.example.org": {"TXT": ["x" * 3000]},
    "odd.example.org": {"A": "TIMEOUT", "TXT": "SERVFAIL", "MX": "NXDOMAIN"},
}


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def query(text, number, edns=None, identifier=0x1234):
    packet = struct.pack(">6H", identifier, 0x0100, 1, 0, 0, 1 if edns else 0) + name(text)
    packet += struct.pack(">HH", number, 1)
    return packet + (b"\0" + struct.pack(">HHIH", 41, edns, 0, 0) if edns else b"")


class Reply:
    def __init__(self, packet):
        self.id, self.flags, _, self.answers, self.authority, self.additional = struct.unpack_from(">6H", packet)
        self.rcode = self.flags & 15
        self.truncated = bool(self.flags & 0x0200)
        self.packet = packet


class DnsServer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.zone = os.path.join(self.folder.name, "zone.json")
        self.log = os.path.join(self.folder.name, "log")
        self.write_zone(TABLE)
        self.process = subprocess.Popen([sys.executable, SERVER, self.zone, "--log", self.log],
                                        stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        word, port = self.process.stdout.readline().split()
        self.assertEqual(word, "ready")
        self.address = ("127.0.0.1", int(port))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def write_zone(self, table):
        with open(self.zone + ".new", "w", encoding="utf-8") as file:
            json.dump(table, file)
        os.replace(self.zone + ".new", self.zone)

    def ask_udp(self, *packets, timeout=10.0):
        """The reply to the last packet; those before are sent on the same socket."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect(self.address)
            for packet in packets:
                sock.send(packet)
            return Reply(sock.recv(65535))

    def ask_tcp(self, packet):
        with socket.create_connection(self.address, timeout=10) as sock:
            sock.sendall(struct.pack(">H", len(packet)) + packet)
            with sock.makefile("rb") as file:
                return Reply(file.read(struct.unpack(">H", file.read(2))[0]))

    def test_addresses(self):
        reply = self.ask_udp(query("EXAMPLE.org", A))
        self.assertEqual((reply.id, reply.rcode, reply.answers, reply.authority), (0x1234, 0, 2, 0))
        self.assertIn(b"EXAMPLE", reply.packet[:30])
        self.assertIn(socket.inet_aton("192.0.2.2"), reply.packet)

    def test_texts_and_exchanges(self):
        self.assertIn(b"\x0bv=spf1 -all", self.ask_udp(query("example.org", TXT)).packet)
        self.assertIn(b"\x03in \x05parts", self.ask_udp(query("example.org", TXT)).packet)
        self.assertTrue(self.ask_udp(query("example.org", MX)).packet.endswith(b"\0\x0a" + name("mx.example.org")))

    def test_absence(self):
        self.assertEqual(self.ask_udp(query("no.example.org", A)).rcode, 3)
        reply = self.ask_udp(query("mx.example.org", TXT))
        self.assertEqual((reply.rcode, reply.answers, reply.authority), (0, 0, 1))
        self.assertEqual(self.ask_udp(query("odd.example.org", MX)).rcode, 3)

    def test_failure(self):
        self.assertEqual(self.ask_udp(query("odd.example.org", TXT)).rcode, 2)

    def test_silence(self):
        # The server answers in order: what comes back is the answer to the second question.
        reply = self.ask_udp(query("odd.example.org", A, identifier=1), query("example.org", A, identifier=2))
        self.assertEqual(reply.id, 2)

    def test_chains(self):
        reply = self.ask_udp(query("www.example.org", A))
        self.assertEqual((reply.rcode, reply.answers), (0, 3))
        self.assertEqual(self.ask_udp(query("www.example.org", CNAME)).answers, 1)
        reply = self.ask_udp(query("empty.example.org", TXT))
        self.assertEqual((reply.rcode, reply.answers, reply.authority), (0, 1, 1))
        self.assertEqual(self.ask_udp(query("loop.example.org", A)).rcode, 2)

    def test_truncation(self):
        for edns in (None, 1232):
            reply = self.ask_udp(query("big.example.org", TXT, edns))
            self.assertTrue(reply.truncated)
            self.assertEqual((reply.answers, reply.additional), (0, 1 if edns else 0))
        self.assertFalse(self.ask_udp(query("big.example.org", TXT, 4096)).truncated)
        reply = self.ask_tcp(query("big.example.org", TXT))
        self.assertEqual((reply.truncated, reply.answers), (False, 1))
        self.assertGreater(len(reply.packet), 3000)

    def test_nonsense(self):
        self.assertEqual(self.ask_udp(b"x", struct.pack(">6H", 9, 0, 1, 0, 0, 0) + b"\x05abc").rcode, 1)

    def test_log(self):
        self.ask_udp(query("Example.org", A))
        self.ask_tcp(query("example.org", TXT))
        with open(self.log, encoding="ascii") as file:
            self.assertEqual(file.read(), "udp A example.org\ntcp TXT example.org\n")

    def test_new_table(self):
        self.assertEqual(self.ask_udp(query("new.example.org", A)).rcode, 3)
        self.write_zone({"new.example.org": {"A": ["192.0.2.9"]}})
        self.assertEqual(self.ask_udp(query("new.example.org", A)).answers, 1)
        self.assertEqual(self.ask_udp(query("example.org", A)).rcode, 3)


if __name__ == "__main__":
    unittest.main()
