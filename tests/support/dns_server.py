#!/usr/bin/env python3
"""A small authoritative DNS server for integration tests.

    dns_server.py ZONE.json [--port N] [--address 127.0.0.1] [--log FILE] [--default NXDOMAIN] [--strings utf8] [--ttl N]

It serves all of DNS from one JSON table, by UDP and TCP on the same port (any free one without --port), prints
`ready PORT` on standard output once it does, and reads the table again when the file has changed; a file that cannot be
read leaves the old table in place and is told on standard error.

The table is the one of the conformance data:

    {"example.org": {"A": ["192.0.2.1"], "MX": [[10, "mx.example.org"]], "TXT": ["v=spf1 -all", ["in ", "parts"]]},
     "www.example.org": {"CNAME": ["example.org"]},
     "odd.example.org": {"A": "TIMEOUT", "TXT": "SERVFAIL", "AAAA": "NODATA", "MX": "NXDOMAIN"},
     "down.example.org": "TIMEOUT"}

TIMEOUT gets no answer. A name that is not there is what --default says, a type that is not there is NODATA. CNAMEs are
followed. An answer that does not fit into the asker's UDP size (512 octets, or what EDNS says) is sent with TC and no
records. --ttl is the TTL of every answer (300 s, and 60 s for negative ones, without it). --strings says what the table's strings stand for: their UTF-8, or (latin1) one octet for each code point up to
U+00FF. With --log, every question is a line: `udp|tcp TYPE NAME`, the name in lower case.
"""

import argparse
import json
import os
import signal
import socket
import socketserver
import struct
import sys
import threading

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 99: "SPF"}
NUMBERS = {word: number for number, word in TYPES.items()}
RCODES = {"NODATA": 0, "SERVFAIL": 2, "NXDOMAIN": 3}
OPT = 41
TTL = 300
NEGATIVE_TTL = 60
MOST_LINKS = 8


class Malformed(Exception):
    """A packet that is no query."""


def write_name(name):
    wire = b""
    for label in name.split(b".") if name else []:
        if not 0 < len(label) < 64:
            raise ValueError("a label of %d octets: %r" % (len(label), name))
        wire += bytes([len(label)]) + label
    return wire + b"\0"


def write_strings(parts):
    """One TXT record; a part over 255 octets becomes several character-strings."""
    pieces = []
    for part in parts:
        pieces += [part[at : at + 255] for at in range(0, len(part), 255)] or [b""]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def write_record(owner, number, ttl, data):
    return write_name(owner) + struct.pack(">HHIH", number, 1, ttl, len(data)) + data


def soa_record(ttl):
    data = write_name(b"ns.invalid") + write_name(b"hostmaster.invalid")
    data += struct.pack(">5I", 1, 7200, 3600, 1209600, ttl)
    return write_record(b"", NUMBERS["SOA"], ttl, data)


class Zone:
    """The table, read again when its file has changed."""

    def __init__(self, path, default, strings, ttl):
        self.path = path
        self.default = default
        self.ttl = TTL if ttl is None else ttl
        self.negative_ttl = NEGATIVE_TTL if ttl is None else ttl
        self.encoding = {"utf8": "utf-8", "latin1": "latin-1"}[strings]
        self.lock = threading.Lock()
        self.stamp = self.current_stamp()
        self.names = self.read()

    def current_stamp(self):
        status = os.stat(self.path)
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return {self.name(name).lower(): types for name, types in json.load(file).items()}

    def name(self, text):
        return text.encode(self.encoding).removesuffix(b".")

    def data(self, word, value):
        """The data of a record, from its value in the table."""
        if word == "A":
            return socket.inet_pton(socket.AF_INET, value)
        if word == "AAAA":
            return socket.inet_pton(socket.AF_INET6, value)
        if word in ("TXT", "SPF"):
            return write_strings([part.encode(self.encoding) for part in ([value] if isinstance(value, str) else value)])
        if word == "MX":
            return struct.pack(">H", value[0]) + write_name(self.name(value[1]))
        return write_name(self.name(value))

    def table(self):
        with self.lock:
            try:
                stamp = self.current_stamp()
                if stamp != self.stamp:
                    self.names = self.read()
                    self.stamp = stamp
            except (OSError, ValueError, AttributeError) as error:
                print("dns_server: the old table stays: %s" % error, file=sys.stderr, flush=True)
            return self.names

    def answer(self, name, number):
        """The records, as octets, and the outcome: "OK" or one of the words of the table."""
        names = self.table()
        word = TYPES.get(number)
        records = []
        for _ in range(MOST_LINKS + 1):
            types = names.get(name.lower(), self.default)
            if isinstance(types, str):
                return records, types
            answers = types.get(word, [])
            if isinstance(answers, str):
                return records, answers
            if answers:
                return records + [write_record(name, number, self.ttl, self.data(word, value)) for value in answers], "OK"
            links = types.get("CNAME", [])
            if isinstance(links, str):
                return records, links
            if not links:
                return records, "NODATA"
            records.append(write_record(name, NUMBERS["CNAME"], self.ttl, self.data("CNAME", links[0])))
            name = self.name(links[0])
        return records, "SERVFAIL"


class Query:
    """A question as it came in."""

    def __init__(self, packet):
        if len(packet) < 12:
            raise Malformed("no header")
        self.id, flags, questions, answers, authority, additional = struct.unpack_from(">6H", packet)
        self.opcode = flags >> 11 & 15
        self.recursion_desired = flags & 0x0100
        if flags & 0x8000 or questions != 1:
            raise Malformed("not a query with one question")
        labels, at = [], 12
        while True:
            if at >= len(packet):
                raise Malformed("the name ends nowhere")
            length = packet[at]
            at += 1
            if length == 0:
                break
            if length > 63 or at + length > len(packet):
                raise Malformed("a bad label")
            labels.append(packet[at : at + length])
            at += length
        if at + 4 > len(packet):
            raise Malformed("no type")
        self.name = b".".join(labels)
        self.type, self.question_class = struct.unpack_from(">HH", packet, at)
        self.question = packet[12 : at + 4]
        self.udp_octets = 512
        self.has_edns = False
        self.edns_version = 0
        # Queries carry nothing but OPT, whose owner is the root.
        rest = packet[at + 4 :]
        if answers == authority == 0 and additional and len(rest) >= 11 and rest[0] == 0:
            number, size, extended = struct.unpack_from(">HHI", rest, 1)
            if number == OPT:
                self.has_edns = True
                self.udp_octets = max(512, size)
                self.edns_version = extended >> 16 & 0xFF

    def reply(self, rcode, records=(), negative_ttl=None, truncated=False):
        flags = 0x8480 | self.opcode << 11 | self.recursion_desired | (0x0200 if truncated else 0) | rcode & 15
        # The SOA says for how long; in a chain of CNAMEs also that its end was looked for (RFC 2308).
        authority = [soa_record(negative_ttl)] if negative_ttl is not None and not truncated else []
        packet = struct.pack(">6H", self.id, flags, 1, len(records), len(authority), int(self.has_edns))
        packet += self.question + b"".join(records) + b"".join(authority)
        if self.has_edns:
            packet += b"\0" + struct.pack(">HHIH", OPT, 1232, rcode >> 4 << 24, 0)
        return packet


class Server:
    def __init__(self, zone, log):
        self.zone = zone
        self.log = log
        self.log_lock = threading.Lock()

    def note(self, transport, query):
        if not self.log:
            return
        with self.log_lock:
            word = TYPES.get(query.type, str(query.type))
            self.log.write("%s %s %s\n" % (transport, word, repr(query.name.lower())[2:-1]))
            self.log.flush()

    def respond(self, packet, transport):
        """The octets to send back, or nothing."""
        try:
            query = Query(packet)
        except Malformed:
            # FORMERR with the id, if it is a query at all (RFC 1035, 4.1.1).
            is_query = len(packet) >= 12 and not packet[2] & 0x80
            return packet[:2] + struct.pack(">5H", 0x8081, 0, 0, 0, 0) if is_query else None
        self.note(transport, query)
        if query.opcode != 0:
            return query.reply(4)
        if query.edns_version > 0:
            return query.reply(16)
        if query.question_class != 1:
            return query.reply(5)
        try:
            records, outcome = self.zone.answer(query.name, query.type)
        except (KeyError, TypeError, ValueError, OSError) as error:
            print("dns_server: %r: %s" % (query.name, error), file=sys.stderr, flush=True)
            records, outcome = [], "SERVFAIL"
        if outcome == "TIMEOUT":
            return None
        if outcome == "SERVFAIL":
            return query.reply(RCODES[outcome])
        rcode = RCODES.get(outcome, 0)
        is_negative = outcome in ("NODATA", "NXDOMAIN")
        reply = query.reply(rcode, records, negative_ttl=self.zone.negative_ttl if is_negative else None)
        if transport == "udp" and len(reply) > query.udp_octets:
            return query.reply(rcode, truncated=True)
        return reply


def make_listeners(server, address, port):
    """A UDP and a TCP listener on one port; a free one of both when `port` is 0."""

    class UdpHandler(socketserver.BaseRequestHandler):
        def handle(self):
            packet, sock = self.request
            reply = server.respond(packet, "udp")
            if reply is not None:
                sock.sendto(reply, self.client_address)

    class TcpHandler(socketserver.BaseRequestHandler):
        def read_exactly(self, octets):
            read = b""
            while len(read) < octets:
                piece = self.request.recv(octets - len(read))
                if not piece:
                    return None
                read += piece
            return read

        def handle(self):
            try:
                while True:
                    prefix = self.read_exactly(2)
                    packet = prefix and self.read_exactly(struct.unpack(">H", prefix)[0])
                    if not packet:
                        return
                    reply = server.respond(packet, "tcp")
                    if reply is None:
                        continue  # no answer: the connection stays, silent
                    self.request.sendall(struct.pack(">H", len(reply)) + reply)
            except OSError:
                return  # the asker has gone

    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    class UdpListener(socketserver.UDPServer):
        address_family = family
        max_packet_size = 65535

    class TcpListener(socketserver.ThreadingTCPServer):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 128

    for _ in range(50):
        tcp = TcpListener((address, port), TcpHandler)
        try:
            return UdpListener((address, tcp.server_address[1]), UdpHandler), tcp
        except OSError:
            tcp.server_close()
            if port != 0:
                raise
    raise OSError("no port that is free for both UDP and TCP")


def main():
    parser = argparse.ArgumentParser(description="authoritative DNS server for tests, from a JSON table")
    parser.add_argument("zone", help="the table, a JSON file")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--log", help="file that gets a line for each question")
    parser.add_argument("--default", default="NXDOMAIN", choices=["NXDOMAIN", "NODATA", "SERVFAIL", "TIMEOUT"],
                        help="the answer for names that are not in the table")
    parser.add_argument("--strings", default="utf8", choices=["utf8", "latin1"])
    parser.add_argument("--ttl", type=int)
    arguments = parser.parse_args()

    log = open(arguments.log, "a", encoding="ascii") if arguments.log else None
    server = Server(Zone(arguments.zone, arguments.default, arguments.strings, arguments.ttl), log)
    udp, tcp = make_listeners(server, arguments.address, arguments.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    print("ready %d" % tcp.server_address[1], flush=True)
    try:
        udp.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
