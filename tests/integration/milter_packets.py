"""Packets of the milter protocol, for whoever plays an MTA or a filter."""
import struct


def packet(letter, data=b""):
    return struct.pack(">I", len(data) + 1) + letter + data


def read_packet(peer):
    """The next packet, letter first; EOFError at the connection's end."""
    return read(peer, struct.unpack(">I", read(peer, 4))[0])


def read(peer, size):
    octets = b""
    while len(octets) < size:
        piece = peer.recv(size - len(octets))
        if not piece:
            raise EOFError
        octets += piece
    return octets
